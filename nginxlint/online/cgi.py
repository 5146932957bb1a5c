"""FastCGI, uwsgi, SCGI and memcached answers read with nginx's eyes: bytes, how they ended, room → what it does.

Source: ngx_http_fastcgi_process_record and _process_header, ngx_http_uwsgi_process_status_line and _process_header (the
SCGI module does the same), ngx_http_memcached_process_header.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from nginxlint.online.classify import (
    InvalidHeader,
    Reading,
    Version,
    classify,
    head_lines,
    status_line,
    status_seen,
    unfinished,
)
from nginxlint.online.untrusted import clean

_STDOUT, _STDERR, _END_REQUEST = 6, 7, 3
_READING = "while reading response header from upstream"
_FLAGS_AND_LENGTH = re.compile(rb" [^ ]* (.*)", re.S)
_STATUS = re.compile(rb"\d{3}")


def read_fastcgi(data: bytes, end: str, room: int, version: Version) -> Reading:
    """What `fastcgi_pass` does with these bytes, the first of the answer."""
    out = b""
    at = spare = 0
    while True:
        # What comes in stderr records before the head is logged and its room used again.
        window = data[: room + spare]
        record = window[at : at + 8]
        fault = _record_fault(record)
        if fault:
            return _refused(fault, "L7_WRONGPROTO" if not out else "L7_BADHEADER", data)
        if len(record) < 8:
            break
        kind, length, padding = record[1], int.from_bytes(record[4:6], "big"), record[6]
        if kind == _END_REQUEST:
            return _refused("upstream sent unexpected FastCGI record: 3", "L7_CLOSED", data)
        if kind == _STDERR and not out:
            spare += 8 + length + padding
        if kind == _STDOUT:
            if length == 0:
                return _refused("upstream prematurely closed FastCGI stdout", "L7_CLOSED", data)
            out += window[at + 8 : at + 8 + length]
            reading = _cgi_head(out, version)
            if reading is not None:
                return reading
        if at + 8 + length > min(len(data), room + spare):
            break
        at += 8 + length + padding
    return unfinished(data, end, room + spare, "no end of the head")


@dataclass(frozen=True, slots=True)
class Records:
    """The records of an answer whose head nginx has taken: how many bytes of stdout they hold, what it refuses about
    them, and what ended the answer (`stdout`, `request`, or nothing yet)."""

    stdout: int = 0
    fault: str = ""
    ended: str = ""


def records(data: bytes) -> Records:
    """As ngx_http_fastcgi_input_filter goes through them."""
    at = stdout = 0
    while at < len(data):
        record = data[at : at + 8]
        fault = _record_fault(record)
        if fault or len(record) < 8:
            return Records(stdout, fault)
        kind, length = record[1], int.from_bytes(record[4:6], "big")
        if kind == _END_REQUEST or (kind == _STDOUT and not length):
            return Records(stdout, ended="request" if kind == _END_REQUEST else "stdout")
        stdout += min(length, len(data) - at - 8) if kind == _STDOUT else 0
        at += 8 + length + record[6]
    return Records(stdout)


def _record_fault(record: bytes) -> str:
    """What nginx refuses about the start of a record, as soon as the byte is there."""
    for place, (good, text) in enumerate(
        (
            ((1,), "upstream sent unsupported FastCGI protocol version: {}"),
            ((_STDOUT, _STDERR, _END_REQUEST), "upstream sent invalid FastCGI record type: {}"),
            ((0,), "upstream sent unexpected FastCGI request id high byte: {}"),
            ((1,), "upstream sent unexpected FastCGI request id low byte: {}"),
        )
    ):
        if len(record) > place and record[place] not in good:
            return text.format(record[place])
    return ""


def read_uwsgi(data: bytes, end: str, room: int, version: Version) -> Reading:
    """What `uwsgi_pass` and `scgi_pass` do: an HTTP status line is welcome, else the head is CGI's."""
    window = data[:room]
    found = status_line(window)
    if found == "partial":
        return unfinished(data, end, room, "no whole status line")
    if found == "http":
        return classify(data, end, room, version, buffering=False)
    reading = _cgi_head(window, version)
    return reading if reading is not None else unfinished(data, end, room, "no end of the head")


def _cgi_head(data: bytes, version: Version) -> Reading | None:
    """A head of CGI headers; None where its end is not there yet."""
    try:
        headers, head = head_lines(data, 0, version)
    except InvalidHeader as invalid:
        return Reading(invalid.code, 502, f"{invalid.log} {_READING}", clean(invalid.log), invalid_header=True)
    if head is None:
        return None
    names = {name.lower(): value for name, value in reversed(headers)}  # the first of several counts
    if b"status" in names:
        if not _STATUS.match(names[b"status"]):
            log = f'upstream sent invalid status "{clean(names[b"status"], 60)}"'
            return Reading("L7_BADHEADER", 502, f"{log} {_READING}", log, invalid_header=True)
        status, seen = int(names[b"status"][:3]), status_seen(names[b"status"])
    else:
        status = seen = 302 if b"location" in names else 200
    return Reading("", seen, head=head, headers=headers, upstream_status=status)


