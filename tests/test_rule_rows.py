"""docs/rule-rows.tsv: what became of every row of the rule research. Each has a page, or a reason why not."""

from __future__ import annotations

import importlib
import inspect
import os
import re

import pytest

from nginxlint.docs import researched_rows
from nginxlint.pages import all_pages
from nginxlint.registry import all_rules
from tests.evidence import evidence

PAGES = all_pages(all_rules())


def test_every_row_has_a_page_or_a_reason() -> None:
    for row, name, page, reason in researched_rows():
        assert page in PAGES or (page == "-" and len(reason) > 15), f"{row} {name}: no page {page}, and no reason"


def test_no_row_is_listed_twice() -> None:
    rows = [(row, page) for row, _, page, _ in researched_rows()]
    assert len(rows) == len(set(rows))


REFERENCE = os.path.join(os.path.dirname(__file__), "..", "..", "shared", "reference", "rules.md")
# Rows of table 1b have no mark of their own; the text says (R) where nginx was run.
PEERS = {
    "proxy-path-decoded",
    "proxy-slash-mismatch",
    "proxy-variable-no-resolver",
    "proxy-host-header-missing",
    "try-files-with-proxy",
}


def test_the_page_of_evidence_is_that_of_the_row() -> None:
    pages = {(row, page) for row, _, page, _ in researched_rows()}
    for row, mark, page, _ in evidence():
        assert mark in ("R", "T")
        assert (row, page) in pages or (row, page) == ("54", "arguments-invalid")


def test_every_row_that_was_reproduced_names_its_test() -> None:
    if not os.path.exists(REFERENCE):
        pytest.skip("the research is not here: its marks not compared")
    with open(REFERENCE, encoding="utf-8") as file:
        text = file.read()
    marked = set(re.findall(r"(?m)^\| (\d+) \| `.*\| (?:S )?([RT])\b[^|]*\|$", text))
    first = {(row, mark) for row, mark in marked if int(row) <= 94}
    named = {(row, mark) for row, mark, _, _ in evidence()}
    peers = {(name, "R") for name in PEERS}
    assert len(first) == 51
    assert first | peers <= named <= marked | peers


@pytest.mark.parametrize(("row", "mark", "page", "witness"), evidence())
def test_the_test_of_a_row_runs_nginx_on_the_rule(row: str, mark: str, page: str, witness: str) -> None:
    """That it shows both the fault and the cure is asked where it runs: tests/rules/conftest.py."""
    file, _, name = witness.partition("::")
    module = importlib.import_module(f"tests.rules.{file.removesuffix('.py')}")
    test = getattr(module, name)
    told = inspect.getsource(test)
    for one in getattr(test, "pytestmark", ()):
        told += repr(one.args)
    if "CASES" in told:
        told += repr(module.CASES)
    assert f'"{page}"' in told or f"'{page}'" in told
    uses = {"Nginx", "nginx", "started", "prepared", "bad"}
    assert uses & set(test.__code__.co_names + test.__code__.co_varnames)
