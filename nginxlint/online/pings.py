"""Questions to upstreams that do not speak HTTP/1: read-only pings, and what an answer means to nginx."""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from nginxlint.online.cgi import read_uwsgi
from nginxlint.online.classify import EOF, RESET, Version
from nginxlint.online.failure import Failure
from nginxlint.online.network import Stream
from nginxlint.online.steps import Heard, exchange
from nginxlint.online.types import Target
from nginxlint.online.untrusted import clean

READING = "while reading response header from upstream"
GET_VALUES = b"\x01\x09\x00\x00\x00\x21\x07\x00" + b"\x0e\x00FCGI_MAX_CONNS" + b"\x0f\x00FCGI_MPXS_CONNS" + bytes(7)
UWSGI_PING = b"\x64\x00\x00\x00"
H2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST, _SETTINGS, _GOAWAY = 0, 1, 3, 4, 7
MAX_FRAME = 16384
# A ping says that the server is there; what its application answers is taken to be this.
ASSUMED = 200


@dataclass(frozen=True, slots=True)
class Pong:
    """A good answer: what the client would see where that is known, a remark, and the time to the first byte."""

    status: int | None = None
    detail: str = ""
    first_ms: float = 0.0
    code: str = ""
    hint: str = ""


async def fastcgi(stream: Stream, target: Target, version: Version, limit: float) -> Pong:
    """A management record: any FastCGI server answers it, no script runs. Raises Failure."""
    heard = await _hear(stream, GET_VALUES, target, limit, lambda data: len(data) >= 8)
    if heard.data[:1] == b"\x01" and heard.data[1:2] in (b"\x0a", b"\x0b"):
        return Pong(ASSUMED, "answers FastCGI management records", heard.first_ms)
    raise _silence(heard, target, limit) if not heard.data else _stranger(heard)


async def uwsgi(stream: Stream, target: Target, version: Version, limit: float) -> Pong:
    """The uwsgi ping. Raises Failure."""
    heard = await _hear(stream, UWSGI_PING, target, limit, lambda data: len(data) >= 4)
    if heard.data[:1] == b"\x64" and len(heard.data) >= 4:
        return Pong(ASSUMED, "answers the uwsgi ping", heard.first_ms)
    raise _silence(heard, target, limit) if not heard.data else _stranger(heard)


async def scgi(stream: Stream, target: Target, version: Version, limit: float) -> Pong:
    """SCGI has no ping, and a real request would run the application: whoever stays silent is left alone."""
    heard = await exchange(stream, b"", idle=min(0.3, limit), total=min(0.3, limit), room=512, done=bool)
    if heard.data:
        reading = read_uwsgi(heard.data, heard.end, target.buffer_size, version)
        raise Failure("http", "L7_WRONGPROTO", _talks(heard.data), log=reading.log, status=reading.status)
    if heard.end in (EOF, RESET):
        raise _silence(heard, target, limit)
    return Pong(ASSUMED, "accepts connections (SCGI knows no ping)")


async def memcached(stream: Stream, target: Target, version: Version, limit: float) -> Pong:
    """`version`. Raises Failure."""
    heard = await _hear(stream, b"version\r\n", target, limit, lambda data: b"\n" in data)
    if heard.data.startswith(b"VERSION"):
        return Pong(ASSUMED, clean(heard.data.partition(b"\n")[0].rstrip(b"\r"), 60), heard.first_ms)
    raise _silence(heard, target, limit) if not heard.data else _stranger(heard)


def _stranger(heard: Heard) -> Failure:
    """An answer to a ping that no peer of this protocol gives. What nginx gets, nginx's own question will show."""
    return Failure("http", "L7_WRONGPROTO", _talks(heard.data), status=502)


