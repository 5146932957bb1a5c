"""The syntax tree: directives, their words, and ways to walk them. It knows braces and places, not what names mean."""

from __future__ import annotations

from _collections import defaultdict  # type: ignore[import-not-found]  # without the rest of collections

from nginxlint.source import Source, Span
from nginxlint.words import RawWord, words_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# A body of more directives than this is indexed by name; a shorter one is quicker looked through than indexed.
_LONG = 24


class Word:
    """One argument (or the name) of a directive: its text as nginx reads it, and its place in the file.

    The place is found by lexing the one statement again, because most words are never shown to anybody.
    """

    __slots__ = ("_index", "directive", "text")

    def __init__(self, directive: Directive, index: int, text: str) -> None:
        self.directive = directive
        self._index = index
        self.text = text

    @property
    def span(self) -> Span:
        """Where the word stands, quotes included."""
        raw = self.directive.raw_words()[self._index]
        return Span(self.directive.source, raw.start, raw.end)

    @property
    def quote(self) -> str:
        """The quote character around the word, or an empty string."""
        return self.directive.raw_words()[self._index].quote

    def part(self, start: int, end: int) -> Span:
        """The place of `text[start:end]`; the whole word where escapes make offsets differ."""
        raw = self.directive.raw_words()[self._index]
        inner = raw.start + len(raw.quote)
        if raw.end - raw.start - 2 * len(raw.quote) != len(self.text):
            return self.span
        return Span(self.directive.source, inner + start, inner + end)

    def __repr__(self) -> str:
        return f"Word({self.text!r})"


_last: tuple[Directive, list[RawWord]] | None = None


class Directive:
    """`name values… ;` at `start` in `source`, inside the block `parent` (None only for the root block).

    `values` are the argument texts as nginx reads them (quotes and escapes gone); `args` are the same with their
    places. Includes are spliced: `parent` may lie in another file. A Lua block is a directive whose last value
    is the code.
    """

    __slots__ = ("name", "parent", "start", "values")

    name: str
    values: tuple[str, ...]
    start: int
    body: tuple[Directive, ...] | None = None
    parent: Block | None

    # No __init__: `Directive()` with four assignments takes half the time.
    @classmethod
    def of(cls, name: str, values: tuple[str, ...], start: int, parent: Block) -> Directive:
        """One more directive."""
        new = cls()
        new.name = name
        new.values = values
        new.start = start
        new.parent = parent
        return new

    @property
    def source(self) -> Source:
        """The file it stands in: that of its block, unless it is an `Outermost`."""
        assert self.parent is not None
        return self.parent.source

    def raw_words(self) -> list[RawWord]:
        """The words with offsets and quotes, name first: always one more than there are values.

        A statement that was repaired (an unclosed quote, a missing semicolon) may read differently the second time.
        The last answer is remembered: whoever asks for one word of a long statement asks for the next one too.
        """
        global _last
        if _last is None or _last[0] is not self:
            _last = self, self._words()
        return _last[1]

    def _words(self) -> list[RawWord]:
        words = words_at(self.source.text, self.start)
        count = len(self.values) + 1
        if len(words) == len(self.values) and self.name.endswith("_by_lua_block"):
            begin = self.source.text.index("{", words[-1].end) + 1
            words.append(RawWord(self.values[-1], begin, begin + len(self.values[-1]), ""))
        while len(words) < count:
            end = words[-1].end if words else self.start
            words.append(RawWord((self.name, *self.values)[len(words)], end, end, ""))
        del words[count:]
        return words

    @property
    def args(self) -> tuple[Word, ...]:
        return tuple(Word(self, index, text) for index, text in enumerate(self.values, 1))

    @property
    def name_span(self) -> Span:
        return Span(self.source, self.start, self.raw_words()[0].end)

    @property
    def head_span(self) -> Span:
        """From the name to the last argument, without `;` or body."""
        return Span(self.source, self.start, self.raw_words()[-1].end)

    @property
    def args_span(self) -> Span:
        """From the first argument to the last; there has to be one."""
        words = self.raw_words()
        return Span(self.source, words[1].start, words[-1].end)

    @property
    def span(self) -> Span:
        """The whole statement with its `;`."""
        end = self.raw_words()[-1].end
        semicolon = self.source.text.find(";", end)
        between = self.source.text[end:semicolon]
        return Span(self.source, self.start, semicolon + 1 if semicolon >= 0 and not between.strip() else end)

    @property
    def line(self) -> int:
        return self.source.line(self.start)

    def ancestors(self) -> Iterator[Block]:
        """The blocks around it, nearest first, without the root block."""
        block = self.parent
        while block is not None and block.parent is not None:
            yield block
            block = block.parent

    def enclosing(self, *names: str) -> Block | None:
        """The nearest block around it that has one of these names."""
        block = self.parent
        while block is not None and block.parent is not None:  # the root block has no name
            if block.name in names:
                return block
            block = block.parent
        return None

    def walk(self) -> Iterator[Directive]:
        """Itself and everything inside it, in file order."""
        yield self

    def __repr__(self) -> str:
        return f"<{' '.join((self.name, *self.values))[:60]} {self.source.path}:{self.line}>"


