from nginxlint import Bad, Config, Diagnostic, Directive, Good, Iterator, Rule, Severity, parse_network

_WIDE = 8  # no single operator has more of the Internet than an IPv4 /8


class RealipTrustsAll(Rule):
    """Everybody is trusted to say what the client's address is: one header passes for another address.

    `set_real_ip_from 0.0.0.0/0` (or ::/0, or half of them) believes the header named by `real_ip_header` from every
    visitor. Whoever sends `X-Real-IP: 10.0.0.1` is 10.0.0.1 for `allow`, `limit_req`, the log and the backend. Name the
    addresses of your balancer or CDN only. An error where `allow` decides who comes in; not reported where all servers
    listen on loopback or unix sockets, which no visitor reaches.
    Source: documentation of ngx_http_realip_module.
    """

    id = "realip-trusts-all"
    group = "security"
    directives = ("set_real_ip_from",)
    examples = (
        Bad("server { set_real_ip_from 0.0.0.0/0; # here\n location / { allow 10.0.0.0/8; deny all; return 204; } }"),
        Bad("server { set_real_ip_from ::/0; # here\n location / { return 204; } }"),
        Bad(
            "set_real_ip_from 0.0.0.0/1; # here\nset_real_ip_from 128.0.0.0/1; # here\nserver { listen 80; }",
            context="http",
        ),
        Good("server { set_real_ip_from 10.0.0.0/8; set_real_ip_from fc00::/7; location / { return 204; } }"),
        Good("server { listen 127.0.0.1:8080; set_real_ip_from 0.0.0.0/0; location / { return 204; } }"),
        Good("server { listen unix:/run/app.sock; set_real_ip_from unix:; location / { return 204; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for trust in config.find("set_real_ip_from"):
            network = parse_network(trust.values[0]) if trust.values else None
            if (
                network is None
                or network.bits >= _WIDE
                or network.address[0] & 0xFE == 0xFC
                or _is_local(config, trust)
            ):
                continue
            header = config.scope(trust).value("real_ip_header", "X-Real-IP")
            stream = trust.enclosing("stream") is not None
            how = "in the PROXY protocol" if stream or header == "proxy_protocol" else f"with the header {header}"
            block = trust.parent or config.main
            guarded = any(directive.name == "allow" for directive in block.walk()) or config.scope(trust).effective(
                "allow"
            )
            yield self.report(
                trust,
                f"every visitor can pass for another address {how}" + (", and past allow" if guarded else ""),
                severity=Severity.ERROR if guarded else Severity.WARNING,
                label="trusts everybody" if network.bits == 0 else f"trusts one address in {2**network.bits}",
                help="name the addresses of your balancer or CDN only",
            )


def _is_local(config: Config, trust: Directive) -> bool:
    """Do only local programs reach the servers this holds for?"""
    around = config.server(trust)
    servers = [around] if around is not None else config.http_servers()
    return bool(servers) and all(server.is_local for server in servers)
