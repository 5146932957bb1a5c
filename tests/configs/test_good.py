"""Configurations that run everywhere, from the documentation of what they serve: nginx takes them, and nginxlint has no
warning for them but those with a reason here."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.catalogue.nginx import installed
from tests.rules.test_fixes import ENVIRONMENT, TOO_OLD, judge

FOLDER = os.path.join(os.path.dirname(__file__), "good")
FILES = tuple(sorted(os.listdir(FOLDER)))

# What is said of them all the same, and why that is right.
RIGHT = {
    ("gitlab.conf", "realip-incomplete"): "the line does nothing until the proxies in front are named",
    ("gitea-subpath.conf", "websocket-http10"): "the documentation of nginx asks for HTTP/1.1; Go takes 1.0 as well",
    ("http3.conf", "arguments-invalid"): "HTTP/3 came with nginx 1.25.0",
    ("http3.conf", "directive-unknown"): "`http2 on` came with nginx 1.25.1",
    ("jenkins.conf", "upstream-keepalive-defeated"): "`'' close` closes what `keepalive 32` would keep",
    ("minio.conf", "realip-incomplete"): "the line does nothing until the proxies in front are named",
    ("odoo.conf", "websocket-http10"): "the documentation of nginx asks for HTTP/1.1; gevent takes 1.0 as well",
    ("wordpress-fastcgi-cache.conf", "cache-set-cookie"): "a plugin that starts a session for a guest shares it",
}


@pytest.fixture(scope="module")
def findings() -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for version in ("1.22.1", "1.31.5"):
        command = [sys.executable, "-m", "nginxlint", "check", "--no-config", "--no-cache", "-o", "json"]
        command += ["--nginx-version", version, *(os.path.join(FOLDER, name) for name in FILES)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        found += json.loads(done.stdout)["findings"]
    return found


def test_nothing_is_wrong_with_what_runs_everywhere(findings: list[dict[str, object]]) -> None:
    said = {
        (os.path.basename(str(one["root"])), str(one["rule"])): one["message"]
        for one in findings
        if one["severity"] != "info"
    }
    assert len(FILES) >= 80
    assert {key: message for key, message in said.items() if key not in RIGHT} == {}
    assert [key for key in RIGHT if key not in said] == [], "no longer said: take it off the table"


@pytest.mark.skipif(not installed(), reason=f"nginx is not installed: {len(FILES)} good configurations not tried")
@pytest.mark.parametrize("name", FILES)
def test_nginx_takes_a_good_configuration(name: str) -> None:
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        verdict = judge(file.read())
    assert verdict.ok or any(word in (verdict.message or "") for word in (*ENVIRONMENT, *TOO_OLD)), verdict
