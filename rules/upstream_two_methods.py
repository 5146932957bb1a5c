from nginxlint import Bad, Config, Diagnostic, Good, Iterator, Rule, Severity, note


class UpstreamTwoMethods(Rule):
    """An upstream group has two balancing methods: only the last one is in effect.

    nginx warns "load balancing method redefined" and starts. With `ip_hash; least_conn;` visitors are no longer tied
    to one server, and sessions kept in its memory are lost. Keep the method that is meant.
    Source: ngx_http_upstream_ip_hash and its siblings (src/http/modules/ngx_http_upstream_*_module.c).
    """

    id = "upstream-two-methods"
    group = "upstream"
    severity = Severity.WARNING
    directives = ("ip_hash", "hash", "least_conn", "least_time", "random")
    examples = (
        Bad("upstream app {\n ip_hash; # here\n least_conn;\n server a:1;\n server b:1;\n}"),
        Bad("upstream app {\n hash $uri consistent; # here\n server a:1;\n random two; # here\n ip_hash;\n}"),
        Good("upstream app { ip_hash; server a:1; }\nupstream two { least_conn; server a:1; }"),
        Good("upstream app { random two least_conn; server a:1; server b:1; }"),
        Good("upstream app { least_conn; keepalive 8; server a:1; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for group in config.upstreams:
            methods = group.methods
            for method in methods[:-1]:
                yield self.report(
                    method,
                    f'{method.name} has no effect: the group "{group.name}" is balanced by the last method, {methods[-1].name}',
                    related=(note(methods[-1], "this one is in effect"),),
                    help="keep the one that is meant",
                    nginx_message="load balancing method redefined",
                )
