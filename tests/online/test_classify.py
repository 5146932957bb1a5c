"""The reading rules of nginx as a table; the oracle tests hold the same rows against a real nginx."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nginxlint.online.body import state
from nginxlint.online.classify import EOF, OPEN, RESET, TIMEOUT, classify, head_complete, signature
from nginxlint.online.http2 import read_http2
from nginxlint.online.outcomes import OUTCOMES
from tests.gauntlet.http2 import ANSWERS

OLD, NEW = (1, 22, 1), (1, 31, 5)
OK = b"HTTP/1.1 200 OK\r\n"
END = b"\r\n"

# (bytes, how it ended, code and status on 1.22.1, code and status on 1.31.5)
TABLE = [
    (OK + b"Content-Length: 2\r\n\r\nok", OPEN, ("", 200), ("", 200)),
    (b"HTTP/1.0 204 No Content\r\n\r\n", EOF, ("", 204), ("", 204)),
    (b"HTTP/1.1 200\n\n", EOF, ("", 200), ("", 200)),
    (b"HTTP/1.1 403.1 IIS\r\n\r\n", EOF, ("", 403), ("", 403)),
    (b"HTTP/2.0 200 OK\r\n\r\n", EOF, ("", 200), ("", 200)),
    (OK + b"nocolonhere\r\n\r\n", EOF, ("", 200), ("", 200)),
    (OK + b"X: caf\xe9\r\nX_under_score: 1\r\n\r\n", EOF, ("", 200), ("", 200)),
    (OK + b"HTTP/1.1 200 again\r\nA: b\r\n\r\n", EOF, ("", 200), ("", 200)),
    (b"", EOF, ("L7_CLOSED", 502), ("L7_CLOSED", 502)),
    (b"HTTP/1", EOF, ("L7_CLOSED", 502), ("L7_CLOSED", 502)),
    (OK + b"A: b\r\n", EOF, ("L7_CLOSED", 502), ("L7_CLOSED", 502)),
    (b"", RESET, ("L7_RESET", 502), ("L7_RESET", 502)),
    (OK, RESET, ("L7_RESET", 502), ("L7_RESET", 502)),
    (b"", TIMEOUT, ("L7_TIMEOUT", 504), ("L7_TIMEOUT", 504)),
    (OK + b"A: b", TIMEOUT, ("L7_SLOWHEADER", 504), ("L7_SLOWHEADER", 504)),
    (b"HTTP/1.1 200 " + b"very " * 1000, OPEN, ("L7_TOOBIG", 502), ("L7_TOOBIG", 502)),
    (OK + b"A: " + b"b" * 5000, OPEN, ("L7_TOOBIG", 502), ("L7_TOOBIG", 502)),
    (OK + b"A b: c\r\n\r\n", EOF, ("L7_BADHEADER", 502), ("L7_BADHEADER", 502)),
    (OK + b"A : c\r\n\r\n", EOF, ("L7_BADHEADER", 502), ("L7_BADHEADER", 502)),
    (OK + b": c\r\n\r\n", EOF, ("L7_BADHEADER", 502), ("L7_BADHEADER", 502)),
    (OK + b"A: b\r\n folded\r\n\r\n", EOF, ("L7_BADHEADER", 502), ("L7_BADHEADER", 502)),
    (OK + b"A: b\0c\r\n\r\n", EOF, ("L7_BADHEADER", 502), ("L7_BADHEADER", 502)),
    (OK + b"A: b\rc\r\n\r\n", EOF, ("L7_BADHEADER", 502), ("L7_BADHEADER", 502)),
    (OK + b"A\x01: b\r\n", TIMEOUT, ("L7_BADHEADER", 502), ("L7_BADHEADER", 502)),
    (b"SSH-2.0-OpenSSH_9\r\n", OPEN, ("L7_NOTHTTP", None), ("L7_NOTHTTP", None)),
    (b"http/1.1 200 OK\r\n\r\n", EOF, ("L7_NOTHTTP", None), ("L7_NOTHTTP", None)),
    (b"\r\nHTTP/1.1 200 OK\r\n\r\n", EOF, ("L7_NOTHTTP", None), ("L7_NOTHTTP", None)),
    (b"HTTP/1.1 1000 Many\r\n\r\n", EOF, ("L7_NOTHTTP", None), ("L7_NOTHTTP", None)),
    (b"HTTP/1.1 99 Few\r\n\r\n", EOF, ("L7_NOTHTTP", None), ("L7_NOTHTTP", None)),
    (b"HTTP/1.1 ABC\r\n\r\n", EOF, ("L7_NOTHTTP", None), ("L7_NOTHTTP", None)),
    (b"HTTP/0.9 200 OK\r\n\r\n", EOF, ("L7_NOTHTTP", None), ("L7_NOTHTTP", None)),
    (b"HTTP/1.1 200 a\rb\r\n\r\n", EOF, ("L7_NOTHTTP", 200), ("L7_NOTHTTP", 200)),
    (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18), OPEN, ("L7_H2ONLY", None), ("L7_H2ONLY", None)),
    (b"\x15\x03\x01\x00\x02\x02\x46", EOF, ("L7_NOTHTTP", None), ("L7_NOTHTTP", None)),
    (OK + b"Content-Length: 1\r\ncontent-length: 1\r\n\r\n", EOF, ("", 200), ("L7_FRAMING", 502)),
    (OK + b"Content-Length: -1\r\n\r\n", EOF, ("", 200), ("L7_FRAMING", 502)),
    (OK + b"Content-Length: \r\n\r\n", EOF, ("", 200), ("L7_FRAMING", 502)),
    (OK + b"Content-Length: 99999999999999999999\r\n\r\n", EOF, ("", 200), ("L7_FRAMING", 502)),
    (OK + b"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", EOF, ("", 200), ("L7_FRAMING", 502)),
    (OK + b"Transfer-Encoding: gzip\r\n\r\n", EOF, ("", 200), ("L7_FRAMING", 502)),
    (OK + b"Transfer-Encoding: Chunked\r\n\r\n", EOF, ("", 200), ("", 200)),
    (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + END, EOF, ("L7_INTERIM", 100), ("L7_INTERIM", 100)),
    (b"HTTP/1.1 103 Hints\r\n\r\n" + OK + END, EOF, ("L7_INTERIM", 103), ("", 200)),
    (b"HTTP/1.1 103 Hints\r\n\r\n" * 300, OPEN, ("L7_INTERIM", 103), ("L7_INTERIM", 504)),
    (b"HTTP/1.1 101 Switching\r\n\r\n", OPEN, ("", 101), ("", 101)),
]


@pytest.mark.parametrize(("data", "end", "old", "new"), TABLE)
def test_nginx_reads_an_answer_like_this(
    data: bytes, end: str, old: tuple[str, int | None], new: tuple[str, int | None]
) -> None:
    assert (classify(data, end, 4096, OLD).code, classify(data, end, 4096, OLD).status) == old
    assert (classify(data, end, 4096, NEW).code, classify(data, end, 4096, NEW).status) == new


def _head(size: int) -> bytes:
    return OK + b"X: " + b"x" * (size - len(OK) - 7) + b"\r\n\r\n"


@pytest.mark.parametrize(
    ("size", "code", "status"),
    [(4095, "", 200), (4096, "L7_TOOBIG", 200), (4097, "L7_TOOBIG", 502), (120_000, "L7_TOOBIG", 502)],
)
def test_the_head_has_to_fit_into_the_buffer_with_a_byte_to_spare(size: int, code: str, status: int) -> None:
    reading = classify(_head(size), OPEN, 4096, OLD)
    assert (reading.code, reading.status) == (code, status)


def test_the_size_of_the_head_does_not_count_the_body() -> None:
    assert classify(_head(100) + b"b" * 9000, OPEN, 4096, OLD).head == 100


def test_before_1_21_1_a_space_in_a_header_name_was_let_through() -> None:
    assert classify(OK + b"A b: c\r\n\r\n", EOF, 4096, (1, 20, 2)).code == ""


@pytest.mark.parametrize(
    ("data", "who"),
    [
        (b"220 mail ESMTP Postfix\r\n", "a mail server"),
        (b"-ERR unknown command\r\n", "a Redis server"),
        (b"J\0\0\0\x0a8.0.36\0", "a MySQL server"),
        (b"+OK POP3 ready\r\n", "a POP3 server"),
        (b"\x01\x06\x00\x01", "a FastCGI server"),
        (b"\x15\x03\x03\x00\x02", "a TLS server"),
        (b"HTTP/1.1 200", ""),
    ],
)
def test_other_protocols_are_known_by_their_first_bytes(data: bytes, who: str) -> None:
    assert signature(data)[0] == who


@given(st.binary(max_size=300), st.sampled_from((OPEN, EOF, RESET, TIMEOUT)), st.sampled_from((OLD, NEW)))
@settings(max_examples=300, deadline=None)
def test_any_bytes_have_a_reading_that_the_verdict_table_knows(
    data: bytes, end: str, version: tuple[int, int, int]
) -> None:
    for prefix in (b"", OK, OK + b"Content-Length: "):
        reading = classify(prefix + data, end, 256, version)
        assert reading.code == "" or reading.code in OUTCOMES
        assert reading.status is None or 0 <= reading.status <= 999


@given(st.binary(max_size=120))
@settings(max_examples=200, deadline=None)
def test_reading_stops_no_later_than_the_whole_answer_can_be_judged(data: bytes) -> None:
    whole = OK + b"A: b\r\n\r\n" + data
    assert head_complete(whole, NEW)
    assert not head_complete(OK + b"A: b\r\n", NEW)


@pytest.mark.parametrize(
    "chunks", [b"2\nok\r\n0\r\n\r\n", b"2\r\nok\n0\r\n\r\n", b"2\r\nok\r\n0\r\n\n", b"2\r\nok\r\n0\r\na: b\n\r\n"]
)
def test_a_lone_line_feed_ends_no_line_of_a_chunked_body_any_more(chunks: bytes) -> None:
    head = OK + b"Transfer-Encoding: chunked\r\n\r\n"
    for version, expected in ((OLD, "done"), ((1, 29, 3), "done"), ((1, 29, 4), "bad"), (NEW, "bad")):
        assert state(classify(head, OPEN, 4096, version), chunks) == expected
        assert state(classify(head, OPEN, 4096, version), chunks.replace(b"\r", b"").replace(b"\n", b"\r\n")) == "done"


def test_grpc_hands_early_hints_on_since_it_knows_them() -> None:
    data = ANSWERS["status-103"][0]
    read = {version: read_http2(data, OPEN, 4096, version).reading for version in (OLD, (1, 28, 0), (1, 29, 0), NEW)}
    assert [(one.code, one.status) for one in read.values()] == [("L7_INTERIM", 502)] * 2 + [("", 200)] * 2
