"""The text of one file and the places in it."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from nginxlint.syntax import Directive


class Source:
    """One configuration file as it was read.

    `path` is how a person would name the file (as given, relative where the user was relative), `text` its content.
    Bytes that are not UTF-8 live in `text` as lone surrogates (`surrogateescape`), so that nothing is lost and
    `text.encode("utf-8", "surrogateescape")` gives the file byte for byte. `included_at` is the `include` directive
    that brought it in: a file included at two places is two sources.
    """

    __slots__ = ("_newlines", "_text", "included_at", "path")

    def __init__(self, path: str, text: str, included_at: Directive | None = None) -> None:
        self.path = path
        self._text: str | Shelf = text
        self.included_at = included_at
        self._newlines: list[int] | None = None

    @classmethod
    def from_bytes(cls, path: str, data: bytes) -> Source:
        """Take the bytes of a file. Newlines are kept as they are: nginx knows only LF as an end of line."""
        return cls(path, data.decode("utf-8", "surrogateescape"))

    @property
    def text(self) -> str:
        """What the file says."""
        return self._text if isinstance(self._text, str) else self._text.text_of(self)

    def include_chain(self) -> list[Directive]:
        """The `include` directives that lead here from the root file, outermost first."""
        chain: list[Directive] = []
        include = self.included_at
        while include is not None:
            chain.append(include)
            include = include.source.included_at
        return chain[::-1]

    def __repr__(self) -> str:
        return f"Source({self.path!r}, {len(self.text)} characters)"

    def _line_starts(self) -> list[int]:
        if self._newlines is None:
            starts = [0]
            find, at = self.text.find, 0
            while (at := find("\n", at)) >= 0:
                at += 1
                starts.append(at)
            self._newlines = starts
        return self._newlines

    def line(self, offset: int) -> int:
        """Line number (from 1) of a character offset."""
        return bisect_right(self._line_starts(), offset)

    def column(self, offset: int) -> int:
        """Column (characters, from 1) of a character offset."""
        starts = self._line_starts()
        return offset - starts[bisect_right(starts, offset) - 1] + 1

    def byte_offset(self, offset: int) -> int:
        """The offset in the file's bytes of a character offset."""
        head = self.text[:offset]
        return offset if head.isascii() else len(head.encode("utf-8", "surrogateescape"))

    def line_count(self) -> int:
        """Number of lines; a final newline does not begin another one."""
        starts = self._line_starts()
        return len(starts) - (starts[-1] == len(self.text) and len(starts) > 1)

    def line_text(self, number: int) -> str:
        """The text of line `number` (from 1) without its end of line."""
        starts = self._line_starts()
        if not 1 <= number <= len(starts):
            return ""
        end = starts[number] - 1 if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].removesuffix("\r")

    def line_start(self, number: int) -> int:
        """Offset of the first character of line `number` (from 1)."""
        return self._line_starts()[number - 1]


class Shelf:
    """The packed texts of several sources. Few files of very many are looked at again once they are read, and hosts are
    alike: together they pack to a tenth, each alone only to the half."""

    _unpacked: tuple[Shelf, list[str]] | None = None  # the shelf that somebody looked at last

    def __init__(self, sources: list[Source]) -> None:
        """Take the texts off these sources."""
        from zlib import MAX_WBITS, compressobj

        self.sources = sources
        texts = [source.text for source in sources]
        self._lengths = [len(text) for text in texts]
        pack = compressobj(1, wbits=-MAX_WBITS)  # without a checksum
        self._packed = pack.compress("".join(texts).encode("utf-8", "surrogatepass")) + pack.flush()
        for source in sources:
            source._text = self

    def text_of(self, source: Source) -> str:
        """The text of one of them."""
        if Shelf._unpacked is None or Shelf._unpacked[0] is not self:
            Shelf._unpacked = self, self._unpack()
        return Shelf._unpacked[1][self.sources.index(source)]

    def _unpack(self) -> list[str]:
        from zlib import MAX_WBITS, decompress

        joined = decompress(self._packed, -MAX_WBITS).decode("utf-8", "surrogatepass")
        ends = list(accumulate(self._lengths))
        return [joined[end - length : end] for end, length in zip(ends, self._lengths, strict=True)]


class Span:
    """A piece of a source: characters `start` (included) to `end` (excluded)."""

    __slots__ = ("end", "source", "start")

    def __init__(self, source: Source, start: int, end: int) -> None:
        self.source = source
        self.start = start
        self.end = end

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    @property
    def line(self) -> int:
        return self.source.line(self.start)

    @property
    def column(self) -> int:
        return self.source.column(self.start)

    @property
    def end_line(self) -> int:
        return self.source.line(max(self.start, self.end - 1)) if self.end > self.start else self.line

    @property
    def end_column(self) -> int:
        """Column after the last character; on the line given by `end_line`."""
        if self.end == self.start:
            return self.column
        return self.source.column(self.end - 1) + 1

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Span)
            and self.source is other.source
            and (self.start, self.end) == (other.start, other.end)
        )

    def __hash__(self) -> int:
        return hash((id(self.source), self.start, self.end))

    def __repr__(self) -> str:
        return f"{self.source.path}:{self.line}:{self.column}"
