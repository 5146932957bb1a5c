from nginxlint import Bad, Config, Diagnostic, Fix, Good, Iterator, Rule, Severity, insert_after

_LONG = 3600


class ResolverTtl(Rule):
    """A name that is looked up at run time keeps an old address for long.

    Docker's DNS (127.0.0.11) gives every answer a life of 600 seconds: after a container was started anew, nginx asks
    its old address for up to ten minutes, and visitors get 502 or another container's answer. `valid=` replaces that
    time; one of hours does the same harm with every DNS server. Write `resolver … valid=10s;`.
    Source: documentation of resolver.
    """

    id = "resolver-ttl"
    group = "proxy"
    severity = Severity.INFO
    directives = ("resolver",)
    judges = "lookups"
    examples = (
        Bad(
            "server { resolver 127.0.0.11; # here\n set $app app; location / { proxy_pass http://$app:8080; } }",
            "server { resolver 127.0.0.11 valid=10s; # here\n set $app app; location / { proxy_pass http://$app:8080; } }",
        ),
        Bad("server { resolver 10.0.0.2 valid=12h; # here\n location / { proxy_pass http://$host; } }"),
        Good("server { resolver 127.0.0.11 valid=30s; set $app app; location / { proxy_pass http://$app:8080; } }"),
        Good("server { resolver 10.0.0.2; set $app app.internal; location / { proxy_pass http://$app:8080; } }"),
        Good("server { resolver 127.0.0.11; ssl_stapling on; location / { proxy_pass http://app:8080; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        resolvers = {one.directive: one for lookup in config.lookups if (one := lookup.resolver) is not None}
        for directive, resolver in resolvers.items():
            if resolver.valid is not None and resolver.valid >= _LONG:
                yield self.report(
                    next(word for word in directive.args if word.text.startswith("valid=")),
                    f"an address that changed is still used for {resolver.valid // _LONG} hours: 502 until then",
                    help="write a time of seconds, such as valid=30s, or leave it to the DNS server",
                )
            elif resolver.valid is None and resolver.is_container_dns:
                fix = Fix(
                    "ask again after 10 seconds", (insert_after(directive.args[-1].span, " valid=10s"),), safe=False
                )
                yield self.report(
                    directive,
                    "a container that was started anew is not found for up to 10 minutes: requests get 502",
                    fix,
                    label="answers of Docker's DNS are kept for 600 s",
                    help="write valid=10s",
                )
