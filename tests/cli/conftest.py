"""Run the command line in this process, or as a process of its own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nginxlint.cli.main import main

REPOSITORY = str(Path(__file__).parents[2])


class Outcome:
    """What one command line gave."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    @property
    def rules(self) -> list[str]:
        """The rule ids of a concise report, in order."""
        return [line.partition("[")[2].partition("]")[0] for line in self.out.splitlines() if "[" in line]


Run = Callable[..., Outcome]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """`run("check", "nginx.conf")` in a fresh folder, without settings or environment of this machine."""
    for name in [*os.environ]:
        if name.startswith(("NGINXLINT_", "GITHUB_")) or name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / ".git").mkdir()  # nothing above belongs to the project
    monkeypatch.chdir(folder)

    def go(*words: str, stdin: bytes = b"") -> Outcome:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = main(list(words))
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return go


def process(
    *words: str, cwd: str = REPOSITORY, env: dict[str, str] | None = None, **more: object
) -> subprocess.Popen[bytes]:
    """The command line as a process."""
    return subprocess.Popen(
        [sys.executable, "-m", "nginxlint", *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": REPOSITORY, **(env or {})},
        **more,  # type: ignore[call-overload]
    )


def write(path: str, text: str | bytes) -> None:
    """A file with its folders, below the current one."""
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode() if isinstance(text, str) else text)


GOOD = "events {}\nhttp {\n    server {\n        listen 8080;\n        return 204;\n    }\n}\n"
BAD = GOOD.replace("return 204;", "location /img { alias /srv/img/; }")
BROKEN = GOOD.replace("listen 8080;", "listen 8080")
REFUSED = GOOD.replace("return 204;", "retrun 204;")
