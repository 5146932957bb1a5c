"""FastCGI, uwsgi and memcached peers that answer every question with the same bytes: nginx's reading rules as a table."""

from __future__ import annotations

import asyncio

from nginxlint.demo.peer import STEP, Peer, Talk
from tests.gauntlet.scenario import Scenario

_BODY = b"Content-Type: text/plain\r\n\r\nok\n"


def record(kind: int, content: bytes, *, request: int = 1, version: int = 1, pad: bool = True) -> bytes:
    """A FastCGI record."""
    padding = -len(content) % 8 if pad else 0
    head = bytes((version, kind)) + request.to_bytes(2, "big") + len(content).to_bytes(2, "big") + bytes((padding, 0))
    return head + content + bytes(padding)


_END = record(3, bytes(8))
_LOG = "fastcgi-record"

# name → (the answer, what the visitor gets, log class)
FASTCGI: dict[str, tuple[bytes, int | None, str]] = {
    "good": (record(6, _BODY) + _END, 200, ""),
    "unpadded": (record(6, _BODY, pad=False) + _END, 200, ""),
    "in-pieces": (record(6, b"Content-Ty") + record(6, b"pe: a\r\n") + record(6, b"\r\nok") + _END, 200, ""),
    "line-feeds": (record(6, b"A: b\n\nok") + _END, 200, ""),
    "warns-and-answers": (record(7, b"warning") + record(6, _BODY) + _END, 200, ""),
    "warns-at-length": (record(7, b"e" * 5000) + record(6, _BODY) + _END, 200, ""),
    "status-500": (record(6, b"Status: 500 x\r\n" + _BODY) + _END, 500, ""),
    "status-404": (record(6, b"Status: 404\r\n" + _BODY) + _END, 404, ""),
    "redirect": (record(6, b"Location: /x\r\n" + _BODY) + _END, 302, ""),
    "status-word": (record(6, b"Status: abc\r\n" + _BODY) + _END, 502, "bad-status"),
    "status-empty": (record(6, b"Status:\r\n" + _BODY) + _END, 502, "bad-status"),
    "status-short": (record(6, b"Status: 99 x\r\n" + _BODY) + _END, 502, "bad-status"),
    "only-warns": (record(7, b"boom") + _END, 502, _LOG),
    "ends-at-once": (_END, 502, _LOG),
    "empty-stdout": (record(6, b"") + _END, 502, "fastcgi-early"),
    "version-2": (record(6, _BODY, version=2), 502, "fastcgi-version"),
    "type-1": (record(1, _BODY), 502, "fastcgi-type"),
    "request-2": (record(6, _BODY, request=2), 502, _LOG),
    "request-256": (record(6, _BODY, request=256), 502, _LOG),
    "bad-header": (record(6, b"A b: c\r\n\r\n") + _END, 502, "bad-header"),
    "nul-in-header": (record(6, b"A: \x00\r\n\r\n") + _END, 502, "bad-header"),
    "half-a-record": (b"\x01\x06\x00", 502, "closed"),
    "half-a-head": (record(6, b"Content-Ty")[:12], 502, "closed"),
    "head-too-big": (record(6, b"X: " + b"a" * 5000 + b"\r\n\r\n") + _END, 502, "too-big"),
    "head-fills-buffer": (record(6, b"X: " + b"a" * (4096 - 15) + b"\r\n\r\n", pad=False) + _END, 200, ""),
    "head-over-buffer": (record(6, b"X: " + b"a" * (4096 - 14) + b"\r\n\r\n", pad=False) + _END, 502, "too-big"),
    "http": (b"HTTP/1.1 200 OK\r\n\r\n", 502, "fastcgi-version"),
    "text-behind-head": (record(6, _BODY) + b"Warning: x", None, "fastcgi-version"),
    "record-behind-head": (record(6, _BODY) + record(9, b"x") + _END, None, "fastcgi-type"),
    "nothing": (b"", 502, "closed"),
    "body-too-short": (record(6, b"Content-Length: 9\r\n" + _BODY) + _END, 200, "fastcgi-early"),
    "body-too-short-stdout": (
        record(6, b"Content-Length: 9\r\n" + _BODY) + record(6, b"") + _END,
        200,
        "fastcgi-early",
    ),
    "body-too-long": (record(6, b"Content-Length: 1\r\n" + _BODY) + _END, 200, ""),
    "body-cut": (record(6, b"Content-Length: 9\r\n" + _BODY), 200, ""),
    "no-end": (record(6, _BODY), 200, ""),
    "byte-by-byte": (b"".join(record(6, bytes((one,))) for one in _BODY) + record(6, b"") + _END, 200, ""),
}

