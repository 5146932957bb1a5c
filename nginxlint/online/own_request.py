"""What does nginx's own request get? Asked where a ping says little: of the application behind it, or nothing at all."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from nginxlint.online.body import Body, look
from nginxlint.online.cgi import KEY, question, read_fastcgi, read_memcached, read_uwsgi
from nginxlint.online.classify import OPEN, Reading, accel_redirect
from nginxlint.online.failure import Failure
from nginxlint.online.network import Stream, close_quietly
from nginxlint.online.record_body import look_at_records
from nginxlint.online.speak import failure_of
from nginxlint.online.steps import Heard, connect, exchange, secure
from nginxlint.online.types import Address, Observation, Phase, Target
from nginxlint.online.untrusted import clean

if TYPE_CHECKING:
    from collections.abc import Callable

    from nginxlint.online.probe import Prober

ROOM = 64 * 1024
_UNFINISHED = frozenset(("L7_TIMEOUT", "L7_SLOWHEADER"))
# What an HTTP server answers to bytes that are no request.
_NO_REQUEST = frozenset((400, 408, 501, 505))


async def own_request(prober: Prober, target: Target, address: Address, seen: Observation) -> Observation:
    """The observation of one GET over FastCGI (of no script), uwsgi or memcached, after a ping that was answered or
    not; the one before where none could be made."""
    limit = min(prober.options.connect_limit, target.timeouts.connect)
    stream: Stream | None = None
    try:
        stream = await connect(prober.network, address, limit, user=target.worker_user, nginx_limit=limit)
        if target.tls is not None:
            stream = await secure(stream, target.tls, limit, nginx_limit=limit)
        began = time.perf_counter()
        limit = min(prober.options.read_limit, target.timeouts.read)
        heard = await _ask(stream, target, limit, prober)
        reading = _read(target, heard.data, heard.end, prober)
        body = await _body(stream, target, reading, heard, limit)
    except (Failure, OSError):
        return seen
    finally:
        if stream is not None:
            close_quietly(stream)
    ms = heard.first_ms or (time.perf_counter() - began) * 1000
    inner = accel_redirect(reading)
    knows_pings = seen.failure is None
    http = not knows_pings and heard.data.startswith(b"HTTP/1") and reading.status in _NO_REQUEST
    if reading.code or http:
        failure = failure_of(reading, heard, target)
        code, detail = ("L7_WRONGPROTO", _first_line(heard.data)) if http else (failure.code, failure.detail)
        phase = Phase("http", ms, code, detail)
        status, log, clipped = failure.status or reading.status, failure.log, failure.clipped
    else:
        phase = Phase("http", ms, detail=f"GET → {reading.status}")
        status = None if inner or (body is not None and body.unseen) else reading.status
        log, clipped = body.log if body is not None else "", False
        if knows_pings and _depends_on_request(target, reading):
            return seen
    return replace(
        seen,
        phases=(*seen.phases[:-1], phase),
        status=reading.upstream_status,
        header_bytes=reading.head,
        body=(body.code, body.detail) if body is not None else None,
        log=log,
        predicted_status=status,
        hints=(),
        clipped=clipped,
        tries=seen.tries + 1,
        certainty="observed",
        inner=inner,
    )


async def _body(stream: Stream, target: Target, reading: Reading, heard: Heard, limit: float) -> Body | None:
    """What is wrong with the body. nginx reads its records for FastCGI, counts it for uwsgi, and leaves chunks to the
    visitor."""
    if reading.code or target.protocol == "memcached":
        return None
    if target.protocol == "fastcgi":
        return await look_at_records(stream, reading, heard.data, target, limit)
    plain = tuple(header for header in reading.headers if header[0].lower() != b"transfer-encoding")
    return await look(stream, replace(reading, headers=plain), heard.data[reading.head :], target, limit, "GET")


async def no_scgi(prober: Prober, target: Target, address: Address, seen: Observation) -> Observation:
    """SCGI knows no ping. Whoever answers an HTTP request, and not in CGI's way, is no SCGI server, and no application
    runs behind it: what does nginx make of its answer to the start of a request?"""
    heard = await _heard(
        prober, target, address, b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n", lambda data: len(data) > 8
    )
    if heard is None or not heard.data or heard.data[:7].lower() == b"status:":
        return seen

    def whole(data: bytes) -> bool:
        return read_uwsgi(data, OPEN, target.room, prober.version).code not in _UNFINISHED

    http = heard.data.startswith(b"HTTP/1")
    heard = await _heard(prober, target, address, b"17:CONTENT_LENGTH\x000\x00,", whole)
    if heard is None:
        return seen
    reading = read_uwsgi(heard.data, heard.end, target.room, prober.version)
    last = seen.phases[-1]
    status, log, clipped = reading.status, "", False
    hints: tuple[str, ...] = ()
    if reading.code:
        failure = failure_of(reading, heard, target)
        status, log, clipped = failure.status, failure.log, failure.clipped
    if reading.code or (http and status in _NO_REQUEST):
        said = "it speaks HTTP" if http else f"the first bytes are “{clean(heard.data[:40], 80)}”"
        last = Phase("http", last.ms, "L7_WRONGPROTO", said)
        hints = ("proxy_pass http://…",) if http else ()
    return replace(
        seen,
        phases=(*seen.phases[:-1], last),
        status=reading.upstream_status,
        predicted_status=status,
        log=log,
        hints=hints,
        clipped=clipped,
        certainty="observed",
    )


async def _heard(
    prober: Prober, target: Target, address: Address, asked: bytes, whole: Callable[[bytes], bool]
) -> Heard | None:
    """What is answered to these bytes on a connection of their own; None where there is none."""
    limit = min(prober.options.connect_limit, target.timeouts.connect)
    try:
        stream = await connect(prober.network, address, limit, user=target.worker_user, nginx_limit=limit)
    except Failure:
        return None
    limit = min(prober.options.read_limit, target.timeouts.read)
    try:
        return await exchange(stream, asked, idle=limit, total=limit, room=max(ROOM, target.room), done=whole)
    finally:
        close_quietly(stream)


async def _ask(stream: Stream, target: Target, limit: float, prober: Prober) -> Heard:
    def whole(data: bytes) -> bool:
        return _read(target, data, OPEN, prober).code not in _UNFINISHED

    asked = question(target.protocol, target.client_url, keep=target.keeps)
    return await exchange(stream, asked, idle=limit, total=limit, room=max(ROOM, target.room), done=whole)


def _read(target: Target, data: bytes, end: str, prober: Prober) -> Reading:
    if target.protocol == "memcached":
        return read_memcached(data, end, target.room, KEY)
    read = read_fastcgi if target.protocol == "fastcgi" else read_uwsgi
    return read(data, end, target.room, prober.version)


def _depends_on_request(target: Target, reading: Reading) -> bool:
    """A server that runs scripts by name knows none of that name, and memcached no such key; of the others this tells
    nothing."""
    return target.protocol in ("fastcgi", "memcached") and (reading.status or 0) in (403, 404)


def _first_line(data: bytes) -> str:
    return f"an HTTP server answers “{clean(data.partition(bytes((10,)))[0].rstrip(), 60)}”"
