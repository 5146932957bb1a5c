from nginxlint import (
    Bad,
    Block,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Rule,
    Server,
    Severity,
    note,
    replace,
)


class ReturnShadowsLocations(Rule):
    """A `return` or an all-embracing redirect directly in the server answers every request: its locations are dead.

    The rewrite directives of a server run before a location is looked for. Typical victim: the location that serves
    /.well-known/acme-challenge/, so that the renewal of the certificate is redirected and fails. Put the `return` into
    `location / { }`.
    Source: documentation of ngx_http_rewrite_module.
    """

    id = "return-shadows-locations"
    group = "correctness"
    severity = Severity.WARNING
    directives = ("return", "rewrite")
    examples = (
        Bad(
            "server {\n    location /.well-known/ { root /srv; }\n    return 301 https://a.test; # here\n}",
            "server {\n    location /.well-known/ { root /srv; }\n    location / { return 301 https://a.test; } # here\n}",
        ),
        Bad("server {\n    return 444; # here\n    location / { root /srv; }\n}"),
        Bad("server {\n    rewrite ^(.*)$ https://a.test$1 permanent; # here\n    location /a { root /srv; }\n}"),
        Good("server { rewrite ^/old https://a.test permanent; location / { root /srv; } }"),
        Good("server { rewrite ^/$ /ui/ redirect; location / { root /srv; } }"),
        Good("server { return 301 https://a.test; }"),
        Good("server { location / { return 301 https://a.test; } location /a { root /srv; } }"),
        Good("server { if ($host = a) { return 301 https://a.test; } location / { root /srv; } }"),
        Good("server { if ($uri ~ ^/.well-known/) { break; } return 301 https://a.test; location / { root /srv; } }"),
        Good("server { rewrite ^/old /new last; return 301 https://a.test; location /new { root /srv; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        located = config.index.holders("location")
        for directive in config.find(*self.directives):
            if directive.parent not in located or directive.enclosing("server") is not directive.parent:
                continue
            if directive.name == "rewrite" and not _redirects_all(directive):
                continue
            server = config.server(directive)
            if server is None or server.kind != "http":
                continue
            if _may_stop_before(server, directive):
                continue
            dead = [location for location in server.locations if location.modifier != "@"]
            if not dead:
                continue
            fixes: tuple[Fix, ...] = ()
            if not any(location.modifier in ("", "^~") and location.pattern == "/" for location in dead):
                moved = f"location / {{ {directive.span.text} }}"
                fixes = (Fix("move it into location /", (replace(directive.span, moved),), safe=False),)
            count = f"its {len(dead)} locations are" if len(dead) > 1 else "its location is"
            yield self.report(
                directive,
                f"this answers every request to the server: {count} never reached",
                *fixes,
                label="runs before a location is looked for",
                related=(note(dead[0].block, "never reached"),),
                help="move it into location / { }",
            )


def _redirects_all(rewrite: Directive) -> bool:
    """Does a rewrite redirect whatever is asked for?"""
    values = rewrite.values
    if len(values) < 2:
        return False
    pattern = values[0].strip("^$()")
    if pattern not in (".*", "/.*", "/(.*", ".+", "/?(.*") and (pattern not in ("", "/") or values[0].endswith("$")):
        return False
    return values[-1] in ("redirect", "permanent") or values[1].startswith(("http://", "https://", "$scheme"))


def _may_stop_before(server: Server, directive: Directive) -> bool:
    """Can `break` or `rewrite … last|break` above it end the server's rewrite directives, so that a location is met?"""
    for child in server.block.body:
        if child is directive:
            return False
        inside = child.body if isinstance(child, Block) and child.name == "if" else (child,)
        for one in inside:
            if one.name == "break" or (one.name == "rewrite" and one.values[-1:] in (("last",), ("break",))):
                return True
    return False