UWSGI: dict[str, tuple[bytes, int | None, str]] = {
    "http-200": (b"HTTP/1.1 200 OK\r\n\r\nok", 200, ""),
    "http-500": (b"HTTP/1.0 500 E\r\n\r\n", 500, ""),
    "http-400": (b"HTTP/1.1 400 B\r\n\r\n", 400, ""),
    "cgi": (_BODY, 200, ""),
    "cgi-503": (b"Status: 503 x\r\n" + _BODY, 503, ""),
    "cgi-redirect": (b"Location: /x\r\n\r\n", 302, ""),
    "status-word": (b"Status: x\r\n" + _BODY, 502, "bad-status"),
    "bad-header": (b"A b: c\r\n\r\n", 502, "bad-header"),
    "half-a-status-line": (b"HTTP/1.1 2", 502, "closed"),
    "half-a-head": (b"HTTP/1.1 200 OK\r\nA: b", 502, "closed"),
    "half-a-name": (b"Content-Ty", 502, "closed"),
    "head-too-big": (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 5000 + b"\r\n\r\n", 502, "too-big"),
    "cgi-fills-buffer": (b"X: " + b"a" * (4096 - 7) + b"\r\n\r\n", 200, ""),
    "cgi-over-buffer": (b"X: " + b"a" * (4096 - 6) + b"\r\n\r\n", 502, "too-big"),
    "http2": (b"\x00\x00\x06\x04\x00\x00\x00\x00\x00" + bytes(6), 502, "bad-header"),
    "ssh": (b"SSH-2.0-x\r\n", 502, "closed"),
    "nothing": (b"", 502, "closed"),
}

MEMCACHED: dict[str, tuple[bytes, int | None, str]] = {
    "miss": (b"END\r\n", 404, ""),
    "error": (b"ERROR\r\n", 502, "memcached-invalid"),
    "server-error": (b"SERVER_ERROR oom\r\n", 502, "memcached-invalid"),
    "other-key": (b"VALUE foo 0 3\r\nabc\r\nEND\r\n", 502, "memcached-invalid"),
    "line-feed": (b"END\n", 502, "memcached-invalid"),
    "half-a-line": (b"END", 502, "closed"),
    "value": (b"VALUE KEY 12345 3\r\nabc\r\nEND\r\n", 200, ""),
    "value-empty": (b"VALUE KEY 0 0\r\n\r\nEND\r\n", 200, ""),
    "value-odd-flags": (b"VALUE KEY x 3\r\nabc\r\nEND\r\n", 200, ""),
    "value-unique": (b"VALUE KEY 0 3 99\r\nabc\r\nEND\r\n", 502, "memcached-invalid"),
    "value-word": (b"VALUE KEY 0 abc\r\nabc\r\nEND\r\n", 502, "memcached-invalid"),
    "value-huge": (b"VALUE KEY 0 99999999999999999999\r\nabc\r\nEND\r\n", 502, "memcached-invalid"),
    "value-no-length": (b"VALUE KEY 0\r\nabc\r\nEND\r\n", 502, "memcached-invalid"),
    "value-line-feed": (b"VALUE KEY 0 3\nabc\nEND\n", 502, "memcached-invalid"),
    "client-error": (b"CLIENT_ERROR bad\r\n", 502, "memcached-invalid"),
    "redis": (b"-ERR wrong\r\n", 502, "memcached-invalid"),
    "binary": (b"\x81\0\0\0" + bytes(20), 502, "closed"),
    "endless-line": (b"x" * 5000, 502, "too-big"),
    "http": (b"HTTP/1.1 400 x\r\n\r\n", 502, "memcached-invalid"),
    "nothing": (b"", 502, "closed"),
}
_TABLES = {
    "fastcgi": (FASTCGI, "fastcgi_pass 127.0.0.1:{port};"),
    "uwsgi": (UWSGI, "uwsgi_pass 127.0.0.1:{port};"),
    # what speaks CGI may be an SCGI server, and is not asked
    "scgi": (
        {name: row for name, row in UWSGI.items() if row[0] and not row[0].startswith(b"Status")},
        "scgi_pass 127.0.0.1:{port};",
    ),
    "memcached": (MEMCACHED, "set $memcached_key $uri; memcached_pass 127.0.0.1:{port};"),
}


