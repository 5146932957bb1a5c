"""The hooks for pre-commit: the files they are for, and that their command lines are ours."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from nginxlint.cli.cached import parse
from tests.cli.conftest import REPOSITORY, Run, write

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed: hooks not tried")
HOOKS: list[dict[str, Any]] = yaml.safe_load(Path(REPOSITORY, ".pre-commit-hooks.yaml").read_text())
FIX = next(hook for hook in HOOKS if hook["id"] == "nginxlint-fix")


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_is_a_command_line_and_about_configuration(hook: dict[str, Any]) -> None:
    program, command, *words = hook["entry"].split()
    assert (program, command) == ("nginxlint", "check")
    parse(words)
    if not hook.get("pass_filenames", True):
        return
    for path, wanted in (
        ("nginx.conf", True),
        ("deploy/nginx-edge.conf", True),
        ("sites-enabled/shop", True),
        ("etc/nginx/fastcgi_params", True),
        ("nginx/mime.types", False),
        ("nginx/README.md", False),
        ("conf.d/key.pem", False),
        ("src/app.conf", False),
    ):
        assert bool(re.search(hook["files"], path) and not re.search(hook["exclude"], path)) is wanted, path


def test_the_fixing_hook_mends_staged_files_only(run: Run) -> None:
    faulty = "server { listen 80; gzip_types text/html text/css; }\n"
    write("nginx.conf", "events {}\nhttp { include conf.d/*.conf; }\n")
    write("conf.d/a.conf", faulty)
    write("conf.d/b.conf", faulty.replace("80", "81"))
    run(*FIX["entry"].split()[1:], "conf.d/a.conf")
    assert Path("conf.d/a.conf").read_text() == faulty.replace("text/html ", "")
    assert "text/html" in Path("conf.d/b.conf").read_text()
