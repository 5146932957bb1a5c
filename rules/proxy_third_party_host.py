from nginxlint import (
    PASSES,
    Bad,
    Confidence,
    Config,
    Diagnostic,
    Directive,
    Endpoint,
    Good,
    Iterator,
    Network,
    Note,
    Rule,
    destinations,
    endpoints,
    is_public,
    is_public_name,
    note,
    parse_network,
)


class ProxyThirdPartyHost(Rule):
    """Requests of visitors are handed to a host outside the domains you listed.

    Paths, cookies and bodies of visitors then reach somebody else. List the domains that are yours, or that a contract
    covers, in nginxlint.toml: `[rules.proxy-third-party-host]` with `domains = ["example.com", "192.0.2.0/24"]`; a domain
    stands for all names below it. Private addresses, names without a domain, and the names of your own servers are
    never reported; a target that hangs on the request is.
    Source: asked for in https://github.com/yandex/gixy/issues/5.
    """

    id = "proxy-third-party-host"
    group = "security"
    directives = PASSES
    opt_in = True
    options = {"domains": []}
    examples = (
        Bad("location / { proxy_pass https://api.tracker.example; } # here"),
        Bad("upstream g { server 10.0.0.1; server 8.8.8.8; }\nserver { location / { proxy_pass http://g; } } # here"),
        Bad("location / { proxy_pass https://$arg_to; } # here"),
        Good("location / { proxy_pass http://10.0.0.1:8080; } location /a/ { proxy_pass http://app; }"),
        Good("server { server_name shop.example.com; location / { proxy_pass https://api.shop.example.com; } }"),
        Good("location / { proxy_pass http://app.internal; } location /a/ { proxy_pass http://unix:/run/app.sock; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        listed = [str(text).lower().strip(".") for text in self.option("domains")]
        networks = [network for text in listed if (network := parse_network(text)) is not None]
        own = {word.text.lower().lstrip("*.") for server in config.servers for word in server.names}
        domains = tuple(own.union(listed) - {"", "_"})
        for target in config.passes(*PASSES):
            place = target.directive.args[0]
            for end in endpoints(config, target):
                if _is_foreign(end.host.strip("[]").rstrip("."), domains, networks):
                    yield self.report(
                        place,
                        f"requests of visitors are handed to {end.host}, which is not among the domains you listed",
                        related=_where(end, target.directive),
                        help="add it to domains of [rules.proxy-third-party-host] in nginxlint.toml if that is meant",
                    )
                    break
            else:
                if "$" in target.text and destinations(config, target) is None:
                    yield self.report(
                        place,
                        "the target hangs on the request: requests may be handed to any host",
                        confidence=Confidence.MEDIUM,
                        help="choose it by a map with a fixed list of hosts",
                    )


def _where(end: Endpoint, target: Directive) -> tuple[Note, ...]:
    return () if end.directive is target else (note(end.directive, "the host"),)


def _is_foreign(host: str, domains: tuple[str, ...], networks: list[Network]) -> bool:
    address = parse_network(host)
    if address is not None:
        return is_public(host) and not any(address.lies_in(network) for network in networks)
    return is_public_name(host) and not any(host == domain or host.endswith(f".{domain}") for domain in domains)
