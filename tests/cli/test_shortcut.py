"""Modules found by the shortcut are those Python would find, and only where their bytecode is that of their source."""

from __future__ import annotations

import importlib.util
import inspect
import os
import py_compile
import subprocess
import sys
from importlib.machinery import PathFinder
from pathlib import Path

import pytest

from nginxlint.cli.shortcut import Shortcut


@pytest.fixture
def module(tmp_path: Path) -> Path:
    source = tmp_path / "answer.py"
    source.write_text("ANSWER = 42\ndef answer():\n    return ANSWER\n")
    py_compile.compile(str(source))
    return source


def test_a_module_is_what_python_would_have_made_of_it(module: Path) -> None:
    spec = Shortcut.find_spec("nginxlint.answer", [str(module.parent)])
    usual = PathFinder.find_spec("nginxlint.answer", [str(module.parent)])
    assert spec is not None and usual is not None and spec.loader is not None
    for name in ("name", "origin", "cached", "has_location", "parent", "submodule_search_locations"):
        assert getattr(spec, name) == getattr(usual, name)
    made = importlib.util.module_from_spec(spec)
    for _ in range(2):  # a second time, as a reload does
        spec.loader.exec_module(made)
        assert made.answer() == 42
    assert (made.__file__, made.__cached__) == (str(module), usual.cached)
    assert inspect.getsource(made.answer).startswith("def answer")


def test_a_source_that_was_changed_is_left_to_python(module: Path) -> None:
    times = module.stat().st_atime_ns, module.stat().st_mtime_ns
    module.write_text("ANSWER = 421\n")
    os.utime(module, ns=times)  # only the size tells
    assert Shortcut.find_spec("nginxlint.answer", [str(module.parent)]) is None
    py_compile.compile(str(module))
    assert Shortcut.find_spec("nginxlint.answer", [str(module.parent)]) is not None
    os.utime(module, (1, 1))  # only the time tells
    assert Shortcut.find_spec("nginxlint.answer", [str(module.parent)]) is None


@pytest.mark.parametrize("damage", [b"", b"\0" * 100, None])
def test_bytecode_that_is_none_is_left_to_python(module: Path, damage: bytes | None) -> None:
    cached = Path(importlib.util.cache_from_source(str(module)))
    if damage is None:
        cached.unlink()
    else:
        cached.write_bytes(damage)
    assert Shortcut.find_spec("nginxlint.answer", [str(module.parent)]) is None


@pytest.mark.parametrize(
    "mode", [py_compile.PycInvalidationMode.CHECKED_HASH, py_compile.PycInvalidationMode.UNCHECKED_HASH]
)
def test_bytecode_that_is_told_by_a_hash_is_left_to_python(module: Path, mode: py_compile.PycInvalidationMode) -> None:
    py_compile.compile(str(module), invalidation_mode=mode)
    assert Shortcut.find_spec("nginxlint.answer", [str(module.parent)]) is None


def test_long_bytecode_is_left_to_python(module: Path) -> None:
    module.write_text(f"ANSWER = {'x' * 70_000!r}\n")
    py_compile.compile(str(module))
    assert Shortcut.find_spec("nginxlint.answer", [str(module.parent)]) is None


def test_packages_and_what_is_not_ours_are_left_to_python(module: Path) -> None:
    assert Shortcut.find_spec("nginxlint") is None
    assert Shortcut.find_spec("other.answer", [str(module.parent)]) is None
    assert Shortcut.find_spec("nginxlint.folder", [str(module.parent)]) is None


def test_the_command_runs_the_same_where_bytecode_is_optimized(tmp_path: Path) -> None:
    (tmp_path / "nginx.conf").write_text("events {}\nhttp { server { location / { proxy_pass backend; } } }\n")
    words = ["-m", "nginxlint", "check", "--no-cache", "-o", "concise", "nginx.conf"]
    runs = [
        subprocess.run([sys.executable, *flags, *words], cwd=tmp_path, capture_output=True, check=False)
        for flags in ([], ["-OO"], ["-X", f"pycache_prefix={tmp_path}"])
    ]
    assert b"proxy-scheme-missing" in runs[0].stdout
    assert all((run.stdout, run.returncode) == (runs[0].stdout, runs[0].returncode) for run in runs)
