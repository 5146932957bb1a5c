"""docs/false-alarms.md: its table is the one of today, no rule cries wolf, and what it says was read is all there is."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from nginxlint.diagnostic import Severity
from tools import false_alarms

PAGE = Path(false_alarms.PAGE).read_text(encoding="utf-8")
READ = PAGE.partition("## What reading the hits showed")[2]

pytestmark = pytest.mark.skipif(not Path(false_alarms.CORPUS).is_dir(), reason="the corpus is not here")


@pytest.fixture(scope="module")
def found() -> tuple[list[false_alarms.Hit], int]:
    hits = list(false_alarms.hits(frozenset()))
    files = int(hits.pop()[0])
    return hits, files


def defaults(hits: list[false_alarms.Hit]) -> list[false_alarms.Hit]:
    """The errors and warnings that somebody sees who sets nothing."""
    return [
        hit
        for hit in hits
        if hit[1].diagnostic.severity >= Severity.WARNING and not false_alarms.opt_in(hit[1].diagnostic.rule)
    ]


def test_the_table_is_the_one_of_today(found: tuple[list[false_alarms.Hit], int]) -> None:
    table = PAGE.partition(false_alarms.BEGIN)[2].partition(false_alarms.END)[0]
    assert table == false_alarms.table(*found), "run python tools/false_alarms.py --write"


def test_no_rule_that_is_on_by_default_warns_of_many_files(found: tuple[list[false_alarms.Hit], int]) -> None:
    hits, files = found
    where: dict[str, set[str]] = {}
    for path, finding in defaults(hits):
        where.setdefault(finding.diagnostic.rule, set()).add(path)
    assert {rule for rule, paths in where.items() if 100 * len(paths) > false_alarms.LIMIT * files} == set()


def test_what_a_default_rule_warns_of_has_been_read(found: tuple[list[false_alarms.Hit], int]) -> None:
    rules = {finding.diagnostic.rule for _, finding in defaults(found[0])}
    assert {rule for rule in rules if f"**{rule}" not in READ} == set()


@pytest.mark.parametrize(("severity", "precision"), [(Severity.ERROR, 95), (Severity.WARNING, 85)])
def test_the_number_read_is_the_number_there_is_and_nearly_all_are_true(
    found: tuple[list[false_alarms.Hit], int], severity: Severity, precision: int
) -> None:
    count = Counter(finding.diagnostic.severity for _, finding in defaults(found[0]))[severity]
    line = re.search(rf"^- {severity.word}s: (\d+) read.*?\(([\d.]+) %", READ, re.MULTILINE)
    assert line is not None
    assert int(line[1]) == count, "read the new hits, and say in the page what they are"
    assert float(line[2]) >= precision
