"""Upstreams the demo does not have: stopping at every place of an answer, and heads of every size."""

from __future__ import annotations

import asyncio

from nginxlint.demo.http_behaviours import answers, answers_in_pieces, reply, sized_head
from nginxlint.demo.peer import STEP, Peer, Talk, request_line
from tests.gauntlet import cgi, handshakes, http2, raw

WHOLE = b"HTTP/1.1 200 OK\r\nX-Abc: def\r\nContent-Length: 3\r\n\r\nok\n"
# Where the answer stops: after so many bytes of WHOLE.
PLACES = {
    "before-anything": 0,
    "in-protocol": 1,
    "after-protocol": 5,
    "in-version": 8,
    "in-status": 10,
    "after-status": 12,
    "in-reason": 14,
    "before-line-end": 15,
    "between-cr-and-lf": 16,
    "after-status-line": 17,
    "in-name": 19,
    "after-colon": 23,
    "in-value": 25,
    "before-blank-line": 48,
    "in-blank-line": 49,
}
ENDINGS = ("closes", "resets", "stalls")
BODY_PLACES = {"before-body": 50, "in-body": 51}
SIZES = tuple(size + d for size in (1024, 2048, 4096, 8192, 16384) for d in (-1, 0, 1)) + (3700, *range(3740, 3746))


def stops(count: int, ending: str) -> Talk:
    """Send so many bytes of an answer, then close, reset or say nothing more."""

    async def talk(peer: Peer) -> None:
        await peer.head()
        if count:
            await peer.send(WHOLE[:count])
            await asyncio.sleep(STEP)
        if ending == "resets":
            peer.reset()
        elif ending == "stalls":
            await peer.wait_for_close()

    return talk


async def answers_unasked(peer: Peer) -> None:
    """Send the answer before the request came, and keep the connection."""
    await peer.send(WHOLE)
    await peer.wait_for_close()


async def resets_at_once(peer: Peer) -> None:
    """Reset before the request was read."""
    peer.reset()


# kind → (what is sent, the status and the log class where a visitor gets it); None: nothing, and the line stays open
BAD: dict[str, tuple[bytes | None, int | None, str]] = {
    "hangs": (None, 504, "header-timeout"),
    "closes": (b"", 502, "closed"),
    "garbage": (b"{}", None, "not-http"),
    "status-500": (reply("500 Internal Server Error"), 500, ""),
    "status-404": (reply("404 Not Found"), 404, ""),
    "too-big": (sized_head(5000), 502, "too-big"),
    "bad-header": (b"HTTP/1.1 200 OK\r\nX-Bad : a\r\n\r\n", 502, "bad-header"),
}


def wants_http11(code: int) -> Talk:
    """Serve HTTP/1.1 only, as Envoy does."""

    async def talk(peer: Peer) -> None:
        old = b" HTTP/1.0\r\n" in await peer.head()
        await peer.send(reply(f"{code} Upgrade Required" if old else "200 OK"))

    return talk


def hands_on(uri: str) -> Talk:
    """Hand the visitor on with X-Accel-Redirect; `{path}` is what was asked."""

    async def talk(peer: Peer) -> None:
        _, path = request_line(await peer.head())
        await peer.send(reply("200 OK", f"X-Accel-Redirect: {uri.format(path=path)}"))

    return talk


def by_method(bad_for: str, answer: bytes | None) -> Talk:
    """Healthy, but for requests of this method."""

    async def talk(peer: Peer) -> None:
        method, _ = request_line(await peer.head())
        if method != bad_for:
            await peer.send(reply())
        elif answer is None:
            await peer.wait_for_close()
        else:
            await peer.send(answer)

    return talk


BEHAVIOURS: dict[str, Talk] = {
    **cgi.BEHAVIOURS,
    **http2.BEHAVIOURS,
    **handshakes.BEHAVIOURS,
    **raw.BEHAVIOURS,
    **{
        f"{ending}-{place}": stops(count, ending)
        for place, count in {**PLACES, **BODY_PLACES}.items()
        for ending in ENDINGS
    },
    **{f"head-of-{size}": answers(sized_head(size)) for size in SIZES},
    **{
        f"only-{method.lower()}-{kind}": by_method(method, row[0])
        for kind, row in BAD.items()
        for method in ("HEAD", "GET")
    },
    **{f"wants-http11-{code}": wants_http11(code) for code in (400, 404, 426, 505)},
    "accel-file": hands_on("{path}-inner/nginx.conf"),
    "accel-no-file": hands_on("{path}-inner/nothing"),
    "accel-named": hands_on("@named"),
    "accel-unsafe": hands_on("{path}-inner/../x"),
    "slow-pieces": answers_in_pieces(*(WHOLE[at : at + 4] for at in range(0, len(WHOLE), 4))),
    "answers-unasked": answers_unasked,
    "resets-at-once": resets_at_once,
    "two-answers": answers(WHOLE + WHOLE),
}
