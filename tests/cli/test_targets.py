"""`nginxlint targets`: everything nginx would talk to, and nothing is sent."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.cli.conftest import REPOSITORY, Run, write

CONF = """events {}
http {
    resolver 192.0.2.53 valid=5s;
    upstream app { server 192.0.2.1:8080; server unix:/run/app.sock backup; }
    server {
        listen 80;
        auth_request /auth;
        location / { proxy_pass http://app; proxy_connect_timeout 3s; }
        location /api/ { proxy_pass https://api.test/v1/; proxy_ssl_server_name on; proxy_set_header Host api.test; mirror /copy; }
        location = /auth { proxy_pass http://192.0.2.9:9000; }
        location /copy { internal; fastcgi_pass 192.0.2.10:9000; }
        location /any { proxy_pass http://$http_x_target; }
    }
}
stream { server { listen 5432; proxy_pass db.test:5432; } }
mail { auth_http 192.0.2.20:81/auth; server { listen 25; protocol smtp; } }
"""


def rows(run: Run) -> list[dict]:
    write("nginx.conf", CONF)
    outcome = run("targets", "nginx.conf", "-o", "json")
    assert outcome.code == 0
    return json.loads(outcome.out)["targets"]


def test_every_kind_of_target_is_listed_once(run: Run) -> None:
    found = {(row["directive"], row["scheme"], row["host"], row["port"], row["resolution"]) for row in rows(run)}
    assert found == {
        ("proxy_pass", "http", "192.0.2.1", 8080, "literal"),
        ("proxy_pass", "http", "unix:/run/app.sock", None, "unix"),
        ("proxy_pass", "https", "api.test", 443, "startup"),
        ("proxy_pass", "http", "192.0.2.9", 9000, "literal"),
        ("fastcgi_pass", "fastcgi", "192.0.2.10", 9000, "literal"),
        ("proxy_pass", "http", "$http_x_target", None, "dynamic"),
        ("stream", "tcp", "db.test", 5432, "startup"),
        ("resolver", "dns", "192.0.2.53", 53, "literal"),
        ("auth_http", "http", "192.0.2.20", 81, "literal"),
    }


def test_what_is_in_effect_there_is_told(run: Run) -> None:
    by_host = {row["host"]: row for row in rows(run)}
    api = by_host["api.test"]
    assert (api["tls"]["sni"], api["tls"]["verify"], api["host_header"]) == ("api.test", False, "api.test")
    assert by_host["192.0.2.1"]["timeouts"]["connect"] == 3
    assert by_host["unix:/run/app.sock"]["role"]["backup"] is True
    assert by_host["192.0.2.1"]["used_at"][0]["line"] == 8
    assert "$http_x_target" in by_host["$http_x_target"]["note"]
    assert {row["verdict"] for row in by_host.values()} == {"not-probed"}
    assert len({row["id"] for row in by_host.values()}) == len(by_host)


def test_subrequests_that_lead_to_a_target_are_told(run: Run) -> None:
    by_host = {row["host"]: [step["by"] for step in row["reached_by"]] for row in rows(run)}
    assert by_host["192.0.2.9"] == ["auth_request /auth"]
    assert by_host["192.0.2.10"] == ["mirror /copy"]
    assert by_host["api.test"] == []


def test_the_table_holds_what_an_operator_asks(run: Run) -> None:
    write("nginx.conf", CONF)
    lines = run("targets", "nginx.conf").out.splitlines()
    assert lines[0].split()[:2] == ["DIRECTIVE", "TARGET"]
    assert lines[-1] == "9 targets"
    api = next(line for line in lines if "api.test" in line)
    assert "https://api.test:443/v1/" in api
    assert "sni api.test, not verified" in api
    assert "nginx.conf:9" in api


def test_a_part_is_listed_and_called_incomplete(run: Run) -> None:
    write(
        "nginx.conf", "events {} http { include missing.conf; server { location / { proxy_pass http://192.0.2.1; } } }"
    )
    outcome = run("targets", "nginx.conf")
    assert outcome.code == 3
    assert "192.0.2.1:80" in outcome.out
    assert "missing.conf" in outcome.err


def test_listing_imports_no_network() -> None:
    code = (
        "import sys; import nginxlint.cli.targets, nginxlint.online.inventory; "
        "print(*{'asyncio', 'ssl', 'httpx', 'dns', 'jinja2', 'rich', 'logging'} & set(sys.modules))"
    )
    environment = {**os.environ, "PYTHONPATH": REPOSITORY}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
