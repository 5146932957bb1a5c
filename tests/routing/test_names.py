"""Server names, held against nginx: which it ignores, word for word, and which server answers a host."""

from __future__ import annotations

import random
import re
import socket
from collections import Counter

import pytest

from nginxlint.config import Config
from nginxlint.routing.match import Sockets
from nginxlint.testing import config_of
from tests.oracle.nginx import PROGRAM, Nginx

pytestmark = pytest.mark.skipif(not PROGRAM, reason="nginx is not installed")

NAMES = "'' _ a A x.a X.a .a .x.a *.a *.x.a *.A a.* x.a.* x.* ~^x localhost".split()
HOSTS = ("a", "x.a", "y.a", "y.x.a", "x.y.a", "a.b", "x.a.b", "x.b", "b", "_", "localhost", "x")
CASES = 60


def said(config: Config) -> Counter[str]:
    """What nginx would log, by the model."""
    return Counter(line for ignored in config.ignored_names for line in ignored.logged)


def logged(text: str) -> Counter[str]:
    """What nginx -t logs."""
    accepted, output = Nginx(text).test()
    assert accepted, output
    return Counter(re.findall(r"\[warn\] (?:\d+#\d+: )?(conflicting .*)", output))


def servers(dice: random.Random, case: int) -> str:
    listen = f"127.0.{case}.1:{{port}}"
    text = ""
    for mark in "123"[: dice.randint(2, 3)]:
        lines = [
            f"server_name {' '.join(dice.choices(NAMES, k=dice.randint(1, 3)))};"
            for _ in range(dice.choice((0, 1, 1, 1, 2)))
        ]
        options = " default_server" if mark == "2" and dice.random() < 0.3 else ""
        text += f"server {{ listen {listen}{options}; {' '.join(lines)} return 200 {mark}; }}\n"
    return text


def test_nginx_ignores_the_names_that_the_model_says_and_answers_as_it_says() -> None:
    dice = random.Random(95)
    text = "server { listen 127.0.0.1:{port}; }\n" + "".join(servers(dice, case) for case in range(1, CASES))
    config = config_of(text.replace("{port}", "15000"))
    assert Counter(re.sub(r":\d+,", ":P,", line) for line in said(config).elements()) == Counter(
        re.sub(r":\d+,", ":P,", line) for line in logged(text).elements()
    )
    assert sum(said(config).values()) > CASES / 2
    sockets = Sockets(config)
    with Nginx(text) as nginx:
        for case in range(1, CASES):
            (place,) = sockets.at(15000, f"127.0.{case}.1")
            for host in HOSTS:
                server = place.find(host)[0]
                mark = server.block.named("return")[0].values[1]
                assert ask(nginx.port, f"127.0.{case}.1", host) == mark, (case, host)


def ask(port: int, address: str, host: str) -> str:
    with socket.create_connection((address, port), 5) as connection:
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    return answer.rpartition(b"\r\n")[2].decode()


@pytest.mark.parametrize(
    "text",
    [
        "server { listen PORT; server_name a; } server { listen 0.0.0.0:PORT; server_name a; }",
        "server { listen PORT; listen [::]:PORT; server_name a b; } server { listen *:PORT; listen [0::0]:PORT; server_name B A; }",
        "server { listen PORT; server_name a; } server { listen 127.0.0.1:PORT; server_name a; }",
        "server { listen [::1]:PORT; server_name a; } server { listen [0:0::1]:PORT; server_name a; }",
        "server { listen unix:{folder}/s; server_name a; } server { listen unix:{folder}/s; server_name a; }",
        "server { listen PORT; server_name a; server_name a; }",
        "server { listen PORT; server_name a a; } server { listen PORT; }",
        "server { listen PORT; } server { listen PORT; } server { listen PORT; }",
        "server { listen PORT; } server { listen PORT; server_name ''; }",
        "server { listen PORT; server_name *.a; } server { listen PORT; server_name .a; } server { listen PORT; server_name a; }",
        "server { listen 127.0.0.1:PORT-1PORT; server_name a; } server { listen PORT; server_name a; }",
        "server { listen PORT; server_name É; } server { listen PORT; server_name é; }",
        "server { listen PORT; server_name $hostname; } server { listen PORT; server_name b; }",
    ],
)
def test_every_way_to_write_a_socket_and_a_name_is_compared_as_nginx_does(text: str) -> None:
    text = text.replace("1PORT", "18099").replace("PORT", "18091")
    config = config_of(text.replace("{folder}", "/tmp/names"))
    expected = Counter(re.sub(r"unix:\S+/s", "unix:/tmp/names/s", line) for line in logged(text).elements())
    assert said(config) == expected


def test_servers_without_a_listen_share_port_80() -> None:
    config = config_of("server { server_name a; } server { listen *:80; server_name a; }")
    assert said(config) == {'conflicting server name "a" on 0.0.0.0:80, ignored': 1}


def test_names_of_stream_servers_are_compared_from_the_version_on_that_knows_them() -> None:
    text = "stream { server { listen 1 ssl; server_name a; } server { listen 1 ssl; server_name a; } }"
    assert said(config_of(text, version=(1, 25, 5))) == {'conflicting server name "a" on 0.0.0.0:1, ignored': 1}
    assert not said(config_of(text, version=(1, 25, 4)))
    http = "http { server { listen 1; server_name a; } }\n"
    assert not said(
        config_of(
            http + text.replace("{ server {", "{ server { listen 2; } server {").replace("1 ssl", "2"),
            version=(1, 22, 1),
        )
    )
