"""The options of a rule in nginxlint.toml: they reach it, and a wrong one is refused."""

from __future__ import annotations

import pytest

from tests.cli.conftest import GOOD, Run, write

RULE = "proxy-third-party-host"
CHECK = ("check", "nginx.conf", "-o", "concise", "--select", RULE)
TARGETS = "location / { proxy_pass https://api.example.com; } location /s { proxy_pass http://192.0.2.9; }"


@pytest.mark.parametrize(
    ("settings", "hosts"),
    [
        ("", ["api.example.com"]),
        ('domains = ["example.com"]', []),
        ('domains = ["xample.com", "com.example"]', ["api.example.com"]),
        ('domains = ["API.example.com."]', []),
        ('domains = ["api.example.com.evil.test"]', ["api.example.com"]),
    ],
)
def test_the_listed_domains_reach_the_rule(run: Run, settings: str, hosts: list[str]) -> None:
    write("nginx.conf", GOOD.replace("return 204;", TARGETS))
    write("nginxlint.toml", f"[rules.{RULE}]\n{settings}\n")
    found = run(*CHECK)
    assert [host for host in ("api.example.com", "192.0.2.9") if host in found.out] == hosts


def test_addresses_of_the_internet_are_listed_as_networks(run: Run) -> None:
    write("nginx.conf", GOOD.replace("return 204;", "location / { proxy_pass http://8.8.8.8; }"))
    assert run(*CHECK).rules == [RULE]
    write("nginxlint.toml", f'[rules.{RULE}]\ndomains = ["8.8.8.0/24"]\n')
    assert run(*CHECK).rules == []


def test_it_is_off_unless_it_is_selected(run: Run) -> None:
    write("nginx.conf", GOOD.replace("return 204;", "location / { proxy_pass https://8.8.8.8; }"))
    assert RULE not in run("check", "nginx.conf", "-o", "concise").rules


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ('domains = "example.com"', f'nginxlint.toml:2: "domains" of the rule {RULE} has to be a list'),
        ('domain = ["example.com"]', f'nginxlint.toml:2: the rule {RULE} has no option "domain"; it has domains'),
    ],
)
def test_a_wrong_option_is_refused(run: Run, option: str, said: str) -> None:
    write("nginx.conf", GOOD)
    write("nginxlint.toml", f"[rules.{RULE}]\n{option}\n")
    found = run(*CHECK)
    assert found.code == 2 and said in found.err


@pytest.mark.parametrize(
    ("limits", "seconds"),
    [("app = 20", "20 s"), ('"*" = 15', "15 s"), ('app = 10\n"*" = 15', "10 s"), ("app = 75", ""), ("other = 20", "")],
)
def test_idle_limits_of_groups_reach_the_rule_on_their_race(run: Run, limits: str, seconds: str) -> None:
    group = "http { upstream app { server 192.0.2.9:80; keepalive 8; }"
    write("nginx.conf", GOOD.replace("http {", group).replace("return 204;", "location / { proxy_pass http://app; }"))
    write("nginxlint.toml", f"[rules.upstream-keepalive-race.idle_limits]\n{limits}\n")
    found = run("check", "nginx.conf", "-o", "concise", "--select", "upstream-keepalive-race")
    assert found.rules == (["upstream-keepalive-race"] if seconds else [])
    assert f"close them after {seconds}" in found.out or not seconds
