from nginxlint import Bad, Confidence, Config, Diagnostic, Fix, Good, Iterator, Pass, Rule, Server, Severity, add_to_set

_LINE = "proxy_set_header Host $host;"


class ProxyHostHeaderMissing(Rule):
    """The backend is not told which site the visitor asked for: its Host is the address in `proxy_pass`.

    Without `proxy_set_header Host` nginx sends the host of the target: 127.0.0.1:3000, or localhost for a unix socket.
    The backend writes that into redirects, links and cookies, or refuses it (Django's ALLOWED_HOSTS). A
    `proxy_set_header` of the block drops the Host that a block around sets, too. Write `proxy_set_header Host $host;`.
    Not reported: full domain names (an external service wants its own), and groups: see upstream-name-in-host.
    Source: documentation of proxy_set_header ($proxy_host is the default).
    """

    id = "proxy-host-header-missing"
    group = "proxy"
    severity = Severity.INFO
    confidence = Confidence.MEDIUM
    directives = ("proxy_pass",)
    examples = (
        Bad(
            "location / {\n proxy_pass http://127.0.0.1:3000; # here\n}",
            "location / {\n proxy_pass http://127.0.0.1:3000;\n proxy_set_header Host $host; # here\n}",
        ),
        Bad(
            "proxy_set_header Host $host;\nlocation / {\n proxy_set_header X-A b;\n proxy_pass http://unix:/run/a; # here\n}",
            "proxy_set_header Host $host;\nlocation / {\n proxy_set_header X-A b;\n proxy_set_header Host $host;\n"
            " proxy_pass http://unix:/run/a; # here\n}",
        ),
        Good("proxy_set_header Host $host; location / { proxy_pass http://127.0.0.1:3000; }"),
        Good("location / { proxy_set_header host api.test; proxy_pass http://127.0.0.1:3000; }"),
        Good("location / { proxy_pass https://api.example.com; }"),
        Good("upstream app { server 127.0.0.1; } server { location / { proxy_pass http://app; } }"),
        Good("location = /auth { internal; proxy_pass http://127.0.0.1:3000; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if config.partial:
            return
        seen: set[tuple[Server | None, str]] = set()
        for target in config.direct_passes:
            if target.directive.name != "proxy_pass" or "$" in target.authority or not _is_near(target):
                continue
            if target.group(config) is not None:
                continue
            location = config.location(target.directive)
            if location is None or location.scope.own("internal"):
                continue
            key = location.server, target.authority
            scope = config.scope(target.directive)
            host = config.request_headers(scope).of("host") if key not in seen else None
            if host is None or host.directive is not None:
                continue
            seen.add(key)
            sent = "localhost" if target.unix is not None else target.authority
            yield self.report(
                target.directive.args[0],
                f"the backend sees Host: {sent}, not the name the visitor asked for: its redirects and links lead there",
                Fix("send the visitor's Host", (add_to_set(scope, _LINE, target.directive),), safe=False),
                label="no proxy_set_header Host is in effect here",
                help=f"write {_LINE}",
            )


def _is_near(target: Pass) -> bool:
    """An address, a socket, localhost or a name of one word: nothing a visitor could have asked for."""
    return target.unix is not None or target.is_address or ("." not in target.host and target.host != "")
