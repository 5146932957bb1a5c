"""Does a peer keep the connections that its group wants to keep? Two requests on one connection tell.

Source: ngx_http_proxy_process_status_line (HTTP/1.0 is never kept), ngx_http_upstream_process_connection, and
ngx_http_upstream_finalize_request, which keeps only connections whose answer had an end of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nginxlint.online import body
from nginxlint.online.classify import EOF, OPEN, RESET, Reading
from nginxlint.online.failure import Failure
from nginxlint.online.network import Stream, close_quietly
from nginxlint.online.speak import ask
from nginxlint.online.steps import connect, exchange, secure
from nginxlint.online.types import Address, Target

if TYPE_CHECKING:
    from nginxlint.online.probe import Prober

_ENDED = (EOF, RESET)


async def why_not_kept(prober: Prober, target: Target, address: Address) -> tuple[str, str]:
    """A code and a sentence where it does not; two empty texts where it does, or where that cannot be told."""
    options = prober.options
    limit = min(options.connect_limit, target.timeouts.connect)
    stream: Stream | None = None
    try:
        stream = await connect(prober.network, address, limit, user=target.worker_user, nginx_limit=limit)
        if target.tls is not None:
            stream = await secure(stream, target.tls, limit, nginx_limit=limit)
        return await _twice(prober, stream, target)
    except (Failure, OSError):
        return "", ""
    finally:
        if stream is not None:
            close_quietly(stream)


async def _twice(prober: Prober, stream: Stream, target: Target) -> tuple[str, str]:
    limit = prober.options.read_limit
    reading, heard = await ask(
        stream, target, target.method or "GET", prober.version, limit, host=target.host_header, keep=True
    )
    if reading.code:
        return "", ""
    if reading.http10:
        return "L7_NOT_KEPT", "it speaks HTTP/1.0"
    if b"close" in (reading.header(b"connection") or b"").lower():
        return "L7_NOT_KEPT", "it answers Connection: close"
    seen = heard.data[reading.head :]
    if target.method != "HEAD" and body.expected(reading):
        if body.state(reading, seen) == "open":
            return "L7_NOT_KEPT", "its answers have neither Content-Length nor chunks: they end with the connection"
        if not await _read_out(stream, reading, seen, limit):
            return "", ""
    _, heard = await ask(
        stream, target, target.method or "GET", prober.version, limit, host=target.host_header, keep=True
    )
    if heard.end in _ENDED and not heard.data:
        return "L7_KEPT_BROKEN", "it hangs up after the first answer"
    return "", ""


async def _read_out(stream: Stream, reading: Reading, start: bytes, limit: float) -> bool:
    """Read to the end of the body; False where it does not come, or is far away."""
    if body.state(reading, start) != "more":
        return body.state(reading, start) == "done"
    heard = await exchange(
        stream,
        b"",
        idle=limit,
        total=limit,
        room=body.ROOM,
        done=lambda data: body.state(reading, start + data) != "more",
    )
    return heard.end == OPEN and body.state(reading, start + heard.data) == "done"
