"""Questions to upstreams that do not speak HTTP/1: read-only pings, and what an answer means to nginx."""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from nginxlint.online.cgi import read_uwsgi
from nginxlint.online.classify import EOF, OPEN, RESET, Version
from nginxlint.online.failure import Failure, alert_failure, is_alert
from nginxlint.online.http2 import Answer, read_http2
from nginxlint.online.network import Stream
from nginxlint.online.steps import Heard, exchange
from nginxlint.online.types import Target
from nginxlint.online.untrusted import clean

READING = "while reading response header from upstream"
GET_VALUES = b"\x01\x09\x00\x00\x00\x21\x07\x00" + b"\x0e\x00FCGI_MAX_CONNS" + b"\x0f\x00FCGI_MPXS_CONNS" + bytes(7)
UWSGI_PING = b"\x64\x00\x00\x00"
H2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _SETTINGS = 0, 1, 4
ROOM = 60 * 1024  # below the window of HTTP/2: whoever sends more does not wait for us
# A ping says that the server is there; what its application answers is taken to be this.
ASSUMED = 200
# HealthCheckResponse with the status UNKNOWN (left away) and SERVICE_UNKNOWN.
_NO_HEALTH = (bytes(5), b"\0\0\0\0\2\x08\0", b"\0\0\0\0\2\x08\3")


@dataclass(frozen=True, slots=True)
class Pong:
    """A good answer: what the client would see and how sure that is (see Verdict), a remark, the time to the first
    byte, what nginx logs."""

    status: int | None = None
    detail: str = ""
    first_ms: float = 0.0
    code: str = ""
    hint: str = ""
    certainty: str = "predicted"
    log: str = ""


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
        reading = read_uwsgi(heard.data, heard.end, target.room, version)
        raise Failure("http", "L7_WRONGPROTO", _talks(heard.data), log=reading.log, status=reading.status)
    if heard.end in (EOF, RESET):
        raise _silence(heard, target, limit)
    return Pong(ASSUMED, "accepts connections (SCGI knows no ping)", certainty="assumed")


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
    """HTTP/2 with prior knowledge: the gRPC health check for grpc_pass, a GET for proxy_http_version 2."""
    grpc = target.directive == "grpc_pass"
    request = _health_check(target) if grpc else _get_request(target)
    settings = _frame(_SETTINGS, 0, 0, b"\x00\x01\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00")

    def whole(data: bytes) -> bool:
        answer = read_http2(data, OPEN, target.room, version)
        headed = not grpc and not answer.reading.code
        return headed or answer.ended or answer.reading.code not in ("", "L7_TIMEOUT", "L7_SLOWHEADER")

    heard = await _hear(stream, H2_PREFACE + settings + request, target, limit, whole)
    answer = read_http2(heard.data, heard.end, target.room, version)
    reading = answer.reading
    if reading.code in ("L7_TIMEOUT", "L7_SLOWHEADER", "L7_CLOSED", "L7_RESET"):
        raise _silence(heard, target, limit)
    if reading.code:
        raise Failure("http", reading.code, reading.detail, log=reading.log, status=reading.status)
    if grpc and not answer.ended:
        return _unended(reading.status, heard, target, limit)
    if grpc:
        return _health(answer, heard.first_ms)
    return Pong(reading.status, "speaks HTTP/2", heard.first_ms, certainty="observed")


def _unended(status: int | None, heard: Heard, target: Target, limit: float) -> Pong:
    """A head and no end of the answer: visitors get what came."""
    what = {EOF: "it hangs up", RESET: "it resets the connection"}.get(heard.end, "it stalls")
    log = {
        EOF: "upstream prematurely closed connection while reading upstream",
        RESET: "recv() failed (104: Connection reset by peer) while reading upstream",
    }.get(heard.end, "upstream timed out (110: Connection timed out) while reading upstream")
    if heard.end == OPEN or (heard.end not in (EOF, RESET) and limit < target.timeouts.read):
        return Pong(status, "starts an answer", heard.first_ms)  # it is a long one, or nginx would wait longer
    return Pong(status, f"{what} after the head of an answer", heard.first_ms, "L7_SHORTBODY", log=log)


def _health(answer: Answer, ms: float) -> Pong:
    """What the health service says. The status of its own is in the trailers, or in a head without a message."""
    reading = answer.reading
    said = answer.trailers.get(b"grpc-status") or reading.header(b"grpc-status")
    if answer.message[5:7] == b"\x08\x02":
        hint = "look at the service behind it"
        return Pong(reading.status, "its health service says NOT_SERVING", ms, "L7_NOT_SERVING", hint)
    if said == b"12":
        return Pong(reading.status, "speaks gRPC and has no health service", ms)
    if answer.message[5:7] == b"\x08\x01":
        return Pong(reading.status, "its health service says SERVING", ms)
    if said is None and answer.message and answer.ended:
        return Pong(reading.status, "no trailers after the message of its health service", ms, "L7_NO_TRAILERS")
    if said == b"5" or (said == b"0" and answer.message in _NO_HEALTH):
        return Pong(reading.status, "its health service does not know it", ms, "L7_SERVICE_UNKNOWN")
    return Pong(reading.status, f"speaks HTTP/2 (grpc-status {clean(said or b'absent', 20)})", ms)


PINGS: dict[str, Callable[[Stream, Target, Version, float], Awaitable[Pong]]] = {
    "fastcgi": fastcgi,
    "uwsgi": uwsgi,
    "scgi": scgi,
    "memcached": memcached,
    "grpc": http2,
}


async def _hear(stream: Stream, question: bytes, target: Target, limit: float, done: Callable[[bytes], bool]) -> Heard:
    idle = min(limit, target.timeouts.read)
    return await exchange(stream, question, idle=idle, total=limit, room=max(ROOM, target.room + 9), done=done)


def _silence(heard: Heard, target: Target, limit: float) -> Failure:
    """No answer to a ping: closed, reset or nothing."""
    if heard.end == EOF:
        log = f"upstream prematurely closed connection {READING}"
        return Failure("http", "L7_CLOSED", "it hung up without an answer", log=log, status=502)
    if heard.end == RESET:
        if is_alert(heard.error):
            return alert_failure(heard.error)
        log = f"recv() failed (104: Connection reset by peer) {READING}"
        if target.tls is not None:
            log = f"upstream prematurely closed connection {READING}"
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


def _get_request(target: Target) -> bytes:
    from nginxlint.online.speak import user_agent

    path = (target.path or "/").encode("ascii", "replace")
    fields = _pseudo(target, b"GET", path) + _field(b"user-agent", user_agent().encode())
    return _frame(_HEADERS, 0x5, 1, fields)
