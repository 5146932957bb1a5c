"""What a rule says of a text, as the installed nginx is, and the text its fixes make: for tests with real nginx."""

from __future__ import annotations

from nginxlint.catalogue import check as refusals
from nginxlint.catalogue.target import Target
from nginxlint.diagnostic import Diagnostic
from nginxlint.registry import all_rules
from nginxlint.testing import apply, config_of
from tests.oracle.nginx import VERSION

INSTALLED = VERSION
SAID: dict[str, set[bool]] = {}
"""What each rule said in the running test: whether it found anything. conftest.py compares it with what nginx ran."""


def found_by(rule: str, text: str) -> list[Diagnostic]:
    """The findings of one rule."""
    found = list(all_rules()[rule].load()().check(config_of(text, version=INSTALLED)))
    SAID.setdefault(rule, set()).add(bool(found))
    return found


def refused_by(page: str, text: str, version: tuple[int, int, int] = INSTALLED) -> list[Diagnostic]:
    """The refusals of the catalogue check that one page explains."""
    config = config_of(text, version=version)
    found: list[Diagnostic] = [one for one in refusals(config.main, Target(version), complete=True) if one.rule == page]
    SAID.setdefault(page, set()).add(bool(found))
    return found


def mend(rule: str, text: str) -> str:
    """The text after the first fix of every finding; there has to be one."""
    edits = [edit for finding in found_by(rule, text) for fix in finding.fixes[:1] for edit in fix.edits]
    assert edits, f"{rule} offers no fix for\n{text}"
    return apply(text, edits)
