from nginxlint import Bad, Config, Diagnostic, Good, Iterator, Rule, note


class LocationDuplicate(Rule):
    """Two locations of one level have the same text: the second one never answers.

    Equal prefix and exact locations are refused: `duplicate location "/a"`, also for `/a` and `^~ /a`. Equal regular
    expressions are not; nginx takes the first that matches and is silent about the second. Merge the two blocks, or
    mend the pattern of one.
    Source: ngx_http_core_find_location, ngx_http_cmp_locations (src/http/ngx_http_core_module.c, ngx_http.c).
    """

    id = "location-duplicate"
    group = "correctness"
    directives = ("location",)
    judges = "shadows"
    examples = (
        Bad("location ~ \\.php$ { fastcgi_pass a:9000; }\nlocation ~ \\.php$ { deny all; } # here"),
        Bad("location /a { location ~* \\.js$ { expires 1d; }\n location ~*\\.js$ { expires 2d; } # here\n}"),
        Good("location ~ \\.php$ { fastcgi_pass a:9000; } location ~* \\.php$ { deny all; }"),
        Good("location ~ \\.js$ { expires 1d; } location /a { location ~ \\.js$ { expires 2d; } }"),
        Good(
            "server { location ~ \\.js$ { expires 1d; } } server { location ~ \\.js$ { expires 2d; } }", context="http"
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for shadow in config.shadows:
            if shadow.kind == "twin":
                yield self.report(
                    shadow.block,
                    f"this location never answers: the same pattern stands above it (line {shadow.by.line})",
                    related=(note(shadow.by, "takes all its requests"),),
                    help="merge the two blocks, or mend one of the patterns",
                )
