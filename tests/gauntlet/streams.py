"""Upstreams of the stream module: TCP, TLS, PROXY protocol, unix sockets, groups. The status is `$status` of its log."""

from __future__ import annotations

from nginxlint.demo.tls_behaviours import certificate_path
from tests.gauntlet.scenario import Scenario

_VERIFY = (
    f"proxy_ssl_verify on; proxy_ssl_trusted_certificate {certificate_path('ca')}; "
    "proxy_ssl_name app.demo.test; proxy_ssl_server_name on; "
)


def _tcp(name: str, status: int = 200, log: str = "", settings: str = "", kind: str = "", **more: object) -> Scenario:
    return Scenario(
        f"stream{kind}-{name}",
        name,
        status,
        log,
        settings + "proxy_pass 127.0.0.1:{port};",
        stream=True,
        **more,  # type: ignore[arg-type]
    )


def _tls(name: str, status: int = 200, log: str = "", **more: object) -> Scenario:
    return _tcp(name, status, log, "proxy_ssl on; ", "-tls", **more)


def _verified(name: str, status: int = 200, log: str = "") -> Scenario:
    return _tcp(name, status, log, _VERIFY + "proxy_ssl on; ", "-verified")


def _unix(name: str, status: int = 200, log: str = "") -> Scenario:
    return Scenario(f"stream-{name}", name, status, log, "proxy_pass unix:{path};", stream=True)


def _pair(first: str, second: str, status: int, log: str) -> Scenario:
    around = f"upstream {{name}} {{ server 127.0.0.1:{{port}}; server 127.0.0.1:{{port:{second}}}; }}"
    return Scenario(f"stream-{first}-{second}", first, status, log, "proxy_pass {name};", around=around, stream=True)


def _named(name: str, status: int, log: str) -> Scenario:
    passes = (
        f"resolver 127.0.0.1:{{dns}} ipv6=off; resolver_timeout 1s; set $up {name}.demo.test; proxy_pass $up:{{port}};"
    )
    cured = "proxy_pass 127.0.0.1:{port};"
    return Scenario(f"stream-dns-{name}", "healthy", status, log, passes, stream=True, cured=cured)


STREAMS: tuple[Scenario, ...] = (
    *(_tcp(name) for name in ("healthy", "ssh", "silent", "closes-after-request")),
    _tcp("refusing", 502, "connect-refused"),
    _tcp("accept-queue-full", 502, "connect-timeout"),
    *(_tls(name) for name in ("tls-good", "tls12-only", "tls-expired", "tls-self-signed")),
    _tls("refusing", 502, "connect-refused"),
    _tls("accept-queue-full", 502, "connect-timeout"),
    _tls("refuses-noise", 502, "tls-not-tls"),
    _tls("ssh", 502, "tls-not-tls"),
    _tls("tls-closes", 502, "tls-closed"),
    _tls("tls-alert", 502, "tls-alert-handshake"),
    _tls("tls13-only", 502, "tls-alert-version"),
    _tls("tls-needs-server-name", 502, "tls-alert-name"),
    _verified("tls-good"),
    _verified("tls-needs-app-name"),
    _verified("tls-wrong-name", 502, "tls-name"),
    _verified("tls-expired", 502, "tls-verify-10"),
    _verified("tls-future", 502, "tls-verify-9"),
    _verified("tls-self-signed", 502, "tls-verify-18"),
    _verified("tls-unknown-issuer", 502, "tls-verify-21"),
    _tcp("proxy-protocol-required", 200, "", "proxy_protocol on; ", "-proxy"),
    _tcp("refusing", 502, "connect-refused", "proxy_protocol on; ", "-proxy"),
    _unix("unix-healthy"),
    _unix("unix-missing", 502, "connect-missing"),
    _unix("unix-forbidden", 502, "connect-forbidden"),
    _unix("unix-stale", 502, "connect-refused"),
    *(
        _named(name, status, log)
        for name, status, log in (
            ("good", 200, ""),
            ("missing", 500, "dns-not-found"),
            ("server-failure", 500, "dns-server-failure"),
            ("refused", 500, "dns-refused"),
            ("silent", 500, "dns-timeout"),
        )
    ),
    Scenario(
        "stream-no-resolver",
        "healthy",
        500,
        "dns-no-resolver",
        "set $up good.demo.test; proxy_pass $up:{port};",
        stream=True,
        cured="proxy_pass 127.0.0.1:{port};",
    ),
    Scenario(
        "stream-bind-elsewhere",
        "healthy",
        500,
        "bind-failed",
        "proxy_bind 192.0.2.1; proxy_pass 127.0.0.1:{port};",
        stream=True,
        cured="proxy_pass 127.0.0.1:{port};",
    ),
    Scenario(
        "stream-no-port",
        "healthy",
        500,
        "",
        "set $up 127.0.0.1; proxy_pass $up;",
        stream=True,
        cured="proxy_pass 127.0.0.1:{port};",
    ),
    Scenario(
        "stream-one-try",
        "refusing",
        502,
        "connect-refused",
        "proxy_next_upstream_tries 1; proxy_pass {name};",
        around="upstream {name} { server 127.0.0.1:{port}; server 127.0.0.1:{port:healthy}; }",
        stream=True,
    ),
    Scenario(
        "stream-next-off",
        "refusing",
        502,
        "connect-refused",
        "proxy_next_upstream off; proxy_pass {name};",
        around="upstream {name} { server 127.0.0.1:{port}; server 127.0.0.1:{port:healthy}; }",
        stream=True,
    ),
    Scenario(
        "stream-tls-saves",
        "tls-closes",
        200,
        "tls-closed",
        "proxy_ssl on; proxy_pass {name};",
        around="upstream {name} { server 127.0.0.1:{port}; server 127.0.0.1:{port:tls-good}; }",
        stream=True,
    ),
    _pair("refusing", "healthy", 200, "connect-refused"),
    _pair("accept-queue-full", "healthy", 200, "connect-timeout"),
    _pair("refusing", "accept-queue-full", 502, "connect-refused"),
    Scenario(
        "stream-tls-hangs-and-fails",
        "tls-hangs",
        502,
        "tls-closed",
        "proxy_ssl on; proxy_pass {name};",
        stream=True,
        around="upstream {name} { server 127.0.0.1:{port}; server 127.0.0.1:{port:tls-closes}; }",
    ),
    _pair("refusing", "refusing", 502, "connect-refused"),
)
"""Each is a server of its own."""
