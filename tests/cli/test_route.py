"""`nginxlint route`: what is said of a request on the command line."""

from __future__ import annotations

import json
import os

import pytest

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


def test_the_nginx_that_runs_it_decides(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    write("nginx.conf", CONF)
    words = ("route", "http://a.test/", "nginx.conf", "-H", "X-Kind: a", "-H", "X-Kind: b")
    assert "X-Seen: a\n" in run(*words, "--nginx-version", "1.22.1").out
    assert run(*words, "--nginx-version", "new").code == 2
    monkeypatch.setattr("nginxlint.cli.configuration.live_version", lambda: (1, 22, 1))
    assert "X-Seen: a, b\n" in run(*words).out
    monkeypatch.setattr("nginxlint.inputs.LIVE", (os.path.abspath("nginx.conf"),))
    assert "X-Seen: a\n" in run(*words).out
