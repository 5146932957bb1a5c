from collections.abc import Iterator

from nginxlint import Bad, Config, Diagnostic, Fix, Good, Rule, Severity, insert_after, note


class UpstreamTlsDefaultPort(Rule):
    """TLS to a group whose server has no port: nginx connects to port 80.

    The default port of a `server` line is 80 whatever the scheme of the `proxy_pass` that uses it. The handshake meets
    a plain HTTP server: 502, "wrong version number". Write the port into the `server` line.
    Source: ngx_http_upstream_server (src/http/ngx_http_upstream.c: `u.default_port = 80`).
    """

    id = "upstream-tls-default-port"
    group = "upstream"
    severity = Severity.ERROR
    directives = ("upstream",)
    examples = (
        Bad(
            "upstream app {\n    server a.test; # here\n}\nserver { location / { proxy_pass https://app; } }",
            "upstream app {\n    server a.test:443; # here\n}\nserver { location / { proxy_pass https://app; } }",
        ),
        Good("upstream app { server a.test:443; }\nserver { location / { proxy_pass https://app; } }"),
        Good("upstream app { server a.test; }\nserver { location / { proxy_pass http://app; } }"),
        Good("upstream app { server unix:/run/a.sock; }\nserver { location / { proxy_pass https://app; } }"),
        Good("upstream app { server a.test service=http resolve; }\nserver { location / { proxy_pass https://app; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        seen: set[int] = set()
        for target in config.passes("proxy_pass", "grpc_pass", "uwsgi_pass"):
            upstream = target.group(config) if target.tls else None
            if upstream is None or id(upstream) in seen:
                continue
            seen.add(id(upstream))
            for peer in upstream.peers:
                text = peer.address.text
                if peer.unix is not None or peer.port is not None or peer.option("service") or "$" in text:
                    continue
                if not text.startswith("[") and ":" in text:
                    continue  # a port that is no number: refused elsewhere
                yield self.report(
                    peer.address,
                    f"TLS is spoken to port 80 of {peer.host}: 502 on every request that gets there",
                    Fix("write the port of TLS", (insert_after(peer.address.span, ":443"),), safe=False),
                    label="without a port a server line means port 80",
                    related=(note(target.directive, "TLS is asked for here"),),
                    help=f"write server {text}:443;",
                )
