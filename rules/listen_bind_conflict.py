from nginxlint import Bad, Config, Diagnostic, Good, Iterator, Rule, Severity, note


class ListenBindConflict(Rule):
    """Two sockets exclude each other: `nginx -t` passes, and the next start fails.

    The test does not mind an address that is in use, because the running nginx uses it. A start does:
    `bind() to 0.0.0.0:80 failed (98: Address already in use)`. `[::]:80 ipv6only=off` takes IPv4 connections and leaves
    no room for `80`. A socket of http cannot be one of stream or mail, too. And an address with socket options (`bind`,
    `backlog=`, …) is bound on its own, after which all addresses of its port cannot be bound. With `reuseport` on both
    the kernel lets them share. Source: documentation of `listen`; ngx_open_listening_sockets, bind(2).
    """

    id = "listen-bind-conflict"
    group = "correctness"
    severity = Severity.ERROR
    directives = ("listen",)
    judges = "bind_conflicts"
    examples = (
        Bad("server {\n listen 80;\n listen [::]:80 ipv6only=off; # here\n}"),
        Bad("server {\n listen 80; # here\n listen 127.0.0.1:80 backlog=100;\n}"),
        Bad(
            "events { }\nhttp { server { listen 81; } }\n"
            "stream { server {\n listen 127.0.0.1:81; # here\n proxy_pass 127.0.0.1:1; } }"
        ),
        Good("server { listen 80; listen [::]:80; }"),
        Good("server { listen 80; listen [::]:80 ipv6only=on; }"),
        Good("server { listen [::]:80 ipv6only=off; } server { listen [::]:80; }"),
        Good("server { listen 80 backlog=100; listen 127.0.0.1:80; }"),
        Good("server { listen 80 reuseport; listen 127.0.0.1:80 reuseport; }"),
        Good("events { } http { server { listen 81; } } stream { server { listen 81 udp; proxy_pass 127.0.0.1:1; } }"),
        Good("events { } http { server { listen 81; } } stream { server { listen [::]:81; proxy_pass 127.0.0.1:1; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for bound, before in config.bind_conflicts:
            one, other = bound.listen, before.listen
            if one.directive is None or other.directive is None:
                continue
            yield self.report(
                one.directive,
                f"nginx does not start, though its test passes: {one.address_text} cannot be bound beside {other.address_text}",
                related=(note(other.directive, "bound before"),),
                help=_help(bound.says("ipv6only=off") or before.says("ipv6only=off"), bound.kind == before.kind),
                blocks_start=True,
                nginx_message=f"bind() to {one.address_text} failed (98: Address already in use)",
            )


def _help(both_families: bool, same_kind: bool) -> str:
    if both_families:
        return "ipv6only=off takes IPv4 connections, too: take it out, or the listen for IPv4"
    if same_kind:
        return "give the socket options to the listen on all addresses"
    return "give one of them another port or address"
