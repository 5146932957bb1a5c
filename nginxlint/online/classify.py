"""nginx's reading rules for a response head: bytes, how the stream ended, buffer size and version → what it does.

Source: ngx_http_parse_status_line, ngx_http_parse_header_line, ngx_http_upstream_process_header and the handlers of
ngx_http_upstream_headers_in, with the changes of 1.21.1 (header names), 1.23.0 (framing) and 1.29.0 (early hints).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from nginxlint.online.untrusted import clean

Version = tuple[int, int, int]

STRICT_NAMES: Version = (1, 21, 1)
STRICT_FRAMING: Version = (1, 23, 0)
EARLY_HINTS: Version = (1, 29, 0)
STRICT_CHUNKS: Version = (1, 29, 4)

# How a stream ended when no more bytes were taken.
OPEN, EOF, RESET, TIMEOUT = "open", "eof", "reset", "timeout"

_STATUS_LINE = re.compile(rb"HTTP/([1-9]\d{0,2})\.(\d{1,3}) +(\d) *(\d) *(\d)(?:(?:[ .][^\r\n]*)?)(?:\r\n|\n)")
_CLIENT_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r\n]")
_THREE_DIGITS = re.compile(rb"\d{3}(?!\d)")
_NOT_IN_NAME = re.compile(rb"[\x00-\x20\x7f]")

# First bytes → (who talks like that, what to write instead).
SIGNATURES: tuple[tuple[re.Pattern[bytes], str, str], ...] = (
    (re.compile(rb"\x15\x03[\x00-\x04]"), "a TLS server", "write https:// in proxy_pass"),
    (re.compile(rb"\x16\x03[\x00-\x04]"), "a TLS peer", "write https:// in proxy_pass"),
    (
        re.compile(rb"\x00[\x00-\x40].\x04[\x00\x01]\x00\x00\x00\x00", re.S),
        "an HTTP/2 server",
        "use grpc_pass for gRPC, or proxy_http_version 2 (nginx 1.29.4), or let the server speak HTTP/1.1",
    ),
    (re.compile(rb"\x00\x00.\x07[\x00-\xff]\x00\x00\x00\x00", re.S), "an HTTP/2 server", "use grpc_pass for gRPC"),
    (re.compile(rb"\x01[\x03\x06\x07\x0a\x0b]"), "a FastCGI server", "use fastcgi_pass"),
    (re.compile(rb"SSH-\d"), "an SSH server", "correct the port"),
    (re.compile(rb"220[ -][^\r\n]*(?:SMTP|Postfix|Exim|Sendmail)", re.I), "a mail server", "correct the port"),
    (re.compile(rb"220[ -]"), "an FTP or mail server", "correct the port"),
    (re.compile(rb"\+OK[ \r\n]"), "a POP3 server", "correct the port"),
    (re.compile(rb"\* OK[ \r\n]"), "an IMAP server", "correct the port"),
    (re.compile(rb"-(?:ERR|DENIED|NOAUTH|WRONGTYPE)\b"), "a Redis server", "correct the port"),
    (re.compile(rb"ERROR\r\n"), "a memcached server", "use memcached_pass"),
    (re.compile(rb"CLIENT_ERROR|SERVER_ERROR"), "a memcached server", "use memcached_pass"),
    (re.compile(rb".{2}\x00\x00[\x0a\xff]", re.S), "a MySQL server", "correct the port"),
    (re.compile(rb"AMQP\x00"), "an AMQP server", "correct the port"),
    (re.compile(rb"E\x00\x00\x00.[SVC]", re.S), "a PostgreSQL server", "correct the port"),
    (re.compile(rb"RFB \d"), "a VNC server", "correct the port"),
    (re.compile(rb"\s*(?:<!DOCTYPE|<html|<\?xml|\{|\[)", re.I), "a server that sends a page without a head", ""),
    (re.compile(rb"ICY \d"), "a Shoutcast server", "let it answer with HTTP/1.0"),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What nginx makes of the bytes. `code` is empty for a head it passes on; `status` is what a client then sees
    (None: no status line reaches it); `log` is nginx's message, without the place; `head` the bytes of the head;
    `strict_chunks`: a line of a chunked body ends with CR and LF, no longer with LF alone."""

    code: str
    status: int | None
    log: str = ""
    detail: str = ""
    hint: str = ""
    head: int = 0
    headers: tuple[tuple[bytes, bytes], ...] = ()
    http10: bool = False
    upstream_status: int | None = None
    invalid_header: bool = False
    strict_chunks: bool = False

    def header(self, name: bytes) -> bytes | None:
        return next((value for key, value in self.headers if key.lower() == name), None)


