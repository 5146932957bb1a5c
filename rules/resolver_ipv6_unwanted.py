from nginxlint import Bad, Confidence, Config, Diagnostic, Fix, Good, Iterator, Rule, Severity, insert_after


class ResolverIpv6Unwanted(Rule):
    """Inside a container nginx asks for IPv6 addresses, too, and most container networks have no IPv6.

    Docker's DNS (127.0.0.11) hands questions about outside names on: where one has an IPv6 address, nginx tries it in
    turn, logs "connect() to [2001:…] failed (101: Network is unreachable)", and the visitor waits for the next address or
    gets 502. Write `ipv6=off` unless the container network has IPv6. Not reported where a server listens on IPv6.
    Source: documentation of resolver.
    """

    id = "resolver-ipv6-unwanted"
    group = "proxy"
    severity = Severity.INFO
    confidence = Confidence.MEDIUM
    directives = ("resolver",)
    judges = "lookups"
    examples = (
        Bad(
            "server { resolver 127.0.0.11 valid=10s; # here\n location / { set $api api.example.com; proxy_pass https://$api; } }",
            "server { resolver 127.0.0.11 valid=10s ipv6=off; # here\n"
            " location / { set $api api.example.com; proxy_pass https://$api; } }",
        ),
        Good(
            "server { resolver 127.0.0.11 ipv6=off; location / { set $api api.example.com; proxy_pass https://$api; } }"
        ),
        Good(
            "server { listen [::]:80; resolver 127.0.0.11; location / { set $api api.example.com; proxy_pass http://$api; } }"
        ),
        Good("server { resolver 127.0.0.11; location / { set $app app; proxy_pass http://$app:8080; } }"),
        Good("server { resolver 10.0.0.2; location / { set $api api.example.com; proxy_pass https://$api; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if any(listen.address.startswith("[") for server in config.servers for listen in server.listens):
            return
        # Names of containers, which have no dot, have IPv6 addresses only where their network has IPv6.
        outside = {
            one.directive: lookup.name
            for lookup in config.lookups
            if (one := lookup.resolver) is not None and one.is_container_dns and one.ipv6 and "." in lookup.name
        }
        for directive, name in outside.items():
            yield self.report(
                directive,
                f"nginx also connects to the IPv6 addresses of {name}, which fails "
                "without IPv6 in the container network",
                Fix("do not ask for IPv6", (insert_after(directive.args[-1].span, " ipv6=off"),), safe=False),
                help="write ipv6=off, unless the container network has IPv6",
            )
