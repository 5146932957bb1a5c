"""docs/rule-rows.tsv: what became of every row of the rule research. Each has a page, or a reason why not."""

from __future__ import annotations

from nginxlint.docs import researched_rows
from nginxlint.pages import all_pages
from nginxlint.registry import all_rules

PAGES = all_pages(all_rules())


def test_every_row_has_a_page_or_a_reason() -> None:
    for row, name, page, reason in researched_rows():
        assert page in PAGES or (page == "-" and len(reason) > 15), f"{row} {name}: no page {page}, and no reason"


def test_no_row_is_listed_twice() -> None:
    rows = [(row, page) for row, _, page, _ in researched_rows()]
    assert len(rows) == len(set(rows))