async def http2(stream: Stream, target: Target, version: Version, limit: float) -> Pong:
    """HTTP/2 with prior knowledge: the gRPC health check for grpc_pass, a HEAD for proxy_http_version 2."""
    grpc = target.directive == "grpc_pass"
    request = _health_check(target) if grpc else _head_request(target)
    heard = await _hear(
        stream, H2_PREFACE + _frame(_SETTINGS, 0, 0, b"\x00\x02\x00\x00\x00\x00") + request, target, limit, _answered
    )
    data = heard.data
    if not data:
        raise _silence(heard, target, limit)
    goaway: int | None = None
    status: int | None = None
    serving = b""
    got_settings = False
    for kind, stream_id, content in _frames(data):
        if kind is None:
            size = int.from_bytes(data[:3], "big") if stream_id == 0 else int.from_bytes(content[:3], "big")
            log = f"upstream sent too large http2 frame: {size} {READING}"
            code = "L7_H1_UNDER_GRPC" if data.startswith(b"HTTP/1") else "L7_WRONGPROTO"
            raise Failure("http", code, _talks(data), log=log, status=502)
        got_settings = got_settings or kind == _SETTINGS
        if kind == _HEADERS and stream_id == 1 and status is None:
            status = _status_of(content)
        elif kind == _DATA and stream_id == 1:
            serving += content
        elif kind == _RST and stream_id == 1 and status is None:
            number = int.from_bytes(content[:4], "big")
            log = f"upstream rejected request with error {number} {READING}"
            raise Failure("http", "L7_H2_REJECTED", f"HTTP/2 error {number}", log=log, status=502)
        elif kind == _GOAWAY and len(content) >= 8:
            goaway = int.from_bytes(content[4:8], "big")
    if status is None and goaway:
        log = f"upstream sent goaway with error {goaway} {READING}"
        raise Failure(
            "http", "L7_H2_REJECTED", f"it ends the connection with HTTP/2 error {goaway}", log=log, status=502
        )
    if status is None:
        if got_settings and heard.end not in (EOF, RESET):
            if grpc:
                # The frames are good; an application that ignores an unknown method is not a fault of the upstream.
                return Pong(None, "speaks HTTP/2, the health check got no answer", heard.first_ms)
            raise _silence(heard, target, limit)
        raise _silence(heard, target, limit)
    if grpc and serving[5:7] == b"\x08\x02":
        return Pong(
            200,
            "its health service says NOT_SERVING",
            heard.first_ms,
            "L7_NOT_SERVING",
            "look at the service behind it",
        )
    return Pong(status, "speaks HTTP/2", heard.first_ms)


PINGS: dict[str, Callable[[Stream, Target, Version, float], Awaitable[Pong]]] = {
    "fastcgi": fastcgi,
    "uwsgi": uwsgi,
    "scgi": scgi,
    "memcached": memcached,
    "grpc": http2,
}


async def _hear(stream: Stream, question: bytes, target: Target, limit: float, done: Callable[[bytes], bool]) -> Heard:
    idle = min(limit, target.timeouts.read)
    return await exchange(stream, question, idle=idle, total=limit, room=MAX_FRAME, done=done)


def _silence(heard: Heard, target: Target, limit: float) -> Failure:
    """No answer to a ping: closed, reset or nothing."""
    if heard.end == EOF:
        log = f"upstream prematurely closed connection {READING}"
        return Failure("http", "L7_CLOSED", "it hung up without an answer", log=log, status=502)
    if heard.end == RESET:
        if "CERTIFICATE_REQUIRED" in heard.error:
            return Failure("http", "L6_CLIENTCERT", "the server demands a client certificate and nginx has none")
        log = f"recv() failed (104: Connection reset by peer) {READING}"
        return Failure("http", "L7_RESET", "it reset the connection", log=log, status=502)
    log = f"upstream timed out (110: Connection timed out) {READING}"
    waited = min(limit, target.timeouts.read)
    return Failure(
        "http", "L7_TIMEOUT", f"no answer in {waited:g} s", log=log, status=504, clipped=waited < target.timeouts.read
    )


def _http_line(data: bytes) -> str:
    line = data.partition(b"\n")[0].rstrip(b"\r")
    return f"an HTTP server answers “{clean(line, 60)}”"


def _talks(data: bytes) -> str:
    if data.startswith(b"HTTP/1"):
        return _http_line(data)
    return f"the first bytes are “{clean(data[:40], 80)}”"


def _frame(kind: int, flags: int, stream: int, content: bytes) -> bytes:
    return struct.pack(">I", len(content))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + content


def _field(name: bytes, value: bytes) -> bytes:
    """An HPACK literal, neither indexed nor compressed."""
    return b"\x00" + _integer(len(name)) + name + _integer(len(value)) + value


def _integer(number: int) -> bytes:
    if number < 127:
        return bytes((number,))
    rest, result = number - 127, [127]
    while rest >= 128:
        result.append(rest % 128 + 128)
        rest //= 128
    return bytes((*result, rest))


