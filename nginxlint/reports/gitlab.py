"""GitLab's code quality report (the `codequality` artifact of a job): the description is all that it shows."""

from __future__ import annotations

import json

from nginxlint.diagnostic import Severity
from nginxlint.fingerprint import fingerprints
from nginxlint.reports.project import below
from nginxlint.reports.text import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nginxlint.result import Run

_SEVERITY = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.INFO: "info"}


def render(run: Run) -> str:
    """The findings that nothing silences; paths relative to the folder of the project."""
    shown = run.shown()
    entries = []
    for finding, text in zip(shown, fingerprints(shown), strict=True):
        diagnostic = finding.diagnostic
        span = diagnostic.span
        entries.append(
            {
                "description": f"{diagnostic.rule}: {visible(diagnostic.message)}",
                "check_name": diagnostic.rule,
                "fingerprint": text.partition(":")[2],
                "severity": "critical" if diagnostic.blocks_start else _SEVERITY[diagnostic.severity],
                "location": {
                    "path": visible(below(span.source.path)),
                    "lines": {"begin": span.line, "end": span.end_line},
                },
            }
        )
    return json.dumps(entries, indent=2) + "\n"
