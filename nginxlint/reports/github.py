"""Annotations for GitHub Actions (workflow commands), the gravest first: the page shows only the first few."""

from __future__ import annotations

from nginxlint.diagnostic import Severity
from nginxlint.reports.project import below
from nginxlint.reports.text import visible
from nginxlint.result import Finding, Run

_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(run: Run) -> str:
    """One `::error …` line a finding."""
    ordered = sorted(run.shown(), key=lambda finding: -finding.diagnostic.severity)
    lines = [_line(finding) for finding in ordered]
    lines.extend(f"::warning title=nginxlint::{_data(f'incomplete: {reason}')}" for reason in run.why_incomplete())
    return "".join(f"{line}\n" for line in lines)


def _line(finding: Finding) -> str:
    diagnostic = finding.diagnostic
    span = diagnostic.span
    place = f"file={_property(below(span.source.path))},line={span.line},endLine={span.end_line}"
    if span.line == span.end_line:  # GitHub ignores annotations with columns over several lines
        place += f",col={span.column},endColumn={max(span.column, span.end_column)}"
    text = "\n".join([diagnostic.message, *diagnostic.help])
    return f"::{_LEVEL[diagnostic.severity]} {place},title={_property(f'nginxlint: {diagnostic.rule}')}::{_data(text)}"


def _data(text: str) -> str:
    safe = "\n".join(visible(line) for line in text.split("\n"))
    return safe.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
