"""What a rule says of a text, as the installed nginx is, and the text its fixes make: for tests with real nginx."""

from __future__ import annotations

from nginxlint.diagnostic import Diagnostic
from nginxlint.registry import all_rules
from nginxlint.testing import apply, config_of

INSTALLED = (1, 22, 1)


def found_by(rule: str, text: str) -> list[Diagnostic]:
    """The findings of one rule."""
    return list(all_rules()[rule].load()().check(config_of(text, version=INSTALLED)))


def mend(rule: str, text: str) -> str:
    """The text after the first fix of every finding; there has to be one."""
    edits = [edit for finding in found_by(rule, text) for fix in finding.fixes[:1] for edit in fix.edits]
    assert edits, f"{rule} offers no fix for\n{text}"
    return apply(text, edits)
