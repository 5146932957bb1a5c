from nginxlint import (
    Bad,
    Block,
    Confidence,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Pass,
    Rule,
    Scope,
    Severity,
    add_to_set,
    is_public_name,
    note,
    replace,
)

_NAMES = frozenset(
    "x-forwarded-proto x-forwarded-protocol x-forwarded-scheme x-forwarded-ssl x-forwarded-port x-scheme x-url-scheme "
    "x-proto front-end-https forwarded cloudfront-forwarded-proto x-original-proto".split()
)
_LINE = "proxy_set_header X-Forwarded-Proto $scheme;"


class ForwardedProtoMissing(Rule):
    """Visitors come by https, the backend is asked by http, and nothing tells it: it takes every visit for plain http.

    Frameworks that insist on https then redirect to https, and the next request looks the same: "too many redirects".
    Others write http:// into links, cookies and OAuth addresses. Write
    `proxy_set_header X-Forwarded-Proto $scheme;`. Where TLS ends in front of nginx, `$scheme` is always http: hand on what
    came, `$http_x_forwarded_proto` (a warning: that cannot be meant). Else it is only mentioned, for an application may
    have been told its address (PeerTube, Gitea). Not reported in `internal` locations, for subrequests, for hosts of the
    Internet, and where `proxy_redirect` turns http into https.
    Source: RFC 7239 and the documentation of proxy_set_header; see also upstream-redirect-loop of --online.
    """

    id = "forwarded-proto-missing"
    group = "proxy"
    confidence = Confidence.MEDIUM
    directives = ("listen", "if")
    texts = ("ssl", "quic", "$http_x_forwarded_proto")
    examples = (
        Bad(
            "server {\n listen 443 ssl; ssl_certificate c; ssl_certificate_key k;\n"
            " location / {\n  proxy_pass http://app; # here\n  proxy_set_header Host $host;\n }\n}",
            "server {\n listen 443 ssl; ssl_certificate c; ssl_certificate_key k;\n"
            " location / {\n  proxy_pass http://app; # here\n  proxy_set_header Host $host;\n"
            f"  {_LINE}\n }}\n}}",
        ),
        Bad(
            "server { listen 80; if ($http_x_forwarded_proto = http) { return 301 https://a.test$request_uri; }\n"
            " location / { proxy_pass http://app;\n  proxy_set_header X-Forwarded-Proto $scheme; # here\n } }",
            "server { listen 80; if ($http_x_forwarded_proto = http) { return 301 https://a.test$request_uri; }\n"
            " location / { proxy_pass http://app;\n  proxy_set_header X-Forwarded-Proto $http_x_forwarded_proto; # here\n } }",
        ),
        Good(
            "server { listen 443 ssl; proxy_set_header X-Forwarded-Proto $scheme; location / { proxy_pass http://app; } }"
        ),
        Good("server { listen 443 ssl; location / { proxy_set_header X-Forwarded-Ssl on; proxy_pass http://app; } }"),
        Good(  # told by proxy-set-header-inheritance
            "server { listen 443 ssl; proxy_set_header X-Forwarded-Proto $scheme;"
            " location / { proxy_set_header Host $host; proxy_pass http://app; } }"
        ),
        Good("server { listen 443 ssl; location / { proxy_pass https://app; } }"),
        Good("server { listen 80; location / { proxy_pass http://app; } }"),
        Good("server { listen 443 ssl; auth_request /auth; location = /auth { proxy_pass http://sso; } }"),
        Good("server { listen 443 ssl; proxy_redirect http:// https://; location / { proxy_pass http://app; } }"),
        Good("server { listen 443 ssl; location / { proxy_pass http://cdn.example.com; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if config.partial or "proxy_pass" not in config.names:
            return  # these lines are often included
        told = config.holders("proxy_set_header", lambda values: "".join(values[:1]).lower() in _NAMES)
        told.update(one.block for one in config.handshakes if _is_for_sockets(one.block))
        asked = {line.values[0] for line in config.find("auth_request", "mirror") if line.values}
        seen: set[tuple[Block, Block | None]] = set()
        for target in config.passes():
            if target.directive.parent in told:
                continue
            server = config.server(target.directive) if target.scheme == "http" else None
            if server is None or server.kind != "http" or not any(listen.ssl for listen in server.listens):
                continue
            scope = config.scope(target.directive)
            key = (server.block, config.setter("proxy_set_header", target.directive))
            if (
                key in seen
                or any(block in told for block in (scope.block, *scope.block.ancestors()))
                or not _serves_visitors(config, target, scope, asked)
            ):
                continue
            seen.add(key)
            yield self.report(
                target.directive.args[0],
                "the backend takes every visit for plain http: redirects without end, or links to http pages",
                Fix("say how visitors came", (add_to_set(scope, _LINE, target.directive),), safe=False),
                severity=Severity.INFO,
                label="asked by http, without X-Forwarded-Proto",
                help=f"write {_LINE}",
            )
        yield from self._says_http(config)
        yield from self._always_http(config)

    def _says_http(self, config: Config) -> Iterator[Diagnostic]:
        """A fixed `http` in a server that visitors reach by https only."""
        for values, lines in config.alike("proxy_set_header").groups():
            if values[1:] != ("http",) or values[0].lower() not in _NAMES:
                continue
            for line in lines:
                server = config.server(line)
                if server is not None and all(listen.ssl for listen in server.listens):
                    yield self.report(
                        line,
                        "visitors come by https, and the backend is told http: redirects without end, or links to http pages",
                        Fix("say how visitors came", (replace(line.args[1].span, "$scheme"),), safe=False),
                        help="write $scheme",
                    )

    def _always_http(self, config: Config) -> Iterator[Diagnostic]:
        """`$scheme` in a server that itself looks at what a TLS terminator in front of it says."""
        for condition in config.find("if"):
            server = config.server(condition)
            if server is None or not any("$http_x_forwarded_proto" in value for value in condition.values):
                continue
            if any(listen.ssl for listen in server.listens):
                continue
            for line in server.block.walk():
                if line.name == "proxy_set_header" and _says_scheme(line):
                    fix = replace(line.args[1].span, "$http_x_forwarded_proto")
                    yield self.report(
                        line,
                        "this is always http here: TLS ends in front of nginx",
                        Fix("hand on what came", (fix,), safe=False),
                        related=(note(condition, "asks how visitors came"),),
                        help="write $http_x_forwarded_proto",
                    )


def _is_for_sockets(block: Block) -> bool:
    """A location of its own for WebSockets, which know no redirect."""
    return block.name == "location" and block.values != ("/",)


def _says_scheme(line: Directive) -> bool:
    return len(line.values) == 2 and line.values[0].lower() in _NAMES and line.values[1] in ("$scheme", "${scheme}")


def _serves_visitors(config: Config, target: Pass, scope: Scope, asked: set[str]) -> bool:
    """An application behind this server, asked for visitors, whose redirects nginx does not mend."""
    location = config.location(target.directive)
    if location is None or location.internal is not None or location.pattern in asked:
        return False
    if is_public_name(target.host):
        return False
    redirects = scope.effective("proxy_redirect")
    return not any("https" in value or "$scheme" in value for line in redirects for value in line.values)
