"""The findings of the catalogue check as data: id, group, severity and the text `nginxlint explain` shows."""

from __future__ import annotations

_REFUSED = "nginx refuses to start or reload"

# id -> (group, severity, text)
RULES: dict[str, tuple[str, str, str]] = {
    "auth-file-missing": ("security", "error", "The file of auth_basic_user_file is not there: everybody gets 403."),
    "temp-path-missing": (
        "cache",
        "error",
        f"""A folder for temporary files or a cache cannot be made: the folder around it is not there, or a file has its name.

nginx makes the folder itself when it starts, and gives it to the workers, but not the folders around it. {_REFUSED}:
`mkdir() failed`. Where a file stands in its place, nginx starts, and requests that need it get 500. Only looked for where
the configuration is that of this machine (`--check-files`).""",
    ),
    "cert-file-invalid": (
        "tls",
        "error",
        "A file does not hold the certificate, key, list or parameters it is named for: nginx refuses to start or reload.",
    ),
    "cert-file-missing": (
        "tls",
        "error",
        "A certificate, key or CA file is not there: nginx refuses to start or reload.",
    ),
    "cert-key-mismatch": (
        "tls",
        "error",
        "A key does not belong to the certificate beside it: nginx refuses to start.",
    ),
    "load-module-missing": ("correctness", "error", "The file of a load_module is not there: nginx refuses to start."),
    "arguments-invalid": (
        "correctness",
        "error",
        f"""A directive has too many or too few arguments, or one it does not understand.

{_REFUSED}, at the first of them. Sizes are digits with k or m (`10m`, not `10MB`), times digits
with ms, s, m, h, d or w (`65s`, not `65sec`), switches `on` or `off`. nginx names the line on which
the statement ends; the finding stands at the argument itself.""",
    ),
    "block-missing": (
        "correctness",
        "error",
        f"A directive that needs a block in braces is ended by a semicolon. {_REFUSED}.",
    ),
    "block-unexpected": (
        "correctness",
        "error",
        f"A directive that takes no block is followed by an opening brace. {_REFUSED}.",
    ),
    "buffers-inconsistent": (
        "proxy",
        "error",
        f"""Buffer sizes that are in effect together contradict each other, often across levels: a size set in
`http` meets another in a location. {_REFUSED}.""",
    ),
    "charset-map-missing": (
        "correctness",
        "error",
        f"""Two charsets are used between which nginx has no table. {_REFUSED}. Include the `charset_map`; nginx
ships koi-win, koi-utf and win-utf.""",
    ),
    "cidr-host-bits": (
        "correctness",
        "warning",
        "A network has bits set that its mask makes meaningless: nginx warns and clears them, so the range is another "
        "one than it reads.",
    ),
    "condition-invalid": (
        "correctness",
        "error",
        "The condition of an `if` is not one nginx reads: it takes one variable, a variable with an operator and one "
        f"value, or a file test. {_REFUSED}.",
    ),
    "cpu-affinity-count": (
        "correctness",
        "warning",
        "There are more or fewer masks in `worker_cpu_affinity` than worker processes: nginx warns, and gives the last mask "
        "to all that remain. `worker_cpu_affinity auto;` spreads any number of processes.",
    ),
    "default-server-duplicate": (
        "correctness",
        "error",
        f"Two servers claim to be the default of one socket. {_REFUSED}.",
    ),
    "directive-conflict": ("correctness", "error", f"Two directives exclude each other in one block. {_REFUSED}."),
    "directive-context": (
        "correctness",
        "error",
        f"""A directive stands in a block where it has no meaning.

{_REFUSED}: `directive is not allowed here`. When several directives of one block are out of place,
a brace too many or too few above them is the usual cause; they are one finding.""",
    ),
    "directive-deprecated": (
        "deprecation",
        "warning",
        "nginx still reads the directive, warns about it, and a later version will refuse or ignore it.",
    ),
    "directive-ignored": (
        "correctness",
        "warning",
        "nginx reads the directive, warns, and ignores it: this system or this build does not have what it is for.",
    ),
    "directive-repeat": (
        "correctness",
        "error",
        f"A directive that may stand once in a block stands there twice, often once of them by an include. {_REFUSED}: "
        "`directive is duplicate`.",
    ),
    "directive-unknown": (
        "correctness",
        "error",
        f"""nginx has no directive of this name: a typo, a module that is not built in or loaded, or another
version.

{_REFUSED}. Say which nginx will run the configuration with `--nginx-version` and `--nginx-build`;
directives of known third-party modules are accepted unless the modules are known.""",
    ),
    "events-missing": (
        "correctness",
        "error",
        f"The configuration has no `events` block, which may be empty but has to be there. {_REFUSED}.",
    ),
    "geo-delete-missing": (
        "correctness",
        "warning",
        "A `delete` in `geo` names a network or range that no line above defines exactly so: nginx warns, and nothing is "
        "deleted. It cannot cut a part out of a network; give that part its own line with the value it should have.",
    ),
    "handler-missing": (
        "correctness",
        "error",
        f"""A stream server neither passes a connection on nor answers it. {_REFUSED}; since 1.27.1 it starts, and closes
every connection at once (a warning). Write `proxy_pass` or `return`.""",
    ),
    "hash-not-optimal": (
        "correctness",
        "warning",
        """There are more names than nginx can spread over the buckets of a hash table: server names, the keys of a `map`,
variables, file name extensions.

nginx tries every number of buckets up to `*_hash_max_size`, warns `could not build optimal …`, and makes the buckets longer
than a line of the processor's cache. It works, and a look-up takes a little longer. Raise `*_hash_max_size` to what the finding
says, which costs eight bytes a bucket.""",
    ),
    "hash-too-small": (
        "correctness",
        "error",
        "A name is too long for the hash table nginx puts it into: raise the bucket size it names.",
    ),
    "index-unreachable": (
        "correctness",
        "warning",
        "A name of `index` begins with a slash and is not the last one: nginx redirects to it without a look whether the "
        "file is there, so what stands behind it is never tried. nginx warns.",
    ),
    "listen-duplicate": ("correctness", "error", f"One address and port is listened on twice. {_REFUSED}."),
    "listen-missing": ("correctness", "error", f"A stream or mail server has no `listen`. {_REFUSED}."),
    "listen-options-conflict": (
        "correctness",
        "error",
        f"Two servers set the socket options of the same address. {_REFUSED}.",
    ),
    "load-module-late": (
        "correctness",
        "error",
        f"A `load_module` stands after directives that need the list of modules to be complete. {_REFUSED}. Move it to "
        "the top of the main file.",
    ),
    "location-duplicate": ("correctness", "error", f"Two locations of a server are the same. {_REFUSED}."),
    "location-modifier-invalid": (
        "correctness",
        "error",
        f"A location has a modifier that is not =, ~, ~* or ^~. {_REFUSED}.",
    ),
    "location-nesting-invalid": (
        "correctness",
        "error",
        f"A location stands in one that can never lead to it. {_REFUSED}.",
    ),
    "log-conflict": ("correctness", "error", f"Settings of one log file contradict each other. {_REFUSED}."),
    "log-format-duplicate": ("correctness", "error", f"A log format is defined twice. {_REFUSED}."),
    "log-format-undefined": (
        "correctness",
        "error",
        f"An `access_log` names a format that no `log_format` above it defines. {_REFUSED}.",
    ),
    "mail-protocol-unknown": (
        "correctness",
        "error",
        f"""nginx cannot tell from the port which protocol a mail server speaks. {_REFUSED}: write `protocol
imap;`, pop3 or smtp.""",
    ),
    "map-duplicate": (
        "correctness",
        "error",
        f"""A `map` has a key twice, or a `geo` a network, a range or a default.

A `map`: {_REFUSED}. A `geo`: nginx warns, and the later line is in effect (`duplicate network`).""",
    ),
    "map-host-invalid": ("correctness", "error", f"A host name in a map cannot be one. {_REFUSED}."),
    "network-invalid": ("correctness", "error", f"An address or network cannot be read. {_REFUSED}."),
    "path-conflict": ("correctness", "error", f"A path is used for two things. {_REFUSED}."),
    "proxy-redirect-default": (
        "proxy",
        "error",
        f"""`proxy_redirect default` needs a `proxy_pass` without variables above it in the same location.

{_REFUSED}. Move it below the `proxy_pass`, or remove it: it is the default anyway. Where the target has
variables, nginx cannot derive what to replace: write it, as in `proxy_redirect http://app:8080/ /;`.""",
    ),
    "proxy-scheme-missing": ("proxy", "error", f"`proxy_pass` begins with neither http:// nor https://. {_REFUSED}."),
    "proxy-tls-verify-incomplete": (
        "tls",
        "error",
        f"""The certificates of upstreams are to be verified, but nothing says which authorities to trust.
{_REFUSED}.""",
    ),
    "proxy-uri-forbidden": (
        "proxy",
        "error",
        "`proxy_pass` has a URI, if only a slash, where nginx could not tell what to replace by it: in a regex or "
        f"named location, an `if` or a `limit_except`. {_REFUSED}.",
    ),
    "range-overlap": ("correctness", "error", f"Ranges of a geo block overlap. {_REFUSED}."),
    "referers-missing": (
        "correctness",
        "error",
        f"""`valid_referers` names no referer: `none` and `blocked` alone are not enough. {_REFUSED}.""",
    ),
    "regex-invalid": ("correctness", "error", f"A regular expression does not compile. {_REFUSED}."),
    "server-name-invalid": ("correctness", "error", f"A server name cannot be one. {_REFUSED}."),
    "thread-pool-duplicate": (
        "correctness",
        "error",
        f"""A thread pool is defined twice. {_REFUSED}.""",
    ),
    "thread-pool-undefined": (
        "correctness",
        "error",
        f"A thread pool is used that nothing declares. {_REFUSED}.",
    ),
    "tls-certificate-missing": (
        "tls",
        "error",
        f"""TLS is on in a server that has no certificate. {_REFUSED}, or the handshake fails.""",
    ),
    "tls-ciphers-invalid": (
        "tls",
        "error",
        f"""OpenSSL knows none of the ciphers of a list. {_REFUSED}. Suites of TLS 1.3 do not belong into
`ssl_ciphers`.""",
    ),
    "tls-client-ca-missing": (
        "tls",
        "error",
        f"""Client certificates are asked for, but nothing says which authority signed them. {_REFUSED}.""",
    ),
    "tls-command-invalid": (
        "tls",
        "error",
        f"""OpenSSL knows no such configuration command. {_REFUSED}.""",
    ),
    "tls-curve-invalid": (
        "tls",
        "error",
        f"""OpenSSL knows no such curve. {_REFUSED}.""",
    ),
    "tls-key-missing": (
        "tls",
        "error",
        f"""A certificate has no key. {_REFUSED}: write `ssl_certificate_key` beside it.""",
    ),
    "types-duplicate": (
        "correctness",
        "warning",
        "A file name extension has a type twice in the `types` of one place: nginx warns, and the later line is in effect. "
        "`types` blocks that stand beside each other (one of them in mime.types, say) are one list.",
    ),
    "upstream-address-invalid": ("upstream", "error", f"The address of an upstream cannot be read. {_REFUSED}."),
    "upstream-backup-unsupported": (
        "upstream",
        "error",
        f"The balancing method above has no backup servers. {_REFUSED}.",
    ),
    "upstream-duplicate": ("upstream", "error", f"Two upstream groups have one name. {_REFUSED}."),
    "upstream-empty": ("upstream", "error", f"An upstream group has no server. {_REFUSED}."),
    "upstream-only-backup": ("upstream", "error", f"An upstream group has backup servers only. {_REFUSED}."),
    "upstream-port-on-group": (
        "upstream",
        "error",
        f"A pass to an upstream group names a port; ports stand with its servers. {_REFUSED}.",
    ),
    "upstream-resolve-needs": (
        "upstream",
        "error",
        f"""`resolve` on a server needs a `zone` in its group and a `resolver`.

{_REFUSED}. The `resolver` has to stand in the group itself or in `http` (`stream`) around it: one in a server
or location is not seen by the group.""",
    ),
    "value-duplicate": (
        "correctness",
        "warning",
        "A word stands twice in a list in which it counts once, such as `ssl_protocols`, `proxy_next_upstream` or "
        "`gzip_types`: nginx warns each time it reads the configuration. text/html is in the lists of MIME types by itself "
        "(text/xml in xslt_types).",
    ),
    "variable-invalid": (
        "correctness",
        "error",
        f"A $ is not followed by the name of a variable, or a name is given without its $. {_REFUSED}.",
    ),
    "variable-redefined": (
        "correctness",
        "error",
        f"A variable of nginx itself is defined anew, and cannot be. {_REFUSED}.",
    ),
    "variable-unknown": (
        "correctness",
        "error",
        f"""A variable is read that nothing defines: no module of this nginx, no set, map, geo, split_clients or
named capture anywhere in the configuration.

{_REFUSED}, naming the variable but no line. All places that read it are one finding.
`$connection_upgrade` of the WebSocket examples is no variable of nginx's: it needs
`map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}` in `http`.""",
    ),
    "zone-conflict": (
        "correctness",
        "error",
        f"A shared memory zone is declared for two uses, or with two sizes. {_REFUSED}.",
    ),
    "zone-too-small": ("correctness", "error", f"A shared memory zone is smaller than nginx can use. {_REFUSED}."),
    "zone-undefined": (
        "correctness",
        "error",
        f"""A zone or cache is used that nothing declares.

{_REFUSED}: `zero size shared memory zone`, or `zone is unknown`. Declare it with limit_req_zone,
limit_conn_zone or proxy_cache_path.""",
    ),
}
