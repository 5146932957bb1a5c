from nginxlint import Bad, Confidence, Config, Diagnostic, Good, Iterator, Rule, Severity, note

_TLS_PORTS = (443, 8443)
_PLAIN_PORTS = (80, 8080)


class UpstreamMixedPorts(Rule):
    """An upstream group has servers on a TLS port beside servers on a plain one: a part of the requests fails.

    The scheme of `proxy_pass` holds for the whole group, so nginx speaks either TLS or plain HTTP to all its servers.
    Those of the other kind answer "400 The plain HTTP request was sent to HTTPS port", or break the handshake: 502.
    Write the same kind of port for all of them. Judged by the usual ports: 80 and 8080, 443 and 8443.
    Source: ngx_http_proxy_pass (src/http/modules/ngx_http_proxy_module.c): one schema per pass.
    """

    id = "upstream-mixed-ports"
    group = "upstream"
    severity = Severity.WARNING
    confidence = Confidence.MEDIUM
    directives = ("server",)
    texts = ("443",)
    examples = (
        Bad(
            "upstream app {\n server a:80;\n server b:443; # here\n}\nserver { location / { proxy_pass http://app; } }"
        ),
        Bad(
            "upstream app {\n server a:80; # here\n server b:443;\n}\nserver { location / { proxy_pass https://app; } }"
        ),
        Bad("upstream app {\n server a;\n server b;\n server c:8443; # here\n}"),
        Good("upstream app { server a:80; server b:8080; }\nserver { location / { proxy_pass http://app; } }"),
        Good("upstream app { server a:443; server b:443; }\nserver { location / { proxy_pass https://app; } }"),
        Good("upstream app { server a:443; server unix:/s; server b:9000; }"),
        Good(
            "upstream app { server a:80; server b:443; }\n"
            "server { location / { proxy_pass http://app; } location /s { proxy_pass https://app; } }"
        ),
        Good("stream { upstream app { server a:80; server b:443; } }"),
        Good("upstream app { server a:80; server a:443 down; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for group in config.upstreams:
            if group.kind != "http" or not any(peer.port in _TLS_PORTS for peer in group.peers):
                continue
            peers = [peer for peer in group.peers if peer.unix is None and not peer.down and not peer.option("service")]
            tls = [peer for peer in peers if peer.port in _TLS_PORTS]
            plain = [peer for peer in peers if peer.port in _PLAIN_PORTS or peer.port is None]
            if not tls or not plain:
                continue
            spoken = {use.tls for use in config.uses(group)}
            if len(spoken) > 1:
                continue  # reached in both ways: no server is the odd one
            speaks_tls = spoken.pop() if spoken else len(tls) > len(plain)
            odd, others = (plain, tls) if speaks_tls else (tls, plain)
            outcome = "502, a failed handshake" if speaks_tls else "400 or 502"
            for peer in odd:
                if peer.port is None and speaks_tls:
                    continue  # upstream-tls-default-port tells
                yield self.report(
                    peer.address,
                    f"{peer.address.text} is the odd one out: nginx speaks {'TLS' if speaks_tls else 'plain HTTP'} to "
                    f"all servers of this group, so its share of the requests gets {outcome}",
                    label="a plain port" if speaks_tls else "a TLS port",
                    related=(note(others[0].directive, "a server on a port of the other kind"),),
                    help="give all servers of a group ports of one kind; the scheme of proxy_pass holds for all of them",
                )