def _pseudo(target: Target, method: bytes, path: bytes) -> bytes:
    scheme = b"https" if target.tls is not None else b"http"
    authority = (target.host_header or target.host).encode("utf-8", "surrogateescape")
    return (
        _field(b":method", method)
        + _field(b":scheme", scheme)
        + _field(b":path", path)
        + _field(b":authority", authority)
    )


def _health_check(target: Target) -> bytes:
    from nginxlint.online.speak import user_agent

    fields = _pseudo(target, b"POST", b"/grpc.health.v1.Health/Check") + _field(b"content-type", b"application/grpc")
    fields += _field(b"te", b"trailers") + _field(b"grpc-timeout", b"2S") + _field(b"user-agent", user_agent().encode())
    return _frame(_HEADERS, 0x4, 1, fields) + _frame(_DATA, 0x1, 1, bytes(5))


def _head_request(target: Target) -> bytes:
    from nginxlint.online.speak import user_agent

    path = (target.path or "/").encode("ascii", "replace")
    fields = _pseudo(target, b"HEAD", path) + _field(b"user-agent", user_agent().encode())
    return _frame(_HEADERS, 0x5, 1, fields)


def _frames(data: bytes) -> list[tuple[int | None, int, bytes]]:
    """(type, stream, content) of the frames; type None for one nginx refuses for its length."""
    found: list[tuple[int | None, int, bytes]] = []
    at = 0
    while at + 9 <= len(data) or (at == 0 and len(data) >= 3):
        size = int.from_bytes(data[at : at + 3], "big")
        if size > MAX_FRAME:
            found.append((None, at, data[at : at + 9]))
            break
        if at + 9 + size > len(data):
            break
        number = int.from_bytes(data[at + 5 : at + 9], "big") & 0x7FFFFFFF
        found.append((data[at + 3], number, data[at + 9 : at + 9 + size]))
        at += 9 + size
    return found


def _answered(data: bytes) -> bool:
    """A whole answer on stream 1, a refusal, or something that is not HTTP/2."""
    if len(data) >= 3 and int.from_bytes(data[:3], "big") > MAX_FRAME:
        return True
    at = 0
    while at + 9 <= len(data):
        size = int.from_bytes(data[at : at + 3], "big")
        if size > MAX_FRAME or (
            at + 9 + size <= len(data) and _ends(data[at + 3], data[at + 4], data[at + 5 : at + 9])
        ):
            return True
        at += 9 + size
    return False


def _ends(kind: int, flags: int, stream: bytes) -> bool:
    number = int.from_bytes(stream, "big") & 0x7FFFFFFF
    return kind == _GOAWAY or (number == 1 and (kind == _RST or (kind in (_HEADERS, _DATA) and bool(flags & 0x1))))


# RFC 7541: static table entries 8 to 14 are whole :status fields; digits in the Huffman code.
_STATIC_STATUS = {0x88: 200, 0x89: 204, 0x8A: 206, 0x8B: 304, 0x8C: 400, 0x8D: 404, 0x8E: 500}
_HUFFMAN_DIGITS = {"00000": "0", "00001": "1", "00010": "2", "011001": "3", "011010": "4", "011011": "5",
                   "011100": "6", "011101": "7", "011110": "8", "011111": "9"}  # fmt: skip


def _status_of(block: bytes) -> int | None:
    """:status is the first field of a response (RFC 9113 8.3)."""
    while block and block[0] & 0xE0 == 0x20:  # dynamic table size updates come before
        block = block[1:]
    if not block:
        return None
    if block[0] in _STATIC_STATUS:
        return _STATIC_STATUS[block[0]]
    if block[0] in (0x00, 0x10, 0x40) and block[1:9] == b"\x07:status":
        rest = block[9:]
    elif (block[0] & 0x40 and 8 <= block[0] & 0x3F <= 14) or (block[0] < 0x20 and 8 <= block[0] & 0x0F <= 14):
        rest = block[1:]
    else:
        return None
    if not rest:
        return None
    value = rest[1 : 1 + (rest[0] & 0x7F)]
    text = _digits(value) if rest[0] & 0x80 else value.decode("latin-1")
    return int(text) if len(text) == 3 and text.isdecimal() else None


def _digits(value: bytes) -> str:
    bits = "".join(f"{byte:08b}" for byte in value)
    result, at = "", 0
    while len(result) < 3:
        for width in (5, 6):
            if bits[at : at + width] in _HUFFMAN_DIGITS:
                result += _HUFFMAN_DIGITS[bits[at : at + width]]
                at += width
                break
        else:
            return ""
    return result
