"""The rest of a FastCGI answer, read with nginx's eyes: where do its records end, and does that agree with its head?

Source: ngx_http_fastcgi_input_filter, ngx_event_pipe_read_upstream.
"""

from __future__ import annotations

from nginxlint.online.body import AT_ONCE_MS, READING, ROOM, WAIT, Body, broken_off, expected, length_of
from nginxlint.online.cgi import Records, records
from nginxlint.online.classify import EOF, RESET, TIMEOUT, Reading
from nginxlint.online.network import Stream
from nginxlint.online.steps import exchange
from nginxlint.online.types import Target


async def look_at_records(stream: Stream, reading: Reading, start: bytes, target: Target, limit: float) -> Body | None:
    """What is wrong with a FastCGI answer, all of whose bytes so far are `start`. Its records say where it ends, but nginx looks
    at what is in its buffers only when the connection ends, unless it keeps it (ngx_event_pipe_read_upstream)."""
    wait = min(WAIT, limit, target.timeouts.read)
    by_record = target.keeps or not target.buffering

    def ended(more: bytes) -> bool:
        seen = records(start + more)
        return bool(seen.fault or (seen.ended and by_record))

    end, data, at_once = "", start, True
    if not ended(b""):
        heard = await exchange(stream, b"", idle=wait, total=2 * wait, room=ROOM, done=ended)
        end, data, at_once = heard.end, start + heard.data, heard.ms < AT_ONCE_MS
        if end == TIMEOUT and (wait < target.timeouts.read or heard.clipped):
            return None  # nginx would wait longer
    return judge_records(reading, records(data), end, at_once=at_once, buffering=target.buffering)


def judge_records(reading: Reading, seen: Records, end: str, *, at_once: bool, buffering: bool) -> Body | None:
    """What ngx_http_fastcgi_input_filter makes of the records so far and of how they end."""
    if seen.fault:
        # what comes along with the head is read before that is sent
        return Body("L7_BADRECORD", f"{seen.fault} {READING}", seen.fault.removeprefix("upstream "), unseen=True)
    length = length_of(reading) if expected(reading) else 0
    came = seen.stdout - reading.head
    missing = f"{came} bytes" if length is None else f"{came} of {length} bytes"
    if end in (RESET, TIMEOUT):
        return broken_off(end, missing, buffering)
    if length is None or came >= length or not (seen.ended or end == EOF):
        return None
    if not seen.ended:  # nginx logs nothing
        return Body("L7_SHORTBODY", "", f"it hangs up after {missing} of the body")
    place = READING if buffering or not at_once else "while reading response header from upstream"
    log = f"upstream prematurely closed FastCGI {seen.ended} {place}"
    return Body("L7_SHORTBODY", log, f"it ends the request after {missing} of the body")
