"""The report `concise`: one line a finding, as editors and problem matchers read it."""

from __future__ import annotations

from nginxlint.reports.text import PLAIN, Style, visible
from nginxlint.result import Run


def render(run: Run, style: Style = PLAIN) -> str:
    """`path:line:column: severity[rule-id] message`, then what was not analysed."""
    lines = []
    for finding in run.shown():
        diagnostic = finding.diagnostic
        span = diagnostic.span
        place = f"{visible(span.source.path)}:{span.line}:{span.column}"
        kind = style.paint(diagnostic.severity.word, f"{diagnostic.severity.word}[{diagnostic.rule}]")
        lines.append(f"{place}: {kind} {visible(diagnostic.message)}\n")
    lines.extend(f"analysis is incomplete: {visible(reason)}\n" for reason in run.why_incomplete())
    return style.final("".join(lines))
