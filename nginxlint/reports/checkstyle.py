"""Checkstyle's XML, which Jenkins and many editors read."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from nginxlint.reports.junit import legal
from nginxlint.reports.text import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nginxlint.result import Finding, Run


def render(run: Run) -> str:
    """The findings that nothing silences, by file."""
    files: dict[str, list[Finding]] = {}
    for finding in run.shown():
        files.setdefault(finding.diagnostic.span.source.path, []).append(finding)
    lines = ['<?xml version="1.0" encoding="utf-8"?>', '<checkstyle version="4.3">']
    for path, findings in files.items():
        lines.append(f"  <file name={_quoted(path)}>")
        lines += [_error(finding) for finding in findings]
        lines.append("  </file>")
    return "\n".join([*lines, "</checkstyle>", ""])


def _error(finding: Finding) -> str:
    diagnostic = finding.diagnostic
    return (
        f'    <error line="{diagnostic.span.line}" column="{diagnostic.span.column}" severity="{diagnostic.severity.word}"'
        f" message={_quoted(diagnostic.message)} source={_quoted(f'nginxlint.{diagnostic.rule}')}/>"
    )


def _quoted(text: str) -> str:
    return quoteattr(legal(visible(text)))
