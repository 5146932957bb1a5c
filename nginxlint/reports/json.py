"""The JSON contract (schema.json beside this file): everything a run knows, for programs. Fields are only added."""

from __future__ import annotations

import json

from nginxlint.diagnostic import Note, Severity
from nginxlint.fingerprint import fingerprints
from nginxlint.reports.text import encodable
from nginxlint.result import Finding, Run
from nginxlint.source import Span
from nginxlint.syntax import Block, Directive

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from typing import Any


def render(run: Run) -> str:
    """The document as text. Everything beyond ASCII is written as an escape. A target is one line: there may be
    thousands, and the fast writer of the standard library knows no indentation."""
    pieces = ["{"]
    for name, value in document(run).items():
        pieces += ["\n" if len(pieces) == 1 else ",\n", f'  "{name}": ']
        if name == "targets":
            pieces.append("[")
            for number, target in enumerate(run.targets):
                pieces += [",\n    " if number else "\n    ", json.dumps(target)]
            pieces.append("\n  ]" if len(pieces[-1]) > 1 else "]")
        else:
            pieces.append(json.dumps(value, indent=2).replace("\n", "\n  "))
    return "".join([*pieces, "\n}\n"])


def document(run: Run) -> dict[str, Any]:
    """The document."""
    from nginxlint import __version__

    request = run.request
    shown = [finding.diagnostic for finding in run.shown()]
    safe = sum(any(fix.safe for fix in diagnostic.fixes) for diagnostic in shown)
    return {
        "schema": 1,
        "tool": {"name": "nginxlint", "version": __version__},
        "run": {
            "args": [encodable(word) for word in request.args],
            "roots": list(dict.fromkeys(encodable(checked.root.given) for checked in run.checked)),
            "contexts": [
                {"path": encodable(checked.root.path), "context": checked.root.context, "guessed": checked.root.guessed}
                for checked in run.checked
                if checked.root.context is not None
            ],
            "nginx_version": ".".join(map(str, request.version)),
            "nginx_version_origin": encodable(request.version_origin),
            "profile": request.profile,
            "online": request.online is not None,
            "vantage": run.vantage,
            "complete": run.complete,
            "duration_ms": round(run.seconds * 1000),
        },
        "summary": {
            "files": run.file_count(),
            "directives": sum(checked.sums.directives for checked in run.checked),
            "error": run.count(Severity.ERROR),
            "warning": run.count(Severity.WARNING),
            "info": run.count(Severity.INFO),
            "suppressed": sum(finding.suppressed is not None for finding in run.findings),
            "baselined": sum(finding.known for finding in run.findings),
            "fixable_safe": safe,
            "fixable_unsafe": sum(bool(diagnostic.fixes) for diagnostic in shown) - safe,
            "exit_code": run.final_code,
        },
        "findings": _findings(run.findings),
        "targets": [],  # written by render, which has not all of them at a time
        "errors": [
            {
                "path": encodable(trouble.path),
                "message": encodable(trouble.reason),
                "included_at": _at(trouble.include) if trouble.include is not None else None,
            }
            for trouble in run.trouble
        ]
        + [{"path": None, "message": encodable(reason), "included_at": None} for reason in run.other_reasons()],
    }


def _at(directive: Directive) -> dict[str, Any]:
    return {"path": encodable(directive.source.path), "line": directive.line}


def _findings(findings: list[Finding]) -> list[dict[str, Any]]:
    prints = fingerprints(findings)
    return [{**_finding(finding), "fingerprint": text} for finding, text in zip(findings, prints, strict=True)]


def _finding(finding: Finding) -> dict[str, Any]:
    diagnostic = finding.diagnostic
    return {
        "rule": diagnostic.rule,
        "group": diagnostic.group,
        "severity": diagnostic.severity.word,
        "confidence": diagnostic.confidence.word,
        "stage": diagnostic.stage,
        "message": encodable(diagnostic.message),
        "blocks_start": diagnostic.blocks_start,
        "nginx_message": encodable(diagnostic.nginx_message) if diagnostic.nginx_message is not None else None,
        "root": encodable(finding.checked.root.given),
        "location": _location(diagnostic.span),
        "label": encodable(diagnostic.label),
        "related": [_note(note) for note in diagnostic.related],
        "breadcrumb": [
            {"block": encodable(block.name), "args": [encodable(value) for value in block.values], **_server(block)}
            for block in finding.blocks()
        ],
        "include_chain": [
            {"path": encodable(include.source.path), "line": include.line}
            for include in diagnostic.span.source.include_chain()
        ],
        "occurrences": max(1, len(finding.seen_at)),
        "seen_in": [{"names": [], "listen": [], **_server(block), **_at(block)} for block in finding.servers()]
        if len(finding.seen_at) > 1
        else [],
        "help": [encodable(line) for line in diagnostic.help],
        "fixes": [
            {
                "title": encodable(fix.title),
                "applicability": "safe" if fix.safe else "unsafe",
                "edits": [
                    {
                        "path": encodable(edit.span.source.path),
                        "byte_start": edit.span.source.byte_offset(edit.span.start),
                        "byte_end": edit.span.source.byte_offset(edit.span.end),
                        "text": encodable(edit.text),
                    }
                    for edit in fix.edits
                ],
            }
            for fix in diagnostic.fixes
        ],
        "target": diagnostic.target,
        "baselined": finding.known,
        "suppressed": None
        if (comment := finding.suppressed) is None
        else {"reason": encodable(comment.reason), "until": comment.until, "fixme": comment.fixme},
    }


def _note(note: Note) -> dict[str, Any]:
    return {"label": encodable(note.label), "location": _location(note.span)}


def _location(span: Span) -> dict[str, Any]:
    return {
        "path": encodable(span.source.path),
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
        "byte_start": span.source.byte_offset(span.start),
        "byte_end": span.source.byte_offset(span.end),
    }


def _server(block: Block) -> dict[str, Any]:
    """A server also by what it answers to."""
    if block.name != "server" or block.child("server_name", "listen") is None:
        return {}
    return {
        "names": [encodable(value) for name in block.children("server_name") for value in name.values],
        "listen": [encodable(listen.values[0]) for listen in block.children("listen") if listen.values],
    }
