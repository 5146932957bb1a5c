"""Text to a syntax tree: crossplane's parser, fed by our lexer, then directives that know their place.

`crossplane.parser.parse` looks its helpers up among the globals of its module. A private clone of that function
gets globals of its own, in which `lex` is ours and the context and argument checks are switched off (the catalogue
makes them): nothing of crossplane is changed for anybody else. It is called for one file at a time, so that a file
is a pure function from text to tree. Position: crossplane stores whatever stands for the line number; we hand it
the offset.
"""

from __future__ import annotations

from types import FunctionType

import crossplane.parser

from nginxlint.lexer import Fault, lex
from nginxlint.source import Source
from nginxlint.syntax import Block, Directive

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from typing import Any

# crossplane's statement: {"directive": name, "line": our offset, "args": [...], "block": [...]}
Statement = dict[str, "Any"]

_CLONED = crossplane.parser.parse
_GLOBALS = {
    **vars(crossplane.parser),
    "analyze": lambda **_: None,
    "enter_block_ctx": lambda stmt, ctx: ctx,
    "_prepare_if_args": lambda stmt: None,  # it would strip the parentheses, and with them the places
}


class Parsed:
    """One file: crossplane's `statements`, the offsets of closing braces, of comments, and the syntax `faults`."""

    __slots__ = ("closes", "comments", "faults", "statements")

    def __init__(
        self, statements: list[Statement], closes: dict[int, int], comments: list[int], faults: list[Fault]
    ) -> None:
        self.statements = statements
        self.closes = closes
        self.comments = comments
        self.faults = faults


def parse(text: str) -> Parsed:
    """Parse the text of one file. Includes are not followed; what cannot be read is in `faults`."""
    lexed = lex(text)
    clone = FunctionType(
        _CLONED.__code__, {**_GLOBALS, "lex": lambda _: iter(lexed.tokens)}, "parse", _CLONED.__defaults__
    )
    clone.__kwdefaults__ = _CLONED.__kwdefaults__
    payload = clone("", single=True, catch_errors=False, check_ctx=False, check_args=False)
    return Parsed(payload["config"][0]["parsed"], lexed.closes, lexed.comments, lexed.faults)


def build(parsed: Parsed, source: Source, parent: Block) -> tuple[list[Directive], list[Directive]]:
    """Make directives of crossplane's statements, as children of `parent`. Returns them and, wherever they stand in
    the file, its `include` directives. May be called again for another place that includes the same file."""
    includes: list[Directive] = []
    return _build(parsed.statements, parsed.closes, source, parent, includes), includes


def _build(
    statements: list[Statement],
    closes: dict[int, int],
    source: Source,
    parent: Block,
    includes: list[Directive],
) -> list[Directive]:
    body: list[Directive] = []
    append = body.append
    for statement in statements:
        start = statement["line"]
        name = statement["directive"]
        if "block" in statement:
            block = Block(name, tuple(statement["args"]), start, source, parent)
            block.close = closes[start]
            block.body = _build(statement["block"], closes, source, block, includes)
            append(block)
        else:
            directive = Directive(name, tuple(statement["args"]), start, source, parent)
            append(directive)
            if name == "include":
                includes.append(directive)
    return body
