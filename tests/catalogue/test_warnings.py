"""What nginx warns about, in its words and at its lines.

warnings.tsv lists every [warn] line of nginx's configuration test with what says it here, or why nothing does;
warnings.txt has configurations that draw it, and twins that do not, for the installed nginx to judge.
"""

from __future__ import annotations

import os
import re

import pytest

from nginxlint.catalogue import check
from nginxlint.catalogue.rules import RULES
from nginxlint.catalogue.target import Target
from nginxlint.files import Disk
from nginxlint.includes import load
from nginxlint.registry import all_rules
from nginxlint.testing import apply
from tests.catalogue.nginx import PRELUDE, installed, judge_all
from tests.catalogue.test_against_nginx import target
from tests.catalogue.test_parsers import AROUND

HERE = os.path.dirname(__file__)
# Nothing can be shown with the nginx of the tests: it has debugging, and is older.
NOT_SHOWN = (
    '"debug_connection" is ignored, you need to rebuild nginx using --with-debug option to enable it',
    'the "%V" directive is obsolete, ignored',
)


def table() -> dict[str, str]:
    """What says a message of nginx: ids, `rule: ids`, or `-: reason`."""
    with open(os.path.join(HERE, "warnings.tsv"), encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines if not line.startswith("#")]
    assert all(len(row) == 4 for row in rows)
    return {row[0]: row[3] for row in rows}


def cases() -> list[tuple[str, str, bool]]:
    """(message of the table, configuration, does it draw a warning) of warnings.txt."""
    found = []
    message = ""
    with open(os.path.join(HERE, "warnings.txt"), encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("= "):
                message = line[2:].rstrip("\n")
            elif line.strip() and not line.startswith("#"):
                place, _, text = line.rstrip("\n").lstrip("-").partition("|")
                found.append((message, (AROUND[place] % text).replace("\\n", "\n"), not line.startswith("-")))
    return found


def pattern(message: str) -> re.Pattern[str]:
    """A message of the table as a regular expression: % and a letter or two stand for something."""
    return re.compile(re.sub(r"%(ui|ud|V|v|s|i)", ".*", re.escape(message).replace(r"\%", "%")))


def ours(text: str, judged_for: Target) -> list[tuple[str, int | None]]:
    loaded = load(Disk("/nonexistent"), "nginx.conf", PRELUDE + text)
    said = [one for one in check(loaded.main, judged_for) if not one.blocks_start]
    return sorted(
        {(one.nginx_message or one.rule, one.nginx_at.line if one.nginx_at else None) for one in said}, key=str
    )


def test_every_message_is_said_by_an_id_that_exists_or_has_a_reason() -> None:
    rules = all_rules()
    for message, by in table().items():
        if by.startswith("-: "):
            assert len(by) > 10, message
        elif not by.startswith("rule: "):
            assert all(id in RULES for id in by.split()), (message, by)
        else:  # those of the table that are rules of their own
            for id in by.removeprefix("rule: ").split():
                assert id in rules or id in COMING, (message, id)


COMING = (
    "server-name-duplicate",
    "server-name-with-scheme-or-path",
    "listen-protocol-mismatch",
    "listen-http2-deprecated",
)


def test_every_message_the_check_says_has_a_configuration_that_draws_it_and_a_twin_that_does_not() -> None:
    shown = {(message, draws) for message, _, draws in cases()}
    for message, by in table().items():
        if not by.startswith(("-: ", "rule: ")) and message not in NOT_SHOWN:
            assert (message, True) in shown and (message, False) in shown, message


@pytest.mark.skipif(not installed(), reason="nginx is not installed")
def test_nginx_warns_where_we_do_in_the_same_words() -> None:
    judged_for = target()
    rows = cases()
    wrong = []
    for (message, text, draws), verdict in zip(rows, judge_all([text for _, text, _ in rows]), strict=True):
        said = sorted(set(verdict.warnings), key=str)
        assert verdict.ok, (text, verdict.message)
        if said != ours(text, judged_for):
            wrong.append(f"{text}\n    nginx: {said}\n    we:    {ours(text, judged_for)}")
        assert bool(said) is draws, text
        assert not draws or any(pattern(message).fullmatch(one) for one, _ in said), (text, said)
    assert not wrong, "\n".join(wrong)


@pytest.mark.skipif(not installed(), reason="nginx is not installed")
def test_what_a_fix_leaves_draws_no_warning_any_more() -> None:
    judged_for = target()
    mended = []
    for _, text, draws in cases():
        loaded = load(Disk("/nonexistent"), "nginx.conf", text)
        said = [one for one in check(loaded.main, judged_for) if not one.blocks_start]
        if draws and said and all(one.fixes and one.fixes[0].safe for one in said):
            mended.append(apply(text, [edit for one in said for edit in one.fixes[0].edits]))
    assert len(mended) > 20
    for text, verdict in zip(mended, judge_all(mended), strict=True):
        assert verdict.ok and not verdict.warnings, (text, verdict, verdict.warnings)


def test_debug_connection_is_ignored_by_a_build_without_debugging() -> None:
    text = "events { debug_connection 10.0.0.1; }"
    without = Target((1, 22, 1), options=("--with-threads",))
    assert ours(text, without) == [(NOT_SHOWN[0], 1)]
    assert ours(text, Target((1, 22, 1), options=("--with-debug",))) == []
    assert ours(text, Target((1, 22, 1))) == []


def test_http2_push_is_obsolete_since_1_25_1() -> None:
    text = "events {}\nhttp { http2_push_preload on; }"
    assert ours(text, Target((1, 25, 1))) == [('the "http2_push_preload" directive is obsolete, ignored', 2)]
    assert ours(text, Target((1, 25, 0))) == []
