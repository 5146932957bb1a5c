"""Files made to hurt end with a report, within the limits of time and memory (benchmarks/hostile.py measures 10 MB of each)."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from nginxlint.config import Config
from nginxlint.linter import check
from nginxlint.patience import LARGE, Patience, TookTooLong
from nginxlint.registry import Entry
from nginxlint.result import Request
from nginxlint.rule import Rule
from nginxlint.selection import Selection
from tests.fuzz.targets import PATH, Dump, Root

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "benchmarks"))
from hostile import SHAPES, Cost, includes

SIZE = 1_500_000


@pytest.mark.parametrize("name", SHAPES)
def test_a_file_made_to_hurt_ends_with_a_report(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.conf"
    path.write_bytes(SHAPES[name](SIZE))
    cost = Cost(str(path))
    assert cost.fine, f"{cost.cpu:.1f} s, {cost.peak:.0f} MiB, exit code {cost.code}"


def test_ten_thousand_includes_end_with_a_report(tmp_path: Path) -> None:
    cost = Cost(includes(str(tmp_path), 10_000))
    assert cost.fine, f"{cost.cpu:.1f} s, {cost.peak:.0f} MiB, exit code {cost.code}"


class Endless(Rule):
    """Never comes to an end."""

    id = "endless"

    def check(self, config: Config):
        while True:
            yield from ()


def test_a_rule_that_does_not_end_is_stopped_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nginxlint.patience._PART", 0.2)
    text = "events {} http { " + "server { }\n" * (LARGE + 1) + "}"
    root = Root(PATH, PATH, text, Dump({PATH: text.encode()}, ""), None, guessed=False, live=False)
    entry = Entry("endless", "correctness", False, (), (), "", lambda: Endless, "this test")
    run = check([root], [], Selection([entry]), Request())
    assert not run.complete and run.exit_code() == 3
    assert [finding.diagnostic.rule for finding in run.shown()] == ["analysis-limited"]
    assert "endless" in run.why_incomplete()[0]


def test_patience_is_shared_by_all_rules_of_a_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nginxlint.patience._ALL", 0.3)
    monkeypatch.setattr("nginxlint.patience._ALL_MORE", 0.0)
    patience = Patience(LARGE + 1)

    def busy() -> None:
        end = time.process_time() + 5
        while time.process_time() < end:
            pass

    with pytest.raises(TookTooLong):
        patience.limited(busy)
    assert patience.exhausted
