"""Text to a syntax tree: what the lexer reads becomes directives that know their place.

crossplane's parser makes the same tree of the same words (`nginxlint.payload`, held against this one on every file of
the corpus); for each of them it costs about twice what reading the text does.
"""

from __future__ import annotations

from nginxlint.lexer import Fault, Heads, read
from nginxlint.source import Source
from nginxlint.syntax import Block, Directive


class Parsed:
    """One file: the directives at its top level (`body`), its `include` directives wherever they stand, the offsets of
    its `comments`, and the syntax `faults`."""

    __slots__ = ("body", "comments", "faults", "includes")

    def __init__(
        self, body: list[Directive], includes: list[Directive], comments: list[int], faults: list[Fault]
    ) -> None:
        self.body = body
        self.includes = includes
        self.comments = comments
        self.faults = faults


def parse(source: Source, parent: Block, heads: Heads | None = None) -> Parsed:
    """Parse the text of one file as children of `parent`. Includes are not followed; what cannot be read is in `faults`.

    `heads` is shared by the files of one root, so that what they repeat is kept once.
    """
    tree = _Tree(source, parent)
    remarks = read(source.text, tree, Heads() if heads is None else heads)
    return Parsed(tree.top, tree.includes, remarks.comments, remarks.faults)


# The offsets of small files are one object for all of them: an int has 32 bytes, and ten thousand hosts as many files.
_SHARED = 8192
_OFFSETS = list(range(_SHARED))


class _Tree:
    """Takes statements and makes directives of them, as children of the block that is open."""

    __slots__ = ("body", "includes", "open", "parent", "source", "top")

    def __init__(self, source: Source, parent: Block) -> None:
        self.source = source
        self.parent = parent
        self.open: list[tuple[Block, list[Directive]]] = []
        self.restart()

    def restart(self) -> None:
        self.top: list[Directive] = []
        self.body = self.top
        self.includes: list[Directive] = []

    def statement(self, name: str, values: tuple[str, ...], start: int) -> None:
        offset = _OFFSETS[start] if start < _SHARED else start
        directive = Directive(name, values, offset, self.source, self.parent)
        self.body.append(directive)
        if name == "include":
            self.includes.append(directive)

    def begin(self, name: str, values: tuple[str, ...], start: int) -> None:
        block = Block(name, values, start, self.source, self.parent)
        self.body.append(block)
        self.open.append((self.parent, self.body))
        self.parent, self.body = block, block.body

    def end(self, at: int) -> None:
        self.parent.close = _OFFSETS[at] if at < _SHARED else at
        self.parent, self.body = self.open.pop()
