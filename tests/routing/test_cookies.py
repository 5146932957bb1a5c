"""$cookie_NAME, held against what nginx makes of the header."""

from __future__ import annotations

import random
import re

import pytest

from nginxlint.config import Version
from nginxlint.routing.request import request_of_url
from nginxlint.routing.router import Router
from nginxlint.testing import config_of
from tests.oracle.nginx import PROGRAM, VERSION, Nginx

SERVER = "server { listen 127.0.0.1:{port}; location / { return 302 /-$cookie_c-; } }"


def read(header: str, version: Version) -> str:
    config = config_of(f"events {{}} http {{ {SERVER.replace('{port}', '80')} }}", version=version)
    answer = Router(config).route(request_of_url("http://127.0.0.1/", headers={"cookie": header}, complete=True))
    return str(answer.redirect_to).partition("/-")[2]


@pytest.mark.parametrize(
    ("header", "version", "value"),
    [
        ("a=1; c=2; c=3", (1, 22, 1), "2"),
        ("C = 2 ; b", (1, 22, 1), "2 "),
        ("c=1, b=2", (1, 22, 1), "1, b=2"),
        ("b=2, c=1", (1, 29, 5), "1"),
        ("b=2, c=1", (1, 29, 6), ""),
        ("c; c=1", (1, 29, 6), ""),
        ("c ;; c=1", (1, 29, 6), "1"),
    ],
)
def test_a_cookie_ends_at_a_semicolon(header: str, version: Version, value: str) -> None:
    assert read(header, version) == f"{value}-"


@pytest.mark.skipif(not PROGRAM, reason="nginx is not installed")
def test_a_cookie_is_what_nginx_reads() -> None:
    dice = random.Random(1296)
    headers = ["c" * dice.randint(0, 1) + "".join(dice.choices("cCx=;, 1", k=dice.randint(1, 12))) for _ in range(300)]
    headers = [header for header in map(str.strip, headers) if header]
    with Nginx(SERVER) as nginx:
        for header in headers:
            reply = nginx.exchange(
                f"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nCookie: {header}\r\n\r\n".encode()
            )
            assert re.findall(r"Location: \S+?/-(.*)\r", reply.raw.decode()) == [read(header, VERSION)], header
