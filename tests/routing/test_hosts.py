"""Which hosts nginx refuses, before and since 1.29.4; the lists are what 1.22.1 and 1.30.6 did with them."""

from __future__ import annotations

import pytest

from nginxlint.routing.request import Request
from nginxlint.routing.simulate import Router
from nginxlint.testing import config_of

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
