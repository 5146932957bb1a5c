from nginxlint import (
    OWN_PROTOCOLS,
    Bad,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Rule,
    Severity,
    replace,
    tls_servers,
)

_OLD = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1")
_NEW = "TLSv1.2 TLSv1.3"
_OWN, _UPSTREAM = "ssl_protocols", tuple(f"{family}_ssl_protocols" for family in ("proxy", "grpc", "uwsgi"))


class TlsOldProtocol(Rule):
    """A server is told to speak SSL, TLS 1.0 or TLS 1.1, which nobody may rely on any more.

    Their connections can be read or changed by somebody between (POODLE, BEAST; RFC 7568 and RFC 8996 forbid them), and every
    browser since 2020 speaks TLS 1.2. An OpenSSL built with a security level above 0, as that of Debian, leaves them out
    whatever nginx says, until `@SECLEVEL=0` stands in `ssl_ciphers`: the setting then waits for the day it does. Towards a
    backend (`proxy_ssl_protocols`) it is worth knowing only: both sides take the newest they have. Not reported: settings
    no TLS server uses, and before nginx 1.29.2 those of a server that is not the default of its socket, which it does not
    ask for. Source: ngx_ssl_create (src/event/ngx_event_openssl.c); SSL_CTX_set_security_level(3); nginx change log.
    """

    id = "tls-old-protocol"
    group = "tls"
    directives = (_OWN, *_UPSTREAM)
    texts = ("sslv2", "sslv3", "\0tlsv1\0", "tlsv1.1")
    examples = (
        Bad(
            "ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; # here\nserver { listen 443 ssl; ssl_reject_handshake on; }",
            "ssl_protocols TLSv1.2 TLSv1.3; # here\nserver { listen 443 ssl; ssl_reject_handshake on; }",
        ),
        Bad(
            "server { listen 443 ssl; ssl_reject_handshake on; ssl_protocols SSLv3; } # here",
            "server { listen 443 ssl; ssl_reject_handshake on; ssl_protocols TLSv1.2 TLSv1.3; } # here",
        ),
        Bad("location / { proxy_pass https://app; proxy_ssl_protocols TLSv1 TLSv1.2; } # here"),
        Good("ssl_protocols TLSv1.2 TLSv1.3; server { listen 443 ssl; }"),
        Good(
            "events {} http { ssl_protocols TLSv1 TLSv1.2; server { listen 443 ssl; ssl_protocols TLSv1.2; } "
            "server { listen 80; } }"
        ),
        Good(
            "events {} http { server { listen 443 ssl; server_name a.test; ssl_protocols TLSv1.3; } "
            "server { listen 443 ssl; server_name b.test; ssl_protocols TLSv1.1; } }",
            version=(1, 29, 1),
        ),
        Bad(
            "events {} http { server { listen 443 ssl; ssl_reject_handshake on; ssl_protocols TLSv1.3; }\n"
            "server { listen 443 ssl; ssl_reject_handshake on; server_name b.test; ssl_protocols TLSv1.1; } } # here",
            version=(1, 29, 2),
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        spoken = _spoken(config) if not config.partial and config.concerns((_OWN,), self.texts) else None
        for line in config.saying(_has_old, _OWN):
            if spoken is None or line in spoken:
                yield self._finding(line, "visitors may come by", self.severity)
        for line in config.saying(_has_old, *_UPSTREAM):
            yield self._finding(line, "the backend may be spoken to by", Severity.INFO)

    def _finding(self, line: Directive, said: str, severity: Severity) -> Diagnostic:
        old = [word for word in line.values if word in _OLD]
        others = [word for word in line.values if word not in _OLD]
        return self.report(
            line,
            f"{said} {', '.join(old)}, which somebody between can break",
            Fix(
                "leave the old ones out" if others else f"speak {_NEW}",
                (replace(line.args_span, " ".join(others) or _NEW),),
                safe="TLSv1.2" in others and line.name == _OWN,
            ),
            severity=severity,
            help=f"write {line.name} {_NEW};",
        )


def _has_old(protocols: tuple[str, ...]) -> bool:
    return any(word in _OLD for word in protocols)


def _spoken(config: Config) -> set[Directive]:
    """The lines that are in effect in a TLS server whose protocols count: before nginx 1.29.2 OpenSSL chose one before it knew
    the name, by the settings of the default server."""
    found: set[Directive] = set()
    for block, listens in tls_servers(config):
        server = config.server(block)
        asked = (
            server is None
            or config.version >= OWN_PROTOCOLS
            or any(config.listeners.at(server, listen).default is server for listen in listens)
        )
        if asked:
            found.update(config.scope(block).effective(_OWN))
    return found
