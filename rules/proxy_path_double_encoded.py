from nginxlint import Bad, Config, Diagnostic, Good, Iterator, Rule, Severity, note


class ProxyPathDoubleEncoded(Rule):
    """`rewrite … $request_uri` in front of a plain `proxy_pass` encodes the path twice.

    `$request_uri` is the path as the visitor sent it, still encoded. A rewrite makes it the new (decoded) path, and
    `proxy_pass` without variables encodes it once more: %2F arrives as %252F. To keep the path untouched leave the
    rewrite out (without a URI part nginx hands the original on), or end the target with the variable the rewrite was
    made for: `proxy_pass http://app$uri;`.
    Source: ngx_http_proxy_create_request (escapes the URI wherever it was changed).
    """

    id = "proxy-path-double-encoded"
    group = "proxy"
    severity = Severity.INFO
    directives = ("rewrite",)
    examples = (
        Bad("location / {\n rewrite ^ $request_uri break; # here\n proxy_pass http://app;\n}"),
        Bad(
            "location /api/ {\n rewrite ^ $request_uri; # here\n rewrite ^/api/(.*) /$1 break;\n"
            " proxy_pass http://app;\n}"
        ),
        Good("location /api/ { rewrite ^ $request_uri; rewrite ^/api/(.*) $1 break; proxy_pass http://app/$uri; }"),
        Good("location / { rewrite ^/old/ $request_uri/new redirect; proxy_pass http://app; }"),
        Good("location / { proxy_pass http://app; }"),
        Good("location / { rewrite ^ /x$is_args$args break; proxy_pass http://app; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for rewrite in config.find("rewrite"):
            if len(rewrite.values) < 2 or not rewrite.values[1].startswith(("$request_uri", "${request_uri}")):
                continue
            location = config.location(rewrite)
            if location is None or rewrite.values[2:] in (("redirect",), ("permanent",), ("last",)):
                continue
            target = next(iter(location.scope.own("proxy_pass")), None)
            if target is None or "$" in "".join(target.values):
                continue
            yield self.report(
                rewrite.args[1],
                "the path arrives encoded twice: the backend gets %252F where the visitor sent %2F",
                label="still encoded as the visitor sent it",
                related=(note(target, "encodes it again"),),
                help="leave the rewrite out: without it nginx hands the path on untouched",
            )
