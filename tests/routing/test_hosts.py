"""Which hosts nginx refuses, before and since 1.29.4; the lists are what 1.22.1 and 1.30.6 did with them."""

from __future__ import annotations

import random

import pytest

from nginxlint.error import NginxlintError
from nginxlint.routing.request import Request, request_of_url
from nginxlint.routing.router import Router
from nginxlint.testing import config_of
from tests.oracle.nginx import PROGRAM, VERSION, Nginx

ALWAYS_READ = (
    "a:",
    "a:0",
    "a.:80",
    "[::1]",
    "[::1]:80",
    "[zz]",
    "[]",
    "[::1]:",
    "a.",
    ".a",
    "a:080",
    "[v1.x]",
    "a%zz",
    "a.:",
    "-",
    "*",
    "a_b",
    "a~b",
)
ALWAYS_REFUSED = (".", ":80", "a..b", "a/b", "a b", "a\x7f")
REFUSED_NOW = (
    "a:x", "a:8x", "a:65536", "a:1:2", "a:80:", "[::1]x", "[::1", "[1%25x]", "a]", "a[", "[::1].", "[::1]:x", "\u00e9.test", *(f"a{sign}b" for sign in '"#<>?@\\^`{|}'),
)  # fmt: skip


def status(host: str, version: tuple[int, int, int]) -> int | None:
    config = config_of("http { server { listen 80; return 204; } }", version=version)
    return Router(config).route(Request("/", headers={"host": host}, complete=True)).status


@pytest.mark.parametrize("host", ALWAYS_READ)
def test_these_are_hosts_for_every_nginx(host: str) -> None:
    assert (status(host, (1, 29, 3)), status(host, (1, 29, 4))) == (204, 204)


@pytest.mark.parametrize("host", ALWAYS_REFUSED)
def test_these_are_hosts_for_none(host: str) -> None:
    assert (status(host, (1, 29, 3)), status(host, (1, 29, 4))) == (400, 400)


@pytest.mark.parametrize("host", REFUSED_NOW)
def test_these_are_refused_since_hosts_are_read_by_rfc_3986(host: str) -> None:
    assert (status(host, (1, 29, 3)), status(host, (1, 29, 4))) == (204, 400)


def test_a_port_of_thousands_of_digits_is_too_high_and_no_fault_of_ours() -> None:
    digits = "1" * 5000
    assert (status(f"a:{digits}", (1, 29, 3)), status(f"a:{digits}", (1, 29, 4))) == (204, 400)
    assert status("a:" + "0" * 5000 + "80", (1, 29, 4)) == 204
    for url, on in ((f"http://a:{digits}/", ""), ("http://a/", f"127.0.0.1:{digits}")):
        with pytest.raises(NginxlintError):
            request_of_url(url, on=on)
    assert request_of_url(f"http://1.2.3.{digits}/").address == ""


@pytest.mark.skipif(not PROGRAM, reason="nginx is not installed")
def test_the_nginx_that_is_installed_reads_hosts_so() -> None:
    dice = random.Random(3986)
    hosts = [host for host in (*ALWAYS_READ, *ALWAYS_REFUSED, *REFUSED_NOW) if host.isascii()]
    hosts += [f"a{chr(code)}b" for code in range(0x21, 0x7F)]
    hosts += ["".join(dice.choices("a.:[]19%@-_~<", k=dice.randint(1, 9))) for _ in range(400)]
    with Nginx("server { listen 127.0.0.1:{port}; location / { return 204; } }") as nginx:
        seen = {host: nginx.ask("/", host=host).status for host in hosts}
    assert seen == {host: status(host, VERSION) for host in hosts}
