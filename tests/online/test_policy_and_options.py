"""Whom we may contact, what a user may say, and what of a stranger's text reaches the report."""

from __future__ import annotations

import pytest

from nginxlint.error import NginxlintError
from nginxlint.online.options import Options, parse_override, parse_server
from nginxlint.online.policy import Policy, is_loopback
from nginxlint.online.units import seconds, size
from nginxlint.online.untrusted import clean


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.1.1",
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "2002:a9fe:a9fe::1",
        "64:ff9b::a9fe:a9fe",
        "fe80::1",
        "fd00:ec2::254",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
        "::ffff:224.0.0.1",
        "100.100.100.200",
        "not an address",
    ],
)
def test_these_addresses_are_never_dialled(address: str) -> None:
    assert Policy().address_denied(address)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "10.1.2.3", "192.168.0.1", "fd00::1", "8.8.8.8", "0.0.0.0", "::"]
)
def test_private_and_loopback_addresses_are_the_normal_case(address: str) -> None:
    assert Policy().address_denied(address) == ""


def test_the_users_lists_win_over_the_built_in_one_and_deny_over_allow() -> None:
    policy = Policy(allow=["169.254.0.0/16"], deny=["169.254.169.254", "10.0.0.0/8", "*.prod.test"])
    assert policy.address_denied("169.254.1.1") == ""
    assert "your deny list" in policy.address_denied("169.254.169.254")
    assert "your deny list" in policy.address_denied("::ffff:10.0.0.1")
    assert policy.name_denied("DB.prod.test.")
    assert not policy.name_denied("db.test.test")
    assert policy.name_denied("metadata.google.internal")


def test_the_unspecified_address_is_this_machine() -> None:
    assert is_loopback("0.0.0.0")
    assert is_loopback("::ffff:127.0.0.1")
    assert not is_loopback("10.0.0.1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("App.test:80:10.0.0.1", ("app.test", 80, ("10.0.0.1",), None)),
        ("app:*:10.0.0.1,[::1]", ("app", None, ("10.0.0.1", "::1"), None)),
        ("app:443:::1", ("app", 443, ("::1",), None)),
        ("app:443:[::1]", ("app", 443, ("::1",), None)),
        ("app:80:127.0.0.1:8080", ("app", 80, ("127.0.0.1",), 8080)),
        ("app:*:[::1]:8080", ("app", None, ("::1",), 8080)),
    ],
)
def test_an_override_names_host_port_and_addresses(
    text: str, expected: tuple[str, int | None, tuple[str, ...], int | None]
) -> None:
    assert parse_override(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "app",
        "app:80",
        "app:x:1.1.1.1",
        "app:0:1.1.1.1",
        "app:80:",
        "app:80:host",
        ":80:1.1.1.1",
        "app:80:1.1.1.1:0",
        "app:80:x:80",
    ],
)
def test_a_broken_override_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(NginxlintError, match="HOST:PORT:ADDRESS"):
        parse_override(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.53", ("10.0.0.53", 53)),
        ("127.0.0.1:5353", ("127.0.0.1", 5353)),
        ("[::1]:54", ("::1", 54)),
        ("::1", ("::1", 53)),
    ],
)
def test_a_resolver_is_an_address_with_an_optional_port(text: str, expected: tuple[str, int]) -> None:
    assert parse_server(text) == expected


@pytest.mark.parametrize(
    "wrong",
    [
        {"resolver": "dns.test"},
        {"resolver": "1.1.1.1:0"},
        {"resolver": "1.1.1.1:" + "9" * 5000},
        {"resolve": ("x:" + "9" * 5000 + ":1.1.1.1",)},
        {"probe_level": "udp"},
        {"timeout": 0.0},
        {"budget": -1.0},
        {"concurrency": 0},
        {"resolve": ("x",)},
    ],
)
def test_unusable_options_are_refused_at_once(wrong: dict[str, object]) -> None:
    with pytest.raises(NginxlintError):
        Options(**wrong)  # type: ignore[arg-type]


def test_one_timeout_caps_all_of_them() -> None:
    options = Options(timeout=1.5)
    assert (options.connect_limit, options.read_limit, options.dns_limit) == (1.5, 1.5, 1.5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("60s", 60.0), ("500ms", 0.5), ("1h 30m", 5400.0), ("90", 90.0), ("1m30s", 90.0), ("", 7.0), ("soon", 7.0)],
)
def test_times_are_read_as_nginx_reads_them(text: str, expected: float) -> None:
    assert seconds(text, 7.0) == expected


def test_sizes_are_read_as_nginx_reads_them() -> None:
    assert [size(text, 1) for text in ("8k", "1M", "512", "x")] == [8192, 1048576, 512, 1]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\u202eb", "a\\u202eb"),
        ("two\r\nlines", "two\\x0d\\x0alines"),
        ("\udcff", "\\udcff"),
        (b"caf\xe9", "caf\\xe9"),
        ("é — ü", "é — ü"),
    ],
)
def test_a_strangers_text_cannot_move_the_cursor_or_turn_the_line(text: str | bytes, shown: str) -> None:
    assert clean(text) == shown


def test_a_strangers_text_is_cut() -> None:
    assert len(clean("x" * 10_000)) == 200
    assert len(clean("\x00" * 10_000)) <= 200
