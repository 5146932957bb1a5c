"""The second look with an ordinary HTTP client: WebSocket handshakes, HTTP/2, and what explains a failure."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import ssl

import pytest

from nginxlint.demo.http_behaviours import reply
from nginxlint.demo.peer import Peer, Talk, header
from nginxlint.demo.tls_behaviours import certificate_path
from nginxlint.demo.upstreams import World
from nginxlint.online.options import Options
from nginxlint.online.rows import Row
from nginxlint.online.stage import OnlineResult, run
from nginxlint.online.target import targets_of
from nginxlint.testing import config_of
from tests.gauntlet.http2 import frame

UPGRADES = 'proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";'


def checked(location: str, passes: str, **more: object) -> OnlineResult:
    text = f"events {{}} http {{ server {{ listen 80; server_name shop.test; location {location} {{ {passes} }} }} }}"
    return run(config_of(text, version=(1, 22, 1)), Options(timeout=1, retry_pause=0.0, jitter=0.0, **more))  # type: ignore[arg-type]


def row(location: str, passes: str) -> Row:
    [found] = checked(location, passes).targets_json
    return found


def websocket(answer: str, plain: str = "200 OK") -> Talk:
    """A server that answers handshakes with this (ACCEPT is the right value), and everything else with `plain`."""

    async def talk(peer: Peer) -> None:
        head = await peer.head()
        key = header(head, "sec-websocket-key").encode()
        right = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()
        if header(head, "upgrade").lower() != "websocket":
            await peer.send(reply(plain))
            return
        await peer.send(f"HTTP/1.1 {answer.replace('ACCEPT', right)}\r\n\r\n".encode())
        await peer.wait_for_close()

    return talk


SWITCHES = "101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "


@pytest.mark.parametrize(
    ("location", "talk", "code"),
    [
        ("/ws/", websocket(SWITCHES + "ACCEPT"), "OK"),
        ("/ws/", websocket(SWITCHES + "ACCEPT", "426 Upgrade Required"), "OK"),
        ("/ws/", websocket(SWITCHES + "ACCEPT", "400 Bad Request"), "OK"),
        ("/", websocket(SWITCHES + "d3Jvbmc="), "L7_WEBSOCKET"),
        ("/ws/", websocket("101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade"), "L7_WEBSOCKET"),
        *(("/ws/", websocket(f"{status} x"), "L7_NO_WEBSOCKET") for status in (200, 400, 404, 426)),
        *(("/ws/", websocket(f"{status} x"), "OK") for status in (401, 403)),
        *(("/", websocket(f"{status} x"), "OK") for status in (200, 404)),
    ],
)
def test_a_handshake_is_tried_where_the_location_passes_it_on(location: str, talk: Talk, code: str) -> None:
    with World() as world:
        port = world.serve("ws", talk)
        found = row(location, f"{UPGRADES} proxy_pass http://127.0.0.1:{port};")
        asked = [head for head in world.requests("ws") if header(head, "upgrade")]
    assert (found["code"], found["verdict"] == "failed", len(asked)) == (code, False, 1)
    assert header(asked[0], "origin") == "http://shop.test"


@pytest.mark.parametrize(
    "passes",
    [
        "proxy_http_version 1.1;",
        'proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";',
        'proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "";',
    ],
)
def test_no_handshake_is_tried_where_none_would_be_passed_on(passes: str) -> None:
    text = f"events {{}} http {{ server {{ location /ws/ {{ {passes} proxy_pass http://127.0.0.1:1; }} }} }}"
    [target] = targets_of(config_of(text, version=(1, 22, 1)))
    assert target.upgrades == ""


async def only_http2(peer: Peer) -> None:
    """Hang up on HTTP/1; answer HTTP/2 with a 200 without a body."""
    start = await peer.some()
    if start.startswith(b"PRI"):
        await peer.send(frame(4, 0, 0, b"") + frame(4, 1, 0, b"") + frame(1, 5, 1, b"\x88"))
        await peer.wait_for_close()


def with_alpn() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_path("good"))
    context.set_alpn_protocols(["h2"])
    return context


@pytest.mark.skipif(importlib.util.find_spec("h2") is None, reason="the extra http2 is not installed")
def test_who_speaks_only_http2_inside_tls_is_told_so() -> None:
    with World() as world:
        port = world.serve("h2", only_http2, with_alpn())
        result = checked("/", f"proxy_pass https://127.0.0.1:{port};")
    [found] = result.targets_json
    assert (found["code"], found["predicted_status"]) == ("L7_CLOSED", 502)
    assert "200 in HTTP/2 (ALPN h2)" in found["note"]
    assert "let it speak HTTP/1.1 to nginx as well" in result.diagnostics[0].help


def test_who_hangs_up_on_http_1_0_alone_is_told_to_be_asked_in_1_1() -> None:
    async def talk(peer: Peer) -> None:
        if b" HTTP/1.1\r\n" in await peer.head():
            await peer.send(reply())

    with World() as world:
        result = checked("/", f"proxy_pass http://127.0.0.1:{world.serve('new', talk)};")
        asked = world.requests("new")
    [found] = result.targets_json
    assert (found["code"], found["predicted_status"]) == ("L7_CLOSED", 502)
    assert "write: proxy_http_version 1.1;" in result.diagnostics[0].help
    assert b"Authorization" not in b"".join(asked)


@pytest.mark.parametrize("code", [400, 404, 426, 505])
def test_a_rejected_http_1_0_is_told_from_a_rejected_request(code: int) -> None:
    async def talk(peer: Peer) -> None:
        old = b" HTTP/1.0\r\n" in await peer.head()
        await peer.send(reply(f"{code} x" if old else "200 OK"))

    async def always(peer: Peer) -> None:
        await peer.head()
        await peer.send(reply(f"{code} x"))

    with World() as world:
        assert row("/", f"proxy_pass http://127.0.0.1:{world.serve('new', talk)};")["code"] == "L7_HTTP10"
        assert row("/", f"proxy_pass http://127.0.0.1:{world.serve('none', always)};")["verdict"] != "failed"


def test_the_environment_and_the_secrets_of_the_configuration_stay_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    secret = "proxy_set_header Authorization s3cret; proxy_set_header Cookie s3cret;"
    with World() as world:
        port = world.serve("ws", websocket(SWITCHES + "ACCEPT"))
        assert row("/ws/", f"{UPGRADES} {secret} proxy_pass http://127.0.0.1:{port};")["code"] == "OK"
        asked = b"".join(world.requests("ws"))
    assert b"Upgrade: websocket" in asked
    assert b"s3cret" not in asked
