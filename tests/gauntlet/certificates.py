"""What nginx says of a server's certificate with proxy_ssl_verify on: chains, depths, dates, revocations, and all at once."""

from __future__ import annotations

import ssl

from nginxlint.demo.tls_behaviours import ContextMaker
from tests.gauntlet.authority import OPENSSL, SHOWN, path
from tests.gauntlet.scenario import Scenario

_HTTPS = "proxy_pass https://127.0.0.1:{port};"
_VERIFY = "proxy_ssl_verify on; proxy_ssl_trusted_certificate {made:AUTHORITY.crt}; proxy_ssl_name app.demo.test; "
_V13 = "proxy_ssl_protocols TLSv1.3; "
_EMPTY, _FULL = "proxy_ssl_crl {made:empty.crl}; ", "proxy_ssl_crl {made:full.crl}; "

# what is shown, who is trusted, further settings, the status and the log class
_ROWS: tuple[tuple[str, str, str, int, str], ...] = (
    ("leaf", "root", "", 200, ""),
    ("leaf", "leaf", "", 502, "tls-verify-21"),
    ("any-name", "root", "", 200, ""),
    ("other-name", "root", "", 502, "tls-name"),
    ("for-clients", "root", "", 502, "tls-verify-26"),
    ("below", "root", "", 502, "tls-verify-21"),
    ("below", "between", "", 502, "tls-verify-2"),
    ("below-whole", "root", "", 200, ""),
    ("below-whole", "root", "proxy_ssl_verify_depth 0; ", 502, "tls-verify-20"),
    ("below-whole", "stranger", "", 502, "tls-verify-20"),
    ("below-wrong", "root", "", 502, "tls-verify-21"),
    ("far-below-whole", "root", "", 502, "tls-verify-20"),
    ("far-below-whole", "root", "proxy_ssl_verify_depth 2; ", 200, ""),
    ("far-below-gap", "root", "proxy_ssl_verify_depth 2; ", 502, "tls-verify-20"),
    ("below-old-whole", "root", "", 502, "tls-verify-10"),
    ("below-none-whole", "root", "", 502, "tls-verify-26"),
    ("strange", "root", "", 502, "tls-verify-21"),
    # two faults at once: nginx asks OpenSSL for the last one it met
    ("old", "stranger", "", 502, "tls-verify-10"),
    ("old-below-whole", "stranger", "", 502, "tls-verify-10"),
    ("self-old", "root", "", 502, "tls-verify-10"),
    ("self-old", "self-old", "", 502, "tls-verify-10"),
    ("self-early", "root", "", 502, "tls-verify-9"),
    ("strange-old", "root", "", 502, "tls-verify-10"),
    ("strange-early", "root", _V13, 502, "tls-verify-9"),
    # revocation lists
    ("leaf", "root", _EMPTY, 200, ""),
    ("leaf", "root", _FULL, 200, ""),
    ("revoked", "root", _EMPTY, 200, ""),
    ("revoked", "root", _FULL, 502, "tls-verify-23"),
    ("below-whole", "root", _EMPTY, 502, "tls-verify-3"),
    ("leaf", "root", "proxy_ssl_name app.demo.test.; ", 502, "tls-name"),
)


def _scenario(number: int, shown: str, authority: str, settings: str, status: int, log: str) -> Scenario:
    verify = _VERIFY.replace("AUTHORITY", authority)
    if "proxy_ssl_name" in settings:
        verify = verify.replace("proxy_ssl_name app.demo.test; ", "")
    return Scenario(
        f"shows-{shown}-{number}",
        f"shows-{shown}",
        status,
        log,
        verify + settings + _HTTPS,
        cured=_HTTPS if log else "",
    )


CERTIFICATES: tuple[Scenario, ...] = tuple(
    _scenario(number, *row) for number, row in enumerate(_ROWS if OPENSSL else ())
)
"""Servers that show certificates of the tests' own authority; none where openssl is missing."""


def _shows(name: str) -> ContextMaker:
    def make() -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path(f"{name}.pem"))
        return context

    return make


SERVERS: dict[str, ContextMaker] = {f"shows-{name}": _shows(name) for name in SHOWN}
