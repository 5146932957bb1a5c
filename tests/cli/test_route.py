"""`nginxlint route`: what is said of a request on the command line."""

from __future__ import annotations

import json

from tests.cli.conftest import Run, write

CONF = "events {} http { server { listen 80; location / { proxy_set_header X-Seen $http_x_kind; proxy_pass http://127.0.0.1:81; } } }"


def test_a_header_given_twice_is_sent_twice(run: Run) -> None:
    write("nginx.conf", CONF)
    shown = run("route", "http://a.test/", "nginx.conf", "-H", "X-Kind: a", "-H", "x-kind: b").out
    assert "sends     X-Seen: a, b\n" in shown
    assert "sends     x-kind: a\n  sends     x-kind: b\n" in shown
    write("requests", json.dumps({"url": "http://a.test/", "headers": {"X-Kind": ["a", "b"]}}))
    answer = json.loads(run("route", "--requests", "requests", "nginx.conf", "-o", "jsonl").out)
    assert answer["upstream"]["headers"]["X-Seen"] == "a, b"


def test_some_headers_may_not_be_given_twice(run: Run) -> None:
    write("nginx.conf", CONF)
    shown = run("route", "http://a.test/", "nginx.conf", "-H", "If-Range: a", "-H", "If-Range: b").out
    assert "answer    400 (error)\n" in shown
