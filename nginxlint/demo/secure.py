"""The server side of TLS over an open connection, which sends its alerts as real servers do.

asyncio's own TLS drops the alert when a handshake fails; the client would see a bare end of the connection
where nginx or OpenSSL tell it what is wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl

_CHUNK = 64 * 1024


class SecureChannel:
    """Reads and writes plain bytes over a TLS connection; the same few methods as asyncio's streams."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: ssl.SSLContext) -> None:
        self.plain = asyncio.StreamReader()
        self._reader = reader
        self._writer = writer
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    async def handshake(self, first: bytes = b"") -> None:
        """Shake hands; `first` are bytes already read. Raises `ssl.SSLError` after its alert was sent."""
        self._incoming.write(first)
        while True:
            try:
                self._tls.do_handshake()
                return
            except ssl.SSLWantReadError:
                pass
            finally:
                await self._flush()
            if not await self._more():
                raise ConnectionResetError("the client left in the handshake")

    async def pump(self) -> None:
        """Decrypt what comes in into `plain` until the client closes."""
        try:
            while True:
                try:
                    chunk = self._tls.read(_CHUNK)
                except ssl.SSLWantReadError:
                    await self._flush()
                    if not await self._more():
                        break
                    continue
                if not chunk:
                    break
                self.plain.feed_data(chunk)
        except (OSError, ValueError):
            # A broken record ends the conversation like a close does; its alert is already on the way.
            await self._flush()
        finally:
            self.plain.feed_eof()

    async def send(self, data: bytes) -> None:
        """Encrypt and send."""
        self._tls.write(data)
        await self._flush()

    async def close(self) -> None:
        """Say goodbye in TLS terms without waiting for the other side's goodbye."""
        # Wanting the other side's close_notify is normal; only our own has to go out.
        with contextlib.suppress(ssl.SSLError):
            self._tls.unwrap()
        await self._flush()

    async def _more(self) -> bool:
        data = await self._reader.read(_CHUNK)
        self._incoming.write(data)
        return bool(data)

    async def _flush(self) -> None:
        if self._outgoing.pending:
            self._writer.write(self._outgoing.read())
            await self._writer.drain()
