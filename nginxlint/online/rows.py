"""Verdicts as the `targets` rows of the JSON contract (design.md 3). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

from nginxlint.online.types import Verdict
from nginxlint.online.untrusted import clean
from nginxlint.source import Span

Row = dict[str, Any]


class Rows(Sequence[Row]):
    """The rows of these verdicts, each made when it is asked for: thousands of them weigh more than all the rest.
    `prefix` goes before the ids, which are counted anew in every configuration."""

    __slots__ = ("_prefix", "_verdicts")

    def __init__(self, verdicts: Sequence[Verdict], prefix: str = "") -> None:
        self._verdicts = verdicts
        self._prefix = prefix

    def __len__(self) -> int:
        return len(self._verdicts)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> Rows: ...
    def __getitem__(self, at: int | slice) -> Row | Rows:
        if isinstance(at, slice):
            return Rows(self._verdicts[at], self._prefix)
        found = row(self._verdicts[at])
        return {**found, "id": self._prefix + found["id"]} if self._prefix else found

    def prefixed(self, prefix: str) -> Rows:
        """The same with ids that begin so."""
        return Rows(self._verdicts, prefix)


def row(verdict: Verdict) -> Row:
    """One row. Everything in it can be written as JSON."""
    target = verdict.target
    return {
        "id": target.id,
        "directive": target.directive,
        "scheme": target.scheme,
        "host": clean(f"unix:{target.unix}" if target.unix else target.host),
        "port": target.port,
        "path": clean(target.path, 2000),
        "upstream": clean(target.upstream) or None,
        "used_at": [location(where.span) for where in target.used_at],
        "resolution": target.resolution,
        "addresses": list(verdict.addresses),
        "verdict": verdict.word,
        "code": verdict.code,
        "failed_stage": verdict.failed_stage,
        "predicted_status": verdict.predicted_status,
        "predicted_log": verdict.predicted_log or None,
        "stages": {
            name: {"status": status, "ms": ms, "detail": detail}
            for name, (status, ms, detail) in verdict.stages.items()
        },
        "certainty": verdict.certainty,
        "host_header": None if target.host_header is None else clean(target.host_header),
        "note": verdict.message or target.note or None,
    }


def location(span: Span) -> Row:
    """A place as the contract writes it."""
    source = span.source
    return {
        "path": source.path,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
        "byte_start": source.byte_offset(span.start),
        "byte_end": source.byte_offset(span.end),
    }
