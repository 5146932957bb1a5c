from nginxlint import Bad, Config, Diagnostic, Good, Iterator, Rule, Severity, failure


class UpstreamAllDown(Rule):
    """Every server of a group is marked `down`: each request to it gets 502.

    nginx starts, and logs "no live upstreams while connecting to upstream" for each request. Take `down` off
    one of them, or stop passing requests to the group.
    Source: ngx_http_upstream_get_round_robin_peer (src/http/ngx_http_upstream_round_robin.c).
    """

    id = "upstream-all-down"
    group = "upstream"
    severity = Severity.ERROR
    directives = ("server",)
    texts = ("down",)
    examples = (
        Bad("upstream app { # here\n server a:1 down; server b:1 down; }"),
        Bad("upstream app { # here\n server a:1 down; server b:1 backup down; }"),
        Good("upstream app { server a:1 down; server b:1; }"),
        Good("upstream app { server a:1 down; server b:1 backup; }"),
        Good("upstream app { zone app 64k; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for upstream in config.upstreams:
            if upstream.peers and all(peer.down for peer in upstream.peers):
                what, _, seen = failure(upstream.kind).partition(" ")
                yield self.report(
                    upstream.block,
                    f'{what} to the group "{upstream.name}" {seen}: all its servers are marked down',
                    help="take down off a server that works, or stop passing requests here",
                    nginx_message="no live upstreams while connecting to upstream",
                )
