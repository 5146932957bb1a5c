"""TLS peers that talk by hand: handshakes that never end, are far too long, or hold what is no certificate."""

from __future__ import annotations

import asyncio

from nginxlint.demo.http_behaviours import answers_for_ever
from nginxlint.demo.peer import Peer, Talk
from tests.gauntlet.scenario import Scenario

MILLION = 1_000_000
HELLO_REQUEST = b"\0\0\0\0"


def message(kind: int, content: bytes) -> bytes:
    """A handshake message."""
    return bytes((kind,)) + len(content).to_bytes(3, "big") + content


def records(data: bytes) -> bytes:
    """Handshake bytes in TLS 1.2 records."""
    parts = [data[at : at + 16384] for at in range(0, len(data), 16384)]
    return b"".join(b"\x16\x03\x03" + len(part).to_bytes(2, "big") + part for part in parts)


def _certificates(*chain: bytes) -> bytes:
    listed = b"".join(len(der).to_bytes(3, "big") + der for der in chain)
    return message(11, len(listed).to_bytes(3, "big") + listed)


# TLS 1.2, no session, ECDHE-RSA-AES128-GCM-SHA256, no extensions
SERVER_HELLO = message(2, b"\x03\x03" + bytes(range(32)) + b"\0" + b"\xc0\x2f" + b"\0")


def shakes(flight: bytes) -> Talk:
    """Read the client's first message, answer with these handshake bytes, wait."""

    async def talk(peer: Peer) -> None:
        await peer.some()
        await peer.send(records(flight))
        await peer.wait_for_close()

    return talk


async def storms(peer: Peer) -> None:
    """Ask for a handshake again and again, while it is going on."""
    await peer.some()
    for _ in range(4000):
        await peer.send(records(HELLO_REQUEST) * 200)
        await asyncio.sleep(0.001)


BEHAVIOURS: dict[str, Talk] = {
    "tls-hello-request-storm": storms,
    "tls-hello-request-drizzle": answers_for_ever(b"", records(HELLO_REQUEST), 0.05),
    "tls-chain-of-a-megabyte": shakes(SERVER_HELLO + _certificates(bytes(MILLION))),
    "tls-no-certificate": shakes(SERVER_HELLO + _certificates()),
    "tls-der-garbage": shakes(SERVER_HELLO + _certificates(b"\x30\x82\xff\xff" + bytes(64))),
    "tls-der-empty": shakes(SERVER_HELLO + _certificates(b"\x30\x00")),
    "tls-der-endless": shakes(SERVER_HELLO + _certificates(b"\x30\x80" * 2000)),
    "tls-alert-flood": answers_for_ever(b"", b"\x15\x03\x03\0\2\1\x5a", 0.01),
}
_PASS = "proxy_pass https://127.0.0.1:{port};"
HANDSHAKES: tuple[Scenario, ...] = (
    *(
        Scenario(f"tls-hello-request-{kind}", f"tls-hello-request-{kind}", 504, "tls-timeout", _PASS)
        for kind in ("storm", "drizzle")
    ),
    Scenario("tls-alert-flood", "tls-alert-flood", 504, "tls-timeout", _PASS),
    *(
        Scenario(name, name, 502, "tls-failed", _PASS)
        for name in (
            "tls-chain-of-a-megabyte",
            "tls-no-certificate",
            "tls-der-garbage",
            "tls-der-empty",
            "tls-der-endless",
        )
    ),
)
"""Broken handshakes."""
