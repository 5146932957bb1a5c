from nginxlint import Bad, Config, Diagnostic, Good, Iterator, Rule, Severity

_IGNORED = ("max_fails=", "fail_timeout=", "slow_start=")
_DEFAULTS = ("max_fails=1", "fail_timeout=10s", "fail_timeout=10")


class UpstreamParamsIgnored(Rule):
    """`max_fails`, `fail_timeout` or `slow_start` on the only server of a group: they have no effect.

    With a single address nginx counts no failures and never leaves it out, because there is no other to turn to; every
    request is tried there, whatever failed before. Take the parameters out, or add a second server (or a `backup`).
    A host name may stand for several addresses, so only IP addresses and unix sockets are judged.
    Source: documentation of upstream `server`; ngx_http_upstream_get_round_robin_peer, `peers->single`.
    """

    id = "upstream-params-ignored"
    group = "upstream"
    severity = Severity.INFO
    directives = ("server",)
    texts = _IGNORED
    examples = (
        Bad("upstream app { server 10.0.0.1:80 max_fails=3 fail_timeout=30s; } # here"),
        Bad("upstream app { server unix:/run/app.sock fail_timeout=5s; } # here"),
        Good("upstream app { server 10.0.0.1:80; }"),
        Good("upstream app { server 10.0.0.1:80 max_fails=3; server 10.0.0.2:80; }"),
        Good("upstream app { server 10.0.0.1:80 max_fails=3; server 10.0.0.2:80 backup; }"),
        Good("upstream app { server app.example.com max_fails=3; }"),
        Good("upstream app { server 10.0.0.1:80 max_fails=0 fail_timeout=30s; }"),
        Good("upstream app { server 10.0.0.1:80 max_fails=1 fail_timeout=10s; }"),
        Good("upstream app { server unix:/run/app.sock fail_timeout=0; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for group in config.upstreams:
            if not group.single or group.block.has_gap:
                continue
            (peer,) = group.peers
            idle = [word for word in peer.directive.args[1:] if word.text.startswith(_IGNORED)]
            if "max_fails=0" in peer.options:  # it says what holds anyway: never leave this server out
                idle = [word for word in idle if word.text.startswith("slow_start")]
            idle = [word for word in idle if word.text not in _DEFAULTS and word.text.partition("=")[2].strip("0s")]
            if not idle:
                continue
            names = [word.text.partition("=")[0] for word in idle]
            yield self.report(
                idle[0],
                f'{" and ".join(names)} {"have" if len(names) > 1 else "has"} no effect: the group "{group.name}" has a '
                "single server, which is tried for every request",
                help="take it out, or add a second server (or a backup)",
            )
