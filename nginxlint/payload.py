"""The tree as crossplane has it: by crossplane's own parser from our words, and from a tree of ours.

`crossplane.parser.parse` looks its helpers up among the globals of its module. A private clone of that function
gets globals of its own, in which `lex` is ours and the context and argument checks are switched off (the catalogue
makes them): nothing of crossplane is changed for anybody else. Position: crossplane stores whatever stands for the
line number; we hand it the offset.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import FunctionType
from typing import Any

import crossplane.parser

from nginxlint.lexer import Remarks, read
from nginxlint.syntax import Directive

# As crossplane's lexer has it: (text, line, quoted).
Token = tuple[str, int, bool]
# crossplane's statement: {"directive": name, "line": our offset, "args": [...], "block": [...]}
Statement = dict[str, Any]

_CLONED = crossplane.parser.parse
_GLOBALS = {
    **vars(crossplane.parser),
    "analyze": lambda **_: None,
    "enter_block_ctx": lambda stmt, ctx: ctx,
    "_prepare_if_args": lambda stmt: None,  # it would strip the parentheses, and with them the places
}


class Tokens:
    """A text as tokens. The offset of a statement is the line of its first word; words count as quoted, so that what
    looks like a terminator or a comment is none."""

    def __init__(self, text: str) -> None:
        self.tokens: list[Token] = []
        self.remarks: Remarks = read(text, self)

    def restart(self) -> None:
        self.tokens.clear()

    def _head(self, name: str, values: tuple[str, ...], start: int) -> None:
        self.tokens.append((name, start, True))
        self.tokens.extend((value, 0, True) for value in values)

    def statement(self, name: str, values: tuple[str, ...], start: int) -> None:
        self._head(name, values, start)
        self.tokens.append((";", 0, False))

    def begin(self, name: str, values: tuple[str, ...], start: int) -> None:
        self._head(name, values, start)
        self.tokens.append(("{", 0, False))

    def end(self, at: int) -> None:
        self.tokens.append(("}", at, False))


def parse_with_crossplane(text: str) -> list[Statement]:
    """What crossplane's parser makes of the words of a text."""
    tokens = Tokens(text).tokens
    clone = FunctionType(_CLONED.__code__, {**_GLOBALS, "lex": lambda _: iter(tokens)}, "parse", _CLONED.__defaults__)
    clone.__kwdefaults__ = _CLONED.__kwdefaults__
    payload = clone("", single=True, catch_errors=False, check_ctx=False, check_args=False)
    parsed: list[Statement] = payload["config"][0]["parsed"]
    return parsed


def to_crossplane(body: Iterable[Directive]) -> list[Statement]:
    """Directives as crossplane's statements."""
    statements: list[Statement] = []
    for directive in body:
        statement: Statement = {"directive": directive.name, "line": directive.start, "args": list(directive.values)}
        if directive.body is not None:
            statement["block"] = to_crossplane(directive.body)
        statements.append(statement)
    return statements
