"""Which headers an upstream receives, held against what a backend behind nginx is sent."""

from __future__ import annotations

import re

import pytest

from nginxlint.config import NEWEST, Version
from nginxlint.routing.headers import RequestHeaders
from nginxlint.routing.upstreams import KEPT_BY_DEFAULT
from nginxlint.testing import config_of
from tests.oracle.nginx import PROGRAM, VERSION, Nginx

OLD = (1, 22, 1)


def headers(body: str, *, version: Version = NEWEST, family: str = "proxy", server: str = "") -> RequestHeaders:
    config = config_of(f"server {{ {server} location / {{ {body} }} }}", version=version)
    return RequestHeaders(config, config.scope(next(config.blocks("location"))), family)


@pytest.mark.parametrize(
    ("body", "version", "name", "value"),
    [
        ("", OLD, "Host", "$proxy_host"),
        ("", OLD, "connection", "close"),
        ("proxy_http_version 1.1;", OLD, "Connection", "close"),
        ("", NEWEST, "Connection", None),
        ("", OLD, "Upgrade", None),
        ("", OLD, "X-Forwarded-Proto", "$http_x_forwarded_proto"),
        ("proxy_pass_request_headers off;", OLD, "X-Forwarded-Proto", None),
        ("proxy_pass_request_headers off;", OLD, "Host", "$proxy_host"),
        ("proxy_set_header X-A b;", OLD, "Host", "$proxy_host"),
        ("proxy_set_header HOST $host;", OLD, "Host", "$host"),
        ("proxy_set_header Host a; proxy_set_header Host b;", OLD, "Host", "b"),
        ('proxy_set_header Host "";', OLD, "Host", None),
        ('proxy_set_header Host "";', NEWEST, "Host", "$proxy_host"),
        ('proxy_set_header Host ""; proxy_http_version 1.0;', NEWEST, "Host", None),
        ('proxy_set_header Accept-Encoding "";', OLD, "Accept-Encoding", None),
        ("proxy_cache z;", OLD, "Range", None),
        ("proxy_cache off;", OLD, "Range", "$http_range"),
        ("", (1, 30, 0), "Proxy-Connection", "$http_proxy_connection"),
        ("", NEWEST, "Proxy-Connection", None),
        ("proxy_http_version 2;", (1, 29, 4), "Connection", None),
    ],
)
def test_a_backend_receives_what_is_in_effect(body: str, version: Version, name: str, value: str | None) -> None:
    header = headers(body, version=version).of(name)
    assert (None if header is None else header.value) == value


def test_a_header_of_the_block_hides_those_around_but_not_the_built_in_ones() -> None:
    sent = headers("proxy_set_header X-A b;", server="proxy_set_header Host $host;", version=OLD)
    assert [repr(line) for line in sent.lines()] == [
        "Header(X-A: b)",
        "Header(Host: $proxy_host)",
        "Header(Connection: close)",
    ]


def test_grpc_has_lines_of_its_own() -> None:
    sent = headers("grpc_set_header Host a; proxy_set_header Host b;", family="grpc", version=OLD)
    assert [repr(line) for line in sent.lines()] == ["Header(Host: a)"]


NAMES = ("Host", "Connection", "Upgrade", "X-Forwarded-Proto", "Range", "If-Range", "Accept")
BODIES = (
    "",
    "proxy_http_version 1.1;",
    'proxy_http_version 1.1; proxy_set_header Connection "";',
    "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;",
    *(
        ['proxy_set_header Host ""; proxy_set_header Accept "";'] if VERSION < KEPT_BY_DEFAULT else []
    ),  # else HTTP/1.1: 400
    'proxy_http_version 1.0; proxy_set_header Host ""; proxy_set_header Accept "";',
    "proxy_set_header hOST given.test; proxy_set_header X-Forwarded-Proto https;",
    "proxy_pass_request_headers off;",
    "proxy_cache z;",
)


@pytest.mark.skipif(not PROGRAM, reason="nginx is not installed")
def test_nginx_sends_what_the_model_says() -> None:
    echo = "".join(f"[{name}=$http_{name.lower().replace('-', '_')}]" for name in NAMES)
    backend = f"server {{ listen unix:{{folder}}/backend; return 200 '{echo}[version=$nginx_version]'; }}"
    locations = "".join(
        f"location /{n} {{ {body} proxy_pass http://unix:{{folder}}/backend; }}" for n, body in enumerate(BODIES)
    )
    text = f"proxy_cache_path {{folder}}/c keys_zone=z:1m; {backend} server {{ listen {{port}}; {locations} }}"
    client = dict.fromkeys(NAMES, "mine") | {"Host": "visitor.test", "Connection": "close"}
    with Nginx(text) as nginx:
        for number in range(len(BODIES)):
            lines = "".join(f"{name}: {value}\r\n" for name, value in client.items())
            reply = nginx.exchange(f"GET /{number} HTTP/1.1\r\n{lines}\r\n".encode())
            received = dict(re.findall(r"\[([\w-]+)=(.*?)\]", reply.raw.decode()))
            known = {f"$http_{name.lower().replace('-', '_')}": value for name, value in client.items()}
            known["$proxy_host"] = "localhost"
            major, minor, patch = map(int, received["version"].split("."))
            config = config_of(text.replace("{folder}", ""), version=(major, minor, patch))
            sent = RequestHeaders(config, config.scope(list(config.blocks("location"))[number]))
            for name in NAMES:
                header = sent.of(name)
                expected = "" if header is None else known.get(header.value, header.value)
                assert received[name] == expected, (BODIES[number], name)
