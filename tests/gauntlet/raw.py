"""Answers given byte by byte: what nginx reads strictly, what it forgives, and where a body breaks off."""

from __future__ import annotations

import asyncio

from nginxlint.demo.http_behaviours import answers
from nginxlint.demo.peer import Peer, Talk
from tests.gauntlet.scenario import Scenario

_OK = b"HTTP/1.1 200 OK\r\n"
_END = b"Content-Length: 3\r\nConnection: close\r\n\r\nok\n"
_CHUNKED = _OK + b"Transfer-Encoding: chunked\r\n\r\n"
_LONG = b"HTTP/1.1 200 " + b"a" * 5000

# name → (the answer, the status and the log class where a visitor gets it)
ANSWERS: dict[str, tuple[bytes, int | None, str]] = {
    # status lines
    **{
        f"line-{kind}": (line + b"\r\n" + _END, 200, "")
        for kind, line in {
            "two-spaces": b"HTTP/1.1  200 OK",
            "control-characters": b"HTTP/1.1 200 \x1b[31m\0",
            "http-1.2": b"HTTP/1.2 200 OK",
            "http-10.1": b"HTTP/10.1 200 OK",
            "http-1.999": b"HTTP/1.999 200 OK",
        }.items()
    },
    **{
        f"line-{kind}": (line + b"\r\n" + _END, None, "not-http")
        for kind, line in {
            "tab": b"HTTP/1.1\t200 OK",
            "no-space": b"HTTP/1.1 200OK",
            "http-0.9": b"HTTP/0.9 200 OK",
            "http-1": b"HTTP/1 200 OK",
            "http-01.1": b"HTTP/01.1 200 OK",
            "https": b"HTTPS/1.1 200 OK",
            "rtsp": b"RTSP/1.0 200 OK",
            "negative": b"HTTP/1.1 -20 OK",
            "dash": b"HTTP/1.1 200-OK",
            "no-code": b"HTTP/1.1",
            "no-protocol": b"200 OK",
            "leading-space": b" HTTP/1.1 200 OK",
            "byte-order-mark": b"\xef\xbb\xbfHTTP/1.1 200 OK",
            "request": b"GET / HTTP/1.1",
        }.items()
    },
    "line-short-code-cut": (b"HTTP/1.1 20 OK", None, "not-http"),
    "line-cut": (b"HTTP/1.1 200 O", 502, "closed"),
    "line-digits-apart": (b"HTTP/1.1 2 0 0 OK\r\n" + _END, None, ""),
    "line-cr-inside": (b"HTTP/1.1 200 O\rK\r\n" + _END, 200, "not-http"),
    "line-two-cr": (b"HTTP/1.1 200 OK\r\r\n" + _END, 200, "not-http"),
    "line-again": (_OK + b"A: b\r\nHTTP/1.0 500 no\r\n" + _END, 200, ""),
    "line-long": (_LONG, 502, "too-big"),
    **{f"code-{code}": (f"HTTP/1.1 {code} What\r\n".encode() + _END, code, "") for code in (199, 444, 499, 600, 999)},
    # header lines
    **{
        f"lines-{kind}": (_OK + line + b"\r\n" + _END, 200, "")
        for kind, line in {
            "tab-in-value": b"X:\ta\tb",
            "no-colon-no-space": b"garbage",
            "two-colons": b"X:: a",
            "no-value": b"X:",
            "8bit-name": b"X-\xe9: a",
            "odd-names": b"x_y: a\r\nx(y): a\r\nx@y: a",
            "control-in-value": b"x: a\x01\x7f\x1b[2Jb",
            "cr-before-end": b"X: a\r",
            "twice": b'Date: a\r\nDate: b\r\nETag: "a"\r\nETag: "b"',
            "many": b"\r\n".join(b"x%d: y" % number for number in range(300)),
            "cookies-2k": b"\r\n".join(b"Set-Cookie: s%d=%s" % (number, b"x" * 100) for number in range(20)),
        }.items()
    },
    **{
        f"lines-{kind}": (_OK + line + b"\r\n" + _END, 502, "bad-header")
        for kind, line in {
            "cr-in-value": b"X: a\rb",
            "cr-before-colon": b"X\r: a",
            "tab-before-colon": b"X\t: a",
            "leading-tab": b"\tX: a",
            "delete-in-name": b"x\x7fy: a",
            "control-in-name": b"x\x01y: a",
            "only-nul": b"\0",
            "two-cr": b"\r",
        }.items()
    },
    "lines-cookies-6k": (_OK + b"Set-Cookie: s=%s\r\n" % (b"x" * 98) * 60 + _END, 502, "too-big"),
    "lines-garbage-at-end": (_OK + b"garbage", 502, "closed"),
    # lengths
    **{
        f"length-{kind}": (_OK + b"Content-Length:" + value + b"\r\n\r\nok\n", 200, "")
        for kind, value in {"hex": b" 0x3", "list": b" 3, 3", "empty": b"", "huge": b" 99999999999999999999"}.items()
    },
    "length-largest": (_OK + b"Content-Length: 9223372036854775807\r\n\r\nok\n", 200, "short-body"),
    "length-too-short": (_OK + b"Content-Length: 0\r\n\r\nsurprise", 200, ""),
    "length-one-missing": (_OK + b"Content-Length: 4\r\n\r\nok\n", 200, "short-body"),
    # chunks
    **{
        f"chunks-{kind}": (_CHUNKED + body, 200, "")
        for kind, body in {
            "extension": b"3;a=b\r\nok\n\r\n0\r\n\r\n",
            "trailers": b"3\r\nok\n\r\n0\r\nX: y\r\n\r\n",
            "many-zeros": b"0" * 40 + b"3\r\nok\n\r\n0\r\n\r\n",
            "space": b"3 \r\nok\n\r\n0\r\n\r\n",
            "bare-lf": b"3\nok\n\n0\n\n",
            "more-behind": b"3\r\nok\n\r\n0\r\n\r\nGARBAGE",
        }.items()
    },
    **{
        f"chunks-{kind}": (_CHUNKED + body, None, "bad-chunk")
        for kind, body in {
            "leading-space": b" 3\r\nok\n\r\n0\r\n\r\n",
            "0x": b"0x3\r\nok\n\r\n0\r\n\r\n",
            "cr-only": b"3\rok\n\r\n0\r\n\r\n",
            "overflow": b"ffffffffffffffffff\r\nok\n",
            "too-large": b"7fffffffffffffff\r\nok\n",
            "too-long": b"3\r\nok\nmore\r\n0\r\n\r\n",
            "none": b"plain text\n",
            "no-size": b"\r\nok\n",
            "bad-later": b"800\r\n" + b"x" * 2048 + b"\r\nzz\r\n",
        }.items()
    },
    **{
        f"chunks-{kind}": (_CHUNKED + body, 200, "short-body")
        for kind, body in {
            "too-short": b"9\r\nok\n\r\n0\r\n\r\n",
            "no-end": b"3\r\nok\n\r\n",
            "half-end": b"3\r\nok\n\r\n0\r\n",
            "empty": b"",
            "like-hex": b"deadbeef plain\n",
        }.items()
    },
    # other protocols that speak first
    **{
        f"speaks-{kind}": (data, None, "not-http")
        for kind, data in {
            "imap": b"* OK IMAP4rev1\r\n",
            "tls-alert": b"\x15\x03\x01\x00\x02\x02\x0a",
            "vnc": b"RFB 003.008\n",
            "telnet": b"\xff\xfd\x18\xff\xfd\x20",
            "one-byte": b"x",
            "blank": b"\r\n\r\n",
        }.items()
    },
    "speaks-almost": (b"HTTP/", 502, "closed"),
}


async def bad_chunk_later(peer: Peer) -> None:
    """Send a good chunk, and after a while what is none."""
    await peer.head()
    await peer.send(_CHUNKED + b"4\r\nabcd\r\n")
    await asyncio.sleep(0.3)
    await peer.send(b"zz\r\n")


BEHAVIOURS: dict[str, Talk] = {
    **{f"raw-{name}": answers(row[0]) for name, row in ANSWERS.items()},
    "bad-chunk-later": bad_chunk_later,
}
RAW: tuple[Scenario, ...] = (
    *(Scenario(f"raw-{name}", f"raw-{name}", status, log) for name, (_, status, log) in ANSWERS.items()),
    Scenario("bad-chunk-later", "bad-chunk-later", 200, "bad-chunk"),
)
"""Asked over plain HTTP/1."""
