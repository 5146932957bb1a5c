"""HTTP/2 answers read with nginx's eyes: the frames before the head, and the head itself.

Source: ngx_http_grpc_parse_frame and _process_header; proxy_http_version 2 (nginx 1.29.4) goes by the same rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from nginxlint.online import hpack
from nginxlint.online.classify import EARLY_HINTS, Reading, Version, unfinished
from nginxlint.online.untrusted import clean

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
MAX_FRAME = 16384
STREAM = 1
_READING = "while reading response header from upstream"
_END_STREAM, _ACK, _END_HEADERS, _PADDED, _PRIORITY = 0x1, 0x1, 0x4, 0x8, 0x20
_EARLY_HINTS = 103
_MAX_WINDOW = 2**31 - 1
_MOST = 1001  # frames of a kind before the head: nginx counts them after it has compared
FIRST_WINDOW = 65535


@dataclass(slots=True)
class Answer:
    """A head nginx takes, and what came of the rest: the message, the trailers, whether the stream ended."""

    reading: Reading
    message: bytes = b""
    trailers: dict[bytes, bytes] = field(default_factory=dict)
    ended: bool = False


class _Refused(Exception):
    def __init__(self, log: str, code: str = "L7_H2_REJECTED") -> None:
        self.log = log
        self.code = code


def read_http2(data: bytes, end: str, room: int, version: Version) -> Answer:
    """What `grpc_pass` of this version does with these bytes, the first of the answer. `room` is its buffer size."""
    state = _State(data, room, version)
    try:
        state.run()
    except _Refused as refused:
        detail = _talks(data) if refused.code != "L7_H2_REJECTED" else refused.log.removeprefix("upstream ")
        log = f"{refused.log} {_READING}"
        if state.status is not None:
            # the head is not sent yet, and now it never will be
            log = log.replace("(upstream sent invalid header)", "(upstream sent invalid trailer)")
            return Answer(
                Reading("L7_H2_BROKEN", None, log, refused.log.removeprefix("upstream "), invalid_header=True)
            )
        return Answer(Reading(refused.code, 502, log, detail, invalid_header=True))
    if state.status is None:
        kept = data if state.head_at is None else data[state.head_at :]
        size = len(kept) if state.head_at is not None else min(len(kept), room - 1)
        reading = unfinished(kept[:size], end, room, "no whole head")
        return Answer(reading)
    names = tuple(state.headers)
    reading = Reading("", state.status, head=state.head_size, headers=names, upstream_status=state.status)
    return Answer(reading, state.message, state.trailers, state.ended)


class _State:
    """The frames up to the head, and what comes after it."""

    def __init__(self, data: bytes, room: int, version: Version) -> None:
        self.data = data
        self.room = room
        self.hints = version >= EARLY_HINTS
        self.at = 0
        self.windows = {0: FIRST_WINDOW, STREAM: FIRST_WINDOW}
        self.seen = {SETTINGS: 0, PING: 0}
        self.status: int | None = None
        self.headers: list[tuple[bytes, bytes]] = []
        self.head_at: int | None = None
        self.head_size = 0
        self.block = b""
        self.open_block = False
        self.trailers: dict[bytes, bytes] = {}
        self.message = b""
        self.ended = False
        self.last_flags = 0
        self.reset = False

    def run(self) -> None:
        data = self.data
        while len(data) >= self.at + 3:
            size = int.from_bytes(data[self.at : self.at + 3], "big")
            if size > MAX_FRAME:
                code = "L7_H1_UNDER_GRPC" if data.startswith(b"HTTP/1") else "L7_WRONGPROTO"
                raise _Refused(
                    f"upstream sent too large http2 frame: {size}", code if self.at == 0 else "L7_H2_REJECTED"
                )
            if len(data) < self.at + 9:
                return
            kind, flags = data[self.at + 3], data[self.at + 4]
            stream = int.from_bytes(data[self.at + 5 : self.at + 9], "big") & _MAX_WINDOW
            content = data[self.at + 9 : self.at + 9 + size]
            if (kind == CONTINUATION) != self.open_block:
                raise _Refused(f"upstream sent unexpected http2 frame: {kind}")
            if self.status is None:
                self._before_head(kind, flags, stream, size, content)
            else:
                self._after_head(kind, flags, stream, size, content)
            if len(content) < size:
                return
            self.at += 9 + size

    def _before_head(self, kind: int, flags: int, stream: int, size: int, content: bytes) -> None:
        if kind == DATA:
            raise _Refused(f"upstream sent unexpected http2 frame: {kind}")
        if stream not in (0, STREAM):
            raise _Refused(f"upstream sent frame for unknown stream {stream}")
        if kind in (HEADERS, CONTINUATION):
            self._headers(kind, flags, size, content)
            return
        self._control(kind, flags, stream, size, content)

    def _control(self, kind: int, flags: int, stream: int, size: int, content: bytes) -> None:
        """A frame that is neither a head nor data, before the head or after it."""
        fault = _FIXED.get(kind)
        if fault is not None and size != fault[0] and not (kind == GOAWAY and size >= 8):
            raise _Refused(f"upstream sent {fault[1]} frame with invalid length: {size}")
        if kind in (SETTINGS, PING, GOAWAY) and stream:
            raise _Refused(f"upstream sent {_NAMES[kind]} frame with non-zero stream id: {stream}")
        if kind in self.seen and not flags & _ACK:
            self.seen[kind] += 1
            if self.seen[kind] > _MOST:
                raise _Refused(f"upstream sent too many {_NAMES[kind]} frames")
        if kind == PUSH_PROMISE:
            raise _Refused("upstream sent unexpected push promise frame")
        if kind == SETTINGS:
            self._settings(flags, size, content)
        elif kind == PING and flags & _ACK:
            raise _Refused("upstream sent ping frame with ack flag")
        elif kind == RST_STREAM and len(content) == 4:
            raise _Refused(f"upstream rejected request with error {int.from_bytes(content, 'big')}")
        elif kind == GOAWAY and len(content) >= 8 and int.from_bytes(content[:4], "big") & _MAX_WINDOW < STREAM:
            raise _Refused(f"upstream sent goaway with error {int.from_bytes(content[4:8], 'big')}")
        elif kind == WINDOW_UPDATE and len(content) == 4:
            self.windows[stream] += int.from_bytes(content, "big") & _MAX_WINDOW
            if self.windows[stream] > _MAX_WINDOW:
                raise _Refused("upstream sent too large window update")

    def _settings(self, flags: int, size: int, content: bytes) -> None:
        if flags & _ACK and size:
            raise _Refused(f"upstream sent settings frame with ack flag and non-zero length: {size}")
        if size % 6:
            raise _Refused(f"upstream sent settings frame with invalid length: {size}")
        for at in range(0, len(content) - 5, 6):
            name, value = int.from_bytes(content[at : at + 2], "big"), int.from_bytes(content[at + 2 : at + 6], "big")
            if name == 4 and value > _MAX_WINDOW:
                raise _Refused(f"upstream sent settings frame with too large initial window size: {value}")

    def _headers(self, kind: int, flags: int, size: int, content: bytes) -> None:
        if self.head_at is None:
            self.head_at = self.at
        block = content
        if kind == HEADERS:
            self.last_flags = flags
            block = _payload(flags, size, content)
        if len(content) < size:
            if len(self.data) - self.head_at >= self.room:
                raise _Refused("upstream sent too big header", "L7_TOOBIG")
            # nginx reads field by field, and does not wait for the rest where one is bad
            self._status_of(_fields(self.block + block, whole=False), whole=False)
            return
        self.block += block
        self.open_block = not flags & _END_HEADERS
        self.head_size = self.at + 9 + size - self.head_at
        if self.head_size > self.room:
            raise _Refused("upstream sent too big header", "L7_TOOBIG")
        if self.open_block:
            return
        self.status = self._status_of(_fields(self.block))
        self.block = b""
        if self.status == _EARLY_HINTS and not self.last_flags & _END_STREAM:
            self.status = self.head_at = None  # handed on; the head is yet to come
            return
        self.ended = bool(self.last_flags & _END_STREAM)

    def _status_of(self, fields: list[tuple[bytes, bytes]], *, whole: bool = True) -> int | None:
        """The status of a head, whose headers are kept; None for one that is not whole and without a fault so far."""
        status: int | None = None
        self.headers = []
        for name, value in fields:
            shown = clean(value, 60)
            if not name.startswith(b":"):
                if status is None:
                    whole = True  # it cannot come any more
                    break
                self.headers.append((name, value))
            elif name != b":status":
                raise _Refused(f'upstream sent invalid header "{clean(name, 60)}: {shown}"', "L7_BADHEADER")
            elif status is not None:
                raise _Refused("upstream sent duplicate :status header", "L7_BADHEADER")
            elif len(value) != 3 or not value.isdigit():
                raise _Refused(f'upstream sent invalid :status "{shown}"', "L7_BADHEADER")
            elif int(value) < 200 and not (self.hints and int(value) == _EARLY_HINTS):
                raise _Refused(f'upstream sent unexpected :status "{shown}"', "L7_INTERIM")
            else:
                status = int(value)
        if status is None and whole:
            raise _Refused("upstream sent no :status header", "L7_BADHEADER")
        return status

    def _after_head(self, kind: int, flags: int, stream: int, size: int, content: bytes) -> None:
        """ngx_http_grpc_filter: it reads the rest before the head is sent, as far as that came along with it."""
        if kind == DATA and stream != STREAM:
            raise _Refused(f"upstream sent data frame for unknown stream {stream}")
        if stream not in (0, STREAM):
            raise _Refused(f"upstream sent frame for unknown stream {stream}")
        if self.ended and stream == STREAM and kind != WINDOW_UPDATE:
            if kind != RST_STREAM or self.reset:
                raise _Refused(f"upstream sent frame for closed stream {stream}")
            self.reset = True
            if content == bytes(4):
                return
        if kind not in (DATA, HEADERS, CONTINUATION):
            self._control(kind, flags, stream, size, content)
            return
        if kind == DATA:
            self.message += _payload(flags & ~_PRIORITY, size, content) if len(content) == size else content
            if self.length is not None and len(self.message) > self.length:
                raise _Refused("upstream sent response body larger than indicated content length")
        elif len(content) == size:
            self.block += _payload(flags, size, content) if kind == HEADERS else content
            self.open_block = not flags & _END_HEADERS
            self.last_flags = flags if kind == HEADERS else self.last_flags
            if not self.open_block:
                self._trailers(_fields(self.block), self.last_flags)
        # of a trailer in several frames the flag is in the first, and counts with the last
        ends = flags if kind == DATA else 0 if self.open_block else self.last_flags
        if len(content) == size and ends & _END_STREAM:
            if self.length is not None and len(self.message) < self.length:
                raise _Refused("upstream prematurely closed stream")
            self.ended = True

    def _trailers(self, fields: list[tuple[bytes, bytes]], flags: int) -> None:
        for name, value in fields:
            if name.startswith(b":"):
                raise _Refused(f'upstream sent invalid trailer "{clean(name + b": " + value, 80)}"')
        if not flags & _END_STREAM:
            raise _Refused("upstream sent trailer without end stream flag")
        self.trailers.update(fields)

    @property
    def length(self) -> int | None:
        """The Content-Length of the head."""
        value = dict(self.headers).get(b"content-length", b"")
        return int(value) if value.isdigit() and len(value) < 19 else None


_NAMES = {SETTINGS: "settings", PING: "ping", GOAWAY: "goaway"}
# Frames of a fixed length: what nginx calls them.
_FIXED = {
    RST_STREAM: (4, "rst stream"),
    PING: (8, "ping"),
    GOAWAY: (8, "goaway"),
    WINDOW_UPDATE: (4, "window update"),
}


def _payload(flags: int, size: int, content: bytes) -> bytes:
    """A frame's content without padding and priority."""
    before = bool(flags & _PADDED) + 5 * bool(flags & _PRIORITY)
    padding = content[0] if flags & _PADDED and content else 0
    if before + padding > size:
        text = f"upstream sent http2 frame with too long padding: {padding} in frame {size - 1}"
        raise _Refused(text, "L7_BADHEADER")
    return content[before : size - padding]


def _fields(block: bytes, *, whole: bool = True) -> list[tuple[bytes, bytes]]:
    try:
        return hpack.fields(block, whole=whole)
    except hpack.Invalid as invalid:
        text = clean(str(invalid), 120)
        tail = "" if "invalid header" in text else " (upstream sent invalid header)"
        raise _Refused(f"{text}{tail}", "L7_BADHEADER") from None


def _talks(data: bytes) -> str:
    if data.startswith(b"HTTP/1"):
        line = data.partition(b"\n")[0].rstrip(b"\r")
        return f"an HTTP server answers “{clean(line, 60)}”"
    return f"the first bytes are “{clean(data[:40], 80)}”"
