"""How a step of a probe fails: at which stage, with which verdict code, and what nginx would log."""

from __future__ import annotations

import errno
import os
import ssl
import time

from nginxlint.online.certificate import read_certificate
from nginxlint.online.network import OUR_FAULTS
from nginxlint.online.untrusted import clean


class Failure(Exception):
    """`status` and `log` override what the verdict table says for the code; `clipped`: our own limit ended the wait,
    nginx would have waited longer."""

    def __init__(
        self,
        stage: str,
        code: str,
        detail: str,
        *,
        log: str = "",
        status: int | None = None,
        hint: str = "",
        clipped: bool = False,
    ) -> None:
        super().__init__(detail)
        self.stage = stage
        self.code = code
        self.detail = detail
        self.log = log
        self.status = status
        self.hint = hint
        self.clipped = clipped


def connect_failure(error: OSError, *, unix: bool) -> Failure:
    """What a failed connect means."""
    number = error.errno or 0
    reason = os.strerror(number) if number else clean(str(error))
    if unix:
        if number == errno.ENOENT:
            return Failure("tcp", "L4_UNIX_MISSING", "there is no such socket")
        if number in (errno.EACCES, errno.EPERM):
            return Failure("tcp", "L4_UNIX_PERM", "no right to open the socket")
        if number in (errno.ECONNREFUSED, errno.ENOTSOCK):
            return Failure("tcp", "L4_UNIX_STALE", "the file is there, but nobody listens")
        if number == errno.EAGAIN:
            return Failure("tcp", "L4_UNIX_FULL", "the listener's queue is full")
        log = f"connect() to unix socket failed ({number}: {reason}) while connecting to upstream"
        if number == errno.EPROTOTYPE:
            reason = "it is a socket for datagrams or packets, nginx needs one for streams"
            return Failure("tcp", "L4_UNIX_STALE", reason, log=log)
        return Failure("tcp", "L4_UNIX_STALE", reason.lower(), log=log)
    if number in OUR_FAULTS:
        return Failure("tcp", "TOOL_FAULT", f"{OUR_FAULTS[number]} ({reason})")
    if number == errno.ECONNREFUSED:
        return Failure("tcp", "L4_REFUSED", "nothing listens there")
    if number == errno.ETIMEDOUT:
        return Failure("tcp", "L4_TIMEOUT", "the system gave up connecting")
    if number == errno.EINVAL:
        reason = "a route of this machine drops what goes there (blackhole)"  # fib_lookup: RTN_BLACKHOLE
        log = "connect() failed (22: Invalid argument) while connecting to upstream"
        return Failure("tcp", "L4_UNREACH", reason, log=log)
    if number in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN):
        log = f"connect() failed ({number}: {reason}) while connecting to upstream"
        return Failure("tcp", "L4_UNREACH", reason.lower(), log=log)
    if number in (errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE):
        # Whoever resets had accepted before (a refusal is another error): nginx notices when it reads.
        log = "recv() failed (104: Connection reset by peer) while reading response header from upstream"
        return Failure("tcp", "L4_RESET", "the connection was reset while it was made", log=log)
    return Failure("tcp", "TOOL_FAULT", f"connecting failed in an unexpected way: {reason}")


# OpenSSL's reason for a fatal alert → (what it says, what may mend it).
_ALERTS: dict[str, tuple[str, str]] = {
    "TLSV1_UNRECOGNIZED_NAME": ("the server knows no such name, or was told none", "sni"),
    "SSLV3_ALERT_HANDSHAKE_FAILURE": ("the server found nothing acceptable in nginx's offer", "sni"),
    "TLSV1_ALERT_PROTOCOL_VERSION": ("the server wants another TLS version", "protocols"),
    "TLSV1_ALERT_INTERNAL_ERROR": ("the server failed, as some do without a server name", "sni"),
    "TLSV1_ALERT_ACCESS_DENIED": ("the server denies access", "sni"),
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": ("the server demands a client certificate and nginx has none", "certificate"),
    "TLSV1_ALERT_UNKNOWN_CA": ("the server does not know who signed nginx's client certificate", "certificate"),
    "SSLV3_ALERT_BAD_CERTIFICATE": ("the server refuses nginx's client certificate", "certificate"),
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": ("nginx's client certificate has expired", "certificate"),
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": ("the server refuses nginx's client certificate", "certificate"),
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": ("the server wants stronger ciphers", "ciphers"),
    "TLSV1_ALERT_NO_APPLICATION_PROTOCOL": ("the server does not offer HTTP/2", "alpn"),
}
_NOT_TLS = frozenset(
    (
        "WRONG_VERSION_NUMBER",
        "HTTP_REQUEST",
        "HTTPS_PROXY_REQUEST",
        "PACKET_LENGTH_TOO_LONG",
        "RECORD_LAYER_FAILURE",
        "BAD_RECORD_TYPE",
        "UNKNOWN_PROTOCOL",
    )
)
_VERSIONS = frozenset(
    ("UNSUPPORTED_PROTOCOL", "VERSION_TOO_LOW", "NO_PROTOCOLS_AVAILABLE", "TLSV1_ALERT_PROTOCOL_VERSION")
)
_HINTS = {
    "sni": "proxy_ssl_server_name on;",
    "protocols": "proxy_ssl_protocols TLSv1.2 TLSv1.3;",
    "certificate": "proxy_ssl_certificate and proxy_ssl_certificate_key with a certificate the server accepts",
    "ciphers": "proxy_ssl_ciphers with what the server offers",
    "alpn": "",
}
_INVALID_CA = 79
VERIFY_TEXTS = {
    2: "unable to get issuer certificate",
    3: "unable to get certificate CRL",
    9: "certificate is not yet valid",
    10: "certificate has expired",
    18: "self-signed certificate",
    19: "self-signed certificate in certificate chain",
    20: "unable to get local issuer certificate",
    21: "unable to verify the first certificate",
    22: "certificate chain too long",
    23: "certificate revoked",
    26: "unsuitable certificate purpose",
}


