from nginxlint import (
    Bad,
    Confidence,
    Config,
    Diagnostic,
    Fix,
    Good,
    Iterator,
    Resolver,
    Rule,
    Severity,
    failure,
    insert_after,
    is_public,
    note,
    parse_network,
)


class ResolverShortName(Rule):
    """A short name is looked up at run time: nginx's resolver adds no search domain and reads no hosts file.

    `app`, or `app.shop.svc` in Kubernetes, works with `ping` and in a `proxy_pass` without variables, because the system
    completes it. nginx itself asks the `resolver` for exactly this name; the log says "app could not be resolved (3:
    Host not found)" and every request gets 502. Write the full name (`app.shop.svc.cluster.local`). Docker's own DNS
    (127.0.0.11) knows the names of containers, and a DNS server on this machine may know those of the hosts file:
    nothing is reported then.
    Source: documentation of resolver; ngx_resolve_name (src/core/ngx_resolver.c).
    """

    id = "resolver-short-name"
    group = "proxy"
    severity = Severity.ERROR
    directives = ("resolver",)
    judges = "lookups"
    examples = (
        Bad("server { resolver 8.8.8.8; set $app app;\n location / { proxy_pass http://$app:8080; } # here\n}"),
        Bad(
            "server { resolver 10.96.0.10;\n location / { set $app cart.shop.svc;\n proxy_pass http://$app; # here\n} }",
            "server { resolver 10.96.0.10;\n location / { set $app cart.shop.svc.cluster.local;\n"
            " proxy_pass http://$app; # here\n} }",
        ),
        Good(
            "server { resolver 10.96.0.10; set $app cart.shop.svc.cluster.local; location / { proxy_pass http://$app; } }"
        ),
        Good("server { resolver 127.0.0.11 valid=10s; set $app app; location / { proxy_pass http://$app; } }"),
        Good(
            "server { resolver 8.8.8.8; set $app app; location / { proxy_pass http://$app; } }\nupstream app { server a:1; }"
        ),
        Good("server { resolver 8.8.8.8; location / { proxy_pass http://app:8080; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if config.partial:
            return  # an upstream group of that name may stand elsewhere
        for lookup in config.lookups:
            if (
                lookup.resolver is None
                or not lookup.name
                or (confidence := _fails(lookup.name, lookup.resolver)) is None
            ):
                continue
            service = lookup.name.endswith(".svc")
            source = next((place for place in lookup.origins if lookup.name in place.values[-1:]), None)
            fixes: tuple[Fix, ...] = ()
            if service and source is not None:
                edit = insert_after(source.args[-1].part(0, len(lookup.name)), ".cluster.local")
                fixes = (Fix("write the full name", (edit,), safe=False),)
            yield self.report(
                lookup.place,
                f'"{lookup.name}" is looked up as it stands, without a search domain: {failure(lookup.kind)}',
                *fixes,
                label="looked up at run time, by nginx's own resolver",
                related=(note(lookup.resolver.directive, "asked for exactly this name"),),
                help=f"write {lookup.name}.cluster.local" if service else "write the full name, with its domain",
                severity=Severity.ERROR if confidence is Confidence.HIGH else Severity.WARNING,
                confidence=confidence,
                nginx_message=f"{lookup.name} could not be resolved (3: Host not found)",
            )


def _fails(name: str, resolver: Resolver) -> Confidence | None:
    """How sure is it that these DNS servers do not know the name?"""
    servers = [host for host, _ in resolver.servers]
    if not servers or any(host.startswith("127.") or host == "::1" for host in servers):
        return None
    if name.endswith(".svc"):
        return Confidence.HIGH
    if "." in name.rstrip("."):
        return None
    # a DNS server of the local network (a router, podman) may know short names; one of the Internet or a cluster never
    sure = all(is_public(host) or parse_network(host) is None for host in servers)
    return Confidence.HIGH if sure else Confidence.MEDIUM
