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
# nginx keeps output back until so much is there (postpone_output); a fault before that closes without an answer.
POSTPONED = 1460
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?\r?\n")
_CHUNK_START = re.compile(rb"[0-9A-Fa-f]{0,16}[ \t]*(?:;[^\r\n]*)?\r?")
_GOES_ON = ("more", "open")
_READING = "while reading upstream"


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
        if end == TIMEOUT and (wait < target.timeouts.read or heard.clipped):
            return None  # nginx would wait longer
    else:
        end, data = "", start
    # Inside TLS, OpenSSL reports a reset as an end.
    return judge(reading, data, EOF if end == RESET and target.tls is not None else end)


def expected(reading: Reading) -> bool:
    """Does this answer have a body at all?"""
    return reading.status is not None and reading.status >= 200 and reading.status not in (204, 304)


def judge(reading: Reading, data: bytes, end: str) -> Body | None:
    """What nginx makes of the body bytes so far and of how they end."""
    now = state(reading, data)
    if now == "bad":
        small = reading.head + len(data) < POSTPONED
        return Body(
            "L7_BADCHUNK", f"upstream sent invalid chunked response {_READING}", "a chunk nginx cannot read", small
        )
    if now == "done" or (now == "open" and end == EOF):
        return None
    length = _length(reading)
    missing = f"{len(data)} bytes" if length is None else f"{len(data)} of {length} bytes"
    if end == EOF:
        log = f"upstream prematurely closed connection {_READING}"
        return Body("L7_SHORTBODY", log, f"it hangs up after {missing} of the body")
    if end == RESET:
        log = f"readv() failed (104: Connection reset by peer) {_READING}"
        return Body("L7_SHORTBODY", log, f"it resets the connection after {missing} of the body")
    if end == TIMEOUT:
        log = f"upstream timed out (110: Connection timed out) {_READING}"
        return Body("L7_SHORTBODY", log, f"it stalls after {missing} of the body")
    return None


def state(reading: Reading, data: bytes) -> str:
    """`done`, `bad`, `more` to come, or `open`: a body that ends with the connection."""
    encoding = reading.header(b"transfer-encoding")
    if encoding is not None and b"chunked" in encoding.lower():
        return _chunks(data)
    length = _length(reading)
    if length is None:
        return "open"
    return "done" if len(data) >= length else "more"


def _length(reading: Reading) -> int | None:
    """The last Content-Length counts, where nginx lets several through (before 1.23.0)."""
    values = [value for name, value in reading.headers if name.lower() == b"content-length"]
    length = int(values[-1][:20]) if values and values[-1].isdigit() else None
    return length if length is not None and length < 2**63 else None


def _chunks(data: bytes) -> str:
    at = 0
    while True:
        line = _CHUNK_LINE.match(data, at)
        if line is None:
            return "more" if _CHUNK_START.fullmatch(data, at) else "bad"
        size = int(line[1], 16)
        at = line.end()
        if size == 0:
            return "done"
        at += size
        if len(data) < at + 2:
            rest = data[at:]
            return "more" if rest in (b"", b"\r") else "bad" if rest != b"\n" else "more"
        if data[at : at + 2] == b"\r\n":
            at += 2
        elif data[at : at + 1] == b"\n":
            at += 1
        else:
            return "bad"
