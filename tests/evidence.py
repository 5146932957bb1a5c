"""docs/rule-evidence.tsv: the test with real nginx behind every row of the rule research that was reproduced (R) or of
which `nginx -t` was asked (T)."""

from __future__ import annotations

import functools
import os

_FILE = os.path.join(os.path.dirname(__file__), "..", "docs", "rule-evidence.tsv")


@functools.cache
def evidence() -> tuple[tuple[str, str, str, str], ...]:
    """(row, R or T, page, FILE.py::TEST in tests/rules)."""
    with open(_FILE, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if line.strip()]
    return tuple((row, mark, page, witness) for row, mark, page, witness in rows)
