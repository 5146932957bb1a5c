"""The upstreams of the demo world do what their names say."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading

import pytest

from nginxlint.demo.http_behaviours import sized_head
from nginxlint.demo.peer import Peer
from nginxlint.demo.tls_behaviours import CONTEXTS, certificate_path
from nginxlint.demo.upstreams import HOST, UNIX, World, behaviours

GET = b"GET /x HTTP/1.1\r\nHost: app.demo.test\r\nConnection: close\r\n\r\n"


def ask(port: int, request: bytes = GET, limit: float = 2.0, context: ssl.SSLContext | None = None) -> bytes:
    """Everything the server says until it closes."""
    with socket.create_connection((HOST, port), limit) as plain:
        sock = context.wrap_socket(plain, server_hostname="app.demo.test") if context else plain
        sock.sendall(request)
        data = b""
        while chunk := sock.recv(65536):
            data += chunk
        return data


@pytest.fixture(scope="module")
def world():
    with World() as world:
        yield world


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("healthy", b"HTTP/1.1 200 OK\r\n"),
        ("status-503", b"HTTP/1.1 503 Service"),
        ("garbage", b")r\xbb"),
        ("ssh", b"SSH-2.0-"),
        ("http2-only", b"\x00\x00\x00\x04\x00"),
        ("host-strict-421", b"HTTP/1.1 200 OK"),
        ("redirects-to-itself", b"HTTP/1.1 302 Found"),
        ("closes-after-request", b""),
        ("proxy-protocol-required", b""),
        ("tls-plain-400", b"HTTP/1.1 400 Bad"),
    ],
)
def test_a_server_answers_with_its_fault(world: World, name: str, start: bytes) -> None:
    answer = ask(world.port(name))
    assert answer.startswith(start)
    assert bool(answer) == bool(start)


@pytest.mark.parametrize("total", [200, 1019, 4095, 4096, 4097, 8192, 120_000])
def test_a_head_has_exactly_the_size_that_was_asked_for(total: int) -> None:
    head, _, body = sized_head(total).partition(b"\r\n\r\n")
    assert len(head) + 4 == total
    assert body == b"ok\n"
    assert all(b": " in line for line in head.split(b"\r\n")[1:])


def test_a_refusing_port_stays_reserved_and_refuses(world: World) -> None:
    port = world.port("refusing")
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            ask(port)
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind((HOST, port))


def test_a_full_accept_queue_gives_no_answer(world: World) -> None:
    with pytest.raises(TimeoutError):
        ask(world.port("accept-queue-full"), limit=0.3)


def test_a_silent_server_takes_the_request_and_remembers_it(world: World) -> None:
    with pytest.raises(TimeoutError):
        ask(world.port("silent"), limit=0.2)
    assert world.connections("silent") == 1


def test_requests_are_kept_for_those_who_count_them(world: World) -> None:
    ask(world.port("status-204"))
    assert world.requests("status-204") == [GET]
    assert world.connections("status-204") == 1


def test_copies_of_a_behaviour_are_servers_of_their_own(world: World) -> None:
    assert world.port("healthy", copy=1) != world.port("healthy")
    assert world.port("healthy", copy=1) == world.port("healthy", copy=1)


def test_a_proxy_header_of_either_version_opens_the_door(world: World) -> None:
    port = world.port("proxy-protocol-required")
    first = ask(port, b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n" + GET)
    local = ask(port, b"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00" + GET)
    assert first.startswith(b"HTTP/1.1 200")
    assert local.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("name", "request_", "start"),
    [
        ("fastcgi", b"\x01\x09\x00\x00\x00\x00\x00\x00", b"\x01\x0a\x00\x00"),
        ("uwsgi", b"\x64\x00\x00\x00", b"\x64\x00\x00\x01"),
        ("memcached", b"version\r\n", b"VERSION "),
        ("scgi", b"24:CONTENT_LENGTH\x000\x00SCGI\x001\x00,", b"Status: 200"),
    ],
)
def test_the_other_protocols_answer_their_ping(world: World, name: str, request_: bytes, start: bytes) -> None:
    with socket.create_connection((HOST, world.port(name)), 2) as sock:
        sock.sendall(request_)
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(4096).startswith(start)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tls-good", ""),
        ("tls-needs-app-name", ""),
        ("tls13-only", ""),
        ("tls12-only", ""),
        ("tls-wrong-name", "Hostname mismatch"),
        ("tls-expired", "has expired"),
        ("tls-future", "not yet valid"),
        ("tls-self-signed", "self-signed"),
        ("tls-unknown-issuer", "unable to get local issuer|unable to verify"),
        ("tls-client-certificate", "CERTIFICATE_REQUIRED"),
        ("tls12-client-certificate", "HANDSHAKE_FAILURE"),
        ("tls10-only", "PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL"),
        ("tls-alert", "HANDSHAKE_FAILURE"),
    ],
)
def test_a_tls_server_passes_or_fails_the_check_it_is_there_for(world: World, name: str, message: str) -> None:
    context = ssl.create_default_context(cafile=certificate_path("ca"))
    if not message:
        assert ask(world.port(name), context=context).startswith(b"HTTP/1.1 200")
        return
    with pytest.raises(ssl.SSLError, match=message):
        ask(world.port(name), context=context)


def test_a_client_certificate_of_the_demo_is_accepted(world: World) -> None:
    context = ssl.create_default_context(cafile=certificate_path("ca"))
    context.load_cert_chain(certificate_path("client"))
    for name in ("tls-client-certificate", "tls12-client-certificate"):
        assert ask(world.port(name), context=context).startswith(b"HTTP/1.1 200")


def test_every_certificate_named_in_the_table_can_be_loaded() -> None:
    assert all(make().get_ciphers() for _, make in CONTEXTS.values())


@pytest.mark.parametrize(
    ("name", "error"), [("unix-missing", FileNotFoundError), ("unix-stale", ConnectionRefusedError)]
)
def test_a_broken_unix_socket_fails_in_its_own_way(world: World, name: str, error: type[OSError]) -> None:
    with socket.socket(socket.AF_UNIX) as sock, pytest.raises(error):
        sock.connect(str(world.path(name)))


def test_a_healthy_unix_socket_answers(world: World) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(world.path("unix-healthy")))
        sock.sendall(GET)
        assert sock.recv(4096).startswith(b"HTTP/1.1 200")


def test_an_unknown_behaviour_names_the_known_ones(world: World) -> None:
    with pytest.raises(KeyError, match="accept-queue-full"):
        world.port("no-such-thing")
    with pytest.raises(KeyError, match="unix-stale"):
        world.path("no-such-thing")


def test_a_caller_can_serve_a_behaviour_of_its_own(world: World) -> None:
    async def talk(peer: Peer) -> None:
        await peer.some()
        await peer.send(b"mine")

    assert ask(world.serve("mine", talk)) == b"mine"
    assert world.requests("mine") == [GET]


def test_every_behaviour_can_be_started_and_is_gone_afterwards() -> None:
    threads = threading.active_count()
    with World() as world:
        ports = {name: world.port(name) for name in behaviours()}
        assert len(set(ports.values())) == len(ports) > 90
        for name in UNIX:
            world.path(name)
        folder = world.folder
    assert not folder.exists()
    assert threading.active_count() == threads
    for port in ports.values():
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((HOST, port), 1)


def test_the_world_ends_quietly_in_the_middle_of_conversations() -> None:
    script = (
        "import socket\n"
        "from nginxlint.demo.upstreams import World\n"
        "with World() as world:\n"
        "    open_ones = [socket.create_connection(('127.0.0.1', world.port(n))) for n in\n"
        "                 ('silent', 'tls-hangs', 'endless-headers', 'tls-good', 'keepalive', 'dribble')]\n"
        "    [s.sendall(b'GET / HTTP/1.1\\r\\n\\r\\n') for s in open_ones]\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "Task was destroyed" not in done.stderr