def accel_redirect(reading: Reading) -> str:
    """The URI of nginx's own that is to be served instead of this answer; empty where there is none."""
    value = reading.header(b"x-accel-redirect")
    return value[:2048].decode("utf-8", "surrogateescape") if value is not None else ""


class InvalidHeader(Exception):
    """A header line nginx refuses."""

    def __init__(self, log: str, code: str = "L7_BADHEADER") -> None:
        self.log = log
        self.code = code


def classify(data: bytes, end: str, buffer_size: int, version: Version, *, buffering: bool = True) -> Reading:
    """What an `http://` or `https://` proxy_pass of this version does with `data`, the first bytes of the answer.

    `end` says why there are no more: OPEN (we stopped reading), EOF, RESET or TIMEOUT. `buffering` is proxy_buffering.
    """
    interim = 0
    start = 0
    while True:
        reading = _one_head(data[start:], end, buffer_size - start, version, buffering)
        if reading.code or reading.status != 103 or version < EARLY_HINTS:
            break
        # Early hints are collected in the same buffer until the final head comes.
        interim += 1
        start += reading.head
    if interim and reading.code in ("L7_TIMEOUT", "L7_SLOWHEADER", "L7_TOOBIG"):
        # ngx_http_upstream_process_early_hints: beyond the buffer they are dropped and reading goes on.
        if reading.code == "L7_TOOBIG":
            return Reading("L7_INTERIM", 504, "upstream sent too big early hints", f"{interim} early hints, no answer")
        return Reading("L7_INTERIM", reading.status, reading.log, f"{interim} early hints and then no answer")
    if not reading.code and reading.status is not None and 100 <= reading.status < 200 and reading.status != 101:
        return Reading(
            "L7_INTERIM",
            reading.status,
            "",
            f"nginx takes the {reading.status} for the final answer",
            "let the server send interim answers only to clients that asked for them",
            reading.head,
            reading.headers,
            reading.http10,
            reading.status,
        )
    if interim:
        return Reading(
            reading.code,
            reading.status,
            reading.log,
            reading.detail,
            reading.hint,
            reading.head + start,
            reading.headers,
            reading.http10,
            reading.upstream_status,
            reading.invalid_header,
        )
    return reading


def _one_head(data: bytes, end: str, room: int, version: Version, buffering: bool) -> Reading:
    window = data[: max(0, room)]
    match = _STATUS_LINE.match(window)
    if match is None:
        if not _may_be_status_line(window):
            return _not_http(data)
        return unfinished(data, end, room, "no whole status line")
    status = int(match[3] + match[4] + match[5])
    http10 = (int(match[1]), int(match[2])) < (1, 1)
    try:
        headers, head = head_lines(window, match.end(), version)
        _framing(headers, version)
    except InvalidHeader as invalid:
        return Reading(invalid.code, 502, invalid.log, clean(invalid.log), head=len(window), invalid_header=True)
    if head is None:
        return unfinished(data, end, room, f"status {status}, then no end of the head")
    seen = status_seen(window[match.start(3) : match.end()])
    reading = Reading(
        "",
        seen,
        head=head,
        headers=headers,
        http10=http10,
        strict_chunks=version >= STRICT_CHUNKS,
        upstream_status=status,
    )
    if head >= room and buffering and _loses_its_body(reading):
        return replace(
            reading,
            code="L7_TOOBIG",
            log="upstream prematurely closed connection while reading upstream",
            detail=f"head of {head} bytes fills the buffer of {room}",
        )
    return reading