def read_memcached(data: bytes, end: str, room: int, key: bytes) -> Reading:
    """What `memcached_pass` does with the answer to `get KEY`."""
    line, newline, _ = data[:room].partition(b"\n")
    if not newline:
        return unfinished(data, end, room, "no whole line")
    head = len(line) + 1
    if line == b"END\r":
        return Reading("", 404, head=head, upstream_status=404)
    if line.startswith(b"VALUE ") and line.endswith(b"\r"):
        value = line[6:-1]
        shown = f'in response "{clean(line[:-1], 80)}" for key "{clean(key)}" {_READING}'
        if not value.startswith(key):
            return _no_memcached(f"memcached sent invalid key {shown}", data)
        found = _FLAGS_AND_LENGTH.fullmatch(value, len(key))
        if found is not None:
            if not found[1].isdigit() or int(found[1][:40]) >= 2**63:
                return _no_memcached(f"memcached sent invalid length {shown}", data)
            return Reading("", 200, head=head, upstream_status=200)
    return _no_memcached(
        f'memcached sent invalid response: "{clean(line.removesuffix(bytes((13,))), 80)}" {_READING}', data
    )


def _no_memcached(log: str, data: bytes) -> Reading:
    detail = f"the first bytes are “{clean(data[:40], 80)}”"
    return Reading("L7_WRONGPROTO", 502, log, detail, invalid_header=True)


def _refused(log: str, code: str, data: bytes) -> Reading:
    detail = log.removeprefix("upstream ") if code == "L7_CLOSED" else f"the first bytes are “{clean(data[:40], 80)}”"
    return Reading(code, 502, f"{log} {_READING}", detail, invalid_header=True)


# --- what nginx sends ---------------------------------------------------------------------------------------------

_NOWHERE = b"/nginxlint/no-such-script"
"""No script runs: a FastCGI server that runs scripts by file name says that this one is unknown."""
KEY = b"/nginxlint"


def question(protocol: str, url: str, *, keep: bool = False) -> bytes:
    """nginx's own request in this protocol, for a visitor who asks for this URL with GET. `keep`: FastCGI's flag."""
    if protocol == "memcached":
        return b"get " + KEY + b"\r\n"
    # not urlsplit: a server may be named what is no host of a URL
    host, _, path = url.partition("://")[2].partition("/")
    params = _params(host, "/" + path.partition("?")[0])
    if protocol == "uwsgi":
        packed = b"".join(_short(name) + _short(value) for name, value in params)
        return b"\0" + len(packed).to_bytes(2, "little") + b"\0" + packed
    assert protocol == "fastcgi"
    packed = b"".join(_length(name) + _length(value) + name + value for name, value in params)
    begin = bytes((0, 1, keep, 0, 0, 0, 0, 0))  # responder
    return _record(1, begin) + _record(4, packed) + _record(4, b"") + _record(5, b"")


def _params(host: str, path: str) -> Iterable[tuple[bytes, bytes]]:
    name = (host or "localhost").encode("utf-8", "surrogateescape")
    uri = (path or "/").encode("ascii", "replace")
    return (
        (b"REQUEST_METHOD", b"GET"),
        (b"SCRIPT_FILENAME", _NOWHERE),
        (b"SCRIPT_NAME", uri),
        (b"REQUEST_URI", uri),
        (b"PATH_INFO", uri),
        (b"QUERY_STRING", b""),
        (b"CONTENT_TYPE", b""),
        (b"CONTENT_LENGTH", b""),
        (b"SERVER_PROTOCOL", b"HTTP/1.1"),
        (b"GATEWAY_INTERFACE", b"CGI/1.1"),
        (b"REDIRECT_STATUS", b"200"),
        (b"REMOTE_ADDR", b"127.0.0.1"),
        (b"SERVER_NAME", name),
        (b"SERVER_PORT", b"80"),
        (b"HTTP_HOST", name),
    )


def _short(text: bytes) -> bytes:
    return len(text).to_bytes(2, "little") + text


def _length(text: bytes) -> bytes:
    return bytes((len(text),)) if len(text) < 128 else (len(text) | 1 << 31).to_bytes(4, "big")


def _record(kind: int, content: bytes) -> bytes:
    padding = -len(content) % 8
    return bytes((1, kind, 0, 1)) + len(content).to_bytes(2, "big") + bytes((padding, 0)) + content + bytes(padding)
