"""A shipped table: one line per name, found by bisection, decoded only when asked for."""

from __future__ import annotations

import os
from bisect import bisect_left

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_FOLDER = os.path.join(os.path.dirname(__file__), "data")


class _Plain:
    """What json's scanner wants to know: nothing out of the ordinary."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float, parse_int, parse_constant = float, int, float


def _decoder() -> Callable[[str], Any]:
    """`json.loads`. To import json takes 3 ms, for regular expressions that CPython's scanner, in C, does without."""
    try:
        from _json import make_scanner
    except ImportError:
        from json import loads

        return loads
    scan = make_scanner(_Plain)  # type: ignore[arg-type]  # typeshed names json's own context
    return lambda text: scan(text, 0)[0]


_loads = _decoder()


class Table:
    """`data/<file>.tsv`, read when first asked. The first line (`#`) tells its origin."""

    __slots__ = ("_file", "_lines")

    def __init__(self, file: str) -> None:
        self._file = file
        self._lines: list[str] | None = None

    def lines(self) -> list[str]:
        if self._lines is None:
            with open(os.path.join(_FOLDER, f"{self._file}.tsv"), encoding="utf-8") as handle:
                self._lines = handle.read().split("\n")
                self._lines.pop()
        return self._lines

    def rows(self, name: str) -> list[dict[str, Any]]:
        """What the table says of this name; nothing where it does not know it."""
        lines = self.lines()
        key = name + "\t"
        at = bisect_left(lines, key, 1)
        if at == len(lines) or not lines[at].startswith(key):
            return []
        rows: list[dict[str, Any]] = _loads(lines[at][len(key) :])
        return rows

    def names(self) -> list[str]:
        return [line[: line.index("\t")] for line in self.lines()[1:]]

    def origin(self) -> dict[str, Any]:
        """Versions, commits and licence of the facts."""
        origin: dict[str, Any] = _loads(self.lines()[0][2:])
        return origin


DIRECTIVES = Table("directives")
DOCUMENTATION = Table("documentation")
VARIABLES = Table("variables")
