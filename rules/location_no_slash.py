from nginxlint import (
    Bad,
    Config,
    DeadPrefix,
    Diagnostic,
    Good,
    Iterator,
    Rule,
    compiled,
    looks_like_regex,
    regex_meant,
    respelled,
)

_URL = r"https?://[^/]*(/.*)?"
_SUFFIX = r"\*?\\?\.(\w+)\$?"


class LocationNoSlash(Rule):
    """A prefix or exact location does not begin with a slash: no request ever gets to it.

    Every path begins with `/`. Without `~` nginx takes the pattern for the text a path begins with, be it a regular
    expression (`\\.php$`), a file name with `*`, or a whole URL, and finds no fault in it. Write `/api/`,
    `~ \\.php$`, or the path of the URL. Silent where a `rewrite` or a subrequest asks for a URI without a slash.
    Source: ngx_http_core_location, ngx_http_core_find_static_location.
    """

    id = "location-no-slash"
    group = "correctness"
    directives = ("location",)
    judges = "dead_prefixes"
    examples = (
        Bad("location api/ { return 404; } # here", "location /api/ { return 404; } # here"),
        Bad("location = robots.txt { return 404; } # here", "location = /robots.txt { return 404; } # here"),
        Bad("location *.php { deny all; } # here", "location ~ \\.php$ { deny all; } # here"),
        Bad("location .php$ { deny all; } # here", "location ~ \\.php$ { deny all; } # here"),
        Bad("location ^~ ^/api/v[0-9] { deny all; } # here", "location ~ ^/api/v[0-9] { deny all; } # here"),
        Bad("location ^api/ { deny all; } # here", "location ~ ^/api/ { deny all; } # here"),
        Bad("location http://a.test/x/ { deny all; } # here", "location /x/ { deny all; } # here"),
        Bad("location * { deny all; } # here", "location / { deny all; } # here"),
        Bad("location *admin* { deny all; } # here", "location ~ admin { deny all; } # here"),
        Bad("location '= /x' { deny all; } # here", "location = /x { deny all; } # here"),
        Good("location /api/ { return 404; } location = /robots.txt { return 404; } location @app { return 404; }"),
        Good("location ~ \\.php$ { deny all; } location ~^/x { deny all; } location ^~/y { deny all; }"),
        Good('location "" { return 404; }'),
        Good("location / { rewrite ^/(.*)$ $1; } location api/ { return 404; }"),
        Good("location / { auth_request ask; } location ask { return 204; }"),
        Good("location app/ { internal; root /srv; }"),
        Good("location __PATH__/ { return 404; } location PATH/ { return 404; } location $prefix/ { return 404; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for dead in config.dead_prefixes:
            if dead.kind == "slash":
                fix = respelled(dead, *_meant(dead))
                yield self.report(
                    dead.block,
                    f'no request gets here: every path begins with a slash, "{dead.pattern}" does not',
                    fix,
                    help=fix.title,
                )


def _meant(dead: DeadPrefix) -> tuple[str, str]:
    """Modifier and pattern that somebody may have had in mind."""
    pattern = dead.pattern.strip()
    if pattern.startswith("/"):
        return dead.modifier, pattern  # quoted together with a modifier
    if url := compiled(_URL).fullmatch(pattern):
        return dead.modifier, url[1] or "/"
    if suffix := compiled(_SUFFIX).fullmatch(pattern):
        return "~", f"\\.{suffix[1]}$"
    if looks_like_regex(pattern) and (regex := regex_meant(pattern)):
        return "~", regex
    return dead.modifier, "/" if set(pattern) <= set("*.") else f"/{pattern}"
