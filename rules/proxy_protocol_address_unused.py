from nginxlint import Bad, Confidence, Config, Diagnostic, Good, Iterator, Rule, Severity


class ProxyProtocolAddressUnused(Rule):
    """A listener awaits the PROXY protocol, and nothing uses the address in it.

    The balancer tells the visitor's address in the PROXY protocol header, but `$remote_addr` stays the balancer's own
    until the real-ip module is told to trust it. Logs, `allow`, `limit_req` and X-Forwarded-For all see one visitor.
    Write `set_real_ip_from` with the balancer's address and `real_ip_header proxy_protocol;`, or use
    `$proxy_protocol_addr`.
    Source: documentation of ngx_http_realip_module and "Accepting the PROXY Protocol".
    """

    id = "proxy-protocol-address-unused"
    group = "proxy"
    severity = Severity.WARNING
    confidence = Confidence.MEDIUM
    directives = ("listen",)
    texts = ("proxy_protocol",)
    examples = (
        Bad("server {\n listen 81 proxy_protocol; # here\n location / { proxy_pass http://app; }\n}"),
        Bad("server {\n listen 81 proxy_protocol; # here\n real_ip_header proxy_protocol;\n root /srv;\n}"),
        Good(
            "server { listen 81 proxy_protocol; set_real_ip_from 10.0.0.1; real_ip_header proxy_protocol; root /srv; }"
        ),
        Good("server { listen 81 proxy_protocol; proxy_set_header X-Real-IP $proxy_protocol_addr; root /srv; }"),
        Good("set_real_ip_from 10.0.0.0/8; real_ip_header X-Forwarded-For; server { listen 81 proxy_protocol; }"),
        Good("server { listen 81; root /srv; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        listens = [listen for listen in config.find("listen") if "proxy_protocol" in listen.values[1:]]
        if not listens or config.partial or _reads_it(config):
            return
        for listen in listens:
            server = config.server(listen)
            if server is None or server.scope.effective("set_real_ip_from"):
                continue
            if any(one.scope.own("set_real_ip_from") for one in server.locations):
                continue
            if server.kind == "stream" and server.scope.on("proxy_protocol"):
                continue  # handed on to the next one
            yield self.report(
                listen,
                "logs, limits and X-Forwarded-For see the balancer, not the visitor: the address in the PROXY protocol "
                "header is not used",
                label="tells the visitor's address",
                help=(
                    "write set_real_ip_from with the balancer's address"
                    + (" and real_ip_header proxy_protocol;" if server.kind == "http" else ""),
                ),
            )


def _reads_it(config: Config) -> bool:
    """Does anything refer to $proxy_protocol_addr?"""
    return any(
        "$proxy_protocol" in value or "${proxy_protocol" in value for one in config.main.walk() for value in one.values
    )
