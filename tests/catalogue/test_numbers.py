"""Numbers, sizes, times and addresses, by tables of what nginx makes of them (src/core/ngx_parse*.c, ngx_inet.c)."""

from __future__ import annotations

import pytest

from nginxlint.catalogue.addresses import inet6_address, inet_address, is_public, parse_network, parse_url
from nginxlint.catalogue.numbers import parse_fixed_point, parse_number, parse_offset, parse_size, parse_time


@pytest.mark.parametrize(
    ("text", "value"),
    [("10", 10), ("1k", 1024), ("1K", 1024), ("2m", 2097152), ("1g", None), ("", None), ("k", None), ("-1", None),
     ("1kb", None), ("1.5k", None), ("9223372036854775807", 9223372036854775807), ("9223372036854775808", None),
     ("9007199254740992k", None), ("٣", None), ("1²", None)],
)  # fmt: skip
def test_sizes(text: str, value: int | None) -> None:
    assert parse_size(text) == value


@pytest.mark.parametrize(("text", "value"), [("1g", 1 << 30), ("1G", 1 << 30), ("1t", None), ("0", 0)])
def test_offsets_know_gigabytes(text: str, value: int | None) -> None:
    assert parse_offset(text) == value


@pytest.mark.parametrize(
    ("text", "milliseconds", "seconds"),
    [("1", 1000, 1), ("1s", 1000, 1), ("5ms", 5, None), ("1m", 60000, 60), ("1h30m", 5400000, 5400),
     ("1h 30m", 5400000, 5400), ("30m1h", None, None), ("1y", None, 31536000), ("1M", None, 2592000),
     ("1w", 604800000, 604800), ("1d1w", None, None), ("1m1m", None, None), ("", None, None), ("s", None, None),
     ("1sec", None, None), ("1m 5", 65000, 65), ("1s5ms", 1005, None), ("5ms1", 1005, None), (" 5", 5000, 5),
     ("1x", None, None), ("-1", None, None)],
)  # fmt: skip
def test_times(text: str, milliseconds: int | None, seconds: int | None) -> None:
    assert parse_time(text) == milliseconds
    assert parse_time(text, seconds=True) == seconds


@pytest.mark.parametrize(
    ("text", "value"), [("50", 5000), ("0.5", 50), ("0.55", 55), ("0.555", None), (".5", 50), ("", None)]
)
def test_fixed_point(text: str, value: int | None) -> None:
    assert parse_fixed_point(text, 2) == value


def test_a_number_of_any_length_is_judged_at_once() -> None:
    assert parse_number("9" * 1_000_000) is None


@pytest.mark.parametrize(
    ("text", "error", "host", "port", "uri"),
    [("127.0.0.1", "", "127.0.0.1", 80, ""), ("127.0.0.1:81/x", "", "127.0.0.1", 81, "/x"), ("a?b", "", "a", 80, "?b"),
     ("[::1]:8", "", "[::1]", 8, ""), ("[::1", "invalid host", "", 0, ""), ("::1", "invalid port", "", 0, ""),
     ("a:0", "invalid port", "", 0, ""), ("", "no host", "", 80, ""), ("unix:/a:/b", "", "/a", 0, "/b"),
     ("unix:", "no path in the unix domain socket", "", 0, ""), ("[]:80", "no host", "[]", 80, ""),
     ("a/b:1", "", "a", 80, "/b:1")],
)  # fmt: skip
def test_urls(text: str, error: str, host: str, port: int, uri: str) -> None:
    url = parse_url(text, uri_part=True, default_port=80)
    assert (url.error, url.host, url.port, url.uri) == (error, host, port, uri)


@pytest.mark.parametrize(
    ("text", "valid"),
    [("::", True), ("::1", True), ("1::", True), ("1:2:3:4:5:6:7:8", True), ("1:2:3:4:5:6:7", False), ("1::2::3", False),
     (":::", False), ("::1.2.3.4", True), ("::g", False), ("12345::", False), ("1:2:3:4:5:6:1.2.3.4", True), ("", False),
     ("1.2.3.4", False), ("::1.2.3", False)],
)  # fmt: skip
def test_addresses_of_ipv6(text: str, valid: bool) -> None:
    assert (inet6_address(text) is not None) is valid


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("1.2.3.4", b"\1\2\3\4"),
        ("1.2.3", None),
        ("1..2.3", b"\1\0\2\3"),
        ("256.1.1.1", None),
        ("a.b.c.d", None),
        ("", None),
    ],
)
def test_addresses_of_ipv4(text: str, octets: bytes | None) -> None:
    assert inet_address(text) == octets


@pytest.mark.parametrize(
    ("text", "bits", "host_bits"),
    [
        ("10.0.0.0/8", 8, False),
        ("10.0.0.1/8", 8, True),
        ("10.0.0.1", 32, False),
        ("::/0", 0, False),
        ("::1/64", 64, True),
    ],
)
def test_networks(text: str, bits: int, host_bits: bool) -> None:
    network = parse_network(text)
    assert network is not None
    assert (network.bits, network.host_bits) == (bits, host_bits)
    assert parse_network("10.0.0.0/33") is None
    assert parse_network("10.0.0.0/") is None


@pytest.mark.parametrize(
    ("text", "public"),
    [("8.8.8.8", True), ("2606:4700::/32", True), ("0.0.0.0/0", True), ("10.1.2.3", False), ("172.32.0.1", True),
     ("172.31.0.0/16", False), ("127.0.0.11", False), ("169.254.1.1", False), ("fe80::1", False), ("fd00::/8", False),
     ("::1", False), ("240.0.0.1", False), ("example.com", False), ("", False)],
)  # fmt: skip
def test_public_addresses(text: str, public: bool) -> None:
    assert is_public(text) is public
