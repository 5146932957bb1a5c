"""Probes against a network without sockets: what is sent, when it stops, what it concludes."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from collections.abc import Callable

import pytest

from nginxlint.online.options import Options
from nginxlint.online.probe import Prober
from nginxlint.online.speak import request_bytes
from nginxlint.online.target import targets_of
from nginxlint.online.types import Address, Observation, Target
from nginxlint.testing import config_of
from tests.online.fake import FakeNetwork, FakeStream, answers

QUICK = Options(timeout=0.05, retry_pause=0.0, jitter=0.0)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
WHERE = "10.0.0.1:8080"


def target_of(location: str) -> Target:
    text = f"events {{}} http {{ server {{ listen 80; server_name shop.test; location / {{ {location} }} }} }}"
    [target] = targets_of(config_of(text, version=(1, 22, 1)))
    return target


def probe(network: FakeNetwork, location: str = f"proxy_pass http://{WHERE};", options: Options = QUICK) -> Observation:
    target = target_of(location)
    address = Address("", 0, target.unix) if target.unix else Address(target.host, target.port or 0)
    return asyncio.run(Prober(network, options, (1, 22, 1)).probe(target, address))


def code(seen: Observation) -> str:
    return seen.failure.code if seen.failure else ""


def test_a_healthy_upstream_is_asked_once_and_as_a_visitor_would() -> None:
    network = FakeNetwork({WHERE: answers(OK)})
    seen = probe(network)
    assert (code(seen), seen.status, len(network.streams)) == ("", 200, 1)
    assert network.streams[0].sent.startswith(b"GET / HTTP/1.0\r\nHost: 10.0.0.1:8080\r\n")
    assert network.streams[0].closed


@pytest.mark.parametrize("first", [answers(), answers(end="reset"), answers(end="silence")])
def test_a_server_that_fails_once_is_asked_once_more(first: Callable[[], FakeStream]) -> None:
    made = iter((first, answers(OK)))
    seen = probe(FakeNetwork({WHERE: lambda: next(made)()}))
    assert (code(seen), seen.status, seen.tries) == ("", 200, 2)


def test_a_body_is_read_no_further_than_64_kib() -> None:
    stream = FakeStream((b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 1_000_000))
    assert code(probe(FakeNetwork({WHERE: lambda: stream}))) == ""
    assert len(stream.pieces[0]) == 1_000_000 - 64 * 1024


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ECONNREFUSED, "L4_REFUSED"),
        (errno.ETIMEDOUT, "L4_TIMEOUT"),
        (errno.EHOSTUNREACH, "L4_UNREACH"),
        (errno.ENETUNREACH, "L4_UNREACH"),
        (errno.ECONNRESET, "L4_RESET"),
        (errno.EADDRNOTAVAIL, "TOOL_FAULT"),
        (errno.EPERM, "TOOL_FAULT"),
        (errno.EACCES, "TOOL_FAULT"),
        (errno.ENOBUFS, "TOOL_FAULT"),
    ],
)
def test_a_failed_connect_is_named_by_its_error_and_ours_is_never_theirs(number: int, expected: str) -> None:
    network = FakeNetwork({WHERE: OSError(number, os.strerror(number))})
    assert code(probe(network)) == expected
    assert len(network.dialled) == 1


def test_a_black_hole_ends_at_the_limit() -> None:
    seen = probe(FakeNetwork())
    assert code(seen) == "L4_TIMEOUT"
    assert seen.clipped


def test_a_limit_of_nginx_that_is_shorter_than_ours_counts_as_observed() -> None:
    seen = probe(FakeNetwork(), f"proxy_connect_timeout 20ms; proxy_pass http://{WHERE};")
    assert (code(seen), seen.clipped) == ("L4_TIMEOUT", False)


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (answers(), "L7_CLOSED"),
        (answers(end="reset"), "L7_RESET"),
        (answers(end="silence"), "L7_TIMEOUT"),
        (answers(b"HTTP/1.1 200 OK\r\n", end="silence"), "L7_SLOWHEADER"),
        (answers(b"HTTP/1.1 200 OK\r\nA: " + b"x" * 9000), "L7_TOOBIG"),
        (answers(b"SSH-2.0-x\r\n", end="silence"), "L7_NOTHTTP"),
        (answers(b"HTTP/1.1 200 OK\r\nA b: c\r\n\r\n"), "L7_BADHEADER"),
        (answers(b"HTTP/1.1 100 Continue\r\n\r\n", end="silence"), "L7_INTERIM"),
    ],
)
def test_what_the_peer_does_has_a_code(stream: object, expected: str) -> None:
    network = FakeNetwork({WHERE: stream})  # type: ignore[dict-item]
    assert code(probe(network)) == expected
    assert all(stream.closed for stream in network.streams)


def test_a_server_that_speaks_another_protocol_is_not_asked_twice() -> None:
    network = FakeNetwork({WHERE: answers(b"220 mail ESMTP\r\n", end="silence")})
    probe(network)
    assert len(network.streams) == 1


def test_at_most_the_buffer_is_kept_of_an_endless_head() -> None:
    stream = FakeStream((b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1_000_000,))
    network = FakeNetwork({WHERE: lambda: stream})
    probe(network)
    assert len(stream.pieces[0]) > 5_900_000


def test_redirects_are_not_followed() -> None:
    network = FakeNetwork({WHERE: answers(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n")})
    seen = probe(network)
    assert (seen.status, seen.location, network.dialled) == (302, "http://169.254.169.254/", [WHERE])


@pytest.mark.parametrize("port", [22, 25, 3306, 6379])
def test_ports_of_other_services_get_a_connection_and_not_a_byte(port: int) -> None:
    network = FakeNetwork({f"10.0.0.1:{port}": answers(end="silence")})
    seen = probe(network, f"proxy_pass http://10.0.0.1:{port};")
    assert code(seen) == ""
    assert [stream.sent for stream in network.streams] == [b""]


def test_what_such_a_port_says_unasked_is_heard() -> None:
    network = FakeNetwork({"10.0.0.1:22": answers(b"SSH-2.0-OpenSSH_9\r\n", end="silence")})
    assert code(probe(network, "proxy_pass http://10.0.0.1:22;")) == "L7_NOTHTTP"


def test_no_credentials_are_sent() -> None:
    target = target_of(
        f"proxy_pass http://{WHERE}; proxy_set_header Authorization secret; proxy_set_header Cookie secret;"
    )
    assert b"secret" not in request_bytes(target, "GET", target.host_header)


@pytest.mark.parametrize(
    ("host", "location", "expected"),
    [
        ("shop.test", f"proxy_pass http://{WHERE};", "L7_STATUS_4XX"),
        ("else.test", f"proxy_pass http://{WHERE};", ""),
    ],
)
def test_a_host_mistake_is_found_by_asking_with_the_visitors_host(host: str, location: str, expected: str) -> None:
    class Strict(FakeStream):
        async def receive(self, size: int) -> bytes:
            right = f"Host: {host}\r\n".encode() in self.sent
            self.pieces = [OK if right else b"HTTP/1.1 421 Misdirected\r\n\r\n"]
            return await super().receive(size)

    assert code(probe(FakeNetwork({WHERE: lambda: Strict(())}), location)) == expected


SOCKET = "/run/app.sock"
UNIX = f"proxy_pass http://unix:{SOCKET};"


@pytest.mark.parametrize(
    ("files", "peer", "expected"),
    [
        ({}, None, "L4_UNIX_MISSING"),
        ({SOCKET: stat.S_IFREG | 0o666}, None, "L4_UNIX_STALE"),
        ({SOCKET: stat.S_IFIFO | 0o666}, None, "L4_UNIX_STALE"),
        ({SOCKET: stat.S_IFDIR | 0o777}, None, "L4_UNIX_STALE"),
        ({SOCKET: stat.S_IFSOCK | 0o777}, ConnectionRefusedError(errno.ECONNREFUSED, "refused"), "L4_UNIX_STALE"),
        ({SOCKET: stat.S_IFSOCK | 0o777}, PermissionError(errno.EACCES, "denied"), "L4_UNIX_PERM"),
        ({SOCKET: stat.S_IFSOCK | 0o777}, BlockingIOError(errno.EAGAIN, "again"), "L4_UNIX_FULL"),
        ({SOCKET: stat.S_IFSOCK | 0o777}, answers(OK), ""),
    ],
)
def test_a_unix_socket_is_judged_by_its_file_before_it_is_touched(
    files: dict[str, int], peer: object, expected: str
) -> None:
    network = FakeNetwork({f"unix:{SOCKET}": peer} if peer else {}, files=files)  # type: ignore[dict-item]
    assert code(probe(network, UNIX)) == expected
    assert bool(network.dialled) == (peer is not None)


H2_SETTINGS = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
SERVING = (
    H2_SETTINGS
    + b"\x00\x00\x01\x01\x04\x00\x00\x00\x01\x88"
    + b"\x00\x00\x07\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x02\x08%c"
)


@pytest.mark.parametrize(
    ("location", "reply", "expected", "log"),
    [
        ("fastcgi_pass 10.0.0.1:8080;", b"HTTP/1.1 400 Bad\r\n\r\n", "L7_WRONGPROTO", "FastCGI protocol version: 72"),
        ("uwsgi_pass 10.0.0.1:8080;", b"HTTP/1.1 400 Bad\r\n\r\n", "L7_WRONGPROTO", ""),
        (
            "memcached_pass 10.0.0.1:8080;",
            b"HTTP/1.1 400 Bad\r\n\r\n",
            "L7_WRONGPROTO",
            "memcached sent invalid response",
        ),
        ("grpc_pass 10.0.0.1:8080;", SERVING % 1, "", ""),
        ("grpc_pass 10.0.0.1:8080;", SERVING % 2, "L7_NOT_SERVING", ""),
        ("grpc_pass 10.0.0.1:8080;", b"HTTP/1.1 400 Bad\r\n\r\n", "L7_H1_UNDER_GRPC", "too large http2 frame: 4740180"),
        (
            "grpc_pass 10.0.0.1:8080;",
            H2_SETTINGS + b"\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0b",
            "L7_H2_REJECTED",
            "goaway with error 11",
        ),
    ],
)
def test_other_protocols_are_pinged_and_their_answers_understood(
    location: str, reply: bytes, expected: str, log: str
) -> None:
    seen = probe(FakeNetwork({WHERE: answers(reply, end="silence")}), location)
    assert code(seen) == expected
    assert log in seen.log


FASTCGI_PONG = b"\x01\x0a\x00\x00\x00\x00\x00\x00"
NO_SUCH_SCRIPT = b"\x01\x06\x00\x01\x00\x11\x00\x00Status: 404 x\r\n\r\n"
UWSGI_PONG = b"\x64\x00\x00\x01"


@pytest.mark.parametrize(
    ("family", "pong", "answer", "expected"),
    [
        ("fastcgi", FASTCGI_PONG, b"\x01\x06\x00\x01\x00\x0a\x00\x00A: b\r\n\r\nok", ("", 200, "observed")),
        ("fastcgi", FASTCGI_PONG, NO_SUCH_SCRIPT, ("", 200, "predicted")),
        ("fastcgi", FASTCGI_PONG, b"", ("L7_CLOSED", 502, "observed")),
        ("uwsgi", UWSGI_PONG, b"HTTP/1.1 500 x\r\n\r\n", ("", 500, "observed")),
        ("uwsgi", UWSGI_PONG, b"HTTP/1.1 400 x\r\n\r\n", ("", 400, "observed")),
        ("uwsgi", UWSGI_PONG, b"A b: c\r\n\r\n", ("L7_BADHEADER", 502, "observed")),
        ("memcached", b"VERSION 1.6\r\n", b"END\r\n", ("", 200, "predicted")),
        ("memcached", b"VERSION 1.6\r\n", b"VALUE /nginxlint 0 2\r\nok\r\nEND\r\n", ("", 200, "observed")),
        ("memcached", b"VERSION 1.6\r\n", b"SERVER_ERROR out of memory\r\n", ("L7_WRONGPROTO", 502, "observed")),
    ],
)
def test_behind_a_good_ping_the_application_is_asked_and_no_script_runs(
    family: str, pong: bytes, answer: bytes, expected: tuple[str, int, str]
) -> None:
    made = iter((answers(pong, end="silence"), answers(answer)))
    network = FakeNetwork({WHERE: lambda: next(made)()})
    seen = probe(network, f"{family}_pass {WHERE};")
    assert (code(seen), seen.predicted_status, seen.certainty) == expected
    harmless = {"uwsgi": b"REQUEST_METHOD\x03\x00GET", "fastcgi": b"no-such-script", "memcached": b"get /nginxlint\r\n"}
    assert harmless[family] in network.streams[1].sent


@pytest.mark.parametrize(
    ("answer", "expected", "connections"),
    [
        (b"SSH-2.0-OpenSSH\r\n", ("L7_WRONGPROTO", 502, "observed"), 3),
        (b"HTTP/1.1 400 Bad\r\n\r\n", ("L7_WRONGPROTO", 400, "observed"), 3),
        (b"HTTP/1.1 200 OK\r\n\r\n", ("", 200, "observed"), 3),
        (b"Status: 400\r\n\r\n", ("", 200, "assumed"), 2),
        (b"", ("", 200, "assumed"), 2),
    ],
)
def test_who_answers_http_and_not_as_cgi_is_no_scgi_server_and_is_asked_as_nginx_would(
    answer: bytes, expected: tuple[str, int, str], connections: int
) -> None:
    made = iter((answers(end="silence"), answers(answer), answers(answer)))
    network = FakeNetwork({WHERE: lambda: next(made)()})
    seen = probe(network, f"scgi_pass {WHERE};")
    assert (code(seen), seen.predicted_status, seen.certainty) == expected
    assert len(network.streams) == connections


def test_scgi_gets_no_request_because_that_would_run_the_application() -> None:
    network = FakeNetwork({WHERE: answers(end="silence")})
    seen = probe(network, "scgi_pass 10.0.0.1:8080;")
    assert (code(seen), seen.certainty) == ("", "assumed")
    assert network.streams[0].sent == b""


@pytest.mark.parametrize("level", ["tcp", "tls"])
def test_the_probe_stops_at_the_level_it_is_given(level: str) -> None:
    network = FakeNetwork({WHERE: answers(end="silence")})
    seen = probe(network, options=Options(probe_level=level))
    assert [phase.name for phase in seen.phases] == ["tcp"]
    assert network.streams[0].sent == b""


@pytest.mark.parametrize(("slow", "told"), [(1, False), (2, True), (3, True)])
def test_a_slow_first_byte_counts_when_it_is_slow_in_the_middle_of_three(slow: int, told: bool) -> None:
    asked: list[FakeStream] = []

    class Slow(FakeStream):
        async def receive(self, size: int) -> bytes:
            if len(asked) <= slow and self.pieces:
                await asyncio.sleep(0.45)
            return await super().receive(size)

    def peer() -> FakeStream:
        asked.append(Slow((OK,)))
        return asked[-1]

    seen = probe(
        FakeNetwork({WHERE: peer}),
        f"proxy_read_timeout 800ms; proxy_pass http://{WHERE};",
        Options(timeout=2, retry_pause=0.0, jitter=0.0),
    )
    assert (len(asked), seen.tries, seen.phases[-1].ms > 400) == (3, 3, told)