def status_seen(text: bytes) -> int | None:
    """The status a client finds where nginx hands on this text as it came; None where that is no three digits."""
    found = _THREE_DIGITS.match(text)
    return int(found[0]) if found is not None else None


def _loses_its_body(reading: Reading) -> bool:
    """A head that fills the buffer to the last byte leaves no room for a body: with proxy_buffering nginx takes the
    first empty read for the end (observed on 1.22.1)."""
    if reading.upstream_status in (204, 304) or reading.header(b"content-length") == b"0":
        return False
    return (reading.header(b"x-accel-buffering") or b"").lower() != b"no"


def head_complete(data: bytes, version: Version) -> bool:
    """True as soon as nginx would stop waiting for more bytes: a whole final head, or something it refuses."""
    start = 0
    while True:
        match = _STATUS_LINE.match(data, start)
        if match is None:
            return not _may_be_status_line(data[start:])
        try:
            headers, head = head_lines(data, match.end(), version)
            _framing(headers, version)
        except InvalidHeader:
            return True
        if head is None:
            return False
        if version < EARLY_HINTS or match[3] + match[4] + match[5] != b"103":
            return True
        start = head


def status_line(data: bytes) -> str:
    """`http`: these bytes start with a status line; `partial`: they still may; `other`: they do not."""
    if _STATUS_LINE.match(data):
        return "http"
    return "partial" if _may_be_status_line(data) else "other"


def _may_be_status_line(data: bytes) -> bool:
    """True while these bytes could still become a status line (NGX_AGAIN)."""
    known = b"HTTP/"
    if len(data) <= len(known):
        return known.startswith(data)
    return _PARTIAL_STATUS_LINE.fullmatch(data) is not None


_PARTIAL_STATUS_LINE = re.compile(
    rb"HTTP/(?:[1-9]\d{0,2}(?:\.(?:\d{1,3}(?: +(?:\d *(?:\d *(?:\d(?:\r|[ .][^\r\n]*\r?)?)?)?)?)?)?)?)?"
)


@lru_cache(4)  # it is asked whether a head is whole, and then what it says
def head_lines(data: bytes, at: int, version: Version) -> tuple[tuple[tuple[bytes, bytes], ...], int | None]:
    """The header lines from `at` and the offset after the blank line (None: not there yet)."""
    found: list[tuple[bytes, bytes]] = []
    while True:
        line_end = data.find(b"\n", at)
        if line_end < 0:
            _check_partial(data[at:], version)
            return tuple(found), None
        line = data[at:line_end]
        at = line_end + 1
        if line in (b"", b"\r"):
            return tuple(found), at
        if line.startswith(b"\r"):  # a CR starts the end of the head, and no second one may follow it
            raise InvalidHeader('upstream sent invalid header: "\\x0d..."')
        if line.startswith(b"HTTP/"):
            continue  # IIS may repeat the status line (sw_ignore_line)
        found.append(_header_line(line, version))


def _check_partial(rest: bytes, version: Version) -> None:
    """A line that is not whole may already be refused."""
    if rest and not rest.startswith(b"HTTP/") and rest != b"\r":
        _header_line(rest.removesuffix(b"\r"), version)


def _header_line(line: bytes, version: Version) -> tuple[bytes, bytes]:
    """One header line without its LF, by the state machine of ngx_http_parse_header_line."""
    if line.endswith(b"\r"):
        line = line.rstrip(b"\r")
    name, colon, value = line.partition(b":")
    if version >= STRICT_NAMES:
        bad = _NOT_IN_NAME.search(name)
        if bad is not None:
            raise InvalidHeader(f'upstream sent invalid header: "{_shown(line[: bad.start()])}\\x{bad[0][0]:02x}..."')
        if not name and colon:
            raise InvalidHeader('upstream sent invalid header: "\\x3a..."')
    elif b"\0" in name:
        raise InvalidHeader(f'upstream sent invalid header line: "{_shown(name.partition(bytes(1))[0])}\\0"')
    if not colon:
        return name, b""
    nul = value.find(b"\0")
    if nul >= 0:
        raise InvalidHeader(f'upstream sent invalid header: "{_shown(name + colon + value[:nul])}\\x00..."')
    carriage = value.find(b"\r")
    if carriage >= 0:
        raise InvalidHeader(f'upstream sent invalid header: "{_shown(name + colon + value[:carriage])}\\x0d..."')
    return name, value.strip(b" ")


