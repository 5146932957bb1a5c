"""Servers of a group that do not answer alike."""

from __future__ import annotations

import errno

import pytest

from nginxlint.demo.upstreams import World
from nginxlint.online.options import Options
from nginxlint.online.stage import run
from nginxlint.testing import config_of
from tests.online.fake import FakeNetwork, answers

REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")


def told(*heads: str | OSError, options: str = "") -> list[str]:
    """What is said of a group whose servers answer with these heads (status, then headers)."""
    peers = {
        f"10.0.0.{n}:81": head if isinstance(head, OSError) else answers(f"HTTP/1.1 {head}\r\n\r\n".encode())
        for n, head in enumerate(heads, 1)
    }
    last = len(heads)
    servers = "".join(f"server 10.0.0.{n}:81{options if n == last else ''};" for n in range(1, last + 1))
    text = f"events {{}} http {{ upstream app {{ {servers} }} server {{ location / {{ proxy_pass http://app; }} }} }}"
    result = run(config_of(text, version=(1, 22, 1)), Options(timeout=0.1, jitter=0.0), FakeNetwork(peers))
    found = [one for one in result.diagnostics if one.rule == "upstream-peers-differ"]
    assert {one.severity.word for one in found} <= {"info"}
    return [one.message.removeprefix("the servers of upstream app differ: ") for one in found]


def test_who_differs_is_named_and_what_the_others_do() -> None:
    assert told("200 OK", "404 No", "200 OK") == ["10.0.0.2:81 → 404; 2 others → 200"]
    assert told("200 OK", "302 F\r\nLocation: /x") == ["10.0.0.2:81 → 302; 10.0.0.1:81 → 200"]


def test_another_software_or_version_of_it_is_told() -> None:
    assert told("200 OK\r\nServer: a/1", "200 OK\r\nServer: a/2") == [
        "10.0.0.2:81 → Server: a/2; 10.0.0.1:81 → Server: a/1"
    ]
    assert told("200 OK\r\nServer: a/1", "200 OK") == ["10.0.0.2:81 → no Server header; 10.0.0.1:81 → Server: a/1"]


def test_what_a_server_calls_itself_cannot_reach_a_terminal() -> None:
    [message] = told("200 OK\r\nServer: a", "200 OK\r\nServer: \x1b[2Jb")
    assert "\x1b" not in message


@pytest.mark.parametrize(
    ("heads", "options"),
    [
        (("200 OK\r\nServer: a", "200 OK\r\nServer: a"), ""),
        (("200 OK", "404 No"), " backup"),
        (("200 OK", "404 No"), " down"),
        (("200 OK", REFUSED), ""),
        (("200 OK",), ""),
    ],
)
def test_who_answers_alike_or_has_another_task_is_left_alone(heads: tuple[str | OSError, ...], options: str) -> None:
    assert told(*heads, options=options) == []


@pytest.mark.parametrize(
    ("sni", "names", "said"),
    [
        ("on", ("good", "wrong-name"), ["shows a certificate for other.example.test"]),
        ("on", ("good", "expired"), ["shows a certificate until"]),
        ("off", ("good", "wrong-name"), []),
        ("on", ("good", "good"), []),
    ],
)
def test_certificates_are_compared_where_all_are_asked_for_one_name(
    sni: str, names: tuple[str, str], said: list[str]
) -> None:

    with World() as world:
        servers = "".join(f"server 127.0.0.1:{world.port(f'tls-{name}', copy=n)};" for n, name in enumerate(names))
        location = f"proxy_ssl_server_name {sni}; proxy_ssl_name app.demo.test; proxy_pass https://app;"
        text = f"events {{}} http {{ upstream app {{ {servers} }} server {{ location / {{ {location} }} }} }}"
        result = run(config_of(text, version=(1, 22, 1)), Options(timeout=2, jitter=0.0))
    found = [one.message for one in result.diagnostics if one.rule == "upstream-peers-differ"]
    assert [any(part in message for message in found) for part in said] == [True] * len(said)
    assert bool(found) == bool(said)
