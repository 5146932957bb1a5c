"""Regular expressions without `re`.

To import it and all that it draws in, and to have it compile our expressions, takes as long as the rest of a small check.
What it makes of them is always the same: `make docs` writes that down, and here it goes to the engine below `re`. Of an
expression that is not written down, and for another engine, `re` makes the same.
"""

from __future__ import annotations

import _sre  # type: ignore[import-not-found]
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from re import Pattern
    from typing import Any, AnyStr

    # flags, code, names of the groups (the first one is the whole match)
    Row = tuple[int, tuple[int, ...], tuple[str | None, ...]]

# The engines of CPython 3.11, 3.12 and 3.13 take the same code (a test compares), if numbers have the usual size.
ENGINES = (20220615, 20221023, 20230612)
_USUAL = ("cpython", "little", 0xFFFFFFFF)

_patterns: dict[Any, Any] = {}


def compiled(expression: AnyStr) -> Pattern[AnyStr]:
    """What `re.compile` makes of an expression. Flags stand in it: `(?s)`. To ask again costs nothing."""
    pattern: Pattern[AnyStr] | None = _patterns.get(expression)
    if pattern is None:
        row = _rows.get(expression)
        pattern = _patterns[expression] = _compiled_by_re(expression) if row is None else _load(expression, row)
    return pattern


def _load(expression: AnyStr, row: Row) -> Pattern[AnyStr]:
    flags, code, names = row
    numbers = {name: number for number, name in enumerate(names) if name is not None}
    pattern: Pattern[AnyStr] = _sre.compile(expression, flags, list(code), len(names) - 1, numbers, names)
    return pattern


def _compiled_by_re(expression: AnyStr) -> Pattern[AnyStr]:
    import re

    return re.compile(expression)


def _table() -> dict[str | bytes, Row]:
    """What is written down for this Python."""
    if _sre.MAGIC not in ENGINES or (sys.implementation.name, sys.byteorder, _sre.MAXREPEAT) != _USUAL:
        return {}
    try:
        from nginxlint._expressions import ROWS
    except (ImportError, SyntaxError):  # (a merge may have mixed two of them)
        return {}
    return ROWS


_rows = _table()