def _framing(headers: tuple[tuple[bytes, bytes], ...], version: Version) -> None:
    """Content-Length and Transfer-Encoding as the upstream header handlers take them, in the order they come."""
    if version < STRICT_FRAMING:
        return
    length: bytes | None = None
    encoding: bytes | None = None
    for name, value in headers:
        lower = name.lower()
        if lower == b"content-length":
            if length is not None:
                raise InvalidHeader(
                    f'upstream sent duplicate header line: "Content-Length: {_shown(value)}", '
                    f'previous value: "Content-Length: {_shown(length)}"',
                    "L7_FRAMING",
                )
            if encoding is not None:
                raise InvalidHeader(_BOTH, "L7_FRAMING")
            length = value
            if not value.isdigit() or int(value[:40]) > 2**63 - 1:
                raise InvalidHeader(
                    f'upstream sent invalid "Content-Length" header: "Content-Length: {_shown(value)}"', "L7_FRAMING"
                )
        elif lower == b"transfer-encoding":
            if encoding is not None:
                raise InvalidHeader(
                    f'upstream sent duplicate header line: "Transfer-Encoding: {_shown(value)}", '
                    f'previous value: "Transfer-Encoding: {_shown(encoding)}"',
                    "L7_FRAMING",
                )
            if length is not None:
                raise InvalidHeader(_BOTH, "L7_FRAMING")
            encoding = value
            if value.lower() != b"chunked":
                raise InvalidHeader(
                    f'upstream sent unknown "Transfer-Encoding": "Transfer-Encoding: {_shown(value)}"', "L7_FRAMING"
                )


_BOTH = 'upstream sent "Content-Length" and "Transfer-Encoding" headers at the same time'


def unfinished(data: bytes, end: str, room: int, detail: str) -> Reading:
    """The head is not whole: the buffer is full, or the stream ended, or nothing more comes."""
    if len(data) >= room:
        return Reading(
            "L7_TOOBIG", 502, "upstream sent too big header", f"more than {room} bytes of head", invalid_header=True
        )
    got = f"after {len(data)} bytes" if data else "without sending a byte"
    if end == EOF:
        log = "upstream prematurely closed connection while reading response header from upstream"
        return Reading("L7_CLOSED", 502, log, f"closed {got}")
    if end == RESET:
        log = "recv() failed (104: Connection reset by peer) while reading response header from upstream"
        return Reading("L7_RESET", 502, log, f"reset {got}")
    log = "upstream timed out (110: Connection timed out) while reading response header from upstream"
    if data:
        return Reading("L7_SLOWHEADER", 504, log, f"{detail} ({len(data)} bytes came)")
    return Reading("L7_TIMEOUT", 504, log, "no byte of an answer")


def _not_http(data: bytes) -> Reading:
    """nginx takes the answer for HTTP/0.9 and hands the bytes to the client as they are."""
    who, hint = signature(data)
    code = "L7_H2ONLY" if who == "an HTTP/2 server" else "L7_NOTHTTP"
    detail = f"it talks like {who}: " if who else "the first bytes are "
    # A client may still find a status in the raw bytes, where only nginx's stricter reading of the line failed.
    seen = _CLIENT_STATUS.match(data)
    return Reading(
        code,
        int(seen[1]) if seen is not None else None,
        "upstream sent no valid HTTP/1.0 header while reading response header from upstream",
        f"{detail}“{clean(data[:40], 80)}”",
        hint,
        head=0,
    )


def signature(data: bytes) -> tuple[str, str]:
    """Who talks like that, and what to write instead; two empty texts for the unknown."""
    for pattern, who, hint in SIGNATURES:
        if pattern.match(data):
            return who, hint
    return "", ""


def _shown(data: bytes) -> str:
    return clean(data, 120)
