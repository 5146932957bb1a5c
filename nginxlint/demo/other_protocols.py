"""Upstreams that speak something else than HTTP/1: greeters, HTTP/2, FastCGI, uwsgi, SCGI, memcached."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nginxlint.demo.http_behaviours import GREETING, reply
from nginxlint.demo.peer import Peer, Talk

CGI_ANSWER = b"Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n" + GREETING

H2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _SETTINGS, _PING, _GOAWAY = 0, 1, 4, 6, 7
_END_STREAM, _ACK, _END_HEADERS = 0x1, 0x1, 0x4

AnswerStream = Callable[[Peer, int], Awaitable[None]]


def greets(banner: bytes) -> Talk:
    """Speak first, as mail, shell and database servers do, then close after the client's first words."""

    async def talk(peer: Peer) -> None:
        await peer.send(banner)
        await peer.some()

    return talk


def greets_and_waits(banner: bytes) -> Talk:
    """Speak first and keep the connection."""

    async def talk(peer: Peer) -> None:
        await peer.send(banner)
        await peer.wait_for_close()

    return talk


async def redis(peer: Peer) -> None:
    """Refuse every line that is no command, as Redis does with an HTTP request."""
    await peer.some()
    await peer.send(b"-ERR wrong number of arguments for 'get' command\r\n")


async def http2_only(peer: Peer) -> None:
    """Answer HTTP/2 with prior knowledge; anything else gets SETTINGS, GOAWAY and the door."""
    await _http2(peer, _plain_answer)


async def grpc(peer: Peer) -> None:
    """A gRPC server whose health service says "serving"."""
    await _http2(peer, _grpc_answer)


async def fastcgi(peer: Peer) -> None:
    """Answer FastCGI management records and requests."""
    while True:
        head = await peer.exactly(8)
        version, kind = head[0], head[1]
        length, padding = int.from_bytes(head[4:6], "big"), head[6]
        if version != 1:
            return
        request = int.from_bytes(head[2:4], "big")
        content = await peer.exactly(length + padding)
        if kind == 9:
            values = b"".join(
                bytes([len(name), 1]) + name + value
                for name, value in ((b"FCGI_MAX_CONNS", b"8"), (b"FCGI_MPXS_CONNS", b"0"))
            )
            await peer.send(_fastcgi_record(10, 0, values))
        elif kind == 5 and not content:
            await peer.send(
                _fastcgi_record(6, request, CGI_ANSWER)
                + _fastcgi_record(6, request, b"")
                + _fastcgi_record(3, request, bytes(8))
            )
            return


async def fastcgi_stderr_only(peer: Peer) -> None:
    """A FastCGI script that dies before it sends a head."""
    await peer.some()
    await peer.send(
        _fastcgi_record(7, 1, b"PHP message: PHP Fatal error:  Uncaught Error") + _fastcgi_record(3, 1, bytes(8))
    )


async def uwsgi(peer: Peer) -> None:
    """Answer the uwsgi ping and uwsgi requests."""
    head = await peer.exactly(4)
    if head[0] == 100:
        await peer.send(b"\x64\x00\x00\x01")
        return
    if head[0] != 0:
        return
    await peer.exactly(int.from_bytes(head[1:3], "little"))
    await peer.send(reply())


async def scgi(peer: Peer) -> None:
    """Answer SCGI requests."""
    digits = b""
    while (char := await peer.exactly(1)).isdigit() and len(digits) < 8:
        digits += char
    if char != b":" or not digits:
        return
    await peer.exactly(int(digits) + 1)
    await peer.send(CGI_ANSWER)


async def memcached(peer: Peer) -> None:
    """Answer `version` and `get`."""
    while line := await peer.line():
        words = line.split()
        if words[:1] == [b"version"]:
            await peer.send(b"VERSION 1.6.18\r\n")
        elif words[:1] == [b"get"] and len(words) == 2:
            await peer.send(b"VALUE %s 0 %d\r\n%s\r\nEND\r\n" % (words[1], len(GREETING), GREETING))
        else:
            await peer.send(b"ERROR\r\n")


async def _plain_answer(peer: Peer, stream: int) -> None:
    await peer.send(_frame(_HEADERS, _END_HEADERS | _END_STREAM, stream, b"\x88"))


async def _grpc_answer(peer: Peer, stream: int) -> None:
    head = b"\x88" + _plain_field(b"content-type", b"application/grpc")
    trailer = _plain_field(b"grpc-status", b"0")
    serving = b"\x00\x00\x00\x00\x02\x08\x01"
    await peer.send(
        _frame(_HEADERS, _END_HEADERS, stream, head)
        + _frame(_DATA, 0, stream, serving)
        + _frame(_HEADERS, _END_HEADERS | _END_STREAM, stream, trailer)
    )


async def _http2(peer: Peer, answer: AnswerStream) -> None:
    start = await peer.exactly(len(H2_PREFACE))
    settings = _frame(_SETTINGS, 0, 0, b"")
    if start != H2_PREFACE:
        # Error code 1: PROTOCOL_ERROR, last stream 0.
        await peer.send(settings + _frame(_GOAWAY, 0, 0, bytes(7) + b"\x01"))
        await peer.some()
        return
    await peer.send(settings)
    pending: dict[int, bool] = {}
    while True:
        head = await peer.exactly(9)
        kind, flags, stream = head[3], head[4], int.from_bytes(head[5:9], "big") & 0x7FFFFFFF
        content = await peer.exactly(int.from_bytes(head[:3], "big"))
        if kind == _SETTINGS and not flags & _ACK:
            await peer.send(_frame(_SETTINGS, _ACK, 0, b""))
        elif kind == _PING and not flags & _ACK:
            await peer.send(_frame(_PING, _ACK, 0, content))
        elif kind == _GOAWAY:
            return
        elif kind in (_HEADERS, _DATA) and flags & _END_STREAM and not pending.get(stream):
            pending[stream] = True
            await answer(peer, stream)


def _frame(kind: int, flags: int, stream: int, content: bytes) -> bytes:
    return len(content).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + content


def _plain_field(name: bytes, value: bytes) -> bytes:
    """A header field as HPACK literal without indexing and without Huffman coding."""
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


def _fastcgi_record(kind: int, request: int, content: bytes) -> bytes:
    padding = -len(content) % 8
    return (
        bytes([1, kind])
        + request.to_bytes(2, "big")
        + len(content).to_bytes(2, "big")
        + bytes([padding, 0])
        + content
        + bytes(padding)
    )


_MYSQL = b"J\x00\x00\x00\x0a8.0.36\x00\x08\x00\x00\x00" + bytes(60)

BEHAVIOURS: dict[str, tuple[str, Talk]] = {
    "ssh": ("an SSH server", greets(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")),
    "smtp": ("a mail server", greets(b"220 mail.demo.test ESMTP Postfix\r\n")),
    "redis": ("a Redis server", redis),
    "mysql": ("a MySQL server", greets(_MYSQL)),
    "ftp-waits": ("an FTP server that keeps the line open", greets_and_waits(b"220 (vsFTPd 3.0.3)\r\n")),
    "http2-only": ("speaks HTTP/2 only", http2_only),
    "grpc": ("a gRPC server that is serving", grpc),
    "fastcgi": ("a FastCGI server", fastcgi),
    "fastcgi-dies": ("a FastCGI script that dies before its head", fastcgi_stderr_only),
    "uwsgi": ("a uwsgi server", uwsgi),
    "scgi": ("an SCGI server", scgi),
    "memcached": ("a memcached server", memcached),
}
"""Name → (what it does, how), for ports that speak another protocol."""
