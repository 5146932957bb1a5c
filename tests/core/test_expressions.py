"""The regular expressions that are written down are those that `re` compiles, on every Python that is here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from nginxlint._expressions import ROWS
from nginxlint.compiling import expressions, row, table
from nginxlint.expressions import ENGINES, compiled

REPOSITORY = str(Path(__file__).parents[2])
PYTHONS = dict(zip(("3.11", "3.12", "3.13"), ENGINES, strict=True))
# Patterns are equal where flags, groups and code are.
COMPARE = """
import sys
sys.path.insert(0, sys.argv[1])
from nginxlint._expressions import ROWS
from nginxlint.expressions import compiled
found = {expression: compiled(expression) for expression in ROWS}
assert "re" not in sys.modules
import re
for expression, pattern in found.items():
    own = re.compile(expression)
    assert pattern == own and pattern.groupindex == own.groupindex and pattern.groups == own.groups, expression
import _sre
print(_sre.MAGIC)
"""
WITHOUT = """
import sys
sys.modules["nginxlint._expressions"] = None
from nginxlint.cli.main import main
code = main(["check", "--no-config", "--no-cache", "-o", "concise", sys.argv[1]])
assert not sys.modules["nginxlint.expressions"]._rows
sys.exit(code)
"""


def test_the_table_holds_what_our_modules_ask_for() -> None:
    assert len(ROWS) > 30
    assert set(ROWS) == set(expressions())


@pytest.mark.skipif(table() is None, reason="no table is kept for this Python")
@pytest.mark.parametrize("expression", ROWS, ids=ascii)
def test_a_pattern_of_the_table_is_the_one_that_re_compiles(expression: str | bytes) -> None:
    own = re.compile(expression)
    found = compiled(expression)
    assert row(expression) == ROWS[expression]
    assert found == own  # flags, groups and code
    assert found.groupindex == own.groupindex
    assert found.groups == own.groups


def test_a_pattern_of_the_table_finds_what_it_should() -> None:
    variable = compiled(r"\$(?:\{(\w+)\}|(\w+))")
    assert variable.findall("a $host ${uri}/$1") == [("", "host"), ("uri", ""), ("", "1")]
    mark = compiled(rb"(?m)^# configuration file (.+):\r?$").search(b"\n# configuration file /etc/nginx/nginx.conf:\n")
    assert mark is not None
    assert mark[1] == b"/etc/nginx/nginx.conf"


@pytest.mark.parametrize("version", PYTHONS)
def test_the_engines_of_other_pythons_take_the_same_code(version: str) -> None:
    # pyenv shows one version, and has others
    environment = {**os.environ, "PYENV_VERSION": version}
    command = [f"python{version}", "-I", "-S", "-c", COMPARE, REPOSITORY]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip(f"python{version} is not here")
    if done.returncode == 127:  # what the shims of pyenv say
        pytest.skip(f"python{version} is not here")
    assert done.stderr == ""
    assert int(done.stdout) == PYTHONS[version]


def test_an_expression_that_is_not_written_down_is_compiled_all_the_same() -> None:
    assert "a(?P<new>b)" not in ROWS
    found = compiled("a(?P<new>b)")
    assert found == re.compile("a(?P<new>b)")
    assert compiled("a(?P<new>b)") is found


def test_without_a_table_the_findings_are_the_same(tmp_path: Path) -> None:
    file = tmp_path / "nginx.conf"
    file.write_text(
        "events {}\nhttp {\n server {\n  location ~ ^/(a|b)\\.php$ { # nginxlint: ignore[no-such-rule] - a test\n"
        '   set $x "a\\tb";\n   proxy_pass http://$host-x:80${uri;\n  }\n  location /img { alias /srv/img/; }\n }\n}\n'
    )

    def findings(program: list[str]) -> tuple[int, str]:
        environment = {**os.environ, "PYTHONPATH": REPOSITORY}
        done = subprocess.run(
            [sys.executable, *program, str(file)], env=environment, capture_output=True, text=True, check=False
        )
        assert done.stderr == ""
        return done.returncode, done.stdout

    with_table = findings(["-m", "nginxlint", "check", "--no-config", "--no-cache", "-o", "concise"])
    assert with_table[0] == 1
    assert "alias-traversal" in with_table[1]
    assert findings(["-c", WITHOUT]) == with_table
