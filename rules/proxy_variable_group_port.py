from collections.abc import Iterator

from nginxlint import Bad, Config, Diagnostic, Fix, Good, Pass, Rule, Severity, note, replace


class ProxyVariableGroupPort(Rule):
    """A variable gives an upstream group a port: nginx then looks the name up in DNS instead of using the group.

    At run time a name matches a group only as it is defined, without a port. `http://$backend:80` with
    `upstream backend` asks the resolver for a host called backend: 502 "no resolver defined" or "Host not found".
    Leave the port out; the `server` lines of the group say the ports.
    Source: ngx_http_upstream_init_request (src/http/ngx_http_upstream.c).
    """

    id = "proxy-variable-group-port"
    group = "proxy"
    severity = Severity.ERROR
    directives = ("upstream",)
    examples = (
        Bad(
            "upstream app { server a:1; }\nserver { set $b app; location / {\n proxy_pass http://$b:80; # here\n} }",
            "upstream app { server a:1; }\nserver { set $b app; location / {\n proxy_pass http://$b; # here\n} }",
        ),
        Bad(
            "upstream app { server a:1; }\nmap $uri $t { default app:80; }\n"
            "server { location / {\n proxy_pass http://$t; # here\n} }"
        ),
        Good("upstream app { server a:1; } server { set $b app; location / { proxy_pass http://$b; } }"),
        Good("upstream app { server a:1; } server { set $b other; location / { proxy_pass http://$b:80; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for target in config.passes("proxy_pass", "grpc_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass"):
            if not target.has_variables:
                continue
            for value in config.fold(target.directive, target.text) or ():
                found = Pass(target.directive, value.text)
                upstream = config.upstream(found.host) if found.port is not None else None
                if upstream is None:
                    continue
                word = target.directive.args[0]
                written = f":{found.port}"
                at = target.text.find(written)
                fixes: tuple[Fix, ...] = ()
                if at > 0 and target.text.count(written) == 1:
                    fixes = (Fix("leave the port out", (replace(word.part(at, at + len(written)), ""),), safe=True),)
                yield self.report(
                    word,
                    f'"{found.authority}" does not name the group "{upstream.name}": every request gets 502',
                    *fixes,
                    label=f"looked up in DNS as a host called {found.host}",
                    related=(note(upstream.block, "the group is defined here"),),
                    help="leave the port out: the server lines of the group say the ports",
                )
                break
