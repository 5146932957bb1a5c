"""Ask one HTTP/1 question as nginx would and read the answer with nginx's eyes."""

from __future__ import annotations

from nginxlint.online.classify import OPEN, TIMEOUT, Reading, Version, classify, head_complete
from nginxlint.online.failure import Failure, alert_failure, is_alert
from nginxlint.online.network import Stream
from nginxlint.online.steps import Heard, exchange
from nginxlint.online.types import Target
from nginxlint.online.untrusted import clean

INTERIM_ROOM = 64 * 1024
HANGS_UP = "it hangs up"
# A timer of ours that ends this much before nginx's still counts as the same wait.
_SLACK_MS = 50.0
# PROXY protocol version 1, as nginx's stream module sends it, without the addresses.
PROXY_UNKNOWN = b"PROXY UNKNOWN\r\n"
# The same in version 2, command LOCAL: a health check.
PROXY_LOCAL = b"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"


def user_agent() -> str:
    from nginxlint import __version__

    return f"nginxlint/{__version__}"


def request_bytes(target: Target, method: str, host: str | None, *, keep: bool = False) -> bytes:
    """The request line and headers; nothing of the configuration's secrets is in them. `keep`: the connection is to
    stay open afterwards."""
    version = target.http_version if target.http_version in ("1.0", "1.1") else "1.1"
    lines = [f"{method} {target.path or '/'} HTTP/{version}"]
    if host is not None:
        lines.append(f"Host: {host}")
    lines.extend(f"{name}: {value}" for name, value in target.headers)
    if not keep:
        lines.append("Connection: close")
    lines.append(f"User-Agent: {user_agent()}")
    lines.append("Accept: */*")
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")


async def ask(
    stream: Stream,
    target: Target,
    method: str,
    version: Version,
    read_limit: float,
    *,
    host: str | None,
    keep: bool = False,
) -> tuple[Reading, Heard]:
    """One request, one head. The reading is nginx's; it never raises for what the peer does."""
    idle = min(read_limit, target.timeouts.read)
    room = target.room if version < (1, 29, 0) else max(target.room, INTERIM_ROOM)
    heard = await exchange(
        stream,
        request_bytes(target, method, host, keep=keep),
        idle=idle,
        # nginx sets its read timer once for the whole head: a byte now and then does not start it anew.
        total=idle,
        room=room,
        done=lambda data: (len(data) >= target.room and not _early_hints(data)) or head_complete(data, version),
    )
    return classify(heard.data, heard.end, target.room, version, buffering=target.buffering), heard


async def unasked(stream: Stream, wait: float) -> str:
    """What a peer does by itself within so many seconds: its first line, that it hangs up, or empty where it waits."""
    heard = await exchange(stream, b"", idle=wait, total=wait, room=512, done=bool)
    if heard.data:
        first, _, _ = heard.data.partition(b"\n")
        return f"it says “{clean(first.rstrip(), 60)}”"
    return "" if heard.end in (OPEN, TIMEOUT) else HANGS_UP


def _early_hints(data: bytes) -> bool:
    return data[8:13].strip().startswith(b"103")


def failure_of(reading: Reading, heard: Heard, target: Target) -> Failure:
    """A reading nginx does not pass on cleanly, as the end of a probe."""
    detail = reading.detail
    log = reading.log
    status = reading.status
    if reading.code == "L7_RESET" and is_alert(heard.error):
        return alert_failure(heard.error)
    if reading.code == "L7_RESET" and heard.error:
        detail = f"{detail} ({heard.error.lower()})"
    if reading.code == "L7_RESET" and target.tls is not None:
        # OpenSSL reports a reset as the end of the connection, and so does nginx.
        log = "upstream prematurely closed connection"
    clipped = False
    if reading.code in ("L7_TIMEOUT", "L7_SLOWHEADER"):
        if heard.error:
            detail = heard.error
        if reading.code == "L7_SLOWHEADER" and heard.clipped and _overflows(heard, target):
            # Bytes keep coming, and nginx waits long enough for them to overflow its buffer.
            status, log = 502, "upstream sent too big header while reading response header from upstream"
            detail = f"a head that does not end: {len(heard.data)} bytes so far, and they keep coming"
        clipped = heard.ms < target.timeouts.read * 1000 - _SLACK_MS
    if log and " while " not in log:
        log += " while reading response header from upstream"
    return Failure("http", reading.code, detail, log=log, status=status, hint=reading.hint, clipped=clipped)


def _overflows(heard: Heard, target: Target) -> bool:
    """Whether a head that goes on at this pace fills nginx's buffer before its read timer ends."""
    by_then = len(heard.data) * target.timeouts.read * 1000 / max(heard.ms, 1.0)
    return by_then >= target.room
