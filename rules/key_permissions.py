from nginxlint import Bad, Config, Diagnostic, Directive, Good, Iterator, Rule, exposed_key, note

_KEYS = tuple(f"{family}ssl_certificate_key" for family in ("", "proxy_", "grpc_", "uwsgi_"))


class KeyPermissions(Rule):
    """Every user of the machine may read a private key: whoever gets in as any of them can pass for its owner, the site.

    nginx reads keys as root before it becomes the worker user; nobody else needs them. Not reported: keys that only a group
    may read, keys in folders others may not enter, and keys with a pass phrase. Only looked at where the configuration is
    that of this machine (`--check-files`).
    Source: documentation of ssl_certificate_key ("The private key is a secure entity and should be stored in a file with
    restricted access").
    """

    id = "key-permissions"
    group = "tls"
    directives = _KEYS
    judges = "locate"
    examples = (
        Bad("server { listen 443 ssl; ssl_certificate good.pem; ssl_certificate_key open.key; } # here", live=True),
        Bad("location / { proxy_pass https://app; proxy_ssl_certificate_key open.key; } # here", live=True),
        Good("server { listen 443 ssl; ssl_certificate good.pem; ssl_certificate_key closed.key; }", live=True),
        Good("server { listen 443 ssl; ssl_certificate_key /nonexistent/$ssl_server_name.key; }", live=True),
        Good("server { listen 443 ssl; ssl_certificate_key open.key; } # of another machine"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        named: dict[str, list[Directive]] = {}
        for line in config.find(*_KEYS):
            if line.values and "$" not in line.values[0]:
                named.setdefault(line.values[0], []).append(line)
        for path, lines in named.items():
            if exposed_key(config, path):
                yield self.report(
                    lines[0],
                    f"every user of this machine may read the private key {path}, and pass for its owner",
                    related=tuple(note(line, "it is named here as well") for line in lines[1:4]),
                    help=f"chmod o-rwx {path} (nginx reads it as root)",
                )
