"""Which nginx is installed here is read off the program, and asked of it only where that says nothing."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from nginxlint.cli import environment
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
    said = subprocess.run([binary, "-v"], capture_output=True, check=True, text=True).stderr
    numbers = re.search(r"/(\d+)\.(\d+)\.(\d+)", said)
    assert numbers and environment._version(environment._content(binary)) == tuple(map(int, numbers.groups()))