class _LongBody(tuple[Directive, ...]):
    """A body that knows its directives by name."""

    def __init__(self, body: tuple[Directive, ...]) -> None:
        self.by_name: dict[str, list[Directive]] = {}
        for directive in body:
            self.by_name.setdefault(directive.name, []).append(directive)


class Outermost(Directive):
    """A directive at the top level of its file: the block it belongs to may lie in another one. All others do without
    a source of their own, because there are very many of them."""

    __slots__ = ("source",)

    source: Source

    def __init__(self, name: str, values: tuple[str, ...], start: int, parent: Block, source: Source) -> None:
        self.name = name
        self.values = values
        self.start = start
        self.parent = parent
        self.source = source


class Block(Directive):
    """A directive with a body. `close` is the offset of its `}` (the end of its file where that is missing).

    `synthetic`: written by nobody, see `Surroundings`.
    `has_gap`: a file it includes by name could not be read, so something may be missing in it.
    """

    __slots__ = ("body", "close", "has_gap", "source")

    body: tuple[Directive, ...]
    source: Source
    synthetic = False

    # No __init__ either.
    def fill(self, name: str, values: tuple[str, ...], start: int, parent: Block | None, source: Source) -> None:
        """Make it one that is empty as yet."""
        self.name = name
        self.values = values
        self.start = self.close = start
        self.parent = parent
        self.source = source
        self.body = ()
        self.has_gap = False

    @property
    def span(self) -> Span:
        """The whole block with its `}`."""
        return Span(self.source, self.start, min(self.close + 1, len(self.source.text)))

    def named(self, name: str) -> list[Directive]:
        """The directives directly inside it that have this name, in order. A short body is looked through; a long one
        (an http block of a thousand servers, asked by each of them) is indexed."""
        body = self.body
        if len(body) <= _LONG:
            return [directive for directive in body if directive.name == name]
        if not isinstance(body, _LongBody):
            self.body = body = _LongBody(body)
        return body.by_name.get(name, [])

    def children(self, *names: str) -> list[Directive]:
        """The directives directly inside it that have one of these names, in order."""
        return [child for child in self.body if child.name in names]

    def child(self, *names: str) -> Directive | None:
        """The first directive directly inside it that has one of these names."""
        for child in self.body:
            if child.name in names:
                return child
        return None

    def blocks(self, *names: str) -> list[Block]:
        """The blocks directly inside it that have one of these names (all where none is given)."""
        return [child for child in self.body if isinstance(child, Block) and (not names or child.name in names)]

    def walk(self) -> Iterator[Directive]:
        stack: list[Iterator[Directive]] = [iter((self,))]
        while stack:
            for directive in stack[-1]:
                yield directive
                if isinstance(directive, Block):
                    stack.append(iter(directive.body))
                    break
            else:
                stack.pop()


class Index(dict[str, list[Directive]]):
    """All directives inside a block by name, in file order. `inside`: of those that have a block, the names
    that stand directly in one of theirs."""

    __slots__ = ("_apart", "inside")

    def __init__(self, root: Block) -> None:
        super().__init__()
        self._apart: dict[str, tuple[list[Directive], list[Block]]] = {}
        index: dict[str, list[Directive]] = defaultdict(list)
        inside: dict[str, dict[str, None]] = defaultdict(dict)

        def gather(body: Iterable[Directive], names: dict[str, None]) -> None:  # blocks are no deeper than MAX_DEPTH
            for directive in body:
                name = directive.name
                index[name].append(directive)
                names[name] = None
                if directive.body is not None:
                    gather(directive.body, inside[name])

        gather(root.body, {})
        self.update(index)
        self.inside: Mapping[str, Iterable[str]] = dict(inside)

    def apart(self, name: str) -> tuple[list[Directive], list[Block]]:
        """The directives of that name that have no block, and those that have one."""
        found = self._apart.get(name)
        if found is None:
            leaves, blocks = self.get(name, []), list[Block]()
            if name in self.inside:
                blocks = [one for one in leaves if isinstance(one, Block)]
                leaves = [one for one in leaves if one.body is None] if len(blocks) < len(leaves) else []
            found = self._apart[name] = leaves, blocks
        return found

    def examples(self, name: str) -> dict[tuple[str, ...], Directive]:
        """One directive of that name for each of their different arguments."""
        return {one.values: one for one in self.get(name, ())}


# What a block written by nobody is given for arguments, where nginx wants some.
_GIVEN: dict[str, tuple[str, ...]] = {
    "location": ("/",), "upstream": ("upstream",), "map": ("$uri", "$map"), "geo": ("$geo",),
}  # fmt: skip


class Surroundings(Block):
    """A block written by nobody: the root, or what a snippet has to be read in."""

    __slots__ = ()

    synthetic = True

    def __init__(self, name: str, source: Source, parent: Block | None = None) -> None:
        self.fill(name, _GIVEN.get(name, ()), 0, parent, source)
        self.close = len(source.text)

    def raw_words(self) -> list[RawWord]:
        return [RawWord("", self.start, self.start, "")] * (len(self.values) + 1)
