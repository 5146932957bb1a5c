"""Which nginx is installed here is read off the program, and asked of it only where that says nothing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from nginxlint.cli import environment
from tests.cli.conftest import Run
from tests.oracle.nginx import WRAPPED


@pytest.mark.parametrize(
    ("content", "version"),
    [
        (b"\x7fELF...\0nginx version: nginx/1.22.1\n\0...", (1, 22, 1)),
        (b"\x7fELF...\0nginx version: openresty/1.21.4.1\n\0...", (1, 21, 4)),
        (b"#!/bin/sh\necho 'nginx ver''sion: nginx/1.25.3' >&2\n", (1, 25, 3)),
        (b"#!/bin/sh\nexit 1\n", None),
        (b"\x7fELF that nobody can run", None),
    ],
    ids=["a program", "another build", "a script that starts it", "a script that fails", "no program"],
)
def test_the_version_of_the_program(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes, version: tuple[int, int, int] | None
) -> None:
    binary = tmp_path / "nginx"
    binary.write_bytes(content)
    binary.chmod(0o755)
    monkeypatch.setattr(environment, "BINARIES", (str(tmp_path / "absent"), str(binary)))
    assert environment.live_version() == version


@pytest.mark.skipif(WRAPPED, reason="a wrapper does not hold the version: it is asked")
def test_a_real_nginx_says_what_is_read_off_it() -> None:
    binary = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if binary is None:
        pytest.skip("one case: nginx is absent")
    said = subprocess.run([binary, "-V"], capture_output=True, check=True, text=True).stderr.splitlines()
    assert environment._held_by(binary).splitlines() == [said[0], said[-1]]


@pytest.mark.parametrize(
    ("build", "rules"),
    [
        (b"nginx/1.22.1\n\0configure arguments: --with-http_ssl_module\n\0", ["directive-unknown"] * 3),
        (b"nginx/1.22.1\n\0configure arguments: --with-stream\n\0", ["directive-unknown"] * 2),
        (b"nginx/1.27.4 (nginx-plus-r34)\n\0configure arguments: --with-stream\n\0", ["directive-unknown"]),
        (b"nginx/1.22.1\n\0", ["directive-unknown"]),
    ],
)
def test_the_live_tree_is_judged_for_the_build_of_the_program(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, build: bytes, rules: list[str]
) -> None:
    binary = tmp_path / "nginx"
    binary.write_bytes(b"\x7fELF\0nginx version: " + build)
    binary.chmod(0o755)
    path = tmp_path / "nginx.conf"
    path.write_text("events {}\nhttp { image_filter off; server { status_zone a; } }\nstream {}\n")
    monkeypatch.setattr(environment, "BINARIES", (str(binary),))
    monkeypatch.setattr("nginxlint.inputs.LIVE", (str(path),))
    found = run("check", "-o", "concise", "--select", "directive-unknown", str(path)).rules
    assert found == rules
