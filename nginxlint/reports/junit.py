"""JUnit XML of test cases, as CI systems read it."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr


def render(suite: str, results: Sequence[tuple[str, str]]) -> str:
    """`results` are (name of the case, what is wrong); empty: it passes."""
    failed = sum(bool(wrong) for _, wrong in results)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<testsuites tests="{len(results)}" failures="{failed}">',
        f'  <testsuite name={quoteattr(_legal(suite))} tests="{len(results)}" failures="{failed}" errors="0">',
    ]
    for name, wrong in results:
        head = f"    <testcase classname={quoteattr(_legal(suite))} name={quoteattr(_legal(name))}"
        if not wrong:
            lines.append(f"{head}/>")
            continue
        first = wrong.strip().partition("\n")[0]
        lines.append(f"{head}>")
        lines.append(f"      <failure message={quoteattr(_legal(first))}>{escape(_legal(wrong))}</failure>")
        lines.append("    </testcase>")
    return "\n".join([*lines, "  </testsuite>", "</testsuites>", ""])


def _legal(text: str) -> str:
    """XML 1.0 has no word for most control characters and none for halves of pairs."""
    return "".join(
        char if char in "\t\n" or (" " <= char < "\ud800") or ("\ue000" <= char <= "\ufffd") or char > "\uffff" else "�"
        for char in text
    )
