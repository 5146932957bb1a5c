"""Which files nginx opens when it starts, and what it says of those that are absent or of the wrong kind."""

from __future__ import annotations

import os
import re
import shutil

import pytest

from nginxlint.catalogue.files import check_files
from nginxlint.catalogue.refusal import Refusal
from nginxlint.config import NEWEST, Config
from nginxlint.files import Disk
from nginxlint.includes import load
from tests.catalogue.nginx import installed, judge
from tests.catalogue.test_against_nginx import target
from tests.catalogue.test_parsers import AROUND

PEM = os.path.join(os.path.dirname(__file__), "..", "..", "nginxlint", "demo", "certificates")
GOOD = "ssl_certificate FOLDER/good.pem; ssl_certificate_key FOLDER/good.pem;"
CASES = [
    ("server", GOOD),
    ("server", "ssl_certificate FOLDER/good.pem; ssl_certificate_key FOLDER/client.pem;"),
    ("server", "ssl_certificate FOLDER/garbage.pem; ssl_certificate_key FOLDER/good.pem;"),
    ("server", "ssl_certificate FOLDER/empty.pem; ssl_certificate_key FOLDER/good.pem;"),
    ("server", "ssl_certificate FOLDER/good.pem; ssl_certificate_key FOLDER/garbage.pem;"),
    ("server", "ssl_certificate /nope; ssl_certificate_key /nope;"),
    ("server", "ssl_certificate /nope/$host; ssl_certificate_key /nope;"),
    ("server", f"{GOOD} ssl_client_certificate /nope;"),
    ("server", f"{GOOD} ssl_client_certificate /nope; ssl_verify_client on;"),
    ("server", f"{GOOD} ssl_client_certificate FOLDER/garbage.pem; ssl_verify_client on;"),
    ("server", f"{GOOD} ssl_client_certificate FOLDER/ca.pem; ssl_verify_client on;"),
    ("server", f"{GOOD} ssl_trusted_certificate /nope;"),
    ("server", f"{GOOD} ssl_trusted_certificate FOLDER/garbage.pem;"),
    ("server", f"{GOOD} ssl_dhparam /nope;"),
    ("server", f"{GOOD} ssl_dhparam FOLDER/garbage.pem;"),
    ("server", f"{GOOD} ssl_crl /nope;"),
    ("server", f"{GOOD} ssl_crl FOLDER/garbage.pem;"),
    ("server", f"{GOOD} ssl_crl FOLDER/ca.pem;"),
    ("server", f"{GOOD} ssl_session_ticket_key /nope;"),
    ("server", f"{GOOD} ssl_session_ticket_key FOLDER/garbage.pem;"),
    ("server", f"{GOOD} ssl_stapling on; ssl_stapling_file /nope;"),
    ("server", f"{GOOD} ssl_stapling_file /nope;"),
    ("server", "ssl_session_ticket_key /nope; ssl_dhparam /nope; ssl_crl /nope; ssl_trusted_certificate /nope;"),
    ("server", "ssl_password_file /nope;"),
    ("http", f"ssl_certificate /nope; ssl_certificate_key /nope; server {{ {GOOD} }}"),
    ("http", "ssl_certificate /nope; ssl_certificate_key /nope;"),
    ("http", "ssl_certificate /nope; ssl_certificate_key /nope; server { }"),
    ("location", "proxy_ssl_certificate /nope; proxy_ssl_certificate_key /nope; proxy_pass http://127.0.0.1;"),
    ("location", "proxy_ssl_certificate /nope; proxy_ssl_certificate_key /nope; proxy_pass https://127.0.0.1;"),
    ("location", "proxy_ssl_trusted_certificate /nope; proxy_pass https://127.0.0.1;"),
    ("location", "proxy_ssl_trusted_certificate /nope; proxy_ssl_verify on; proxy_pass https://127.0.0.1;"),
    ("location", "proxy_ssl_trusted_certificate /nope; proxy_ssl_verify on; proxy_pass http://127.0.0.1;"),
    ("location", "proxy_ssl_crl /nope; proxy_pass https://127.0.0.1;"),
    ("location", "proxy_ssl_password_file /nope; proxy_pass http://127.0.0.1;"),
    ("location", "grpc_ssl_trusted_certificate /nope; grpc_ssl_verify on; grpc_pass grpcs://127.0.0.1:1;"),
    ("location", "grpc_ssl_trusted_certificate /nope; grpc_ssl_verify on; grpc_pass grpc://127.0.0.1:1;"),
    ("ss", "listen 127.0.0.1:11 ssl; proxy_pass 127.0.0.1:1; ssl_certificate /nope; ssl_certificate_key /nope;"),
    ("ss", "proxy_pass 127.0.0.1:1; ssl_certificate /nope; ssl_certificate_key /nope;"),
    ("ss", "proxy_pass 127.0.0.1:1; proxy_ssl on; proxy_ssl_certificate /nope; proxy_ssl_certificate_key /nope;"),
    ("ss", "proxy_pass 127.0.0.1:1; proxy_ssl_certificate /nope; proxy_ssl_certificate_key /nope;"),
    ("ms", "listen 127.0.0.1:25; ssl_certificate /nope; ssl_certificate_key /nope;"),
    ("ms", "listen 127.0.0.1:25; starttls on; ssl_certificate /nope; ssl_certificate_key /nope;"),
    ("main", "load_module /nope.so;"),
    ("http", "proxy_cache_path /nope/a/b levels=1:2 keys_zone=a:1m;"),
    ("http", "fastcgi_cache_path FOLDER/cache keys_zone=a:1m;"),
    ("http", "proxy_cache_path FOLDER/good.pem keys_zone=a:1m;"),
    ("location", "proxy_temp_path /nope/temp 1 2;"),
    ("location", "uwsgi_temp_path FOLDER/temp/;"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    place = str(tmp_path_factory.mktemp("certificates"))
    for name in ("good.pem", "client.pem", "ca.pem"):
        shutil.copy(os.path.join(PEM, name), place)
    for name, content in (("garbage.pem", "garbage\n"), ("empty.pem", "")):
        with open(os.path.join(place, name), "w", encoding="utf-8") as stream:
            stream.write(content)
    return place


def found(text: str) -> list[Refusal]:
    config = Config("nginx.conf", load(Disk("/nonexistent"), "nginx.conf", text))
    return list(check_files(config.find, lambda path, in_prefix: path, target().version if installed() else NEWEST))


@pytest.mark.skipif(not installed(), reason="nginx is not installed, or no stream and mail")
@pytest.mark.parametrize(("place", "text"), CASES, ids=[f"{place}: {text}"[:90] for place, text in CASES])
def test_a_file_is_missed_where_nginx_misses_it_and_in_its_words(place: str, text: str, folder: str) -> None:
    configuration = AROUND[place] % text.replace("FOLDER", folder)
    verdict = judge(configuration)
    refusals = found(configuration)
    said = re.sub(r" \(SSL: .*", "", verdict.message or "")
    ours = re.sub(r" \(SSL: .*", "", refusals[0].nginx_message or "") if refusals else ""
    assert ours == said


def test_a_password_file_that_is_absent_shuts_everybody_out_but_does_not_stop_nginx() -> None:
    refusals = found('events {} http { server { auth_basic "x"; auth_basic_user_file /nope/htpasswd; } }')
    assert [(one.rule, one.blocks_start) for one in refusals] == [("auth-file-missing", False)]


def test_a_key_of_another_certificate_is_shown_beside_it(folder: str) -> None:
    text = f"ssl_certificate {folder}/good.pem; ssl_certificate_key {folder}/client.pem;"
    (refusal,) = found(f"events {{}} http {{ server {{ {text} }} }}")
    assert refusal.rule == "cert-key-mismatch"
    assert refusal.span.text == f"{folder}/client.pem"
    assert "good.pem" in refusal.related[0].span.text


def test_a_file_nobody_may_read_is_not_judged(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.open", forbidden)
    text = f"ssl_certificate {folder}/garbage.pem; ssl_certificate_key {folder}/garbage.pem;"
    assert found(f"events {{}} http {{ server {{ {text} }} }}") == []
