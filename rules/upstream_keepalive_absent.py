from nginxlint import KEPT_BY_DEFAULT, Bad, Config, Diagnostic, Good, Iterator, Rule, Severity, note

_OLD = (1, 22, 1)


class UpstreamKeepaliveAbsent(Rule):
    """An upstream group keeps no idle connections: every request opens one of its own.

    Each costs a round trip (several with TLS) and leaves a port in TIME_WAIT; under load the ports run out, and
    requests get 502, "Cannot assign requested address". Write `keepalive 16;` at the end of the group, and
    `proxy_http_version 1.1; proxy_set_header Connection "";` where it is used (a block that sets one header has to
    set the others again). Since nginx 1.29.7 groups keep 32 connections by themselves.
    Source: documentation of keepalive; nginx change log 1.29.7.
    """

    id = "upstream-keepalive-absent"
    group = "performance"
    severity = Severity.INFO
    directives = ("upstream",)
    examples = (
        Bad("upstream app { server a:1; } # here\nserver { location / { proxy_pass http://app; } }", version=_OLD),
        Good(
            "upstream app { server a:1; keepalive 8; }\nserver { location / { proxy_pass http://app; } }", version=_OLD
        ),
        Good("upstream app { server a:1; }\nserver { location / { proxy_pass http://app; } }", version=(1, 29, 7)),
        Good("upstream app { server unix:/s; }\nserver { location / { uwsgi_pass app; } }", version=_OLD),
        Good("upstream app { server unix:/s; }\nserver { location / { proxy_pass http://app; } }", version=_OLD),
        Good("upstream unused { server a:1; }", version=_OLD),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if config.version >= KEPT_BY_DEFAULT:
            return
        for group in config.upstreams:
            if group.kind != "http" or group.block.child("keepalive") is not None or group.block.has_gap:
                continue
            if all(peer.unix is not None or peer.down for peer in group.peers):
                continue  # nothing to run out of, little to gain
            use = next((use for use in config.uses(group) if use.target.family in ("proxy", "grpc")), None)
            if use is not None:
                yield self.report(
                    group.block,
                    f'the group "{group.name}" keeps no idle connections: each request opens a new one',
                    related=(note(use.target.directive, "used here"),),
                    help='write "keepalive 16;" at the end of the group, and where it is used '
                    '"proxy_http_version 1.1;" and "proxy_set_header Connection "";"',
                )
