"""A shipped table: one line per name, found by bisection, decoded only when asked for."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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

    __slots__ = ("_file", "_text")

    def __init__(self, file: str) -> None:
        self._file = file
        self._text = b""

    def _read(self) -> bytes:
        """Bytes, as of a thousand lines ten are decoded."""
        if not self._text:
            with open(os.path.join(_FOLDER, f"{self._file}.tsv"), "rb", buffering=0) as handle:
                self._text = handle.read()
        return self._text

    def lines(self) -> list[str]:
        return self._read().decode("utf-8").split("\n")[:-1]

    def rows(self, name: str) -> list[dict[str, Any]]:
        """What the table says of this name; nothing where it does not know it."""
        text = self._read()
        key = name.encode("utf-8", "surrogateescape") + b"\t"
        low, high = text.index(b"\n") + 1, len(text)  # both where lines begin
        while low < high:
            begin = text.rfind(b"\n", low, (low + high) // 2) + 1 or low
            end = text.index(b"\n", begin) + 1
            line = text[begin:end]
            if line.startswith(key):
                rows: list[dict[str, Any]] = _loads(line[len(key) :].decode("utf-8"))
                return rows
            if line < key:
                low = end
            else:
                high = begin
        return []

    def items(self) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """All names with their rows, in their order."""
        for line in self.lines()[1:]:
            name, _, rows = line.partition("\t")
            yield name, _loads(rows)

    def every_row(self) -> Iterator[dict[str, Any]]:
        """The rows of all names, in their order."""
        for _, rows in self.items():
            yield from rows

    def values(self, key: str) -> set[str]:
        """What a key has in any row, where that is always a plain word; without decoding them all."""
        pieces = self._read().split(b'"%s":"' % key.encode())
        return {piece[: piece.index(b'"')].decode() for piece in pieces[1:]}

    def names(self) -> list[str]:
        return [line[: line.index("\t")] for line in self.lines()[1:]]

    def origin(self) -> dict[str, Any]:
        """Versions, commits and licence of the facts."""
        origin: dict[str, Any] = _loads(self.lines()[0][2:])
        return origin


DIRECTIVES = Table("directives")
DOCUMENTATION = Table("documentation")
VARIABLES = Table("variables")
