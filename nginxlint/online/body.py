"""The start of a body, read with nginx's eyes: does it end before it should, is its chunking valid?

At most 64 KiB of it, and what comes within two seconds; to HEAD, only what came along with the head. Source:
ngx_http_proxy_copy_filter, ngx_http_parse_chunked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nginxlint.online.classify import EOF, RESET, TIMEOUT, Reading
from nginxlint.online.network import Stream
from nginxlint.online.steps import exchange
from nginxlint.online.types import Target

ROOM = 64 * 1024
WAIT = 1.0
# What comes that fast is read in one go, as long as it fits into proxy_buffers (eight, unless said otherwise).
AT_ONCE_MS = 50.0
_BUFFERS = 8
# ngx_http_parse_chunked: one chunk's line, the end of its data, a trailer; and the start of each while more may come.
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]+)(?:[; \t][^\r\n]*)?(\r?\n)")
_CHUNK_START = re.compile(rb"(?:[0-9A-Fa-f]+(?:[; \t][^\r\n]*)?\r?)?")
_AFTER_DATA = re.compile(rb"(\r?\n)")
_TRAILERS = re.compile(rb"(?:[^\r\n]+\r?\n)*\r?\n")
_TRAILERS_START = re.compile(rb"(?:[^\r\n]+\r?\n)*(?:[^\r\n]*\r?)?")
_LONE_LF = re.compile(rb"(?<!\r)\n")
_LARGEST_CHUNK = 2**63 - 6
_GOES_ON = ("more", "open")
READING = "while reading upstream"


@dataclass(frozen=True, slots=True)
class Body:
    """What is wrong with a body: the verdict's code, what nginx logs, a detail. `unseen`: not even the head reaches
    the visitor."""

    code: str
    log: str
    detail: str
    unseen: bool = False


async def look(
    stream: Stream, reading: Reading, start: bytes, target: Target, limit: float, method: str
) -> Body | None:
    """Read on after the head, of which `start` is what came with it; None where nothing is wrong as far as seen."""
    if not expected(reading) or (method == "HEAD" and not start):
        return None
    wait = min(WAIT, limit, target.timeouts.read)
    if state(reading, start) in _GOES_ON:
        heard = await exchange(
            stream,
            b"",
            idle=wait,
            total=2 * wait,
            room=ROOM,
            done=lambda data: state(reading, start + data) not in _GOES_ON,
        )
        end, data = heard.end, start + heard.data
        at_once = heard.ms < AT_ONCE_MS and len(data) < target.room * _BUFFERS
        if end == TIMEOUT and (wait < target.timeouts.read or heard.clipped):
            return None  # nginx would wait longer
    else:
        end, data, at_once = "", start, True
    # Inside TLS, OpenSSL reports a reset as an end.
    return judge(
        reading,
        data,
        EOF if end == RESET and target.tls is not None else end,
        at_once=at_once,
        buffering=target.buffering,
    )


def expected(reading: Reading) -> bool:
    """Does this answer have a body at all?"""
    return reading.status is not None and reading.status >= 200 and reading.status not in (204, 304)


def judge(reading: Reading, data: bytes, end: str, *, at_once: bool, buffering: bool) -> Body | None:
    """What nginx makes of the body bytes so far and of how they end. `at_once`: they came in one go, and nginx finds
    the fault before it writes anything."""
    now = state(reading, data)
    if now == "bad":
        place = READING if buffering or not at_once else "while reading response header from upstream"
        return Body(
            "L7_BADCHUNK", f"upstream sent invalid chunked response {place}", "a chunk nginx cannot read", at_once
        )
    if now == "done" or (now == "open" and end == EOF):
        return None
    length = length_of(reading)
    missing = f"{len(data)} bytes" if length is None else f"{len(data)} of {length} bytes"
    if end == EOF:
        # without buffers, the end that comes along with some of the body is met when that is sent
        place = READING if buffering or not (at_once and data) else "while sending to client"
        log = f"upstream prematurely closed connection {place}"
        return Body("L7_SHORTBODY", log, f"it hangs up after {missing} of the body")
    return broken_off(end, missing, buffering)


def broken_off(end: str, missing: str, buffering: bool) -> Body | None:
    """A body that is reset or stalls after so much of it."""
    if end == RESET:
        log = f"{'readv' if buffering else 'recv'}() failed (104: Connection reset by peer) {READING}"
        return Body("L7_SHORTBODY", log, f"it resets the connection after {missing} of the body")
    if end == TIMEOUT:
        log = f"upstream timed out (110: Connection timed out) {READING}"
        return Body("L7_SHORTBODY", log, f"it stalls after {missing} of the body")
    return None


def state(reading: Reading, data: bytes) -> str:
    """`done`, `bad`, `more` to come, or `open`: a body that ends with the connection."""
    encoding = reading.header(b"transfer-encoding")
    if encoding is not None and b"chunked" in encoding.lower():
        return _chunks(data, reading.strict_chunks)
    length = length_of(reading)
    if length is None:
        return "open"
    return "done" if len(data) >= length else "more"


def length_of(reading: Reading) -> int | None:
    """Content-Length. The last Content-Length counts, where nginx lets several through (before 1.23.0)."""
    values = [value for name, value in reading.headers if name.lower() == b"content-length"]
    length = int(values[-1][:20]) if values and values[-1].isdigit() else None
    return length if length is not None and length < 2**63 else None


def _chunks(data: bytes, strict: bool) -> str:
    at = 0
    while True:
        line = _CHUNK_LINE.match(data, at)
        if line is None:
            start = _CHUNK_START.fullmatch(data, at)
            return "more" if start is not None and _size(data[at:]) <= _LARGEST_CHUNK else "bad"
        size = _size(line[1])
        at = line.end()
        if size > _LARGEST_CHUNK or (strict and line[2] == b"\n"):
            return "bad"
        if size == 0:
            return _trailers(data, at, strict)
        at += size
        end = _AFTER_DATA.match(data, at)
        if end is None:
            return "more" if data[at:] in (b"", b"\r") else "bad"
        if strict and end[1] == b"\n":
            return "bad"
        at = end.end()


def _size(line: bytes) -> int:
    digits = re.match(rb"[0-9A-Fa-f]*", line)
    assert digits is not None
    text = digits[0].lstrip(b"0")
    return int(text[:20] or b"0", 16)


def _trailers(data: bytes, at: int, strict: bool) -> str:
    """What follows the last chunk: lines up to an empty one."""
    if strict and _LONE_LF.search(data, at):
        return "bad"
    if _TRAILERS.match(data, at):
        return "done"
    return "more" if _TRAILERS_START.fullmatch(data, at) else "bad"
