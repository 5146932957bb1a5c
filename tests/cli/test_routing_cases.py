"""`nginxlint test`: cases that hold, cases that do not, and cases that nobody can tell."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from tests.cli.conftest import Run, write

CONF = """events {}
http {
    upstream app { server 127.0.0.1:8080; }
    server {
        listen 80;
        server_name shop.test www.shop.test;
        location /api/ { proxy_pass http://app/v1/; proxy_set_header Host $host; proxy_set_header Cookie ""; }
        location /old { return 301 https://shop.test/new; }
        location ~ ^/(a+)+$ { return 200; }
        location /f/ { root /srv; try_files $uri =404; }
        location /h { if ($http_x) { return 403; } return 204; }
    }
}
"""
GOOD = """# kept
config = "nginx.conf"
[[case]]
url = "http://shop.test/api/users?x=1"
headers = { Accept = "*/*", Cookie = "a=b" }
[case.expect]
server = "www.shop.test"
location = "/api/"
action = "proxy"
upstream = "http://app"
upstream_uri = "/v1/users?x=1"
sent = { Host = "shop.test", accept = "*/*", Cookie = "" }
[[case]]
name = "old pages moved"
url = "http://shop.test/old"
expect = { status = 301, redirect = "https://shop.test/new" }
[[case]]
url = "http://shop.test/f/x"
files = ["/srv/f/x"]
expect = { status = 200 }
[[case]]
url = "http://shop.test/f/y"
files = []
expect = { status = 404 }
"""


@pytest.fixture(autouse=True)
def _configuration(run: Run) -> None:
    write("nginx.conf", CONF)


def test_cases_that_hold_pass(run: Run) -> None:
    write("cases.toml", GOOD)
    outcome = run("test", "cases.toml")
    assert (outcome.code, outcome.out) == (0, "4 passed, 0 failed\n")


@pytest.mark.parametrize(
    ("field", "actual"),
    [
        ('location = "/"', "/api/"), ("status = 404", "(none)"), ('upstream_uri = "/users?x=1"', "/v1/users?x=1"),
        ('upstream = "https://app"', "http://app"), ('server = "other"', "shop.test"), ('action = "return"', "proxy"),
        ('redirect = "/x"', "(none)"), ('sent = { Host = "app" }', "Host: shop.test"),
    ],
)  # fmt: skip
def test_what_is_not_as_expected_is_shown(run: Run, field: str, actual: str) -> None:
    write("cases.toml", f'[[case]]\nurl = "http://shop.test/api/users?x=1"\n[case.expect]\n{field}\n')
    outcome = run("test", "cases.toml", "nginx.conf")
    assert outcome.code == 1
    assert outcome.out.startswith(
        f"FAILED http://shop.test/api/users?x=1\n  {field.partition(' ')[0]}\n    - expected  "
    )
    assert f"    + actual    {actual}\n" in outcome.out
    assert outcome.out.endswith("0 passed, 1 failed\n")


@pytest.mark.parametrize(
    ("case", "passes"),
    [
        ('url = "http://shop.test/h"\nexpect = { status = 204 }', False),
        ('url = "http://shop.test/h"\nexpect = { location = "/h" }', True),
        ('url = "http://shop.test/h"\nheaders = {}\nexpect = { status = 204 }', True),
        ('url = "http://shop.test/h"\nheaders = { X = "1" }\nexpect = { status = 403 }', True),
        ('url = "http://shop.test/f/x"\nexpect = { status = 404 }', False),
        (f'url = "http://shop.test/{"a" * 70}!"\nexpect = {{ status = 500 }}', False),
    ],
)
def test_an_expectation_has_to_hold_whatever_is_unknown(run: Run, case: str, passes: bool) -> None:
    write("cases.toml", f"[[case]]\n{case}\n")
    outcome = run("test", "cases.toml", "nginx.conf")
    assert outcome.code == (0 if passes else 1)
    assert ("cannot tell: " in outcome.out) != passes


def test_of_a_broken_configuration_nothing_holds(run: Run) -> None:
    write("nginx.conf", CONF.rstrip().removesuffix("}"))
    write("cases.toml", GOOD)
    outcome = run("test", "cases.toml")
    assert outcome.code == 1
    assert outcome.out.endswith("0 passed, 4 failed\n")


def test_of_a_configuration_nginx_refuses_nothing_holds(run: Run) -> None:
    write("nginx.conf", CONF.replace("listen 80;", "listen 80"))
    write("cases.toml", GOOD)
    outcome = run("test", "cases.toml")
    assert outcome.code == 1
    assert 'nginx refuses this configuration: invalid parameter "server_name"' in outcome.out
    answer = json.loads(run("route", "http://shop.test/old", "nginx.conf", "-o", "json").out)
    assert (answer["status"], answer["certain"], answer["open"]) == (301, False, True)
    write("nginx.conf", CONF.replace("listen 80;", "listen 80; third_party on;"))
    assert run("test", "cases.toml").code == 0


def test_today_can_be_recorded_and_then_holds_until_it_changes(run: Run) -> None:
    assert run("test", "--write", "new.toml", "nginx.conf", "--url", 'http://shop.test/api/"q"').code == 0
    assert run("test", "new.toml", "nginx.conf").out == "1 passed, 0 failed\n"
    assert run("test", "--write", "all.toml", "nginx.conf").code == 0
    assert run("test", "all.toml", "nginx.conf").out == "5 passed, 0 failed\n"
    write("nginx.conf", CONF.replace("app/v1/", "app/v2/"))
    assert run("test", "new.toml", "nginx.conf").code == 1
    write("cases.toml", GOOD)
    assert run("test", "--write", "cases.toml").code == 0
    assert run("test", "cases.toml").out == "4 passed, 0 failed\n"
    with open("cases.toml") as file:
        text = file.read()
    assert text.startswith('# kept\nconfig = "nginx.conf"\n')
    assert "/v2/users?x=1" in text


def test_reports_for_programs(run: Run) -> None:
    write("cases.toml", GOOD.replace("status = 301", "status = 302").replace("moved", "moved <&\\u0001>"))
    assert run("test", "cases.toml", "-o", "junit:report.xml").code == 1
    suite = ElementTree.parse("report.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("4", "1")
    failure = suite.findall("testcase")[1].find("failure")
    assert failure is not None
    assert "302" in (failure.text or "")
    report = json.loads(run("test", "cases.toml", "-o", "json").out)
    assert [row["passed"] for row in report["results"]] == [True, False, True, True]


@pytest.mark.parametrize(
    "text",
    [
        "", "[[case]]\n", "[[case]]\nurl = 3\n", "[[case]]\nurl = ''\n", "[[case]]\nurl = 'a'\nexpct = {}\n", "case = 3\n", "x = 1\n",
        "[[case]]\nurl = 'http://a'\nexpect = { status = '3' }\n", "[[case]]\nurl = 'http://a'\nexpect = { stat = 3 }\n", "[[case\n",
        "[[case]]\nurl = 'ftp://a'\n", "[[case]]\nurl = 'http://a'\nheaders = { a = 1 }\n",
    ],
)  # fmt: skip
def test_a_wrong_file_is_wrong_use(run: Run, text: str) -> None:
    write("cases.toml", text)
    outcome = run("test", "cases.toml", "nginx.conf")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err
    assert run("test", "missing.toml", "nginx.conf").code == 2
    assert run("test", "cases.toml", "-o", "xml").code == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--client", "nobody"), '"nobody" is no address that a visitor can have'),
        (("--on", "localhost:80"), '"localhost:80": write ADDRESS:PORT, with the address in numbers'),
    ],
)
def test_route_wants_addresses_where_it_compares_them(run: Run, words: tuple[str, str], message: str) -> None:
    write("nginx.conf", "events {}\nhttp { server { listen 80; allow 10.0.0.0/8; deny all; } }\n")
    outcome = run("route", "http://a/", "nginx.conf", *words)
    assert (outcome.code, outcome.err) == (2, f"nginxlint: {message}\n")
    for client in ("10.1.2.3", "::1", "unix:"):
        assert run("route", "http://a/", "nginx.conf", "--client", client, "--on", "[::1]:80").code == 0


def test_bytes_that_are_not_utf_8_are_escapes_for_programs_and_hold_when_they_are_recorded(run: Run) -> None:
    write(
        "nginx.conf",
        b"events {}\nhttp { upstream caf\xe9 { server 127.0.0.1:1; }\n"
        b"server { listen 80; location /\xe9 { proxy_pass http://caf\xe9; } } }\n",
    )
    for words in (
        ("route", "http://x/%E9", "nginx.conf", "-o", "json"),
        ("route", "http://x/\udce9", "nginx.conf", "-o", "json"),
        ("targets", "nginx.conf", "-o", "json"),
    ):
        outcome = run(*words)
        assert outcome.code == 0
        json.dumps(json.loads(outcome.out), ensure_ascii=False).encode()  # no half characters
    assert run("test", "--write", "routes.toml", "nginx.conf").code == 0
    assert run("test", "--write", "--url", "http://x/\udce9", "more.toml", "nginx.conf").code == 0
    for name in ("routes.toml", "more.toml"):
        outcome = run("test", name, "nginx.conf")
        assert (outcome.code, outcome.out.splitlines()[-1]) == (0, "1 passed, 0 failed")


def test_half_a_character_in_a_line_of_json_is_told(run: Run) -> None:
    write("nginx.conf", CONF)
    for text in (b'{"url": "http://x/\\ud800"}', b'{"url": "http://x/", "a": ' + b"[" * 100_000):
        outcome = run("route", "--requests", "-", "nginx.conf", stdin=text)
        assert (outcome.code, outcome.err.startswith("nginxlint: -:1: no JSON: ")) == (3, True)
