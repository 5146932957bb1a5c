"""Standard streams as callers leave them: closed, full, or of an encoding that knows few characters."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import BAD, GOOD, REPOSITORY, process, write

ALL = (
    "check --no-cache nginx.conf", "check --help", "rules", "rules -o json", "explain --all", "version", "--help",
 "completions zsh", "route http://a/ nginx.conf", "route --help", "targets nginx.conf", "graph nginx.conf",
)  # fmt: skip


def shell(command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """A line of shell, in which `nginxlint` is the program; what goes to standard output and error."""
    write(str(folder / "nginx.conf"), GOOD)
    write(str(folder / "bad.conf"), BAD)
    program = shlex.join([sys.executable, "-m", "nginxlint"])
    return subprocess.run(
        ["sh", "-c", f'nginxlint() {{ {program} "$@"; }}\n{command}'],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": REPOSITORY, "XDG_STATE_HOME": str(folder), **environment},
        capture_output=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("command", ALL)
@pytest.mark.parametrize("where", [">&-", ">/dev/full", ">&- <&- 2>&-"])
def test_what_cannot_be_written_is_no_success_and_no_bug(tmp_path: Path, command: str, where: str) -> None:
    result = shell(f"nginxlint {command} {where}", tmp_path)
    assert result.returncode == 2, result.stderr
    if "2>" not in where:
        assert b"the report cannot be written: " in result.stderr
    assert b"internal error" not in result.stderr


def test_a_diff_that_cannot_be_written_is_no_success(tmp_path: Path) -> None:
    result = shell("nginxlint check --diff --unsafe-fixes bad.conf >/dev/full", tmp_path)
    assert (result.returncode, result.stderr) == (
        2,
        b"nginxlint: the report cannot be written: No space left on device\n",
    )


@pytest.mark.parametrize("where", ["2>&-", "2>/dev/full"])
def test_a_closed_standard_error_changes_nothing(tmp_path: Path, where: str) -> None:
    for words, code in (
        ("check -v --timings --statistics nginx.conf", 0),
        ("check --statistics bad.conf", 1),
        ("check absent.conf", 2),
        ("", 2),
    ):
        result = shell(f"nginxlint {words} {where}", tmp_path)
        assert (result.returncode, result.stderr) == (code, b"")


@pytest.mark.parametrize(
    "command",
    [
        "check -",
        "check --judge - nginx.conf",
        "check --run-plan -",
        "route http://a/ -",
        "route --requests - nginx.conf",
    ],
)
def test_no_standard_input_is_wrong_use(tmp_path: Path, command: str) -> None:
    result = shell(f"nginxlint {command} <&-", tmp_path)
    assert (result.returncode, result.stderr) == (2, b"nginxlint: -: there is no standard input\n")


def test_requests_on_standard_input_may_hold_any_bytes(tmp_path: Path) -> None:
    result = shell(r"printf 'http://a/\377\nhttp://a/\n' | nginxlint route --requests - -o jsonl nginx.conf", tmp_path)
    assert (result.returncode, result.stdout.count(b"\n"), result.stderr) == (0, 2, b"")


@pytest.mark.parametrize("command", ALL)
def test_what_an_encoding_does_not_know_is_written_with_what_it_knows(tmp_path: Path, command: str) -> None:
    result = shell(f"nginxlint {command}", tmp_path, PYTHONIOENCODING="ascii")
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout.isascii()
    assert b"\\u2026" not in result.stdout or "json" in command


def test_a_terminal_of_no_size_is_as_wide_as_none(tmp_path: Path) -> None:
    """What `docker run -t`, `script` and many CI systems give."""
    write(str(tmp_path / "nginx.conf"), BAD)
    ours, theirs = os.openpty()
    with process("check", "--no-cache", "nginx.conf", cwd=str(tmp_path), stdout=theirs, env={"COLUMNS": ""}) as child:
        os.close(theirs)
        child.wait(30)
    assert b"location /img { alias /srv/img/; }" in os.read(ours, 10_000)
    os.close(ours)
