from nginxlint import Bad, Config, Diagnostic, Good, Iterator, Rule


class LocationQuery(Rule):
    """A prefix or exact location holds `?` or `#`: the requests it is written for do not get there.

    nginx compares locations with the path, which ends before the `?`. (A path that holds one comes as `%3F`, and only
    that would match.) What follows `#` no browser sends. Write the path, and ask for the query in it:
    `if ($arg_id) { … }`, or a `map` of `$args`.
    Source: ngx_http_parse_request_line; documentation of location.
    """

    id = "location-query"
    group = "correctness"
    directives = ("location",)
    judges = "dead_prefixes"
    examples = (
        Bad("location /search?q= { return 404; } # here"),
        Bad("location = /index.php?page=1 { return 404; } # here"),
        Bad("location ^~ /#/admin { deny all; } # here"),
        Good("location /search { if ($arg_q) { return 404; } }"),
        Good("location ~ ^/a/?$ { return 404; }"),
        Good("location / { rewrite ^ $request_uri; } location /search?q= { return 404; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for dead in config.dead_prefixes:
            if dead.kind == "query":
                mark = min(set(dead.pattern) & {"?", "#"}, key=dead.pattern.index)
                path = dead.pattern.partition(mark)[0]
                yield self.report(
                    dead.block,
                    f"requests for {dead.pattern} do not get here: "
                    + (
                        'a location sees the path only, which ends before "?"'
                        if mark == "?"
                        else 'nobody sends what follows "#"'
                    ),
                    help=f"write location {path} and test $args or $arg_NAME in it"
                    if mark == "?"
                    else f"write location {path}",
                )
