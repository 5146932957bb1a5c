from nginxlint import PASSES, Bad, Confidence, Config, Diagnostic, Directive, Good, Iterator, Rule, note

# What else asks a resolver at run time: OCSP, scripts, and modules that open connections of their own.
_USERS = ("ssl_stapling", "ssl_ocsp", "js_", "acme_", "oidc_", "tunnel_pass", "zone_sync", "auth_jwt", "upsync", "perl")


class ResolverWithoutEffect(Rule):
    """A `resolver` is set, and nothing asks it: the names of the targets were looked up when nginx started.

    nginx asks its resolver only for a target with variables and for `server … resolve` in a group (nginx 1.27.3). The
    name in `proxy_pass http://app:8080;` is looked up once, by the system; when the container behind it gets another
    address, visitors get 502 until nginx is reloaded. Write `resolve` (and a `zone`) in a group, put the name into a
    variable, or take the resolver out. OCSP stapling and scripts use a resolver, too: then nothing is reported.
    Source: documentation of resolver and of server in ngx_http_upstream_module.
    """

    id = "resolver-without-effect"
    group = "proxy"
    directives = ("resolver",)
    confidence = Confidence.MEDIUM
    examples = (
        Bad("server { resolver 127.0.0.11 valid=10s; # here\n location / { proxy_pass http://app:8080; } }"),
        Bad("http { resolver 10.0.0.2; # here\n upstream app { server app.internal:8080; }\n"
            " server { location / { proxy_pass http://app; } } }\nevents {}"),
        Good("server { resolver 10.0.0.2; set $app app.internal; location / { proxy_pass http://$app; } }"),
        Good("http { resolver 10.0.0.2; upstream app { zone app 64k; server app.internal:80 resolve; }\n"
             " server { location / { proxy_pass http://app; } } }\nevents {}"),
        Good("server { resolver 10.0.0.2; ssl_stapling on; location / { proxy_pass http://app:8080; } }"),
        Good("server { resolver 10.0.0.2; location / { proxy_pass http://10.0.0.3:8080; } }"),
        Good("server { resolver 10.0.0.2; location / { proxy_pass http://$host; } }"),
    )  # fmt: skip

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if config.partial or any(name.startswith(_USERS) or "_by_lua" in name for name in config.names):
            return
        asked = {lookup.resolver.directive for lookup in config.lookups if lookup.resolver is not None}
        for resolver in config.find("resolver"):
            if resolver not in asked and (named := _looked_up_once(config, resolver)):
                first = named[0][0]
                yield self.report(
                    resolver,
                    f"nothing asks this resolver: {first} was looked up once, when nginx started",
                    label="used for targets with variables and for server … resolve only",
                    related=tuple(note(place, "keeps the address it had at the start") for _, place in named[:4]),
                    help="write resolve and a zone in the upstream group, or put the name into a variable",
                )


def _looked_up_once(config: Config, resolver: Directive) -> list[tuple[str, Directive]]:
    """The names of targets for which this resolver is in effect, with the place each is written at."""
    found: dict[Directive, str] = {}
    for target in config.passes(*PASSES):
        if target.has_variables or config.scope(target.directive).directive("resolver") is not resolver:
            continue
        group = target.group(config)
        if group is None:
            if target.unix is None and _is_name(target.host):
                found[target.directive] = target.host
            continue
        found.update((peer.directive, peer.host) for peer in group.peers if peer.unix is None and _is_name(peer.host))
    return [(name, place) for place, name in found.items()]


def _is_name(host: str) -> bool:
    return host != "localhost" and ":" not in host and bool(host.strip("0123456789."))
