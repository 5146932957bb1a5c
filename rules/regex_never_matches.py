from nginxlint import Bad, Config, Diagnostic, Good, Iterator, Rule

_WHY = {"slash": "every path begins with a slash", "anchor": "something stands before ^ or behind $"}


class RegexNeverMatches(Rule):
    """A regular expression for paths can match no path: it is anchored to something other than a slash.

    Locations, `rewrite`, and tests of `$uri` or `$request_uri` see the path, which begins with `/`; `^api/` never
    matches, and the block or the redirect is dead. The same holds for `^` or `$` in the middle (`\\.php$/x`).
    Write `^/api/`. Silent where a `rewrite` of the server makes paths without a slash.
    Source: ngx_http_parse_complex_uri; documentation of location and rewrite.
    """

    id = "regex-never-matches"
    group = "correctness"
    directives = ("location", "rewrite", "if", "map")
    judges = "dead_patterns"
    examples = (
        Bad("location ~ ^api/ { return 404; } # here"),
        Bad("location / { rewrite ^(old|older)/(.*)$ /new/$2 last; } # here"),
        Bad("location / { if ($uri ~ ^admin) { return 403; } } # here"),
        Bad("location ~* \\.php$/info { return 404; } # here"),
        Bad("map $request_uri $new { ~^old /new; } # here"),
        Good("location ~ ^/api/ { return 404; } location ~ ^(/a|/b) { } location ~ ^.*/x { } location ~ ^[^/] { }"),
        Good("location ~ (^|/)api { return 404; }"),
        Good("location / { rewrite ^/(.*)$ $1; rewrite ^old /new; }"),
        Bad("server { rewrite ^(.*)$ $1/ permanent; location ~ ^api { return 404; } } # here"),
        Good("location / { if ($host ~ ^admin) { return 403; } }"),
        Good("map $host $new { ~^old /new; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for dead in config.dead_patterns:
            if dead.why in _WHY:
                anchored = dead.why == "slash" and dead.pattern[:1] == "^"
                yield self.report(
                    dead.place,
                    f'"{dead.pattern}" matches no path: {_WHY[dead.why]}',
                    help=f'write "^/{dead.pattern[1:]}"' if anchored else "mend the pattern",
                )
