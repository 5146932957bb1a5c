"""Which of our own listeners a pass leads to, held against the nginx that answers."""

from __future__ import annotations

import socket

import pytest

from nginxlint.config import Config
from nginxlint.routing.listeners import Endpoint, endpoints
from nginxlint.routing.request import request_of_url
from nginxlint.routing.router import Router
from nginxlint.testing import config_of
from tests.oracle.nginx import HOST, PROGRAM, VERSION, Nginx, free_port


def ends(config: Config) -> list[str]:
    return [
        f"{end.scheme} {end.unix or f'{end.host}:{end.port}'}" for t in config.passes() for end in endpoints(config, t)
    ]


def found(listens: str, target: Endpoint) -> list[str]:
    text = "".join(f"server {{ listen {listen}; server_name {listen.split()[0]}; }}" for listen in listens.split(","))
    return [listener.servers[0].first_name for listener in config_of(text).listeners.behind(target)]


def to(text: str, *, udp: bool = False) -> Endpoint:
    config = config_of(f"server {{ location / {{ proxy_pass http://{text}; }} }}")
    (endpoint,) = endpoints(config, next(config.passes()))
    endpoint.udp = udp
    return endpoint


@pytest.mark.parametrize(
    ("listens", "target", "expected"),
    [
        ("80", "127.0.0.1", ["80"]),
        ("8080", "127.0.0.1", []),
        ("*:8080", "127.5.5.5:8080", ["*:8080"]),
        ("0.0.0.0:80,127.0.0.1:80", "127.0.0.1", ["127.0.0.1:80"]),
        ("0.0.0.0:80,127.0.0.1:80", "127.0.0.2", ["0.0.0.0:80"]),
        ("127.0.0.1:81", "localhost:81", ["127.0.0.1:81"]),
        ("127.0.0.1:81,[::1]:81", "localhost:81", ["127.0.0.1:81", "[::1]:81"]),
        ("localhost:81", "LOCALHOST:81", ["localhost:81"]),
        ("localhost:81", "127.0.0.1:81", ["localhost:81"]),
        ("[::]:81", "127.0.0.1:81", []),
        ("[::]:81 ipv6only=off", "127.0.0.1:81", ["[::]:81"]),
        ("[::]:81", "[0:0::1]:81", ["[::]:81"]),
        ("[0::1]:81", "[::1]:81", ["[0::1]:81"]),
        ("81", "0.0.0.0:81", ["81"]),
        ("[::]:81", "[::]:81", ["[::]:81"]),
        ("81", "10.0.0.1:81", []),
        ("81,10.0.0.1:82", "10.0.0.1:81", ["81"]),
        ("10.0.0.1:81", "10.0.0.1:81", ["10.0.0.1:81"]),
        ("81", "example.com:81", []),
        ("app.internal:81", "app.internal:81", ["app.internal:81"]),
        ("8000-8010", "127.0.0.1:8005", ["8000-8010"]),
        ("8000-8010", "127.0.0.1:8011", []),
        ("unix:/run/a.sock", "unix:/run/a.sock:/x", ["unix:/run/a.sock"]),
        ("unix:/run/a.sock", "unix:/run/b.sock", []),
        ("443 quic,8443 ssl", "127.0.0.1:443", []),
    ],
)
def test_an_address_is_ours_where_a_listen_takes_it(listens: str, target: str, expected: list[str]) -> None:
    assert found(listens, to(target)) == expected


def test_datagrams_meet_only_udp_listeners() -> None:
    assert found("53 udp,53", to("127.0.0.1:53", udp=True)) == ["53"]
    assert found("53", to("127.0.0.1:53", udp=True)) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("proxy_pass http://app;", ["http 10.0.0.1:80", "http 10.0.0.2:81", "http /run/a"]),
        ("proxy_pass https://APP/x;", ["https 10.0.0.1:80", "https 10.0.0.2:81", "https /run/a"]),
        ("proxy_pass http://app:80;", ["http app:80"]),
        ("proxy_pass https://other/x;", ["https other:443"]),
        ("set $b app; proxy_pass http://$b$request_uri;", ["http 10.0.0.1:80", "http 10.0.0.2:81", "http /run/a"]),
        ("proxy_pass $scheme://127.0.0.1$request_uri;", ["http 127.0.0.1:80", "https 127.0.0.1:443"]),
        ("proxy_pass http://unix:/run/b:/x;", ["http /run/b"]),
        ("proxy_pass http://$host;", []),
    ],
)
def test_the_endpoints_of_a_pass_are_all_it_connects_to(text: str, expected: list[str]) -> None:
    group = "upstream app { server 10.0.0.1; server 10.0.0.2:81; server unix:/run/a; server 10.0.0.3 down; }"
    assert ends(config_of(f"{group} server {{ location / {{ {text} }} }}")) == expected


