from nginxlint import Bad, Config, Diagnostic, Fix, Good, Iterator, Peer, Rule, Severity, insert_after, note


class UpstreamTlsDefaultPort(Rule):
    """A group that is reached over TLS has a server without a port: nginx connects to port 80.

    The scheme stands in the pass directive, the port in the group, and the default port of a `server` line is 80
    whatever the scheme is. nginx then starts a TLS handshake on the plain port: 502, "wrong version number" in the
    log. Write the port. Unix sockets and servers that get their port from an SRV record (`service=`) need none.
    Source: ngx_http_upstream_server (src/http/ngx_http_upstream.c), default_port.
    """

    id = "upstream-tls-default-port"
    group = "tls"
    severity = Severity.ERROR
    directives = ("proxy_pass", "grpc_pass", "uwsgi_pass", "proxy_ssl")
    texts = ("$", "https:", "grpcs:", "suwsgi:", "on")
    examples = (
        Bad(
            "upstream app {\n server a.test; # here\n server b:443;\n server 'c.test' weight=2; # here\n}\n"
            "server { location / { proxy_pass https://app; } }",
            "upstream app {\n server a.test:443; # here\n server b:443;\n server 'c.test:443' weight=2; # here\n}\n"
            "server { location / { proxy_pass https://app; } }",
        ),
        Bad("upstream g {\n server [::1]; # here\n}\nserver { location / { grpc_pass grpcs://g; } }"),
        Bad("upstream app {\n server a.test; # here\n}\nserver { location / { set $b app; proxy_pass https://$b; } }"),
        Good("upstream app { server a.test:443; } server { location / { proxy_pass https://app; } }"),
        Good("upstream app { server a.test; } server { location / { proxy_pass http://app; } }"),
        Good("upstream app { server unix:/s; } server { location / { proxy_pass https://app; } }"),
        Good("upstream app { server a.test service=https resolve; } server { location / { proxy_pass https://app; } }"),
        Good("upstream app { server a.test; } server { location / { proxy_pass https://app.test; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for group in config.upstreams:
            bare = [peer for peer in group.peers if _takes_port_80(peer)]
            secure = next((use for use in config.uses(group) if use.tls), None) if bare else None
            if secure is None:
                continue
            for peer in bare:
                word = peer.address
                edit = insert_after(word.part(0, len(word.text)), ":443")
                yield self.report(
                    word,
                    f"nginx connects to {word.text} on port 80 and speaks TLS there: requests answer 502",
                    Fix("write port 443", (edit,), safe=False),
                    label="no port: 80, whatever the scheme",
                    related=(
                        note(secure.target.directive, f"{secure.target.directive.name} speaks TLS to the group here"),
                    ),
                    help=f"write {word.text}:443, or the port on which it speaks TLS",
                )


def _takes_port_80(peer: Peer) -> bool:
    """No port is written (one that is no number is refused anyway), and none comes from an SRV record."""
    if peer.port is not None or peer.unix is not None or peer.option("service"):
        return False
    text = peer.address.text
    return ":" not in text or text.endswith("]")
