"""gRPC peers that answer every question with the same frames: nginx's reading rules as a table."""

from __future__ import annotations

import asyncio

from nginxlint.demo.peer import STEP, Peer, Talk
from tests.gauntlet.scenario import Scenario

DATA, HEADERS, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 5, 6, 7, 8, 9
_WHOLE = 0x5  # END_HEADERS and END_STREAM


def frame(kind: int, flags: int, stream: int, content: bytes) -> bytes:
    """An HTTP/2 frame."""
    return len(content).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + content


def field(name: bytes, value: bytes) -> bytes:
    """A header field, neither indexed nor compressed."""
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


_S = frame(SETTINGS, 0, 0, b"")
_OK = b"\x88" + field(b"content-type", b"application/grpc")
_DONE = frame(HEADERS, _WHOLE, 1, _OK)
_HEAD = _S + frame(HEADERS, 4, 1, _OK)
_LENGTH = _S + frame(HEADERS, 4, 1, _OK + field(b"content-length", b"9"))


def _head(block: bytes) -> bytes:
    return _S + frame(HEADERS, _WHOLE, 1, block)


# name → (the frames, what the visitor gets, log class)
ANSWERS: dict[str, tuple[bytes, int | None, str]] = {
    "good": (
        _S + frame(HEADERS, 4, 1, _OK) + frame(DATA, 0, 1, bytes(5))
        + frame(HEADERS, _WHOLE, 1, field(b"grpc-status", b"0")), 200, "",
    ),
    "trailers-only": (_head(_OK + field(b"grpc-status", b"12")), 200, ""),
    "without-settings": (_DONE, 200, ""),
    "trailer-in-two-frames": (
        _HEAD + frame(DATA, 0, 1, bytes(5)) + frame(HEADERS, 1, 1, field(b"grpc-status", b"0"))
        + frame(CONTINUATION, 4, 1, field(b"grpc-message", b"b")), 200, "",
    ),
    "long-answer": (_HEAD + frame(DATA, 0, 1, bytes(16384)) * 5 + frame(HEADERS, _WHOLE, 1, field(b"grpc-status", b"0")), 200, ""),
    "pings-1001": (_S + frame(PING, 0, 0, bytes(8)) * 1001 + _DONE, 200, ""),
    "pings-1002": (_S + frame(PING, 0, 0, bytes(8)) * 1002 + _DONE, 502, "http2-many"),
    "table-size-behind": (_head(_OK + b"\x20"), 200, ""),
    "table-size-1": (_head(b"\x21" + _OK), 502, "bad-header"),
    "data-over-padded": (_HEAD + frame(DATA, 8, 1, b"\xff" + bytes(5)), None, "http2-padding"),
    "status-404": (_head(b"\x8d"), 404, ""),
    "status-503": (_head(field(b":status", b"503")), 503, ""),
    "status-503-by-index": (_head(b"\x08\x03503"), 503, ""),
    "status-packed": (_head(b"\x08\x82\x10\x01"), 200, ""),
    "status-incremental": (_head(b"\x48\x03503"), 503, ""),
    "table-size-first": (_head(b"\x20\x88"), 200, ""),
    "ping": (_S + frame(PING, 0, 0, bytes(8)) + _DONE, 200, ""),
    "unknown-frame": (_S + frame(20, 0, 0, b"abc") + _DONE, 200, ""),
    "priority-frame": (_S + frame(2, 0, 1, bytes(5)) + _DONE, 200, ""),
    "padded": (_S + frame(HEADERS, _WHOLE | 8, 1, b"\x03" + _OK + bytes(3)), 200, ""),
    "with-priority": (_S + frame(HEADERS, _WHOLE | 0x20, 1, bytes(5) + _OK), 200, ""),
    "continued": (_S + frame(HEADERS, 1, 1, b"\x88") + frame(CONTINUATION, 4, 1, field(b"a", b"b")), 200, ""),
    "goaway-for-later": (_S + frame(GOAWAY, 0, 0, b"\0\0\0\1" + bytes(4)) + _DONE, 200, ""),
    "no-status": (_head(field(b"x", b"y")), 502, "http2-status"),
    "status-late": (_head(field(b"x", b"y") + b"\x88"), 502, "http2-status"),
    "status-word": (_head(field(b":status", b"abc")), 502, "http2-status"),
    "status-short": (_head(field(b":status", b"20")), 502, "http2-status"),
    "status-twice": (_head(b"\x88\x88"), 502, "http2-status"),
    "status-100": (_S + frame(HEADERS, 4, 1, field(b":status", b"100")) + _DONE, 502, "http2-status"),
    "status-103": (_S + frame(HEADERS, 4, 1, field(b":status", b"103")) + _DONE, 502, "http2-status"),
    "status-101": (_head(field(b":status", b"101")), 502, "http2-status"),
    "other-pseudo": (_head(b"\x88" + field(b":foo", b"1")), 502, "bad-header"),
    "upper-case": (_head(b"\x88" + field(b"X-A", b"1")), 502, "bad-header"),
    "empty-name": (_head(b"\x88" + field(b"", b"1")), 502, "bad-header"),
    "space-in-name": (_head(b"\x88" + field(b"x y", b"1")), 502, "bad-header"),
    "nul-in-value": (_head(b"\x88" + field(b"x", b"\0")), 502, "bad-header"),
    "index-0": (_head(b"\x80"), 502, "bad-header"),
    "index-62": (_head(b"\xbe"), 502, "bad-header"),
    "bad-packing": (_head(b"\x48\x82\x6c\x0d"), 502, "bad-header"),
    "too-much-padding": (_S + frame(HEADERS, _WHOLE | 8, 1, b"\xff" + _OK), 502, "http2-padding"),
    "head-too-big": (_head(b"\x88\x00\x01x\x7f\x89\x26" + b"a" * 5000), 502, "too-big"),
    "rejects": (_S + frame(RST_STREAM, 0, 1, b"\0\0\0\1"), 502, "http2-rejected"),
    "refuses-stream": (_S + frame(RST_STREAM, 0, 1, b"\0\0\0\7"), 502, "http2-rejected"),
    "wants-http1": (_S + frame(RST_STREAM, 0, 1, b"\0\0\0\x0d"), 502, "http2-rejected"),
    "rejects-without-error": (_S + frame(RST_STREAM, 0, 1, bytes(4)), 502, "http2-rejected"),
    "goes-away": (_S + frame(GOAWAY, 0, 0, bytes(8)), 502, "http2-goaway"),
    "goes-away-angry": (_S + frame(GOAWAY, 0, 0, bytes(7) + b"\x0b"), 502, "http2-goaway"),
    "goes-away-then-answers": (_S + frame(GOAWAY, 0, 0, bytes(8)) + _DONE, 502, "http2-goaway"),
    "goaway-short": (_S + frame(GOAWAY, 0, 0, bytes(4)), 502, "http2-goaway-length"),
    "data-first": (_S + frame(DATA, 1, 1, b"x"), 502, "http2-unexpected"),
    "stray-continuation": (_S + frame(CONTINUATION, 4, 1, b"\x88"), 502, "http2-unexpected"),
    "pushes": (_S + frame(PUSH_PROMISE, 4, 1, b"\0\0\0\2\x88"), 502, "http2-push"),
    "ping-short": (_S + frame(PING, 0, 0, bytes(4)), 502, "http2-ping"),
    "ping-answer": (_S + frame(PING, 1, 0, bytes(8)) + _DONE, 502, "http2-ping"),
    "settings-odd": (frame(SETTINGS, 0, 0, bytes(5)), 502, "http2-settings"),
    "settings-answer-full": (frame(SETTINGS, 1, 0, bytes(6)), 502, "http2-settings"),
    "settings-on-stream": (frame(SETTINGS, 0, 1, b""), 502, "http2-settings"),
    "window-short": (_S + frame(WINDOW_UPDATE, 0, 0, bytes(3)), 502, "http2-window"),
    "window-over": (_S + frame(WINDOW_UPDATE, 0, 0, b"\x7f\xff\xff\xff"), 502, "http2-window-over"),
    "other-stream": (_S + frame(HEADERS, _WHOLE, 3, _OK), 502, "http2-stream"),
    "frame-too-large": (b"\x00\x40\x01" + _S[3:] + bytes(16385), 502, "http2-frame"),
    "http1": (b"HTTP/1.1 400 Bad\r\n\r\n", 502, "http2-frame"),
    "garbage": (bytes(range(256)), 502, "http2-stream"),
    "settings-for-ever": (_S * 1200, 502, "http2-many"),
    "settings-window-over": (frame(SETTINGS, 0, 0, b"\0\4\x80\0\0\0"), 502, "http2-settings"),
    "window-of-stream-over": (_S + frame(WINDOW_UPDATE, 0, 1, b"\x7f\xff\xff\xff") + _DONE, 502, "http2-window-over"),
    "goaway-on-stream": (_S + frame(GOAWAY, 0, 1, bytes(8)) + _DONE, 502, "http2-goaway-stream"),
    # what comes with the head is read before the head is sent
    **{
        f"then-{name}": (_HEAD + frames, None, log)
        for name, frames, log in (
            ("rejects", frame(RST_STREAM, 0, 1, b"\0\0\0\2"), "http2-rejected"),
            ("goes-away", frame(GOAWAY, 0, 0, bytes(8)), "http2-goaway"),
            ("pushes", frame(PUSH_PROMISE, 4, 1, b"\0\0\0\2\x88"), "http2-push"),
            ("continues", frame(CONTINUATION, 4, 1, b"\x88"), "http2-unexpected"),
            ("other-stream", frame(DATA, 0, 3, b"x"), "http2-data-stream"),
            ("stream-0", frame(DATA, 0, 0, b"x"), "http2-data-stream"),
            ("too-large", b"\x00\x40\x01" + frame(DATA, 0, 1, b"")[3:] + bytes(16385), "http2-frame"),
            ("settings-odd", frame(SETTINGS, 0, 0, bytes(5)), "http2-settings"),
            ("second-head", frame(HEADERS, _WHOLE, 1, b"\x88"), "http2-trailer"),
            ("unended-trailer", frame(HEADERS, 4, 1, field(b"grpc-status", b"0")), "http2-trailer-end"),
            ("window-over", frame(WINDOW_UPDATE, 0, 1, b"\x7f\xff\xff\xff"), "http2-window-over"),
        )
    },
    "then-ends-and-resets": (_DONE + frame(RST_STREAM, 0, 1, bytes(4)), 200, ""),
    "then-ends-and-fails": (_DONE + frame(RST_STREAM, 0, 1, b"\0\0\0\2"), None, "http2-rejected"),
    "then-ends-and-goes-on": (_DONE + frame(DATA, 1, 1, b"x"), None, "http2-closed"),
    "then-ends-and-garbage": (_DONE + b"\x20" * 20, None, "http2-frame"),
    "body-too-short": (_LENGTH + frame(DATA, 1, 1, b"abc"), None, "http2-early"),
    "body-too-long": (_LENGTH + frame(DATA, 0, 1, b"abc" * 9), None, "http2-body"),
    "then-data-and-gone": (_HEAD + frame(DATA, 0, 1, bytes(5)), 200, "short-body"),
    "then-gone": (_HEAD, 200, "short-body"),
    "then-goes-away-later": (
        _HEAD + frame(GOAWAY, 0, 0, b"\0\0\0\1" + bytes(4)) + frame(HEADERS, _WHOLE, 1, field(b"grpc-status", b"0")),
        200, "",
    ),
    "only-settings": (_S, 502, "closed"),
    "half-settings": (_S[:5], 502, "closed"),
    "half-head": (_S + _DONE[:12], 502, "closed"),
    "half-a-bad-head": (_head(b"\x88" + field(b"X-A", b"1") + field(b"b", b"c"))[:-3], 502, "bad-header"),
    "half-a-head-without-status": (_head(field(b"x", b"y") + field(b"b", b"c"))[:-3], 502, "http2-status"),
    "nothing": (b"", 502, "closed"),
}  # fmt: skip
ENDINGS = ("resets", "stalls")
_ALSO = {name: ANSWERS[name] for name in ("only-settings", "half-settings", "half-head", "nothing")}


def says(frames: bytes, ending: str = "closes") -> Talk:
    """Read something, send these frames, then close, reset or say no more."""

    async def talk(peer: Peer) -> None:
        await peer.some()
        if frames:
            await peer.send(frames)
        await asyncio.sleep(STEP)
        if ending == "resets":
            peer.reset()
        elif ending == "stalls":
            await peer.wait_for_close()

    return talk


_PASS = "grpc_pass grpc://127.0.0.1:{port};"
BEHAVIOURS: dict[str, Talk] = {
    **{f"grpc-says-{name}": says(row[0]) for name, row in ANSWERS.items()},
    **{f"grpc-{ending}-{name}": says(row[0], ending) for name, row in _ALSO.items() for ending in ENDINGS},
}
GRPC: tuple[Scenario, ...] = (
    *(
        Scenario(f"grpc-says-{name}", f"grpc-says-{name}", status, log, _PASS)
        for name, (_, status, log) in ANSWERS.items()
    ),
    *(Scenario(f"grpc-resets-{name}", f"grpc-resets-{name}", 502, "reset", _PASS) for name in _ALSO),
    *(Scenario(f"grpc-stalls-{name}", f"grpc-stalls-{name}", 504, "header-timeout", _PASS) for name in _ALSO),
)
