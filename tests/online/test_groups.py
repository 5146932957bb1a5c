"""What is said of a group whose servers are not all alive: who answers, what share meets a dead one, how long it waits."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from nginxlint.online.options import Options
from nginxlint.online.stage import OnlineResult, run
from nginxlint.testing import config_of
from tests.online.fake import FakeNetwork, FakeStream, answers

OK = answers(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
DEAD = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")


def check(servers: str, alive: str, refusing: str = "", extra: str = "") -> OnlineResult:
    """The result for a group; who is neither alive nor refusing never answers."""
    peers: dict[str, OSError | Callable[[], FakeStream]] = {f"10.0.0.{number}:80": OK for number in alive}
    peers |= {f"10.0.0.{number}:80": DEAD for number in refusing}
    text = f"upstream g {{ {servers} }} server {{ {extra} location / {{ proxy_pass http://g; }} }}"
    options = Options(timeout=0.1, retry_pause=0.0, jitter=0.0)
    return run(config_of(f"events {{}} http {{ {text} }}", version=(1, 22, 1)), options, FakeNetwork(peers))


def said(result: OnlineResult, rule: str = "upstream-partly-down") -> list[str]:
    return [finding.message for finding in result.diagnostics if finding.rule == rule]


def servers(*options: str) -> str:
    return " ".join(f"server 10.0.0.{number} {option};" for number, option in enumerate(options, 1))


@pytest.mark.parametrize(
    ("group", "alive", "refusing", "sentence"),
    [
        (servers("", "", ""), "12", "3", "2 of 3 servers answer; 33% of new requests first meet a dead one"),
        (servers("weight=3", ""), "2", "1", "1 of 2 servers answer; 75% of new requests first meet a dead one"),
        (servers("weight=3", ""), "1", "2", "1 of 2 servers answer; 25% of new requests first meet a dead one"),
        (servers("", "", "backup"), "1", "23", "1 of 2 servers answer, 0 of 1 backups; 50% of new requests"),
        (servers("", "backup"), "1", "2", "1 of 1 servers answer, 0 of 1 backups (dead: 10.0.0.2:80)"),
        (servers("", "", "down"), "1", "2", "1 of 2 servers answer; 50% of new requests"),
    ],
)
def test_the_share_of_traffic_that_meets_a_dead_server_is_told(
    group: str, alive: str, refusing: str, sentence: str
) -> None:
    [message] = said(check(group, alive, refusing))
    assert sentence in message


@pytest.mark.parametrize(
    ("group", "alive", "wait"),
    [
        (servers("", ""), "1", "may wait 60 s"),
        (servers("", "", ""), "1", "may wait 120 s"),
    ],
)
def test_dead_servers_that_do_not_even_refuse_cost_their_connect_timeouts(group: str, alive: str, wait: str) -> None:
    [message] = said(check(group, alive))
    assert wait in message
    [message] = said(check(group, alive, extra="proxy_connect_timeout 2s;"))
    assert wait.replace("60", "2").replace("120", "4") in message


def test_where_only_a_backup_is_alive_visitors_are_served_by_it() -> None:
    result = check(servers("", "backup"), "2", "1")
    assert not said(result, "upstream-no-live-peer")
    assert [row["predicted_status"] for row in result.targets_json] == [200, 200]


def test_a_group_of_which_all_are_alive_is_no_finding() -> None:
    assert not check(servers("", "weight=5", "backup"), "123").diagnostics