def test_a_stream_proxy_meets_the_servers_of_http() -> None:
    text = "http { server { listen 8080; } } stream { upstream a { server 127.0.0.1:8080; } server { listen 1; proxy_pass a; } }"
    config = config_of(text)
    (endpoint,) = endpoints(config, next(config.passes()))
    assert [listener.kind for listener in config.listeners.behind(endpoint)] == ["http"]


def test_parameters_of_one_listen_hold_for_all_servers_of_its_socket() -> None:
    config = config_of("server { listen 81; server_name a; } server { listen *:81 ssl proxy_protocol; server_name b; }")
    (listener,) = config.listeners.behind(to("127.0.0.1:81"))
    assert [server.first_name for server in listener.servers] == ["a", "b"]
    assert listener.ssl is listener.proxy_protocol is config.servers[1].listens[0]


LISTENS = {"front": "127.0.0.1:65000", "wild": "*:65000", "two": "127.0.0.2:65000", "unix": "unix:{folder}/s"}
TARGETS = ("127.0.0.1:65000", "127.0.0.2:65000", "127.9.9.9:65000", "0.0.0.0:65000", "unix:{folder}/s:")


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as one:
            one.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not PROGRAM, reason="nginx is not installed")
def test_nginx_answers_from_the_listener_the_model_names() -> None:
    six = _has_ipv6()
    listens = {**LISTENS, **({"six": "[::1]:65000"} if six else {})}
    targets = (*TARGETS, *(("[0:0::1]:65000",) if six else ()))
    text = "".join(
        f'server {{ listen {at}; server_name {name}; return 200 "<{name}>"; }}' for name, at in listens.items()
    )
    passes = "".join(f"location /{number} {{ proxy_pass http://{target}/; }}" for number, target in enumerate(targets))
    text += f"server {{ listen 127.0.0.3:65000; {passes} }}"
    with Nginx(text.replace("65000", "{port}")) as nginx:
        config = config_of(text.replace("65000", str(nginx.port)).replace("{folder}", str(nginx.folder)))
        for number, target in enumerate(config.passes()):
            (endpoint,) = endpoints(config, target)
            (listener,) = config.listeners.behind(endpoint)
            assert f"<{listener.servers[0].first_name}>" in _answer("127.0.0.3", nginx.port, f"/{number}")


def _answer(address: str, port: int, path: str) -> str:
    with socket.create_connection((address, port), 5) as client:
        client.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        return client.makefile("rb").read().decode()


@pytest.mark.parametrize(
    ("listen", "target"),
    [
        ("8080", "LocalHost:8080"),
        ("[::1]:8080", "[0:0:0:0:0:0:0:1]:8080"),
        ("192.0.2.1:8080", "192.0.2.1:8080"),
        ("unix:/run/a", "unix:/run/a"),
        ("App.test:8080", "app.test:8080"),
        ("8080", "$home"),
        ("8080", "Group"),
    ],
)
def test_the_quick_look_finds_whatever_leads_to_a_listener_of_ours(listen: str, target: str) -> None:
    text = "upstream group { server 127.0.0.1:8080; } upstream other { server 198.51.100.1; }"
    text += f"server {{ listen {listen}; set $home 127.0.0.1:8080; location / {{ proxy_pass http://{target}; }}"
    config = config_of(f"{text} location /b {{ proxy_pass http://198.51.100.1:8080; }} }}")
    assert [one for one in config.passes() if any(map(config.listeners.behind, endpoints(config, one)))]
    assert [one.authority for one in config.inward_passes] == [target]


@pytest.mark.skipif(not PROGRAM, reason="nginx is not installed")
def test_every_port_of_a_range_is_a_socket_of_its_own_as_in_nginx() -> None:
    port = free_port()
    text = (
        f"server {{ listen {HOST}:{port}-{port + 2}; server_name a.test; return 200 '<a>'; }}\n"
        f"server {{ listen {HOST}:{port + 1}; server_name b.test; return 200 '<b>'; }}"
    )
    router = Router(config_of(text, version=VERSION))
    with Nginx(text) as nginx:
        for at, host in ((at, host) for at in range(port, port + 3) for host in ("a.test", "b.test")):
            answer = router.route(request_of_url(f"http://{host}:{at}/"))
            assert answer.server is not None
            name = answer.server.first_name[0].encode()
            assert b"<%s>" % name in nginx.ask("/", port=at, host=host).raw, (at, host)
