"""DNS servers of `resolver` lines that no known name asks: each gets one question."""

from __future__ import annotations

import pytest

from nginxlint.demo.dns import NameServer, Script, addresses, fails, no_data, silence
from nginxlint.demo.upstreams import World
from nginxlint.online.options import Options
from nginxlint.online.rows import Row
from nginxlint.online.stage import plan, run
from nginxlint.testing import config_of

QUICK = Options(timeout=0.3, jitter=0.0, dns_timeout=0.3)
ANY = "proxy_pass http://$http_x;"


def rows(resolver: str, location: str = ANY, options: Options = QUICK, more: str = "") -> list[Row]:
    text = f"events {{}} http {{ {more} resolver {resolver}; server {{ listen 80; location / {{ {location} }} }} }}"
    result = run(config_of(text, version=(1, 22, 1)), options)
    return [row for row in result.targets_json if row["directive"] == "resolver"]


@pytest.mark.parametrize(
    ("script", "code", "verdict", "status"),
    [
        (addresses("127.0.0.1"), "OK", "ok", None),
        (fails("NXDOMAIN"), "OK", "ok", None),
        (no_data(), "OK", "ok", None),
        (silence(), "RESOLVER_SILENT", "failed", 502),
        (fails("REFUSED"), "RESOLVER_REFUSES", "degraded", None),
        (fails("SERVFAIL"), "RESOLVER_FAILS", "degraded", None),
        (fails("FORMERR"), "RESOLVER_FAILS", "degraded", None),
    ],
)
def test_what_a_dns_server_says_to_a_harmless_question(script: Script, code: str, verdict: str, status: object) -> None:
    with NameServer({"localhost": script}) as names:
        [row] = rows(f"127.0.0.1:{names.port}")
    assert (row["code"], row["verdict"], row["predicted_status"]) == (code, verdict, status)
    assert (row["host"], row["port"], row["used_at"][0]["line"]) == ("127.0.0.1", names.port, 1)


def test_a_closed_port_is_a_silent_server() -> None:
    with World() as world:
        [row] = rows(f"127.0.0.1:{world.port('refusing')}")
    assert row["code"] == "RESOLVER_SILENT"


@pytest.mark.parametrize(("timeout", "verdict"), [("", "degraded"), ("resolver_timeout 5s;", "failed")])
def test_a_silent_server_beside_another_one_costs_time_if_nginx_waits_long_enough(timeout: str, verdict: str) -> None:
    with NameServer({"localhost": addresses("127.0.0.1")}) as good, NameServer({"localhost": silence()}) as bad:
        first, second = rows(f"127.0.0.1:{good.port} 127.0.0.1:{bad.port}", more=timeout)
    assert (first["verdict"], second["verdict"]) == ("ok", verdict)


@pytest.mark.parametrize(
    "location",
    [
        "set $b app.test; proxy_pass http://$b:81;",  # its lookup says more
        "proxy_pass http://127.0.0.1:1;",  # nobody asks it
    ],
)
def test_a_server_that_is_asked_for_names_or_by_nobody_gets_no_question(location: str) -> None:
    with NameServer({"localhost": addresses("127.0.0.1")}) as names:
        assert rows(f"127.0.0.1:{names.port}", location) == []


def test_where_the_user_names_another_server_those_of_the_configuration_are_left_alone() -> None:
    assert rows("127.0.0.1:1", options=Options(timeout=0.3, resolver="127.0.0.1:1")) == []


@pytest.mark.parametrize(
    ("vantage", "resolver", "code"),
    [
        ("server", "127.0.0.1:1", "RESOLVER_SILENT"),
        ("elsewhere", "127.0.0.1:1", "NOT_FROM_HERE"),
        ("local", "127.0.0.11:1", "NOT_FROM_HERE"),
        ("local", "127.0.0.1:1", "RESOLVER_SILENT"),
    ],
)
def test_a_server_that_is_only_there_is_not_judged_from_elsewhere(vantage: str, resolver: str, code: str) -> None:
    [row] = rows(resolver, options=Options(timeout=0.3, dns_timeout=0.3, vantage=vantage))
    assert row["code"] == code


def test_a_dry_run_says_what_would_be_asked() -> None:
    text = f"events {{}} http {{ resolver 10.0.0.53; server {{ listen 80; location / {{ {ANY} }} }} }}"
    assert "dns://10.0.0.53:53: send one question for localhost" in plan(config_of(text), QUICK)


def test_a_metadata_address_is_asked_nothing() -> None:
    [row] = rows("169.254.169.254")
    assert (row["verdict"], row["code"]) == ("not-probed", "SKIP_POLICY")