def handshake_failure(error: ssl.SSLError, first: bytes, chain: tuple[bytes, ...]) -> Failure:
    """What a failed handshake means. `chain`: the certificates that were looked at, the peer's own first."""
    if isinstance(error, ssl.SSLCertVerificationError):
        number = last_error(error.verify_code, chain, time.time())
        text = VERIFY_TEXTS.get(number, clean(error.verify_message or "unknown"))
        log = f"upstream SSL certificate verify error: ({number}:{text}) while SSL handshaking to upstream"
        return Failure("tls", verify_code(number), text, log=log)
    reason = error.reason or ""
    said = reason.replace("_", " ").lower()
    log = f"SSL_do_handshake() failed (SSL: error:…:{said}) while SSL handshaking to upstream"
    if first and first[0] not in (0x14, 0x15, 0x16, 0x17):
        return Failure("tls", "L6_NOTTLS", f"the first bytes are “{clean(first[:40], 80)}”", log=log)
    if reason in _ALERTS:
        what, cure = _ALERTS[reason]
        code = "L6_CLIENTCERT" if cure == "certificate" else "L6_CLOSED"
        return Failure("tls", code, what, log=log, hint=_HINTS[cure])
    if reason in _VERSIONS:
        return Failure("tls", "L6_CLOSED", "server and nginx have no TLS version in common", log=log)
    if reason in _NOT_TLS:
        return Failure("tls", "L6_NOTTLS", reason.replace("_", " ").lower(), log=log)
    return Failure("tls", "L6_CLOSED", clean(reason.replace("_", " ").lower() or str(error)), log=log)


def is_alert(reason: str) -> bool:
    """Is this OpenSSL's name for an alert of the peer?"""
    return "_ALERT_" in reason or reason == "TLSV1_UNRECOGNIZED_NAME"


def alert_failure(reason: str) -> Failure:
    """What a TLS alert means that comes after the handshake: with TLS 1.3 that is where a certificate is refused."""
    said = reason.replace("_", " ").lower()
    log = f"SSL_read() failed (SSL: error:…:{said}) while reading response header from upstream"
    what, cure = _ALERTS.get(reason, (f"it ends the TLS connection: {said}", "alpn"))
    code = "L6_CLIENTCERT" if cure == "certificate" else "L7_RESET"
    return Failure("http", code, what, log=log, status=502, hint=_HINTS[cure])


def last_error(first: int, chain: tuple[bytes, ...], now: float) -> int:
    """The number nginx logs: it lets OpenSSL go on after the first fault of a chain, and asks for the last one.

    Source: X509_verify_cert: the chain is built, then purposes are checked, then signatures and dates from the top
    down."""
    number = first
    if first == _INVALID_CA:
        number = 26
    elif first == 20 and len(chain) == 1:
        number = 21
    for der in reversed(chain):
        certificate = read_certificate(der)
        if certificate is not None and certificate.not_before > now:
            number = 9
        elif certificate is not None and certificate.not_after < now:
            number = 10
    return number


def verify_code(number: int) -> str:
    """The verdict code of an OpenSSL verification error."""
    names = {9: "NOTYET", 10: "EXPIRED", 18: "SELFSIGNED", 19: "SELFSIGNED", 20: "ISSUER", 21: "ISSUER", 2: "ISSUER"}
    return f"L6_VERIFY_{names.get(number, 'OTHER')}"
