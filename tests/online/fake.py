"""A network without sockets: what it answers is written in the test."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Iterable

from nginxlint.online.machine import Machine
from nginxlint.online.ordinary import Look
from nginxlint.online.types import Address, Target


class FakeStream:
    """Gives `pieces` one per read, then what `end` says: "eof", "reset" or "silence"."""

    def __init__(self, pieces: tuple[bytes, ...], end: str = "eof") -> None:
        self.pieces = list(pieces)
        self.end = end
        self.sent = b""
        self.closed = False

    async def send(self, data: bytes) -> None:
        self.sent += data

    async def receive(self, size: int) -> bytes:
        if self.pieces:
            piece = self.pieces.pop(0)
            if len(piece) > size:
                self.pieces.insert(0, piece[size:])
            return piece[:size]
        if self.end == "reset":
            raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
        if self.end == "silence":
            await asyncio.sleep(3600)
        return b""

    def close(self) -> None:
        self.closed = True


class FakeNetwork:
    """`peers` maps an address (`10.0.0.1:80`) to what connecting does: an OSError to raise, or a maker of streams.
    Everything that is asked is recorded."""

    def __init__(
        self,
        peers: dict[str, OSError | Callable[[], FakeStream]] | None = None,
        names: dict[str, list[str]] | None = None,
        dns: Callable[[tuple[str, int], bytes, bool], bytes | None] | None = None,
        files: dict[str, int] | None = None,
        search: tuple[str, ...] = (),
    ) -> None:
        self.search = search
        self.kernel: Machine | None = None
        self.look: Look | None = None
        self.peers = peers or {}
        self.names = names or {}
        self.dns = dns
        self.files = files or {}
        self.dialled: list[str] = []
        self.looked_up: list[str] = []
        self.streams: list[FakeStream] = []

    async def connect(self, address: Address) -> FakeStream:
        self.dialled.append(str(address))
        peer = self.peers.get(str(address))
        if peer is None:
            await asyncio.sleep(3600)  # nobody answers
            raise AssertionError("unreachable")
        if isinstance(peer, OSError):
            raise peer
        stream = peer()
        self.streams.append(stream)
        return stream

    async def lookup(self, host: str) -> list[str]:
        self.looked_up.append(host)
        if host not in self.names:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return self.names[host]

    async def ask(self, server: tuple[str, int], query: bytes, *, tcp: bool) -> bytes:
        answer = self.dns(server, query, tcp) if self.dns else None
        if answer is None:
            await asyncio.sleep(3600)
            raise AssertionError("unreachable")
        return answer

    async def ordinary(self, address: Address, target: Target, limit: float, *, websocket: bool = False) -> Look | None:
        return self.look

    def search_domains(self) -> tuple[str, ...]:
        return self.search

    def unix_state(self, path: str) -> int | None:
        return self.files.get(path)

    def machine(self, addresses: Iterable[Address], *, count: bool) -> Machine | None:
        return self.kernel

    def close(self) -> None:
        return


def answers(*pieces: bytes, end: str = "eof") -> Callable[[], FakeStream]:
    return lambda: FakeStream(pieces, end)
