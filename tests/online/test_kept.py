"""Whether peers keep connections, as two requests tell, and as the connections of a real nginx show."""

from __future__ import annotations

import pytest

from nginxlint.demo.http_behaviours import answers, answers_then_waits, reply
from nginxlint.demo.peer import Peer, Talk
from nginxlint.demo.tls_behaviours import certificate_path, shows
from nginxlint.demo.upstreams import World
from nginxlint.online.options import Options
from nginxlint.online.stage import run
from nginxlint.online.target import targets_of
from nginxlint.testing import config_of
from tests.oracle.nginx import PROGRAM, Nginx

OK = b"HTTP/1.1 200 OK\r\n"
KEEPS = 'proxy_http_version 1.1; proxy_set_header Connection "";'


def again_and_again(answer: bytes) -> Talk:
    async def talk(peer: Peer) -> None:
        while await peer.head():
            await peer.send(answer)

    return talk


PEERS: dict[str, tuple[Talk, str]] = {
    "by-length": (again_and_again(OK + b"Content-Length: 2\r\n\r\nok"), ""),
    "by-chunks": (again_and_again(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"), ""),
    "without-body": (again_and_again(b"HTTP/1.1 204 No Content\r\n\r\n"), ""),
    "long-body": (again_and_again(OK + b"Content-Length: 30000\r\n\r\n" + b"x" * 30000), ""),
    "says-keep-alive": (again_and_again(OK + b"Connection: keep-alive\r\nContent-Length: 2\r\n\r\nok"), ""),
    "announces-close": (answers(reply()), "L7_NOT_KEPT"),
    "announces-among-others": (again_and_again(OK + b"Connection: TE, Close\r\nContent-Length: 2\r\n\r\nok"), "L7_NOT_KEPT"),
    "http-1.0": (again_and_again(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"), "L7_NOT_KEPT"),
    "http-1.0-keep-alive": (
        again_and_again(b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"), "L7_NOT_KEPT"
    ),
    "no-end": (answers(OK + b"\r\nok"), "L7_NOT_KEPT"),
    "hangs-up": (answers(OK + b"Content-Length: 2\r\n\r\nok"), "L7_KEPT_BROKEN"),
}  # fmt: skip


def text(port: int, settings: str = KEEPS, keepalive: str = "keepalive 4;", scheme: str = "http") -> str:
    group = f"upstream app {{ server 127.0.0.1:{port}; {keepalive} }}"
    return f"{group} server {{ listen 127.0.0.1:{{port}}; location / {{ {settings} proxy_pass {scheme}://app; }} }}"


def checked(http: str) -> tuple[str, str]:
    config = config_of(f"events {{}} http {{ {http.replace('{port}', '80')} }}", version=(1, 22, 1))
    [row] = run(config, Options(timeout=2, jitter=0.0)).targets_json
    return row["code"], row["note"] or ""


@pytest.mark.parametrize("name", PEERS)
def test_two_requests_on_one_connection_tell_what_a_real_nginx_can_keep(name: str) -> None:
    talk, code = PEERS[name]
    with World() as world:
        port = world.serve(name, talk)
        assert checked(text(port))[0] == (code or "OK")
        if not PROGRAM:
            pytest.skip("nginx is not installed")
        before = world.connections(name)
        with Nginx(text(port)) as nginx:
            for _ in range(3):
                assert nginx.ask("/").status in (200, 204)
        assert world.connections(name) - before == (3 if code else 1)


@pytest.mark.parametrize(
    ("settings", "keepalive", "keeps"),
    [
        (KEEPS, "keepalive 4;", True),
        (KEEPS, "", False),
        (KEEPS, "keepalive 0;", False),
        ("", "keepalive 4;", False),
        ("proxy_http_version 1.1;", "keepalive 4;", False),
        ("proxy_http_version 1.1; proxy_set_header Connection $http_upgrade;", "keepalive 4;", True),
        ("proxy_http_version 1.1; proxy_set_header Connection close;", "keepalive 4;", False),
    ],
)
def test_it_is_asked_only_where_nginx_would_keep_connections(settings: str, keepalive: str, keeps: bool) -> None:
    http = text(81, settings, keepalive).replace("{port}", "80")
    [target] = targets_of(config_of(f"events {{}} http {{ {http} }}", version=(1, 22, 1)))
    assert target.keeps is keeps


def test_a_peer_that_keeps_connections_inside_tls_is_asked_there() -> None:
    with World() as world:
        port = world.serve("tls", again_and_again(OK + b"Content-Length: 2\r\n\r\nok"), shows("good")())
        verify = f"proxy_ssl_verify on; proxy_ssl_trusted_certificate {certificate_path('ca')}; proxy_ssl_name app.demo.test;"
        assert checked(text(port, KEEPS + verify, scheme="https"))[0] == "OK"
        assert len([head for head in world.requests("tls") if head]) == 3
        assert world.connections("tls") == 2


def test_what_cannot_be_told_is_not_told() -> None:
    endless = OK + b"Content-Length: 99999999\r\n\r\n" + b"x" * 200_000
    with World() as world:
        assert checked(text(world.serve("long", answers_then_waits(endless))))[0] == "OK"
