from nginxlint import (
    PASSES,
    Bad,
    Block,
    Config,
    Diagnostic,
    Directive,
    Good,
    Iterator,
    Location,
    Rule,
    Severity,
    matches,
    note,
    opening,
    paths_of,
    refusing_some,
)

_GUARDS = ("deny", "auth_basic", "auth_request", "auth_jwt", "auth_ldap", "auth_pam")
_LIMITS = ("limit_req", "limit_conn")
# To see the pictures of what is protected harms nobody, and many mean it so.
_ASSETS = (
    "css js mjs map png jpg jpeg jpe gif ico svg svgz webp avif bmp tif tiff cur woff woff2 ttf ttc otf eot swf flv mp3 mp4 m4a "
    "m4v ogg ogv oga webm wav mov avi wmv mpeg mpg mid midi htc webmanifest"
).split()
_MOST = 64


class RegexBypassesAccess(Rule):
    """What a prefix location protects is open: a regex location beside it answers some of its requests, and asks nobody.

    A regular expression wins over a prefix. With `location /admin/ { auth_basic … }` and `location ~ \\.php$ { … }`, PHP runs
    /admin/index.php for everybody; the password is asked for the other files only. `location /xmlrpc.php { deny all; }`
    does nothing at all, and a `limit_req` in `location /wp-login.php` counts nobody. Nest a copy of the regex location in the
    protected one, where its guards count, or write `location = /xmlrpc.php`. Not reported: pictures, styles, scripts.
    Source: ngx_http_core_find_location; documentation of location.
    """

    id = "regex-bypasses-access"
    group = "security"
    severity = Severity.ERROR
    directives = (*_GUARDS, *_LIMITS)
    examples = (
        Bad(
            "location /admin/ { # here\n auth_basic staff; auth_basic_user_file users;\n}\n"
            "location ~ \\.php$ { fastcgi_pass php:9000; }"
        ),
        Bad("location /xmlrpc.php { deny all; } # here\nlocation ~ [^/]\\.php(/|$) { fastcgi_pass php:9000; }"),
        Bad("location /files { auth_request /ask; } # here\nlocation ~* \\.(png|pdf|zip)$ { expires 1d; }"),
        Bad("location /wp-login.php { limit_req zone=a; } # here\nlocation ~ \\.php$ { fastcgi_pass php:9000; }"),
        Bad("location /.git { deny all; } # here\nlocation ~ ^/(.+)$ { proxy_pass http://app; }"),
        Good(
            "location ^~ /admin/ { auth_basic a; auth_basic_user_file f; } location ~ \\.php$ { fastcgi_pass php:9000; }"
        ),
        Good("location = /xmlrpc.php { deny all; } location ~ \\.php$ { fastcgi_pass php:9000; }"),
        Good(
            "location /admin/ { deny all; location ~ \\.php$ { fastcgi_pass php:9000; } }"
            "location ~ \\.php$ { fastcgi_pass php:9000; }"
        ),
        Good("location /admin/ { deny all; } location ~ \\.php$ { auth_basic a; fastcgi_pass php:9000; }"),
        Good("location /admin/ { deny all; } location ~* \\.(js|css|png|jpe?g)$ { expires 1d; }"),
        Good("location /admin/ { deny all; } location ~ /\\.ht { deny all; } location ~ \\.php$ { return 404; }"),
        Good("location /admin/ { deny all; } location ~ ^/public/.*\\.php$ { fastcgi_pass php:9000; }"),
        Good(
            "location /a/ { deny all; } location ~ ^/a/.*\\.php$ { deny all; } location ~ \\.php$ { fastcgi_pass php:9000; }"
        ),
        Good("location / { allow 10.0.0.0/8; deny all; } location ~ \\.php$ { allow all; fastcgi_pass php:9000; }"),
        Good("location /metrics { deny all; } location ~ (/app)?/socket { proxy_pass http://app; }"),
        Good("location /admin/ { deny all; } location ~ \\.php$ { include auth.conf; fastcgi_pass php:9000; }"),
        Good("location /admin/ { deny all; } location ~ ^(.*)\\.php$ { rewrite ^(.*)\\.php$ $1 permanent; }"),
        Good(
            "location /admin/ { deny all; }"
            " location ~ \\.php$ { if ($uri ~ ^/admin/) { return 302 /; } fastcgi_pass php:9000; }"
        ),
        Good(
            "location /grafana/ { auth_basic a; auth_basic_user_file f; proxy_pass http://app; }"
            " location ~ \\.php$ { fastcgi_pass php:9000; }"
        ),
        Good("location /munin/ { alias /var/munin/; deny all; } location ~ \\.php$ { fastcgi_pass php:9000; }"),
        Good("location /stats { root /var/stats; deny all; } location ~ \\.php$ { fastcgi_pass php:9000; }"),
        Good("location /api/ { limit_req zone=a; } location ~ \\.php$ { fastcgi_pass php:9000; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        beside = {one.parent for one in config.saying(_is_regex, "location")}
        regexes: dict[Block, list[Location]] = {}
        choosy: set[Block] | None = None
        for block in dict.fromkeys(one.parent for one in config.find(*self.directives)):
            around = None if block is None else block.parent
            if block is None or around is None or around not in beside or not _is_prefix(block):
                continue
            if not config.gaps.isdisjoint((block, around, *around.ancestors())):
                continue  # another regular expression, or a nested one, may stand in what was not found
            location = config.location(block)
            if location is None or any(one.is_regex for one in location.nested):
                continue
            if around not in regexes:
                near = [found for one in around.blocks("location") if (found := config.location(one)) is not None]
                regexes[around] = [one for one in near if one.is_regex][:_MOST]
            guard = _guard(config, block)
            if guard is None:
                continue
            for path, regex in _taken(location, regexes[around], guard):
                if not _is_same_content(config, block, regex.block):
                    continue
                choosy = refusing_some(config) if choosy is None else choosy
                if (
                    regex.block in config.gaps
                    or _keeps_out(config, regex)
                    or not choosy.isdisjoint((regex.block, *regex.block.ancestors()))
                ):
                    continue
                what = "counts no request for" if guard.name in _LIMITS else "is not asked about"
                yield self.report(
                    block,
                    f"{guard.name} {what} {path}: location {' '.join(regex.block.values)} answers it",
                    related=(
                        note(regex.block, "a regular expression wins over a prefix"),
                        note(guard, "counts here only"),
                    ),
                    help=f"write location = {path}"
                    if path == location.pattern
                    else f"repeat location {' '.join(regex.block.values)} inside this one, or {guard.name} there",
                    severity=Severity.WARNING if guard.name in _LIMITS else None,
                )
                break


def _is_regex(values: tuple[str, ...]) -> bool:
    return "".join(values)[:1] == "~"


def _is_prefix(block: Block) -> bool:
    """Is it a location that a regular expression beside it wins over?"""
    return (
        block.name == "location"
        and len(block.values) == 1
        and block.values[0][:1] not in ("", "~", "=", "^", "@")
        and block.values != ("/",)
    )


def _guard(config: Config, block: Block) -> Directive | None:
    """What keeps visitors out of a location and stands in it, else what counts them."""
    for name in (*_GUARDS, *_LIMITS):
        guard = block.child(name)
        if guard is None or not guard.values or guard.values[0] == "off":
            continue
        if not (name == "deny" and opening(block) is not None):
            return guard
    return None


def _taken(location: Location, regexes: list[Location], guard: Directive) -> Iterator[tuple[str, Location]]:
    """Paths of a location, each with the regex location that answers it."""
    for regex in regexes:
        # one for files, or for everything; /socket also matches /admin/socket, and nobody means it
        below = [] if guard.name in _LIMITS else paths_of(regex.pattern, location.pattern)
        below = [one for one in below if "." in one[len(location.pattern) :].rpartition("/")[2] or one.endswith("/x")]
        for path in (location.pattern, *below):
            if not path.startswith(location.pattern) or path.rpartition(".")[2].lower() in _ASSETS:
                continue
            first = next((one for one in regexes if matches(one.pattern, path, caseless=one.modifier == "~*")), None)
            if first is regex:
                yield path, regex
                break


def _is_same_content(config: Config, block: Block, other: Block) -> bool:
    """Does the regex location answer with what is protected: from the same folder, or the same backend?"""
    own, theirs = block.child(*PASSES), other.child(*PASSES)
    if own is not None:
        return theirs is not None and _backend(own) == _backend(theirs)
    if block.child("alias") is not None or other.child("alias") is not None:
        return False
    read = theirs is None or theirs.name != "proxy_pass"
    return not read or config.scope(block).value("root") == config.scope(other).value("root")


def _backend(target: Directive) -> str:
    return target.values[0].partition("$")[0].rstrip("/") if target.values else ""


def _keeps_out(config: Config, regex: Location) -> bool:
    """Does it refuse somebody, too, or not answer with content?"""
    block = regex.block
    if any(
        test.child("return", "rewrite") is not None for test in block.blocks("if") if "uri" in " ".join(test.values)
    ):
        return True
    if any(rewrite.values[2:] != ("break",) for rewrite in block.named("rewrite")):
        return True  # to where its guards count, it may be
    return bool(config.scope(block).guards or block.child("return") or regex.internal)
