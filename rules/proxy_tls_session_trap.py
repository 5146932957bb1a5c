from nginxlint import (
    Bad,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Pass,
    Rule,
    Scope,
    insert_line_after,
    note,
)

_FAMILIES = ("proxy", "grpc", "uwsgi")
_TLS13_BY_DEFAULT = (1, 23, 4)


class ProxyTlsSessionTrap(Rule):
    """One address is reached both with and without `proxy_ssl_verify`: the verifying passes fail now and then.

    All passes to one host and port share an upstream and its TLS sessions. A session made where verification is off
    carries no verified certificate; resumed where it is on, the request fails with "upstream SSL certificate verify
    error" and 502: with TLS 1.2 as long as that session lasts, with TLS 1.3 (by default since nginx 1.23.4) once for each,
    for every connection brings a new one. Verify in all of them, or write `proxy_ssl_session_reuse off;` in those that verify.
    Source: seen on nginx 1.22.1, 1.26.3 and 1.30.6 with both; ngx_http_upstream_ssl_init_connection; nginx change log 1.23.4.
    """

    id = "proxy-tls-session-trap"
    group = "tls"
    directives = tuple(f"{family}_ssl_verify" for family in _FAMILIES)
    examples = (
        Bad(
            "location /a { proxy_pass https://app.test; }\n"
            "location /b {\n proxy_ssl_trusted_certificate ca.pem;\n proxy_ssl_verify on; # here\n"
            " proxy_pass https://app.test:443;\n}",
            "location /a { proxy_pass https://app.test; }\n"
            "location /b {\n proxy_ssl_trusted_certificate ca.pem;\n proxy_ssl_verify on;\n"
            " proxy_ssl_session_reuse off; # here\n proxy_pass https://app.test:443;\n}",
        ),
        Bad(
            "upstream app { server a:443; }\nserver { location / { grpc_pass grpcs://app; } }\n"
            "server { location / { grpc_ssl_verify on; # here\n"
            " grpc_ssl_trusted_certificate ca.pem; grpc_pass grpcs://app; } }"
        ),
        Good(
            "proxy_ssl_verify on; location /a { proxy_pass https://a.test; } location /b { proxy_pass https://a.test; }"
        ),
        Good(
            "location /a { proxy_pass https://a.test; }\n"
            "location /b { proxy_ssl_verify on; proxy_ssl_session_reuse off; proxy_pass https://a.test; }"
        ),
        Good(
            "location /a { proxy_ssl_session_reuse off; proxy_pass https://a.test; }\n"
            "location /b { proxy_ssl_verify on; proxy_pass https://a.test; }"
        ),
        Good(
            "location /a { proxy_pass http://a.test; } location /b { proxy_ssl_verify on; proxy_pass https://a.test; }"
        ),
        Good(
            "location /a { proxy_pass https://a.test; } location /b { proxy_ssl_verify on; proxy_pass https://b.test; }"
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for family in _FAMILIES:
            if f"{family}_ssl_verify" not in config.names:
                continue
            loose: dict[tuple[str, int | None], Pass] = {}
            strict: list[tuple[Pass, Scope]] = []
            for target in config.passes(f"{family}_pass"):
                if not target.tls or target.has_variables or target.kind != "http":
                    continue
                scope = config.scope(target.directive)
                if not scope.on(f"{family}_ssl_session_reuse", True):
                    continue
                if scope.on(f"{family}_ssl_verify"):
                    strict.append((target, scope))
                else:
                    loose.setdefault(_upstream(target), target)
            reported: set[Directive] = set()
            for target, scope in strict:
                other, switch = loose.get(_upstream(target)), scope.directive(f"{family}_ssl_verify")
                if other is None or switch is None or switch in reported:
                    continue
                reported.add(switch)
                line = f"{family}_ssl_session_reuse off;"
                lasting = _how_long(config, scope, family)
                yield self.report(
                    switch,
                    f"requests to {target.authority} get 502 when they resume a TLS session made without verification, "
                    f"{lasting}",
                    Fix(f"write {line}", (insert_line_after(switch, line),), safe=False),
                    related=(note(other.directive, "the same address, reached without verification"),),
                    help=f"verify in all of them, or write {line} where verification is on",
                )


def _how_long(config: Config, scope: Scope, family: str) -> str:
    """It hangs on the version of TLS that is spoken."""
    written = scope.directive(f"{family}_ssl_protocols")
    newest = "TLSv1.3" in written.values if written is not None else config.version >= _TLS13_BY_DEFAULT
    lasting = "as long as that session lasts"
    return f"once for each such session (with TLS 1.2: {lasting})" if newest else lasting


def _upstream(target: Pass) -> tuple[str, int | None]:
    """What two passes share an upstream by: the host and the port, the scheme's where none is written."""
    if target.unix is not None:
        return target.unix, None
    return target.host.lower(), target.port or target.default_port
