"""How upstreams behave on a TLS port: which certificate, which versions, what they ask of the client."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from collections.abc import Callable
from importlib.resources import files

from nginxlint.demo.http_behaviours import reply, silent
from nginxlint.demo.peer import Peer, Talk

ContextMaker = Callable[[], ssl.SSLContext]

PLAIN_ON_TLS = reply("400 Bad Request", body=b"<center>The plain HTTP request was sent to HTTPS port</center>\r\n")
"""What nginx itself answers on a TLS port to plain HTTP."""


def certificate_path(name: str) -> str:
    """The file of one of the demo's certificates (`ca`, `good`, `client`, …)."""
    return str(files("nginxlint.demo") / "certificates" / f"{name}.pem")


def shows(certificate: str) -> ContextMaker:
    """A server with this certificate and today's TLS versions."""
    return lambda: _context(certificate)


def speaks(lowest: ssl.TLSVersion, highest: ssl.TLSVersion) -> ContextMaker:
    """A server with a good certificate and only these versions."""

    def make() -> ssl.SSLContext:
        context = _context("good")
        if lowest < ssl.TLSVersion.TLSv1_2:
            # OpenSSL 3 refuses old versions at its default security level, whatever the range says.
            context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            # That the old versions are deprecated is the reason why they are here.
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version, context.maximum_version = lowest, highest
        return context

    return make


def wants_server_name(name: str = "") -> ContextMaker:
    """A server that ends the handshake when the client names no host (or another one)."""

    def choose(_socket: ssl.SSLObject | ssl.SSLSocket, asked: str | None, _context: ssl.SSLContext) -> int | None:
        if asked is None or (name and asked != name):
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        return None

    def make() -> ssl.SSLContext:
        context = _context("good")
        context.sni_callback = choose
        return context

    return make


def wants_client_certificate(highest: ssl.TLSVersion) -> ContextMaker:
    """A server that demands a certificate signed by the demo's authority."""

    def make() -> ssl.SSLContext:
        context = _context("good")
        context.maximum_version = highest
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificate_path("ca"))
        return context

    return make


async def closes_in_handshake(peer: Peer) -> None:
    """Read the client's first TLS message and hang up."""
    await peer.some()


async def alerts_in_handshake(peer: Peer) -> None:
    """Answer the client's first TLS message with a fatal handshake_failure."""
    await peer.some()
    await peer.send(b"\x15\x03\x03\x00\x02\x02\x28")


async def never_ends_the_handshake(peer: Peer) -> None:
    """Answer the client's first TLS message with handshake bytes that never make a whole message."""
    await peer.some()
    await peer.send(b"\x16\x03\x03\x40\x00\x02\x00\xff\xff")
    for _ in range(1000):
        await peer.send(b"\x00" * 16)
        await asyncio.sleep(0.1)


def _context(certificate: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_path(certificate))
    return context


_V10, _V12, _V13 = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3

CONTEXTS: dict[str, tuple[str, ContextMaker]] = {
    "tls-good": ("TLS with a certificate for *.demo.test", shows("good")),
    "tls-wrong-name": ("TLS with a certificate for other.example.test", shows("wrong-name")),
    "tls-expired": ("TLS with an expired certificate", shows("expired")),
    "tls-future": ("TLS with a certificate that is not valid yet", shows("future")),
    "tls-self-signed": ("TLS with a self-signed certificate", shows("self-signed")),
    "tls-unknown-issuer": ("TLS with a certificate of an unknown authority", shows("unknown-issuer")),
    "tls-name-in-subject-only": ("TLS with the name in the subject only", shows("name-in-subject-only")),
    "tls-address": ("TLS with a certificate for 127.0.0.1", shows("address")),
    "tls-needs-server-name": ("TLS, ends the handshake without SNI", wants_server_name()),
    "tls-needs-app-name": ("TLS, ends the handshake unless SNI is app.demo.test", wants_server_name("app.demo.test")),
    "tls-client-certificate": ("TLS 1.3, demands a client certificate", wants_client_certificate(_V13)),
    "tls12-client-certificate": ("TLS 1.2, demands a client certificate", wants_client_certificate(_V12)),
    "tls13-only": ("TLS 1.3 only", speaks(_V13, _V13)),
    "tls12-only": ("TLS 1.2 only", speaks(_V12, _V12)),
    "tls10-only": ("TLS 1.0 only", speaks(_V10, _V10)),
}
"""Name → (what it is, its context): healthy HTTP inside."""

MIXED = ("tls-plain-400", "TLS, answers plain HTTP with 400 as nginx does")
"""One port that looks at the first byte: TLS is served, plain HTTP gets `PLAIN_ON_TLS`."""

BEHAVIOURS: dict[str, tuple[str, Talk]] = {
    "tls-hangs": ("accepts and never says a TLS word", silent),
    "tls-closes": ("hangs up in the TLS handshake", closes_in_handshake),
    "tls-alert": ("ends the TLS handshake with an alert", alerts_in_handshake),
    "tls-endless": ("never finishes the TLS handshake", never_ends_the_handshake),
}
"""Name → (what it does, how), for ports that break the handshake by hand."""
