"""SARIF 2.1.0, as GitHub's code scanning and others read it (OASIS Static Analysis Results Interchange Format)."""

from __future__ import annotations

import json
import os
from urllib.parse import quote_from_bytes

from nginxlint.diagnostic import Severity
from nginxlint.fingerprint import fingerprints
from nginxlint.pages import pages_of
from nginxlint.registry import all_rules
from nginxlint.reports.full import breadcrumb
from nginxlint.reports.project import below, folder
from nginxlint.reports.text import visible
from nginxlint.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from nginxlint.diagnostic import Fix
    from nginxlint.pages import Page
    from nginxlint.result import Finding, Run

_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
# What GitHub makes "high", "medium" and "low" of; of security rules only.
_SECURITY = {"error": "8.0", "warning": "5.5", "info": "3.0"}
_BASE = "SRCROOT"


def render(run: Run) -> str:
    """The log as text, in ASCII."""
    return json.dumps(log(run), indent=2) + "\n"


def log(run: Run) -> dict[str, Any]:
    """The log. Findings that comments silence are in it, as suppressed."""
    from nginxlint import __version__

    pages = pages_of({finding.diagnostic.rule for finding in run.findings}, all_rules())
    index = {id: number for number, id in enumerate(pages)}
    prints = fingerprints(run.findings)
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "nginxlint",
                        "informationUri": "https://github.com/nginxlint/nginxlint",
                        "semanticVersion": __version__,
                        "rules": [_rule(page) for page in pages.values()],
                    }
                },
                # two uploads of these must not close each other's alerts
                "automationDetails": {"id": f"nginxlint/{'online' if run.request.online else 'offline'}/"},
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {_BASE: {"uri": f"file://{_quoted(os.path.join(folder(), ''))}"}},
                "invocations": [
                    {
                        "executionSuccessful": run.complete,
                        "exitCode": run.final_code,
                        "toolExecutionNotifications": [
                            {"level": "error", "message": {"text": visible(reason)}} for reason in run.why_incomplete()
                        ],
                    }
                ],
                "results": [
                    _result(finding, text, index.get(finding.diagnostic.rule))
                    for finding, text in zip(run.findings, prints, strict=True)
                ],
            }
        ],
    }


def _rule(page: Page) -> dict[str, Any]:
    properties: dict[str, Any] = {"tags": [page.group], "problem.severity": _problem(page.severity)}
    if page.group in ("security", "tls"):
        properties["security-severity"] = _SECURITY[page.severity]
    return {
        "id": page.id,
        "name": "".join(word.capitalize() for word in page.id.split("-")),
        "shortDescription": {"text": page.summary},
        "fullDescription": {"text": page.body},
        "help": {"text": page.text(), "markdown": page.text(markdown=True)},
        "defaultConfiguration": {"level": _LEVEL[Severity.named(page.severity)]},
        "properties": properties,
    }


def _problem(severity: str) -> str:
    return {"info": "recommendation"}.get(severity, severity)


def _result(finding: Finding, fingerprint: str, index: int | None) -> dict[str, Any]:
    diagnostic = finding.diagnostic
    result: dict[str, Any] = {
        "ruleId": diagnostic.rule,
        "level": _LEVEL[diagnostic.severity],
        "message": {"text": "\n".join(map(_text, (diagnostic.message, *diagnostic.help)))},
        "locations": [{"physicalLocation": _place(diagnostic.span)}],
        "partialFingerprints": {"nginxlint/v1": fingerprint.partition(":")[2]},
        "properties": {"precision": {"medium": "medium", "low": "low"}.get(diagnostic.confidence.word, "high")},
    }
    if index is not None:
        result["ruleIndex"] = index
    if crumbs := breadcrumb(finding.blocks()):
        result["locations"][0]["logicalLocations"] = [{"fullyQualifiedName": crumbs}]
    if diagnostic.related:
        result["relatedLocations"] = [
            {"id": number, "physicalLocation": _place(note.span), "message": {"text": _text(note.label) or "see"}}
            for number, note in enumerate(diagnostic.related, 1)
        ]
    if safe := [fix for fix in diagnostic.fixes if fix.safe]:
        result["fixes"] = [_fix(fix) for fix in safe]
    if finding.known:
        result["baselineState"] = "unchanged"
    if (comment := finding.suppressed) is not None:
        result["suppressions"] = [{"kind": "inSource", "status": "accepted", "justification": _text(comment.reason)}]
    return result


def _fix(fix: Fix) -> dict[str, Any]:
    changes: dict[str, list[dict[str, Any]]] = {}
    for edit in fix.edits:
        changes.setdefault(edit.span.source.path, []).append(
            {"deletedRegion": _region(edit.span), "insertedContent": {"text": _text(edit.text)}}
        )
    return {
        "description": {"text": _text(fix.title)},
        "artifactChanges": [
            {"artifactLocation": _artifact(path), "replacements": made} for path, made in changes.items()
        ],
    }


def _place(span: Span) -> dict[str, Any]:
    return {"artifactLocation": _artifact(span.source.path), "region": _region(span)}


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _artifact(path: str) -> dict[str, str]:
    """Relative to the project's folder where the file is below it: the same on every machine that checks it out."""
    place = below(path)
    return {"uri": f"file://{_quoted(place)}"} if place.startswith("/") else {"uri": _quoted(place), "uriBaseId": _BASE}


def _quoted(path: str) -> str:
    return quote_from_bytes(path.encode("utf-8", "surrogateescape"))


def _text(text: str) -> str:
    return "\n".join(map(visible, text.split("\n")))
