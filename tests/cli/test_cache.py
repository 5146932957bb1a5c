"""A run that is repeated says what it said, and only where nothing it looked at has changed."""

from __future__ import annotations

import io
import os
import random
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from nginxlint import linter
from nginxlint.cli.watch import SETTLED_NS, Kept, Watch, kept, mark, marks_of, same, unmoved
from nginxlint.diagnostic import Diagnostic
from nginxlint.result import Judged
from tests.cli.conftest import REPOSITORY, Run

FORMATS = ("full", "concise", "json", "github")
MAIN = """events {}
http {
    upstream app { server 127.0.0.1:8080; }
    include sites/*.conf;
    include extra.conf;
}
"""
SITE = """server {
    listen 80;
    server_name a%d;
    location /img { alias /srv/img/; }
    location / { proxy_pass http://app; }
}
"""
PIECES = (
    "listen 81;",
    "gzip maybe;",
    "}",
    "{",
    "proxy_pass http://nowhere/;",
    "# nginxlint: ignore[alias-traversal] - x\n",
    "\n",
    '"',
    "a",
    "",
)


def write_tree(folder: Path) -> None:
    (folder / "sites").mkdir()
    (folder / "nginx.conf").write_text(MAIN)
    (folder / "extra.conf").write_text("server_tokens off;\n")
    for number in range(3):
        (folder / "sites" / f"{number}.conf").write_text(SITE % number)


def edit(rng: random.Random, folder: Path) -> None:
    """One change of the tree, as people and tools make them."""
    files = sorted(path for path in folder.rglob("*.conf") if path.is_file())
    path = rng.choice(files)
    kind = rng.randrange(7)
    if kind == 0 and path.name != "nginx.conf":
        path.unlink()
    elif kind == 1:
        (folder / "sites" / f"{rng.randrange(9)}.conf").write_text(SITE % rng.randrange(4))
    elif kind == 2 and path.name != "nginx.conf":
        path.rename(path.with_suffix(".off"))
    elif kind == 3:
        (folder / "nginxlint.toml").write_text(rng.choice(["", 'ignore = ["alias-traversal"]', 'fail-on = "warning"']))
    elif kind == 4:
        pass  # nothing has changed
    else:
        text = path.read_text()
        at = rng.randrange(len(text) + 1)
        path.write_text(text[:at] + rng.choice(PIECES) + text[at + rng.randrange(3) :])


def timeless(text: str) -> str:
    text = text.replace(', \n      "--no-cache"', "").replace(',\n      "--no-cache"', "")
    return re.sub(r'"duration_ms": \d+| in \d+\.\d s', "", text)


@pytest.mark.parametrize("seed", range(6))
def test_random_edits_give_the_same_with_and_without_cache(run: Run, seed: int) -> None:
    rng = random.Random(seed)
    folder = Path.cwd()
    write_tree(folder)
    for _ in range(8):
        edit(rng, folder)
        for format in FORMATS:
            for _ in range(2):
                cached = run("check", "nginx.conf", "-o", format)
                fresh = run("check", "nginx.conf", "-o", format, "--no-cache")
                assert (cached.code, timeless(cached.out), cached.err) == (fresh.code, timeless(fresh.out), fresh.err)


def write_forest(folder: Path) -> None:
    """Several configurations that have nothing to do with each other, two that share a file, and loose files."""
    for name in ("blog", "shop"):
        (folder / name).mkdir()
        (folder / name / "sites").mkdir()
        (folder / name / "nginx.conf").write_text(MAIN)
        (folder / name / "extra.conf").write_text("server_tokens off;\n")
        (folder / name / "sites" / "a.conf").write_text(SITE % 1)
    for name in ("east", "west"):
        (folder / name).mkdir()
        (folder / name / "nginx.conf").write_text(f"events {{}}\nhttp {{ include {folder}/shared/*.conf; }}\n")
    (folder / "shared").mkdir()
    (folder / "shared" / "site.conf").write_text(SITE % 2)
    for number in range(3):
        (folder / f"loose{number}.conf").write_text(SITE % number)


