"""One accepted connection of the demo world: reading a request head, sending bytes, resetting, stalling."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

from nginxlint.demo.secure import SecureChannel

HEAD_LIMIT = 64 * 1024
"""A peer never keeps more of a request than this."""

STEP = 0.05
"""Pause between two pieces that must arrive as two reads on the other side."""


class Peer:
    """The server's end of one connection, as a behaviour sees it."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        heads: list[bytes],
        channel: SecureChannel | None = None,
    ) -> None:
        self._reader = channel.plain if channel else reader
        self._writer = writer
        self._channel = channel
        self._heads = heads

    async def head(self) -> bytes:
        """The request up to its blank line, or whatever came before the client closed."""
        data = bytearray()
        while b"\r\n\r\n" not in data and len(data) < HEAD_LIMIT:
            chunk = await self._reader.read(4096)
            if not chunk:
                break
            data += chunk
        self._heads.append(bytes(data))
        return bytes(data)

    async def some(self, limit: int = 4096) -> bytes:
        """Whatever the client sent next, empty at its end."""
        data = await self._reader.read(limit)
        if data:
            self._heads.append(data)
        return data

    async def exactly(self, count: int) -> bytes:
        """Exactly so many bytes; raises `IncompleteReadError` when the client closes before."""
        return await self._reader.readexactly(count)

    async def line(self) -> bytes:
        """One line with its end, empty when the client closed."""
        return await self._reader.readline()

    async def send(self, data: bytes) -> None:
        """Send and wait until the kernel took most of it, so that an endless talker cannot fill our memory."""
        if self._channel:
            await self._channel.send(data)
        else:
            self._writer.write(data)
            await self._writer.drain()

    async def wait_for_close(self) -> None:
        """Say nothing more until the client goes away."""
        while await self._reader.read(4096):
            continue

    def reset(self) -> None:
        """Drop the connection with a TCP reset instead of a proper end."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


Talk = Callable[[Peer], Awaitable[None]]
"""What a server does with one connection."""


def header(head: bytes, name: str) -> str:
    """The value of a request header, empty when it is not there."""
    wanted = name.lower().encode()
    for line in head.split(b"\r\n")[1:]:
        key, colon, value = line.partition(b":")
        if colon and key.strip().lower() == wanted:
            return value.strip().decode("latin-1")
    return ""


def request_line(head: bytes) -> tuple[str, str]:
    """Method and target of a request head; two empty words when it has none."""
    words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    return (words[0], words[1]) if len(words) >= 2 else ("", "")
