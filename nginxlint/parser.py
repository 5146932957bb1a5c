"""Text to a syntax tree: what the lexer reads becomes directives that know their place.

crossplane's parser makes the same tree of the same words (`nginxlint.payload`, held against this one on every file of
the corpus); for each of them it costs about twice what reading the text does.
"""

from __future__ import annotations

from nginxlint.lexer import MAX_DEPTH, Fault, read
from nginxlint.ordinary import BEGIN, COMMENT, END, INCLUDE, PIECES, STATEMENT, Heads
from nginxlint.source import Source
from nginxlint.syntax import Block, Directive, Outermost, Surroundings

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from collections.abc import Sequence


def parse(source: Source, parent: Block, heads: Heads | None = None, depth: int = 0) -> Tree:
    """Parse the text of one file as children of `parent`. Includes are not followed; what cannot be read is in `faults`.

    `heads` is shared by the files of one root, so that what they repeat is kept once; `depth` blocks are around.
    """
    text = source.text
    tree = Tree(source, parent, MAX_DEPTH - depth)
    at = tree.read_ordinary(text, Heads() if heads is None else heads)
    if at < len(text) or tree.open:
        remarks = read(text, tree, at, tree.open_at(), tree.max_depth)
        tree.comments += remarks.comments
        tree.faults = remarks.faults
    return tree


class Outline:
    """Which directives occur in a text: `top` outside every block, `every` anywhere, each name with whether the first of
    that name opens a block."""

    __slots__ = ("every", "text", "top")

    def __init__(self, text: str) -> None:
        self.text = text
        self.top: dict[str, bool] = {}
        self.every: dict[str, bool] = {}
        source = Source("", text)
        root = Surroundings("", source)
        root.body = tuple(parse(source, root).top)
        for directive in root.walk():
            if directive is not root:
                opens = directive.body is not None
                self.every.setdefault(directive.name, opens)
                if directive.parent is root:
                    self.top.setdefault(directive.name, opens)


_last: Outline | None = None


def outline_of(text: str) -> Outline:
    """The names of a text. The last one is remembered: several questions are asked of the same text in a row."""
    global _last
    if _last is None or _last.text is not text:
        _last = Outline(text)
    return _last


# The offsets of small files are one object for all of them: an int has 32 bytes, and ten thousand hosts as many files.
_SHARED = 8192
_OFFSETS: list[int] = []  # as many as the longest of these files needed


def _offsets_of(text: str) -> Sequence[int]:
    """The offsets in a text, its end too."""
    if len(text) >= _SHARED:
        return range(len(text) + 1)
    if len(text) >= len(_OFFSETS):
        _OFFSETS.extend(range(len(_OFFSETS), len(text) + 1))
    return _OFFSETS


class Tree:
    """One file: the directives at its top level (`top`), its `include` directives wherever they stand, the offsets of
    `comments` that may speak to us, and the syntax `faults`. It takes statements, and makes directives of them as
    children of the block that is open."""

    __slots__ = ("body", "comments", "faults", "includes", "max_depth", "open", "parent", "source", "top")

    def __init__(self, source: Source, parent: Block, max_depth: int) -> None:
        self.source = source
        self.parent = parent
        self.max_depth = max_depth
        self.open: list[tuple[Block, list[Directive]]] = []
        self.faults: Sequence[Fault] = ()
        self.restart()

    def restart(self) -> None:
        self.top: list[Directive] = []
        self.body = self.top
        self.includes: list[Directive] = []
        self.comments: list[int] = []

    def open_at(self) -> list[int]:
        """Where the blocks begin that are not closed yet, the outermost first."""
        return [block.start for block, _ in self.open[1:]] + [self.parent.start] if self.open else []

    def read_ordinary(self, text: str, heads: Heads) -> int:
        """Read text as far as it is ordinary; the offset of what is not, or of its end. Nearly every line is a statement
        of its own, and text is split at newlines ten times as fast as at what ends a statement."""
        source, parent, body, opened = self.source, self.parent, self.body, self.open
        deep = self.max_depth - 2
        offsets = _offsets_of(text)
        at = 0
        lines = iter(text.split("\n"))
        for line in lines:
            for kind, name, values, ahead in heads[line]:
                if kind == STATEMENT:
                    if opened:
                        directive = Directive()
                        directive.name = name
                        directive.values = values
                        directive.start = offsets[at + ahead]
                        directive.parent = parent
                        body.append(directive)
                    else:
                        body.append(Outermost(name, values, offsets[at + ahead], parent, source))
                elif kind == BEGIN and len(opened) < deep:
                    opened.append((parent, body))
                    block = Block()
                    block.name = name
                    block.values = values
                    block.start = block.close = offsets[at + ahead]
                    block.parent = parent
                    block.source = source
                    block.body = ()
                    block.has_gap = False
                    body.append(block)
                    parent, body = block, []
                elif kind == END and opened:
                    parent.close = offsets[at + ahead]
                    parent.body = tuple(body)
                    parent, body = opened.pop()
                elif kind == COMMENT:
                    self.comments.append(offsets[at + ahead])
                else:
                    self.parent, self.body = parent, body
                    end = self._read_pieces(text, at + ahead, heads)
                    parent, body = self.parent, self.body
                    if end < len(text) and text[end] != "\n":
                        return end
                    for _ in range(text.count("\n", at, end)):
                        line = next(lines)
                    at = end - len(line)
                    break
            at += len(line) + 1
        self.parent, self.body = parent, body
        return min(at, len(text))

    def _read_pieces(self, text: str, at: int, heads: Heads) -> int:
        """Read up to the end of a line on which a statement ends, or to what is not ordinary."""
        for match in PIECES.finditer(text, at):
            end = match.end()
            for kind, name, values, ahead in heads[match[0]]:
                start = at + ahead
                if kind in (STATEMENT, INCLUDE):
                    self.statement(name, values, start)
                elif kind == BEGIN and len(self.open) < self.max_depth - 2 and not text[end : end + 1].isdigit():
                    self.begin(name, values, start)
                elif kind == END and self.open:
                    self.end(start)
                elif kind == COMMENT:
                    self.comments.append(start)
                else:
                    return at
            at = end
            if text[at : at + 1] == "\n":
                break
        return at

    def statement(self, name: str, values: tuple[str, ...], start: int) -> None:
        offset = _OFFSETS[start] if start < len(_OFFSETS) else start
        directive = (
            Directive.of(name, values, offset, self.parent)
            if self.open
            else Outermost(name, values, offset, self.parent, self.source)
        )
        self.body.append(directive)
        if name == "include":
            self.includes.append(directive)

    def begin(self, name: str, values: tuple[str, ...], start: int) -> None:
        block = Block()
        block.fill(name, values, start, self.parent, self.source)
        self.body.append(block)
        self.open.append((self.parent, self.body))
        self.parent, self.body = block, []

    def end(self, at: int) -> None:
        self.parent.close = _OFFSETS[at] if at < len(_OFFSETS) else at
        self.parent.body = tuple(self.body)
        self.parent, self.body = self.open.pop()
