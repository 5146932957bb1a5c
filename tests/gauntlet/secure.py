"""Upstreams that are asked over TLS."""

from __future__ import annotations

from nginxlint.demo.tls_behaviours import certificate_path
from tests.gauntlet.scenario import Scenario

_HTTPS = "proxy_pass https://127.0.0.1:{port};"
_VERIFY = (
    f"proxy_ssl_verify on; proxy_ssl_trusted_certificate {certificate_path('ca')}; "
    "proxy_ssl_name app.demo.test; proxy_ssl_server_name on; "
)
_V13 = "proxy_ssl_protocols TLSv1.2 TLSv1.3; "
_CLIENT = (
    f"proxy_ssl_certificate {certificate_path('client')}; proxy_ssl_certificate_key {certificate_path('client')}; "
)


def _tls(name: str, status: int | None, log: str = "", **more: object) -> Scenario:
    return Scenario(name, name, status, log, _HTTPS, **more)  # type: ignore[arg-type]


def _verified(name: str, status: int | None, log: str = "", extra: str = "", **more: object) -> Scenario:
    return Scenario(f"{name}-verified", name, status, log, _VERIFY + extra + _HTTPS, **more)  # type: ignore[arg-type]


TLS: tuple[Scenario, ...] = (
    *(
        _tls(f"tls-{kind}", 200)
        for kind in (
            "good",
            "wrong-name",
            "expired",
            "future",
            "self-signed",
            "unknown-issuer",
            "name-in-subject-only",
            "address",
            "plain-400",
        )
    ),
    _tls("tls12-only", 200),
    _verified("tls-good", 200),
    _verified("tls-name-in-subject-only", 200),
    _verified("tls-wrong-name", 502, "tls-name"),
    _verified("tls-address", 502, "tls-name"),
    _verified("tls-expired", 502, "tls-verify-10"),
    _verified("tls-future", 502, "tls-verify-9"),
    _verified("tls-self-signed", 502, "tls-verify-18"),
    _verified("tls-unknown-issuer", 502, "tls-verify-21"),
    _tls("tls-hangs", 504, "tls-timeout"),
    _tls("tls-endless", 504, "tls-timeout"),
    _tls("tls-closes", 502, "tls-closed"),
    _tls("tls-alert", 502, "tls-alert-handshake"),
    _tls("tls-needs-server-name", 502, "tls-alert-name"),
    _verified("tls-needs-server-name", 200),
    _verified("tls-needs-app-name", 200),
    _tls("tls13-only", 502, "tls-alert-version"),
    _verified("tls13-only", 200, "", _V13),
    _tls("tls-client-certificate", 502, "tls-alert-handshake"),
    _verified("tls-client-certificate", 502, "tls-alert-certificate", _V13),
    Scenario("tls-client-certificate-given", "tls-client-certificate", 200, "", _VERIFY + _V13 + _CLIENT + _HTTPS),
    _tls("tls12-client-certificate", 502, "tls-alert-handshake"),
    Scenario("tls12-client-certificate-given", "tls12-client-certificate", 200, "", _CLIENT + _HTTPS),
    Scenario("tls-to-plain", "refuses-noise", 502, "tls-not-tls", _HTTPS),
    Scenario("tls-to-waiting-plain", "silent", 504, "tls-timeout", _HTTPS),
    Scenario("tls-to-refusing", "refusing", 502, "connect-refused", _HTTPS),
)
"""Asked with https://."""
