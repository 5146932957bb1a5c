from nginxlint import (
    PASSES,
    Bad,
    Block,
    Confidence,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Rule,
    Scope,
    Severity,
    insert_line_after,
    note,
    number_or,
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
    directives = ("listen", "add_header")
    texts = ("ssl", "quic", _NAME)
    examples = (
        Bad("ssl_certificate c;\nssl_certificate_key k;\nserver {\n listen 443 ssl; # here\n root /srv;\n}"),
        Bad("server {\n listen 443 ssl;\n add_header Strict-Transport-Security max-age=3600; # here\n}"),
        Bad(
            "server {\n listen 443 ssl;\n add_header Strict-Transport-Security 'max-age=31536000';\n"
            ' location /a { add_header strict-transport-security "max-age=86400; includeSubDomains"; # here\n }\n}'
        ),
        Bad("location / { add_header Strict-Transport-Security max-age=3600; } # here"),
        Bad(
            "server {\n listen 443 ssl; # here\n root /srv;\n}\n"
            "server { listen 80; listen 443 ssl; root /srv; }\nserver { listen 80; root /srv; }"
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
        for header in config.saying(_is_weak, "add_header"):
            yield self.report(
                header.args[1],
                "browsers forget within half a year that this site is served over TLS only",
                help="write max-age=31536000 (a year)",
            )
        if config.partial or not config.concerns(("listen",), ("ssl", "quic")):
            return
        missing: dict[Confidence, list[Directive]] = {}
        passing = {directive.enclosing("server") for directive in config.find(*PASSES)}
        for listen in _without(config):
            # a backend may send the header
            missing.setdefault(Confidence.LOW if listen.parent in passing else self.confidence, []).append(listen)
        for confidence, listens in missing.items():
            yield self._missing(config, listens, confidence)

    def _missing(self, config: Config, listens: list[Directive], confidence: Confidence) -> Diagnostic:
        """One finding for all servers: where one lacks it, mostly all do."""
        first, others = listens[0], len(listens) - 1
        fixes: tuple[Fix, ...] = ()
        if not others and not config.scope(first).effective("add_header"):
            fixes = (Fix("send it for a year", (insert_line_after(first, _LINE),), safe=False),)
        also = f", here and in {others} other server{'s' if others > 1 else ''}" if others else ""
        return self.report(
            first,
            f"browsers are not told to use TLS only{also}: the first request of a visit may be answered by somebody between",
            *fixes,
            confidence=confidence,
            related=tuple(note(one, "nor here") for one in listens[1:4]),
            help=f"write {_LINE}",
        )


def _is_weak(header: tuple[str, ...]) -> bool:
    if len(header) < 2 or header[0].lower() != _NAME:
        return False
    for part in header[1].lower().split(";"):
        name, _, seconds = part.strip().partition("=")
        if name == "max-age":
            seconds = seconds.strip('"')
            return 0 < number_or(seconds, 0) < _HALF_A_YEAR
    return False


def _without(config: Config) -> Iterator[Directive]:
    """The first TLS socket of each http server that answers itself and does not send the header."""
    listens: dict[Block, Directive] = {}
    for listen in config.find("listen"):
        block = listen.parent
        if (
            ("ssl" in listen.values or "quic" in listen.values)
            and block is not None
            and block.parent is not None
            and block.parent.name == "http"
        ):
            listens.setdefault(block, listen)
    sent_somewhere = config.concerns(("add_header", "more_set_headers"), (_NAME,))
    redirecting = {one.parent for one in (*config.find("return"), *config.saying(_is_permanent, "rewrite"))}
    for block, listen in listens.items():
        if block in redirecting:
            continue
        if "ssl_reject_handshake" in config.names and config.scope(block).on("ssl_reject_handshake"):
            continue
        if not sent_somewhere or not any(_sends(config.scope(one)) for one in block.walk() if one.body is not None):
            yield listen


def _is_permanent(rewrite: tuple[str, ...]) -> bool:
    return rewrite[-1:] == ("permanent",)


def _sends(scope: Scope) -> bool:
    if any(line.values and line.values[0].lower() == _NAME for line in scope.effective("add_header")):
        return True
    return any(_NAME in value.lower() for line in scope.effective("more_set_headers") for value in line.values)
