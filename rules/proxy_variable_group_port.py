from nginxlint import (
    Bad,
    Confidence,
    Config,
    Destination,
    Diagnostic,
    Fix,
    Good,
    Iterator,
    Pass,
    Rule,
    Severity,
    destinations,
    note,
    replace,
)


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
    directives = ("proxy_pass", "grpc_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass")
    texts = ("$",)
    examples = (
        Bad(
            "upstream app { server a:1; }\n"
            "proxy_set_header Host a;\nserver { set $b app; location / {\n proxy_pass http://$b:80; # here\n} }",
            "upstream app { server a:1; }\n"
            "proxy_set_header Host a;\nserver { set $b app; location / {\n proxy_pass http://$b; # here\n} }",
        ),
        Bad(
            "upstream app { server a:1; }\nmap $uri $t { default app:80; }\n"
            "proxy_set_header Host a;\nserver { location / {\n proxy_pass http://$t; # here\n} }"
        ),
        Bad(
            "upstream app { server a:1; }\n"
            "proxy_set_header Host a;\nserver { location / {\n proxy_pass http://app:81$request_uri; # here\n} }",
            "upstream app { server a:1; }\n"
            "proxy_set_header Host a;\nserver { location / {\n proxy_pass http://app$request_uri; # here\n} }",
        ),
        Good(
            "resolver 127.0.0.11; upstream app { server app:81; }\n"
            "server { location / { set $b app; proxy_pass http://$b:81; } }"
        ),
        Good("upstream app { server a:1; } server { set $b app; location / { proxy_pass http://$b; } }"),
        Good("upstream app { server a:1; } server { set $b other; location / { proxy_pass http://$b:80; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for target in config.passes(*self.directives):
            if not target.has_variables:
                continue
            for end in destinations(config, target) or ():
                upstream = config.upstream(end.host, target.kind) if end.port is not None else None
                if upstream is None:
                    continue
                resolver = config.snippet or config.scope(target.directive).directive("resolver") is not None
                if resolver and any(peer.host.lower() == end.host.lower() for peer in upstream.peers):
                    continue  # the name is a host, too: Docker's DNS knows it
                outcome = "is looked up in DNS, past the group" if resolver else "gets 502 on every request"
                yield self.report(
                    target.directive.args[0],
                    f'"{end.authority}" does not name the group "{upstream.name}" because of its port: it {outcome}',
                    *_fixes(target, end),
                    severity=Severity.WARNING if resolver else Severity.ERROR,
                    confidence=Confidence.MEDIUM if resolver else Confidence.HIGH,
                    label=f"looked up in DNS as a host called {end.host}",
                    related=(note(upstream.block, "the group is defined here"),),
                    help="leave the port out: the server lines of the group say the ports",
                )
                break


def _fixes(target: Pass, end: Destination) -> tuple[Fix, ...]:
    word, written = target.directive.args[0], f":{end.port}"
    at = target.text.find(written)
    if at < 0 or target.text.count(written) != 1:
        return ()
    return (Fix("leave the port out", (replace(word.part(at, at + len(written)), ""),), safe=False),)
