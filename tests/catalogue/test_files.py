"""Files that a configuration names are looked for where nginx looks for them, and said in its words."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from nginxlint.cli.main import main

NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
CERTIFICATES = Path(__file__).parents[2] / "nginxlint" / "demo" / "certificates"


def write(folder: Path, body: str) -> Path:
    """A configuration with two pairs of certificate and key beside it."""
    for name in ("good.pem", "wrong-name.pem"):
        shutil.copy(CERTIFICATES / name, folder / name)
    path = folder / "nginx.conf"
    path.write_text(f"error_log stderr;\npid {folder}/pid;\nevents {{}}\nhttp {{\naccess_log off;\n{body}\n}}\n")
    return path


def nginx_says(path: Path) -> str:
    assert NGINX is not None
    run = subprocess.run([NGINX, "-t", "-c", str(path), "-p", str(path.parent)], capture_output=True, check=False)
    found = re.search(r"\[emerg\] (?:\d+#\d+: )?(.*)", run.stderr.decode())
    return found[1] if found else ""


CASES = {
    "cert-file-missing": "server { listen 127.0.0.1:1 ssl; ssl_certificate no.pem; ssl_certificate_key good.pem; }",
    "cert-key-mismatch": "server { listen 127.0.0.1:1 ssl; ssl_certificate good.pem; ssl_certificate_key wrong-name.pem; }",
    "": "server { listen 127.0.0.1:1 ssl; ssl_certificate good.pem; ssl_certificate_key good.pem; }",
}


@pytest.mark.parametrize("rule", CASES)
def test_a_file_is_found_wanting_where_nginx_finds_it_wanting(
    rule: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, CASES[rule])
    code = main(["check", str(path), "-o", "concise", "--check-files", "always"])
    out = capsys.readouterr().out
    assert (f"[{rule}]" in out, code) == ((True, 1) if rule else (False, 0))
    if NGINX is not None:
        assert bool(nginx_says(path)) == bool(rule)


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed: 2 messages not compared")
@pytest.mark.parametrize("rule", [rule for rule in CASES if rule])
def test_the_message_is_nginx_s_own(rule: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, CASES[rule])
    main(["check", str(path), "-o", "json", "--check-files", "always"])
    said = re.search(r'"nginx_message": "(.*)"', capsys.readouterr().out)
    assert said is not None
    # OpenSSL's own codes differ by release: compare what stands before them
    assert said[1].replace('\\"', '"').partition("(SSL")[0] == nginx_says(path).partition("(SSL")[0]


def test_files_are_not_looked_for_in_a_loose_tree(tmp_path: Path) -> None:
    path = write(tmp_path, CASES["cert-file-missing"])
    assert main(["check", str(path), "-o", "concise"]) == 0
    assert main(["check", str(path), "-o", "concise", "--check-files", "never"]) == 0


def test_a_saved_nginx_v_decides_on_version_and_modules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, 'server { listen 81; more_set_headers "A: b"; }\nkeepalive_min_timeout 1s;')
    build = tmp_path / "build.txt"
    build.write_text("nginx version: nginx/1.22.1\nconfigure arguments: --with-http_ssl_module\n")
    assert main(["check", str(path), "-o", "concise", "--nginx-build", str(build)]) == 1
    out = capsys.readouterr().out
    assert "more_set_headers" in out
    assert "keepalive_min_timeout" in out
    build.write_text("hello\n")
    assert main(["check", str(path), "--nginx-build", str(build)]) == 2
