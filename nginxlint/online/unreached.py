"""Passes that no visitor comes to, because a `return` answers first. Pure.

Source: ngx_http_rewrite_module: the statements of the server run before a location is chosen, those of the location
before its content handler; `break`, `rewrite` and `if` may lead around what follows them.
"""

from __future__ import annotations

from dataclasses import replace

from nginxlint.catalogue.numbers import number_or
from nginxlint.diagnostic import Severity
from nginxlint.online.outcomes import BLOCKS_START, without_consequence
from nginxlint.online.types import Verdict, Where
from nginxlint.syntax import Block, Directive

_CLOSE = 444


def as_reached(verdict: Verdict) -> Verdict:
    """The verdict, weakened where every place that leads to this upstream is cut off by a `return`."""
    if verdict.word != "failed" or not verdict.target.used_at or verdict.target.directive == "stream":
        return verdict
    if verdict.predicted_status == BLOCKS_START:
        return verdict  # nginx looks at it all the same
    lines = [answered_before(where.directive) for where in verdict.target.used_at]
    line = lines[0]
    if line is None or not all(lines):
        return verdict
    status = number_or(line.values[0], 302)
    text = without_consequence(verdict.message)
    return replace(
        verdict,
        word="degraded",
        severity=Severity.INFO,
        predicted_status=None if status == _CLOSE else status,
        predicted_log="",
        message=f"{text}; no visitor comes there: “return {line.values[0]}” (line {Where(line, line.head_span).span.line}) answers",
    )


def answered_before(place: Directive) -> Directive | None:
    """The `return` that ends every request on its way to this directive."""
    block = place.parent
    named = any(value.startswith("@") for value in block.values) if block is not None else False
    while block is not None and block.name in ("location", "if", "limit_except", "server"):
        found = _ends(block)
        if found is not None:
            return found
        if named:
            return None  # error_page and try_files lead here without another look at the server's statements
        block = block.parent
    return None


def _ends(block: Block) -> Directive | None:
    for line in block.body:
        if line.name == "return" and line.values:
            return line
        if line.name in ("break", "rewrite", "if"):
            return None
    return None
