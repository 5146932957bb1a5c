from nginxlint import Bad, Config, Diagnostic, Good, Iterator, Pass, Rule, Severity, note

_FAMILIES = ("proxy", "fastcgi", "uwsgi", "scgi", "grpc", "memcached")


class ProxyNextUpstreamUseless(Rule):
    """Answers shall be tried again at the next server, but there is only one address.

    With a single address nginx has nothing to turn to, and passes the 500 or 503 on to the visitor. Add a second server
    to the group (or a `backup`), or take the statuses out. A host name may stand for several addresses, so only IP
    addresses, unix sockets and groups of one of these are judged.
    Source: ngx_http_upstream_next (src/http/ngx_http_upstream.c), `peer.tries`.
    """

    id = "proxy-next-upstream-useless"
    group = "proxy"
    severity = Severity.INFO
    directives = tuple(f"{family}_next_upstream" for family in _FAMILIES)
    examples = (
        Bad("location / { proxy_next_upstream error http_502 http_503; # here\n proxy_pass http://10.0.0.1:8080; }"),
        Bad(
            "upstream app { server 10.0.0.1:80; }\nproxy_next_upstream http_500; # here\n"
            "server { location / { proxy_pass http://app; } }"
        ),
        Good("location / { proxy_next_upstream error timeout; proxy_pass http://10.0.0.1:8080; }"),
        Good("location / { proxy_next_upstream http_500; proxy_pass http://app.example.com; }"),
        Good(
            "upstream app { server 10.0.0.1:80; server 10.0.0.2:80; }\n"
            "server { location / { proxy_next_upstream http_500; proxy_pass http://app; } }"
        ),
        Good(
            "upstream app { server 10.0.0.1:80; server 10.0.0.2:80; }\nproxy_next_upstream http_500;\n"
            "server { location / { proxy_pass http://app; } location /x { proxy_pass http://10.0.0.1; } }"
        ),
        Good("proxy_next_upstream http_500; location / { proxy_pass http://$arg_to; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for setting in config.find(*self.directives):
            statuses = [text for text in setting.values if text.startswith("http_")]
            if not statuses:
                continue
            targets = list(config.governed(setting, f"{setting.name.partition('_')[0]}_pass"))
            if targets and all(_has_one_address(config, target) for target in targets):
                yield self.report(
                    setting,
                    f"nothing is tried again after {', '.join(statuses)}: the target has a single address",
                    related=(note(targets[0].directive, "the target"),),
                    help="add a second server to the group, or take the statuses out",
                )


def _has_one_address(config: Config, target: Pass) -> bool:
    group = target.group(config)
    if group is not None or target.has_variables:
        return group is not None and group.single
    return target.unix is not None or target.is_address