@pytest.mark.parametrize("seed", range(6))
def test_random_edits_of_several_configurations_give_the_same_with_and_without_cache(run: Run, seed: int) -> None:
    rng = random.Random(seed)
    folder = Path.cwd()
    write_forest(folder)
    for _ in range(8):
        path = rng.choice(sorted(path for path in folder.rglob("*.conf") if path.is_file()))
        kind = rng.randrange(5)
        if kind == 0 and path.name != "nginx.conf":
            path.unlink()
        elif kind == 1:
            (path.parent / f"new{rng.randrange(3)}.conf").write_text(SITE % rng.randrange(4))
        elif kind == 2:
            (folder / "nginxlint.toml").write_text(
                rng.choice(["", 'ignore = ["alias-traversal"]', 'profile = "strict"'])
            )
        else:
            text = path.read_text()
            at = rng.randrange(len(text) + 1)
            path.write_text(text[:at] + rng.choice(PIECES) + text[at + rng.randrange(3) :])
        for format in FORMATS:
            cached = run("check", ".", "-o", format)
            fresh = run("check", ".", "-o", format, "--no-cache")
            assert (cached.code, timeless(cached.out), cached.err) == (fresh.code, timeless(fresh.out), fresh.err)


def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Fills with the roots that are judged from now on."""
    paths: list[str] = []
    judge = linter._judge

    def note(checked: Judged, *more: Any) -> list[Diagnostic]:
        paths.append(checked.root.path)
        return judge(checked, *more)

    monkeypatch.setattr(linter, "_judge", note)
    return paths


@pytest.mark.parametrize(
    ("path", "text", "roots"),
    [
        ("loose1.conf", SITE % 7, ["loose1.conf"]),
        ("blog/sites/a.conf", SITE % 7, ["blog/nginx.conf"]),
        ("blog/sites/b.conf", SITE % 7, ["blog/nginx.conf"]),
        ("loose3.conf", SITE % 7, ["loose3.conf"]),
        ("nginxlint.toml", 'ignore = ["alias-traversal"]', None),
    ],
    ids=["a loose file", "a file of a tree", "a new file of a tree", "a new loose file", "the settings"],
)
def test_only_the_configuration_that_has_changed_is_judged_again(
    run: Run, monkeypatch: pytest.MonkeyPatch, path: str, text: str, roots: list[str] | None
) -> None:
    folder = Path.cwd()
    write_forest(folder)
    everything = judged(monkeypatch)
    run("check", ".")
    (folder / path).write_text(text)
    again = judged(monkeypatch)
    run("check", ".")
    # the two that share a file are always judged: what is found in it is said once
    wanted = everything if roots is None else [*roots, "east/nginx.conf", "west/nginx.conf"]
    assert sorted(again) == sorted(set(wanted))


PROBE = """
import sys
from nginxlint.cli.main import main
code = main(["check", "nginx.conf"])
print(*[name for name in sys.modules if name.startswith("nginxlint")], file=sys.stderr)
"""


def repeated(folder: Path) -> set[str]:
    """The modules of ours that a second run imports."""
    environment = {**os.environ, "PYTHONPATH": REPOSITORY}
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", PROBE], cwd=folder, env=environment, capture_output=True, text=True, check=True
        )
    return set(done.stderr.split())


def test_a_hit_imports_neither_engine_nor_rules(tmp_path: Path) -> None:
    write_tree(tmp_path)
    loaded = repeated(tmp_path)
    assert "nginxlint.cli.cached" in loaded
    engine = (
        "nginxlint.linter",
        "nginxlint.parser",
        "nginxlint.lexer",
        "nginxlint.config",
        "nginxlint.catalogue",
        "nginxlint.registry",
    )
    assert not loaded & set(engine)
    assert not any(name.startswith("nginxlint_rules.") for name in loaded)


def stored() -> list[Path]:
    return [path for path in Path(os.environ["XDG_CACHE_HOME"]).rglob("*") if path.is_file()]


def test_there_is_one_file_per_project_outside_of_it(run: Run) -> None:
    write_tree(Path.cwd())
    before = sorted(Path.cwd().rglob("*"))
    for format in FORMATS:
        run("check", "nginx.conf", "-o", format)
    assert len(stored()) == 1
    assert stored()[0].stat().st_mode & 0o777 == 0o600
    assert sorted(Path.cwd().rglob("*")) == before


def test_no_cache_neither_reads_nor_writes(run: Run) -> None:
    write_tree(Path.cwd())
    run("check", "nginx.conf", "--no-cache")
    assert not stored()


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"nginxlint cache 1\n" + b"x" * 100])
def test_a_damaged_file_is_passed_over_with_a_note(run: Run, damage: bytes) -> None:
    write_tree(Path.cwd())
    first = run("check", "nginx.conf", "-o", "concise")
    stored()[0].write_bytes(damage)
    assert run("check", "nginx.conf", "-o", "concise").out == first.out
    stored()[0].write_bytes(damage)
    note = run("check", "nginx.conf", "-v").err
    assert ("ignored" in note) is bool(damage)


def test_a_changed_byte_of_an_entry_is_noticed(run: Run) -> None:
    write_tree(Path.cwd())
    first = run("check", "nginx.conf", "-o", "concise")
    data = bytearray(stored()[0].read_bytes())
    data[-5] ^= 1
    stored()[0].write_bytes(data)
    assert run("check", "nginx.conf", "-o", "concise").out == first.out


def test_a_file_others_may_write_is_not_believed(run: Run) -> None:
    write_tree(Path.cwd())
    run("check", "nginx.conf")
    stored()[0].chmod(0o666)
    assert "somebody else" in run("check", "nginx.conf", "-v").err


def is_unmoved(questions: Kept) -> bool:
    return unmoved(questions, marks_of(questions))


def answers(folder: Path) -> Watch:
    with Watch() as watch:
        os.path.isfile(folder / "a")
        os.path.realpath(folder / "link")
        os.path.exists(folder / "absent")
        os.listdir(folder)
        if os.path.exists(folder / "entries"):
            with os.scandir(folder / "entries") as entries:
                assert next(entries).is_dir()
        with open(folder / "a", "rb") as file:
            file.read()
    return watch


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "a").write_text("2"),
        lambda folder: (folder / "absent").write_text(""),
        lambda folder: (folder / "new").write_text(""),
        lambda folder: (folder / "a").unlink(),
        lambda folder: ((folder / "link").unlink(), (folder / "link").symlink_to("b")),
        lambda folder: (folder / "a").chmod(0o600),
        lambda folder: ((folder / "folder").rmdir(), (folder / "folder").write_text("")),
    ],
    ids=["content", "appears", "listing", "gone", "link", "mode", "behind a link"],
)
def test_every_change_of_an_answer_is_seen(tmp_path: Path, change: object) -> None:
    (tmp_path / "a").write_text("1")
    (tmp_path / "a").chmod(0o644)
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "folder").mkdir()
    (tmp_path / "entries").mkdir()
    (tmp_path / "entries" / "link").symlink_to("../folder")
    watch = answers(tmp_path)
    assert watch.complete
    assert same(watch.questions, time.time_ns())
    now = time.time_ns()
    forms = [kept(watch.questions, settled) for settled in (0, now, now + SETTLED_NS)]
    assert all(map(is_unmoved, forms))
    change(tmp_path)  # type: ignore[operator]
    assert not same(watch.questions, 0)
    assert not same(watch.questions, time.time_ns())
    assert not any(map(is_unmoved, forms))


def test_a_mark_is_believed_when_it_is_old_enough(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("a")
    time.sleep(0.05)
    between = time.time_ns()
    time.sleep(0.05)
    (tmp_path / "a").write_text("1")
    watch = answers(tmp_path)
    sure, _, _, others = kept(watch.questions, time.time_ns() + SETTLED_NS)
    assert {*others} == {str(folder) for folder in tmp_path.parents[:-1]}  # of which nobody asked what is in them
    assert {*sure} | {*others} == {*watch.questions}
    sure, _, _, others = kept(watch.questions, between)
    assert {str(tmp_path / name) for name in ("a", "link")} <= {*others}  # a link is as new as what is behind it
    assert str(tmp_path / "absent") in sure


def test_a_file_written_anew_with_the_same_content_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    (tmp_path / "link").symlink_to("a")
    watch = answers(tmp_path)
    (tmp_path / "a").unlink()
    (tmp_path / "a").write_text("1")
    assert same(watch.questions, time.time_ns())
    assert all(is_unmoved(kept(watch.questions, settled)) for settled in (0, time.time_ns() + SETTLED_NS))


@pytest.mark.parametrize("by_descriptor", [False, True])
def test_a_mark_may_be_older_than_what_was_read(tmp_path: Path, by_descriptor: bool) -> None:
    file = tmp_path / "a"
    file.write_text("1")
    marks = {str(file): mark(str(file))}
    file.write_text("22")
    with Watch(marks) as watch:
        if by_descriptor:
            descriptor = os.open(str(file), os.O_RDONLY)
            assert os.read(descriptor, 100) == b"22"
            os.close(descriptor)
        else:
            assert file.read_text() == "22"
    stored = kept(watch.questions, time.time_ns() + SETTLED_NS)
    assert stored[0] == (str(file),)
    assert is_unmoved(stored)
    file.write_text("1")
    assert not is_unmoved(stored)


def functions() -> tuple[object, ...]:
    of_os = os.stat, os.lstat, os.listdir, os.scandir, os.open, os.read, os.close, os.access, os.readlink
    return *of_os, open, io.open


def test_the_functions_of_os_are_left_as_they_were(tmp_path: Path) -> None:
    before = functions()
    with pytest.raises(ValueError, match="x"), Watch():
        raise ValueError("x")
    assert before == functions()
