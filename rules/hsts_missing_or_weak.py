from collections.abc import Iterator

from nginxlint import (
    PASSES,
    Bad,
    Confidence,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Rule,
    Scope,
    Server,
    Severity,
    insert_line_after,
)

_HALF_A_YEAR = 15_768_000
_NAME = "strict-transport-security"
_LINE = 'add_header Strict-Transport-Security "max-age=31536000" always;'


class HstsMissingOrWeak(Rule):
    """A TLS server does not tell browsers to come back over TLS only, or for less than half a year.

    Without Strict-Transport-Security the first request of a visit may go over plain HTTP, where somebody between can
    answer it. `max-age` counts seconds; list services ask for a year. Be sure that every name of the site is served over
    TLS before: browsers keep to it. Not reported as missing: servers that refuse the handshake, only redirect, or let a
    backend answer (it may send the header; low confidence there). `max-age=0` takes it back on purpose.
    Source: RFC 6797.
    """

    id = "hsts-missing-or-weak"
    group = "tls"
    severity = Severity.INFO
    confidence = Confidence.MEDIUM
    directives = ("listen",)
    examples = (
        Bad("ssl_certificate c;\nssl_certificate_key k;\nserver {\n listen 443 ssl; # here\n root /srv;\n}"),
        Bad("server {\n listen 443 ssl;\n add_header Strict-Transport-Security max-age=3600; # here\n}"),
        Bad(
            "server {\n listen 443 ssl;\n add_header Strict-Transport-Security 'max-age=31536000';\n"
            ' location /a { add_header strict-transport-security "max-age=86400; includeSubDomains"; # here\n }\n}'
        ),
        Good("add_header Strict-Transport-Security 'max-age=31536000' always; server { listen 443 ssl; root /srv; }"),
        Good("server { listen 443 ssl; more_set_headers 'Strict-Transport-Security: max-age=31536000'; }"),
        Good("server { listen 443 ssl default_server; ssl_reject_handshake on; }"),
        Good("server { listen 443 ssl; return 301 https://www.test$request_uri; }"),
        Good("server { listen 14430; root /srv; }"),
        Good("server { listen 443 ssl; location / { add_header Strict-Transport-Security $hsts; } }"),
        Good("server { listen 443 ssl; add_header Strict-Transport-Security 'max-age=0'; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for header in config.find("add_header"):
            if len(header.values) > 1 and header.values[0].lower() == _NAME and _is_weak(header.values[1]):
                yield self.report(
                    header.args[1],
                    "browsers forget within half a year that this site is served over TLS only",
                    help="write max-age=31536000 (a year)",
                )
        if config.partial or not any("ssl" in listen.values for listen in config.find("listen")):
            return
        for server in config.http_servers():
            listen = next((one for one in server.listens if one.ssl and one.directive is not None), None)
            if listen is not None and listen.directive is not None and not _has_hsts(server):
                yield self._missing(server, listen.directive)

    def _missing(self, server: Server, listen: Directive) -> Diagnostic:
        passes = any(directive.name in PASSES for directive in server.block.walk())
        fixes: tuple[Fix, ...] = ()
        if not server.scope.effective("add_header"):
            fixes = (Fix("send it for a year", (insert_line_after(listen, _LINE),), safe=False),)
        return self.report(
            listen,
            "browsers are not told to use TLS only: the first request of a visit may be answered by somebody between",
            *fixes,
            confidence=Confidence.LOW if passes else self.confidence,
            help=f"write {_LINE}",
        )


def _is_weak(value: str) -> bool:
    for part in value.lower().split(";"):
        name, _, seconds = part.strip().partition("=")
        if name == "max-age":
            seconds = seconds.strip('"')
            return seconds.isascii() and seconds.isdecimal() and 0 < int(seconds) < _HALF_A_YEAR
    return False


def _has_hsts(server: Server) -> bool:
    """Is the header sent by the server or a location of it, or is there nothing to send it with?"""
    scope = server.scope
    if (
        scope.on("ssl_reject_handshake")
        or scope.own("return")
        or any(rewrite.values[-1:] == ("permanent",) for rewrite in scope.own("rewrite"))
    ):
        return True
    return any(_sends(one) for one in (scope, *(location.scope for location in server.all_locations())))


def _sends(scope: Scope) -> bool:
    if any(line.values and line.values[0].lower() == _NAME for line in scope.effective("add_header")):
        return True
    return any(_NAME in value.lower() for line in scope.effective("more_set_headers") for value in line.values)
