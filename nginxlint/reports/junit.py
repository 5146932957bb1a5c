"""JUnit XML of test cases, or of findings, as CI systems read it."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from nginxlint.reports.text import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nginxlint.result import Run


def render(suite: str, results: Sequence[tuple[str, str]]) -> str:
    """`results` are (name of the case, what is wrong); empty: it passes."""
    failed = sum(bool(wrong) for _, wrong in results)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<testsuites tests="{len(results)}" failures="{failed}">',
        f'  <testsuite name={quoteattr(legal(suite))} tests="{len(results)}" failures="{failed}" errors="0">',
    ]
    for name, wrong in results:
        head = f"    <testcase classname={quoteattr(legal(suite))} name={quoteattr(legal(name))}"
        if not wrong:
            lines.append(f"{head}/>")
            continue
        first = wrong.strip().partition("\n")[0]
        lines.append(f"{head}>")
        lines.append(f"      <failure message={quoteattr(legal(first))}>{escape(legal(wrong))}</failure>")
        lines.append("    </testcase>")
    return "\n".join([*lines, "  </testsuite>", "</testsuites>", ""])


def of_findings(run: Run) -> str:
    """One case that fails for each finding that nothing silences and for what was not analysed; else one that passes."""
    cases = []
    for finding in run.shown():
        diagnostic = finding.diagnostic
        place = f"{visible(diagnostic.span.source.path)}:{diagnostic.span.line}:{diagnostic.span.column}"
        said = "\n".join(map(visible, (diagnostic.message, *diagnostic.help)))
        cases.append((f"{diagnostic.rule} {place}", f"{diagnostic.severity.word}: {said}"))
    cases += [("analysis", f"incomplete: {visible(reason)}") for reason in run.why_incomplete()]
    return render("nginxlint", cases or [("no problems", "")])


def legal(text: str) -> str:
    """A text without what no XML may hold: XML 1.0 has no word for most control characters, and none for halves of
    pairs."""
    return "".join(
        char if char in "\t\n" or (" " <= char < "\ud800") or ("\ue000" <= char <= "\ufffd") or char > "\uffff" else "�"
        for char in text
    )
