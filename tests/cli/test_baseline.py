"""`--baseline`: what a project has accepted does not count, what is new does, and what is gone is told."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.conftest import Run, write

FAULTY = """events {}
http {
    server {
        listen 80;
        location /img { alias /srv/img/; }
        location /doc { alias /srv/doc/; }
    }
}
"""
MORE = FAULTY.replace("listen 80;", "\n\n        listen 80;\n        location /new { alias /srv/new/; }")
CHECK = ("check", "nginx.conf", "--baseline", "known.json", "-o", "concise")


def test_only_what_is_new_counts_and_lines_may_move(run: Run) -> None:
    write("nginx.conf", FAULTY)
    outcome = run(*CHECK, "--baseline-add")
    assert (outcome.code, outcome.out) == (0, "")
    assert "known.json: 2 entries added, 0 taken out" in outcome.err
    assert Path("known.json").read_text().count("alias-traversal") == 2
    write("nginx.conf", MORE)
    outcome = run(*CHECK)
    assert (outcome.code, len(outcome.out.splitlines())) == (1, 1)
    assert "/new" in outcome.out
    report = json.loads(run("check", "nginx.conf", "--baseline", "known.json", "-o", "json").out)
    assert (report["summary"]["baselined"], report["summary"]["error"]) == (2, 1)
    assert [one["baselined"] for one in report["findings"]] == [False, True, True]
    assert "2 findings known to the baseline" in run("check", "nginx.conf", "--baseline", "known.json").out


def test_what_is_not_found_any_more_is_told_and_taken_out_only_when_asked(run: Run) -> None:
    write("nginx.conf", FAULTY)
    run(*CHECK, "--baseline-add")
    before = Path("known.json").read_text()
    write("nginx.conf", FAULTY.replace("location /doc {", "location /doc/ {"))
    outcome = run(*CHECK)
    assert "1 entry of known.json not found any more: --update-baseline takes them out" in outcome.err
    assert Path("known.json").read_text() == before
    outcome = run(*CHECK, "--update-baseline")
    assert "0 entries added, 1 taken out" in outcome.err
    assert Path("known.json").read_text().count("alias-traversal") == 1
    write("nginx.conf", FAULTY)
    assert run(*CHECK).code == 1  # it has returned


def test_what_was_not_looked_at_is_not_called_gone(run: Run) -> None:
    write("nginx.conf", FAULTY)
    run(*CHECK, "--baseline-add")
    write("other.conf", "events {}\nhttp {}\n")
    for words in (("--select", "tls"), ("--ignore", "security")):
        outcome = run(*CHECK, *words)
        assert (outcome.code, outcome.err) == (0, "")
    outcome = run("check", "other.conf", "--baseline", "known.json")
    assert (outcome.code, outcome.err) == (0, "")


def test_syntax_faults_are_never_in_a_baseline(run: Run) -> None:
    write("nginx.conf", "events {}\nhttp {\n")
    outcome = run(*CHECK, "--baseline-add")
    assert outcome.code == 1
    assert json.loads(Path("known.json").read_text()) == {"baseline": 1, "findings": []}


def test_the_settings_may_name_it_and_known_findings_are_not_mended(run: Run) -> None:
    write("nginxlint.toml", 'baseline = "known.json"\n')
    write("nginx.conf", FAULTY)
    run("check", "nginx.conf", "--baseline-add")
    assert run("check", "nginx.conf").code == 0
    run("check", "nginx.conf", "--fix", "--unsafe-fixes")
    assert Path("nginx.conf").read_text() == FAULTY


@pytest.mark.parametrize(
    ("content", "words", "message"),
    [
        (None, (), "known.json: no such file; --baseline-add makes it"),
        ("{", (), "this is no baseline"),
        ("[]", (), "this is no baseline"),
        ('{"baseline": 1}', (), "this is no baseline"),
        ('{"baseline": 1, "findings": [1]}', ("--baseline-add",), "this is no baseline"),
        ('{"baseline": 2, "findings": []}', (), "made by another version"),
        ("[" * 100_000, (), "this is no baseline"),
    ],
)
def test_a_file_that_is_no_baseline_is_refused_and_kept(
    run: Run, content: str | None, words: tuple[str, ...], message: str
) -> None:
    write("nginx.conf", FAULTY)
    if content is not None:
        write("known.json", content)
    outcome = run(*CHECK, *words)
    assert outcome.code == 2
    assert message in outcome.err
    assert content is None or Path("known.json").read_text() == content


def test_a_baseline_has_to_be_named(run: Run) -> None:
    write("nginx.conf", FAULTY)
    outcome = run("check", "nginx.conf", "--baseline-add")
    assert outcome.code == 2
    assert "need --baseline FILE" in outcome.err


def test_the_trees_of_a_repository_are_told_apart(run: Run) -> None:
    """What is accepted in one is new in another one, and is not gone where only the other one was looked at."""
    write("a/nginx.conf", FAULTY)
    write("b/nginx.conf", FAULTY)
    here = ("--baseline", "known.json", "-o", "concise")
    assert "2 entries added" in run("check", "a", *here, "--baseline-add").err
    assert run("check", "b", *here).code == 1
    assert "2 entries added" in run("check", "a", "b", *here, "--baseline-add").err
    write("a/nginx.conf", FAULTY.replace("/img {", "/img/ {"))
    outcome = run("check", "b", *here, "--update-baseline")
    assert (outcome.code, outcome.err) == (0, "known.json: 0 entries added, 0 taken out\n")
    assert "1 entry of known.json not found any more" in run("check", "a", "b", *here).err
    os.chdir("b")
    assert run("check", ".", "--baseline", "../known.json").code == 0


def test_a_copied_tree_has_the_baseline_of_the_original(run: Run) -> None:
    write("one/nginx/nginx.conf", FAULTY)
    write("two/nginx/nginx.conf", FAULTY)
    os.mkdir("kept")
    run("check", "one", "--baseline", "kept/known.json", "--baseline-add")
    assert run("check", "two", "--baseline", "kept/known.json").code == 0
