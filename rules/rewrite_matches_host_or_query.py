from nginxlint import Bad, Config, Diagnostic, Good, Iterator, Rule

# Why it matches no path: what is said, what to do.
_WORDS = {
    "query": ('the path ends before the "?"', "match the path, and test $args or $arg_NAME with if or map"),
    "scheme": (
        "a path holds no scheme, and its slashes are merged to one",
        "match the path only, in the server of that name",
    ),
    "host": ("the host is no part of the path", "match the path only, in the server of that name, or test $host"),
}


class RewriteMatchesHostOrQuery(Rule):
    """A regular expression for paths asks for a scheme, a host or a query: it never matches.

    `rewrite`, `location ~` and tests of `$uri` see the path only: `/index.php` of http://example.com/index.php?id=5.
    What `\\?id=5` asks for would have to come as `%3F`. Match the path; put hosts into `server_name`; test `$args` or
    `$arg_id` for the query, or use `map $request_uri`, which holds both.
    Source: ngx_http_script_regex_start_code; ngx_http_parse_complex_uri; documentation of rewrite.
    """

    id = "rewrite-matches-host-or-query"
    group = "correctness"
    directives = ("location", "rewrite", "if", "map")
    judges = "dead_patterns"
    examples = (
        Bad("location / { rewrite ^/index\\.php\\?id=(\\d+)$ /page/$1 permanent; } # here"),
        Bad("location ~ ^/search[?]q= { return 404; } # here"),
        Bad("location / { if ($uri ~ \\?debug=1) { return 403; } } # here"),
        Bad("server { rewrite ^http://old\\.example\\.com/(.*)$ https://example.com/$1 permanent; } # here"),
        Bad("location ~ ^/fetch/https?://(.+)$ { return 204; } # here"),
        Bad("server { rewrite ^www\\.example\\.com/(.*)$ /site/$1 last; } # here"),
        Good("location / { rewrite ^/index\\.php(\\?.*)?$ /page permanent; rewrite ^/a/?$ /b; }"),
        Good("location / { if ($request_uri ~ \\?debug=1) { return 403; } if ($args ~ \\?) { return 403; } }"),
        Good("map $request_uri $new { ~^/index\\.php\\?id=5 /five; }"),
        Good("location / { if ($http_referer ~ ^https?://evil\\.com/) { return 403; } }"),
        Good("server { merge_slashes off; location ~ ^/fetch/https?://(.+)$ { return 204; } }"),
        Good("location ~ ^/fetch/https?:/+(.+)$ { return 204; } location ~ example\\.com/ { return 204; }"),
        Good("location / { rewrite ^ $request_uri; rewrite ^/a\\?b=1 /c; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for dead in config.dead_patterns:
            if dead.why in _WORDS:
                why, help = _WORDS[dead.why]
                yield self.report(
                    dead.place,
                    f'"{dead.pattern}" matches no request: {why}',
                    help=help,
                )
