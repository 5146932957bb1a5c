from nginxlint import Bad, Config, Diagnostic, Fix, Good, Iterator, Peer, Rule, Severity, delete, note


class UpstreamDuplicateServer(Rule):
    """One address stands twice in an upstream group: it gets twice its share of the requests.

    nginx makes two peers of it, with failures counted apart: it is left out only after both have failed, and a failed
    request may be "retried" on the same server. Write it once, with `weight=2` if the share is meant. A server
    without a port is asked on port 80; a second line as `backup` (a last try on the same server) is left alone.
    Source: ngx_http_upstream_init_round_robin (src/http/ngx_http_upstream_round_robin.c).
    """

    id = "upstream-duplicate-server"
    group = "upstream"
    severity = Severity.INFO
    directives = ("upstream",)
    examples = (
        Bad(
            "upstream app {\n server a:80;\n server b:80;\n server A; # here\n}",
            "upstream app {\n server a:80;\n server b:80;\n  # here\n}",
        ),
        Bad("upstream app {\n server a:81 weight=2;\n server b:81;\n server a:81 weight=5; # here\n}"),
        Bad("upstream app {\n server unix:/s;\n server unix:/s; # here\n server a:1;\n}"),
        Good("upstream app { server a:81; server a:82; server b:81; }"),
        Good("upstream app { server a:81; server a:81 backup; }"),
        Good("upstream app { server a:81; server a:81 down; }"),
        Good("upstream app { zone app 64k; server a service=x resolve; server a service=y resolve; }"),
        Good("upstream one { server a:81; }\nupstream two { server a:81; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for group in config.upstreams:
            if len({peer.unix or peer.host.lower() for peer in group.peers}) == len(group.peers):
                continue
            first: dict[tuple[str, str, bool, bool], Peer] = {}
            for peer in group.peers:
                key = peer.socket, peer.option("service"), peer.backup, peer.down
                twin = first.setdefault(key, peer)
                if twin is peer:
                    continue
                fixes: tuple[Fix, ...] = ()
                if peer.options == twin.options:
                    fixes = (Fix("delete the second line", (delete(peer.directive),), safe=False),)
                yield self.report(
                    peer.directive,
                    f'"{peer.address.text}" is a server of the group "{group.name}" twice: '
                    "it gets a double share of the requests, and its failures are counted apart",
                    *fixes,
                    related=(note(twin.directive, "the same address"),),
                    help="write it once; weight=2 gives a double share on purpose",
                )
