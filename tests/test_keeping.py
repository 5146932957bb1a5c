"""What is kept of a root shows in every report as it did when it was found."""

from __future__ import annotations

import marshal
import os
from pathlib import Path

import pytest

from nginxlint.catalogue.contexts import guess
from nginxlint.inputs import InputOptions, find_roots
from nginxlint.keeping import pack, unpack
from nginxlint.linter import check
from nginxlint.registry import all_rules
from nginxlint.reports import concise, full, github, json
from nginxlint.result import Judged, Kept, Request, Run
from nginxlint.selection import Selection

REPOSITORY = Path(__file__).parents[1]
CORPUS = REPOSITORY.parent / "shared" / "corpus" / "real"


def checked(path: Path) -> Run:
    """Every rule over everything in a folder."""
    roots, unreadable = find_roots([str(path)], InputOptions(), guess)
    return check(roots, unreadable, Selection(all_rules().values(), profile="strict"), Request(version=(1, 22, 1)))


def told_again(run: Run) -> Run:
    """The run as it would be told by one that found all of it kept."""
    again = Run(run.request)
    again.trouble, again.incomplete, again.seconds = run.trouble, run.incomplete, run.seconds
    again.rule_count, again.final_code = run.rule_count, run.final_code
    of: dict[object, Kept] = {}
    for one in run.checked:
        assert isinstance(one, Judged)
        found = [finding for finding in run.findings if finding.checked is one]
        texts = {file.source.path: file.source.text for file in one.config.files}
        kept = unpack(one.root, marshal.loads(marshal.dumps(pack(one, found))), texts.__getitem__)
        assert len(kept.findings) == len(found)
        of[one] = kept
        again.checked.append(kept)
    remaining = {checked: iter(kept.findings) for checked, kept in of.items()}
    again.findings = [next(remaining[finding.checked]) for finding in run.findings]
    return again


SILENCED = """events {}
http {
    server { listen 80; server_name a b; include snippet.conf; }
    server { listen 80; server_name c; include snippet.conf; }
    server {
        listen 81;
        # nginxlint: ignore[alias-traversal] - the folder above is public too (until 2999-01-01)
        location /other { alias /srv/other/; }
    }
}
"""


def assert_shows_the_same(run: Run) -> None:
    again = told_again(run)
    for report in (full, concise, github, json):
        assert report.render(again) == report.render(run)


@pytest.mark.parametrize("name", ["api-gateway", "php-site", "shop", "stream-proxy"])
def test_kept_findings_show_as_they_were_found(name: str) -> None:
    os.chdir(REPOSITORY)
    run = checked(Path("sample_configs", name))
    assert run.findings
    assert_shows_the_same(run)


def test_kept_findings_know_what_silences_them_and_where_they_are_seen(tmp_path: Path) -> None:
    (tmp_path / "nginx.conf").write_text(SILENCED)
    (tmp_path / "snippet.conf").write_text("location /img { alias /srv/img/; }\n")
    run = checked(tmp_path)
    assert any(finding.suppressed for finding in run.findings)
    assert any(len(finding.seen_at) > 1 for finding in run.findings)
    assert_shows_the_same(run)


def test_kept_findings_of_real_configurations_show_as_they_were_found() -> None:
    if not CORPUS.is_dir():
        pytest.skip(f"352 configurations: {CORPUS} is absent")
    run = checked(CORPUS)
    assert len(run.checked) > 300
    assert_shows_the_same(run)
