from nginxlint import Bad, Config, Diagnostic, Good, Iterator, Rule, Severity


class ProxyUriRewrites(Rule):
    """The target of a `proxy_pass` has a path: it takes the place of the location's prefix.

    `location /api/` with `proxy_pass http://app/v1/;` sends /api/users as /v1/users, decoded and normalised on the way
    (`%2F` becomes `/`, `//` becomes `/`). Without a path, not even `/`, nginx hands on what the visitor sent. That is
    often just what is meant, so the rule is off unless selected: it lists where backends see other paths than visitors.
    Source: proxy_pass (ngx_http_proxy_module).
    """

    id = "proxy-uri-rewrites"
    group = "proxy"
    severity = Severity.INFO
    directives = ("proxy_pass",)
    judges = "passes_with_uri"
    opt_in = True
    examples = (
        Bad("location /api/ {\n proxy_pass http://app/; # here\n}"),
        Bad("location = /a {\n proxy_pass http://app/b; # here\n}"),
        Good("location /api/ { proxy_pass http://app; }"),
        Good("location /api/ { proxy_pass http://app/api/; }"),
        Good("location ~ ^/api/(.*) { proxy_pass http://app/$1; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for target in config.passes_with_uri:
            location = config.location(target.directive)
            if location is None or target.uri == location.pattern:
                continue
            yield self.report(
                target.directive.args[0],
                f'the backend sees "{target.uri}" where visitors ask for "{location.pattern}", decoded and normalised',
                label="takes the place of the location's prefix",
                help="leave the path out to hand on what the visitor sent",
            )