def says(answer: bytes) -> Talk:
    """Read something, send this, close. KEY is what memcached is asked for."""

    async def talk(peer: Peer) -> None:
        asked = (await peer.some()).split()
        if answer:
            await peer.send(answer.replace(b"KEY", asked[1]) if len(asked) == 2 else answer)
        await asyncio.sleep(STEP)

    return talk


def pings_and_says(answer: bytes) -> Talk:
    """Answer pings as a good server of the protocol does, and any request with these bytes."""

    async def talk(peer: Peer) -> None:
        start = await peer.some()
        if start[:2] == b"\x01\x09":
            answer_now = record(10, b"", request=0)
        elif start == b"version\r\n":
            answer_now = b"VERSION 1.6.18\r\n"
        else:
            answer_now = b"\x64\x00\x00\x01" if start[:1] == b"\x64" else answer
        if answer_now:
            await peer.send(answer_now)
        await asyncio.sleep(STEP)

    return talk


def breaks_off(answer: bytes, *, reset: bool) -> Talk:
    """Read something, send this, and then reset or say no more."""

    async def talk(peer: Peer) -> None:
        await peer.some()
        await peer.send(answer)
        await asyncio.sleep(STEP)
        if reset:
            peer.reset()
        await peer.wait_for_close()

    return talk


async def stalls(peer: Peer) -> None:
    """Read something and say nothing."""
    await peer.wait_for_close()


BEHIND_PINGS = {
    "fastcgi": (
        "good",
        "status-500",
        "status-word",
        "ends-at-once",
        "bad-header",
        "head-too-big",
        "half-a-head",
        "nothing",
    ),
    "uwsgi": (
        "http-200",
        "cgi",
        "http-500",
        "cgi-503",
        "http-400",
        "bad-header",
        "half-a-head",
        "head-too-big",
        "nothing",
    ),
    "memcached": ("server-error", "other-key", "nothing"),
}
"""Faults of an application whose server answers pings."""
_OFF, _KEEP = "fastcgi_buffering off; ", "fastcgi_keep_conn on; "
_MARKS = {"": "", _OFF: "-unbuffered", _KEEP: "-kept"}
# the answer of FASTCGI, after which the line stays open or is reset; settings; what is logged
BREAKS: tuple[tuple[str, bool, str, str], ...] = (
    ("good", False, "", "body-timeout"),
    ("good", True, "", "reset-body"),
    ("good", False, _OFF, ""),
    ("good", False, _KEEP, ""),
    ("no-end", False, "", "body-timeout"),
    ("no-end", True, "", "reset-body"),
    ("no-end", False, _KEEP, "body-timeout"),
    ("body-too-short", False, "", "body-timeout"),
    ("body-too-short", False, _KEEP, "fastcgi-early"),
)
BEHAVIOURS: dict[str, Talk] = {
    f"{family}-says-{name}": says(row[0]) for family, (table, _) in _TABLES.items() for name, row in table.items()
}
BEHAVIOURS |= {
    f"{family}-pings-and-says-{name}": pings_and_says(_TABLES[family][0][name][0])
    for family, names in BEHIND_PINGS.items()
    for name in names
}
BEHAVIOURS |= {
    f"fastcgi-{'resets' if reset else 'stalls'}-behind-{name}": breaks_off(FASTCGI[name][0], reset=reset)
    for name, reset, _, _ in BREAKS
}
CGI: tuple[Scenario, ...] = (
    *(
        Scenario(
            f"fastcgi-{'resets' if reset else 'stalls'}-behind-{name}{_MARKS[settings]}",
            f"fastcgi-{'resets' if reset else 'stalls'}-behind-{name}",
            200,
            log,
            settings + _TABLES["fastcgi"][1],
        )
        for name, reset, settings, log in BREAKS
    ),
    *(
        Scenario(
            f"{family}-pings-and-says-{name}",
            f"{family}-pings-and-says-{name}",
            *_TABLES[family][0][name][1:],
            _TABLES[family][1],
        )
        for family, names in BEHIND_PINGS.items()
        for name in names
    ),
    *(
        Scenario(f"{family}-says-{name}", f"{family}-says-{name}", status, log, passes)
        for family, (table, passes) in _TABLES.items()
        for name, (_, status, log) in table.items()
    ),
    *(
        Scenario(f"{family}-to-{name}", name, status, log, passes)
        for family, (_, passes) in _TABLES.items()
        for name, status, log in (("silent", 504, "header-timeout"), ("accept-queue-full", 504, "connect-timeout"))
        if (family, name) != ("scgi", "silent")  # only a request would show it, and that runs the application
    ),
)
