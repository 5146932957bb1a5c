"""How upstreams answer a plain HTTP request: healthy ones and every fault a response head can have."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from nginxlint.demo.peer import STEP, Peer, Talk, header, request_line

GREETING = b"hello from the demo\n"
ENDLESS_LIMIT = 32 * 1024 * 1024
"""Even an endless talker stops somewhere, should nobody hang up."""


def reply(status: str = "200 OK", *lines: str, body: bytes = GREETING) -> bytes:
    """A well-formed answer that ends with the connection."""
    head = [
        f"HTTP/1.1 {status}",
        "Content-Type: text/plain",
        f"Content-Length: {len(body)}",
        *lines,
        "Connection: close",
    ]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


def sized_head(total: int) -> bytes:
    """An answer whose status line, headers and blank line take exactly `total` bytes."""
    start = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: 3\r\n"
    rest = total - len(start) - 2
    lines: list[bytes] = []
    while rest:
        size = rest if rest <= 900 else min(900, rest - 20)
        name = b"X-%03d: " % len(lines)
        lines.append(name + b"x" * (size - len(name) - 2) + b"\r\n")
        rest -= size
    head = start + b"".join(lines) + b"\r\n"
    assert len(head) == total
    return head + b"ok\n"


def answers(response: bytes) -> Talk:
    """Read the request, send these bytes, close."""

    async def talk(peer: Peer) -> None:
        await peer.head()
        await peer.send(response)

    return talk


def answers_then_waits(response: bytes) -> Talk:
    """Read the request, send these bytes, keep the connection open and say no more."""

    async def talk(peer: Peer) -> None:
        await peer.head()
        await peer.send(response)
        await peer.wait_for_close()

    return talk


def answers_for_ever(start: bytes, again: bytes, pause: float = 0.0) -> Talk:
    """Read the request, send `start`, then `again` until the client hangs up."""

    async def talk(peer: Peer) -> None:
        await peer.head()
        await peer.send(start)
        for _ in range(ENDLESS_LIMIT // len(again)):
            await peer.send(again)
            # Without any pause one greedy client would starve every other peer of the world.
            await asyncio.sleep(pause)

    return talk


def answers_after(seconds: float, response: bytes = b"") -> Talk:
    """Read the request, think for a while, answer properly."""

    async def talk(peer: Peer) -> None:
        await peer.head()
        await asyncio.sleep(seconds)
        await peer.send(response or reply())

    return talk


def answers_in_pieces(*pieces: bytes) -> Talk:
    """Read the request and send each piece as a read of its own."""

    async def talk(peer: Peer) -> None:
        await peer.head()
        for piece in pieces:
            await peer.send(piece)
            await asyncio.sleep(STEP)

    return talk


def answers_by_host(*names: str, otherwise: bytes) -> Talk:
    """Serve only these host names, as a server with strict virtual hosts does."""

    async def talk(peer: Peer) -> None:
        host = header(await peer.head(), "host").rpartition(":")
        await peer.send(reply() if (host[0] or host[2]) in names else otherwise)

    return talk


async def healthy(peer: Peer) -> None:
    """Answer one request; a HEAD gets no body."""
    method, _ = request_line(await peer.head())
    whole = reply()
    await peer.send(whole[: -len(GREETING)] if method == "HEAD" else whole)


async def keepalive(peer: Peer) -> None:
    """Answer request after request on one connection."""
    while head := await peer.head():
        body = b"" if request_line(head)[0] == "HEAD" else GREETING
        length = str(len(GREETING)).encode()
        await peer.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + length + b"\r\n\r\n" + body
        )


async def silent(peer: Peer) -> None:
    """Take the request and never answer."""
    await peer.wait_for_close()


async def closes_at_once(peer: Peer) -> None:
    """Hang up before the request is read."""


async def closes_after_request(peer: Peer) -> None:
    """Read the request and hang up."""
    await peer.head()


async def resets_after_request(peer: Peer) -> None:
    """Read the request and reset the connection."""
    await peer.head()
    peer.reset()


async def resets_mid_header(peer: Peer) -> None:
    """Send half a head, then reset the connection."""
    await peer.head()
    await peer.send(b"HTTP/1.1 200 OK\r\nContent-Ty")
    await asyncio.sleep(STEP)
    peer.reset()


async def redirects_to_itself(peer: Peer) -> None:
    """Send the visitor to the very address that was asked."""
    head = await peer.head()
    await peer.send(reply("302 Found", f"Location: http://{header(head, 'host')}{request_line(head)[1]}"))


async def refuses_head(peer: Peer) -> None:
    """Refuse HEAD, serve everything else."""
    head = await peer.head()
    await peer.send(reply("405 Method Not Allowed", "Allow: GET") if head.startswith(b"HEAD ") else reply())


async def closes_on_head(peer: Peer) -> None:
    """Hang up on HEAD, serve everything else."""
    if not (await peer.head()).startswith(b"HEAD "):
        await peer.send(reply())


async def refuses_noise(peer: Peer) -> None:
    """Serve HTTP; answer anything else with 400 at once, as nginx does, instead of waiting for a blank line."""
    start = await peer.some()
    if start[:4] in (b"GET ", b"HEAD"):
        await peer.send(reply())
    elif start:
        await peer.send(reply("400 Bad Request"))


async def serves_only_with_proxy_header(peer: Peer) -> None:
    """Serve only who first sends a PROXY protocol header (version 1 or 2), as `listen … proxy_protocol` does."""
    start = await peer.exactly(6)
    if start == b"PROXY ":
        await peer.line()
    elif start == b"\r\n\r\n\x00\r":
        rest = await peer.exactly(10)
        await peer.exactly(int.from_bytes(rest[8:10], "big"))
    else:
        await peer.some()
        return
    await healthy(peer)


_OK = b"HTTP/1.1 200 OK\r\n"
_END = b"Content-Length: 3\r\nConnection: close\r\n\r\nok\n"
_LENGTH_3 = b"Content-Length: 3\r\n"


def _bodies() -> Iterator[tuple[str, Talk]]:
    yield "body-short", answers(_OK + b"Content-Length: 100\r\n\r\nonly this")
    yield "body-bad-chunk", answers(_OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\nnope\r\n0\r\n\r\n")
    yield "body-slow", answers_for_ever(_OK + b"Content-Length: 100000\r\n\r\n", b".", 0.3)
    yield "body-endless", answers_for_ever(_OK + b"Content-Type: text/plain\r\n\r\n", b"0123456789abcdef" * 512)


BEHAVIOURS: dict[str, tuple[str, Talk]] = {
    # healthy, in several shapes
    "healthy": ("answers 200", healthy),
    "keepalive": ("answers 200 and keeps the connection", keepalive),
    "healthy-http10": ("answers 200 as HTTP/1.0", answers(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nok\n")),
    "healthy-pieces": (
        "answers 200, the head split over three reads",
        answers_in_pieces(b"HTTP/1.", b"1 200 OK\r\nContent-", b"Length: 3\r\n\r\nok\n"),
    ),
    "healthy-bare-lf": ("answers 200 with bare line feeds", answers(b"HTTP/1.1 200 OK\nContent-Length: 3\n\nok\n")),
    "healthy-8bit": ("answers 200 with 8-bit bytes in a header", answers(_OK + b"X-Name: caf\xe9\r\n" + _END)),
    "healthy-no-reason": ("answers 200 without a reason phrase", answers(b"HTTP/1.1 200\r\n" + _END)),
    "refuses-head": ("answers 405 to HEAD and 200 to GET", refuses_head),
    "closes-on-head": ("hangs up on HEAD and answers 200 to GET", closes_on_head),
    "refuses-noise": ("answers 200, and 400 at once to what is not HTTP", refuses_noise),
    "slow-first-byte": ("answers 200 after 0.7 s", answers_after(0.7)),
    # status codes
    "status-500": ("answers 500", answers(reply("500 Internal Server Error"))),
    "status-502": ("answers 502", answers(reply("502 Bad Gateway"))),
    "status-503": ("answers 503", answers(reply("503 Service Unavailable", "Retry-After: 30"))),
    "status-504": ("answers 504", answers(reply("504 Gateway Timeout"))),
    "status-401": ("answers 401", answers(reply("401 Unauthorized", 'WWW-Authenticate: Basic realm="demo"'))),
    "status-403": ("answers 403", answers(reply("403 Forbidden"))),
    "status-404": ("answers 404", answers(reply("404 Not Found"))),
    "status-429": ("answers 429", answers(reply("429 Too Many Requests"))),
    "status-204": ("answers 204", answers(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")),
    "host-strict-400": (
        "answers 400 unless asked as app.demo.test",
        answers_by_host("app.demo.test", otherwise=reply("400 Bad Request")),
    ),
    "host-strict-404": (
        "answers 404 unless asked as app.demo.test",
        answers_by_host("app.demo.test", otherwise=reply("404 Not Found")),
    ),
    "host-strict-421": (
        "answers 421 unless asked as app.demo.test",
        answers_by_host("app.demo.test", otherwise=reply("421 Misdirected Request")),
    ),
    "redirects-to-itself": ("redirects to the address that was asked", redirects_to_itself),
    "redirects-to-metadata": (
        "redirects to the cloud metadata address",
        answers(reply("302 Found", "Location: http://169.254.169.254/latest/meta-data/")),
    ),
    "redirects-to-file": ("redirects to a file: address", answers(reply("302 Found", "Location: file:///etc/passwd"))),
    "upgrades-unasked": (
        "answers 101 without being asked",
        answers_then_waits(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"),
    ),
    # no answer, half an answer
    "silent": ("accepts and never answers", silent),
    "closes-at-once": ("accepts and hangs up", closes_at_once),
    "closes-after-request": ("reads the request and hangs up", closes_after_request),
    "resets-after-request": ("reads the request and resets", resets_after_request),
    "resets-mid-header": ("resets in the middle of the head", resets_mid_header),
    "closes-mid-header": ("hangs up in the middle of the head", answers(b"HTTP/1.1 200 OK\r\nContent-Type: text/pl")),
    "half-header": ("sends half a head and stalls", answers_then_waits(b"HTTP/1.1 200 OK\r\nContent-Type: text/pl")),
    "slow-header": (
        "sends a head that never ends, a line every 0.1 s",
        answers_for_ever(_OK, b"X-Filler: 0123456789\r\n", 0.1),
    ),
    "dribble": ("sends a head that never ends, a byte every 0.2 s", answers_for_ever(_OK + b"X: ", b"x", 0.2)),
    # too much
    "endless-headers": ("sends header lines for ever", answers_for_ever(_OK, b"X-Filler: 0123456789abcdef\r\n" * 64)),
    "endless-status-line": (
        "sends a status line that never ends",
        answers_for_ever(b"HTTP/1.1 200 ", b"very OK " * 256),
    ),
    "endless-100-continue": (
        "sends 100 Continue for ever",
        answers_for_ever(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 32, 0.01),
    ),
    "endless-103": (
        "sends 103 Early Hints for ever",
        answers_for_ever(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" * 32, 0.01),
    ),
    "interim-100": ("sends an unasked 100, then 200", answers_in_pieces(b"HTTP/1.1 100 Continue\r\n\r\n", reply())),
    "interim-103": (
        "sends 103, then 200",
        answers_in_pieces(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n", reply()),
    ),
    "header-4095": ("head one byte below 4 KiB", answers(sized_head(4095))),
    "header-4096": ("head of exactly 4 KiB", answers(sized_head(4096))),
    "header-4097": ("head one byte above 4 KiB", answers(sized_head(4097))),
    "header-8191": ("head one byte below 8 KiB", answers(sized_head(8191))),
    "header-8192": ("head of exactly 8 KiB", answers(sized_head(8192))),
    "header-8193": ("head one byte above 8 KiB", answers(sized_head(8193))),
    "header-120k": ("head of 120 kB", answers(sized_head(120_000))),
    # not HTTP/1
    "garbage": ("sends binary garbage", answers(bytes((i * 73 + 41) % 256 for i in range(512)))),
    "http09": ("sends a page without any head", answers(b"<html><body>old times</body></html>\n")),
    "status-line-word": ("status ABC", answers(b"HTTP/1.1 ABC Nope\r\n" + _END)),
    "status-line-two-digits": ("status 99", answers(b"HTTP/1.1 99 Low\r\n" + _END)),
    "status-line-four-digits": ("status 1000", answers(b"HTTP/1.1 1000 High\r\n" + _END)),
    "status-line-http2": ("claims to be HTTP/2.0 in text", answers(b"HTTP/2.0 200 OK\r\n" + _END)),
    "status-line-lower": ("status line in small letters", answers(b"http/1.1 200 OK\r\n" + _END)),
    "status-line-icy": ("ICY 200, as old audio servers send", answers(b"ICY 200 OK\r\n" + _END)),
    "blank-first": ("an empty line before the status line", answers(b"\r\n" + reply())),
    # header lines nginx refuses, and some it does not
    "header-nul": ("NUL byte in a header value", answers(_OK + b"X-Bad: a\x00b\r\n" + _END)),
    "header-nul-name": ("NUL byte in a header name", answers(_OK + b"X\x00Bad: a\r\n" + _END)),
    "header-no-colon": ("header line without a colon", answers(_OK + b"this is no header\r\n" + _END)),
    "header-space-before-colon": ("space between name and colon", answers(_OK + b"X-Bad : a\r\n" + _END)),
    "header-empty-name": ("header line that starts with the colon", answers(_OK + b": nothing\r\n" + _END)),
    "header-folded": ("continued header line", answers(_OK + b"X-Folded: one\r\n two\r\n" + _END)),
    # framing
    "length-duplicate-same": ("two equal Content-Length", answers(_OK + _LENGTH_3 + _END)),
    "length-duplicate-different": ("two different Content-Length", answers(_OK + b"Content-Length: 5\r\n" + _END)),
    "length-negative": (
        "negative Content-Length",
        answers(_OK + b"Content-Length: -3\r\nConnection: close\r\n\r\nok\n"),
    ),
    "length-word": (
        "Content-Length that is no number",
        answers(_OK + b"Content-Length: three\r\nConnection: close\r\n\r\nok\n"),
    ),
    "length-and-chunked": (
        "Content-Length and Transfer-Encoding",
        answers(_OK + b"Transfer-Encoding: chunked\r\n" + _LENGTH_3 + b"\r\n3\r\nok\n\r\n0\r\n\r\n"),
    ),
    "encoding-unknown": (
        "unknown Transfer-Encoding",
        answers(_OK + b"Transfer-Encoding: gzip\r\nConnection: close\r\n\r\nok\n"),
    ),
    "encoding-duplicate": (
        "two Transfer-Encoding lines",
        answers(_OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nok\n\r\n0\r\n\r\n"),
    ),
    **{name: (name.replace("-", " "), talk) for name, talk in _bodies()},
    "proxy-protocol-required": ("serves only behind a PROXY header", serves_only_with_proxy_header),
}
"""Name → (what it does, how), for plain TCP ports that are meant to speak HTTP."""
