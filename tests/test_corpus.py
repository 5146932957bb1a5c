"""The whole check on every configuration of the corpus: no crash, no hang, and no refusal of what nginx accepts."""

from __future__ import annotations

import os
from collections import Counter

from nginxlint.diagnostic import Stage
from nginxlint.files import Dump
from nginxlint.inputs import CONTEXTS, Root
from nginxlint.linter import check
from nginxlint.registry import all_rules
from nginxlint.result import Request, Run
from nginxlint.selection import ALL, Selection
from tests.conftest import CORPUS, accepted


def run_on(row: dict[str, object], text: str) -> Run:
    """Check one file of the corpus in the surroundings nginx was given it in; what it includes is not there."""
    path = os.path.join(CORPUS, str(row["path"]))
    context = str(row["context"]) if row.get("context") in CONTEXTS else None
    root = Root(path, path, text, Dump({path: text.encode("utf-8", "surrogateescape")}, os.path.dirname(path)), context,
                guessed=False, live=False)  # fmt: skip
    version = (1, 31, 5) if row.get("only") == "mainline" else (1, 22, 1)
    selection = Selection(all_rules().values(), select=[ALL])
    return check([root], [], selection, Request(version=version))


def test_no_configuration_crashes_the_check_and_none_that_nginx_accepts_is_refused(
    corpus: list[tuple[dict[str, object], str]],
) -> None:
    crashed, syntax, refused = [], [], []
    for row, text in corpus:
        run = run_on(row, text)
        crashed += [(row["path"], crash) for crash in run.crashes]
        if not accepted(row):
            continue
        for finding in run.shown():
            diagnostic = finding.diagnostic
            if diagnostic.stage is Stage.SYNTAX:
                syntax.append((row["path"], diagnostic))
            elif diagnostic.blocks_start and row.get("scored") and diagnostic.rule != "include-missing":
                refused.append((row["path"], diagnostic))
    assert not crashed, crashed[0]
    assert not syntax, syntax[:3]
    assert not refused, (len(refused), Counter(diagnostic.rule for _, diagnostic in refused), refused[:5])
