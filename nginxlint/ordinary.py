"""Ordinary text, read by the line: whole statements as they are written, each taken apart once.

A piece is one statement, a brace or a comment. Where it is not sure what a quote or a brace means, a piece ends or is too
long, and the rest of the text is left to the lexer.
"""

from __future__ import annotations

from sys import intern

from nginxlint.expressions import compiled
from nginxlint.lexer import BLOCK_NAMES, MARK, NEAR_BUFFER
from nginxlint.words import ONE_WORD, PLAIN, unescape

# Of a piece of text what it is, its name and values, and how far behind the begin of the line (or piece) it stands.
Head = tuple[int, str, tuple[str, ...], int]
STATEMENT, INCLUDE, BEGIN, END, COMMENT, ODD = range(6)
_ODD: tuple[Head, ...] = ((ODD, "", (), 0),)

PIECES = compiled(
    r"""(?xs)
      [^;{}"'#\\$]*+ (?:(?:
          \$\{*+                                            # a brace behind a dollar opens no block
        | \\.
        | (?<=[^ \t\r\n;{}]) [}"'#]                        # inside a word
        | (?<![^ \t\r\n;{}]) (?: "[^"\\]*+(?:\\.[^"\\]*+)*+" | '[^'\\]*+(?:\\.[^'\\]*+)*+' ) (?=[ \t\r\n;{)])
      ) [^;{}"'#\\$]*+ )*+ [;{}]
    | [ \t\r\n]*+\#[^\n]*+
    | .+
    """
)
# Words of plain characters between blanks, on one line.
_plain_statement = compiled(rf"[ \t]*+([{PLAIN}]++)([ \t{PLAIN}]*+)(?:;|(?<!\$)(\{{))").fullmatch
_TERMINATORS = (";", "{")
_BEHIND_QUOTE = frozenset(" \t\r\n;{)")
# How many lines are kept. What is repeated everywhere turns up early; the last ones are kept for a while, because a host
# says its name twice.
_LATE = 1024
_MOST = 8192 + _LATE


class Heads(dict[str, tuple[Head, ...]]):
    """What stands on a line of ordinary text, or in one of its pieces, by how it is written, blanks included.

    `ODD`, then alone: a statement goes on behind this line, or `read` has to look at it. Configurations say the same things
    again and again: a repeated line is taken apart once, and its words are one object wherever it stands. Kept for all
    files of a root.
    """

    def __missing__(self, written: str) -> tuple[Head, ...]:
        if len(written) >= NEAR_BUFFER:
            return _ODD
        found: tuple[Head, ...]
        if match := _plain_statement(written):
            name, values, brace = match.groups()
            blanks = match.start(1)
            if brace is None:  # as in `_statement`: to call it takes a tenth of the time of a unique line
                kind = INCLUDE if name == "include" else STATEMENT
                found = ((kind, intern(name), tuple(values.split()), blanks),)
            else:
                found = _statement(name, tuple(values.split()), blanks, True)
        else:
            found = self._apart(written)
            if found is _ODD and "\n" not in written:
                found = self._several(written)
        self[written] = found
        if len(self) > _MOST:
            for _ in range(_LATE):
                self.popitem()  # the last one
        return found

    def _apart(self, written: str) -> tuple[Head, ...]:
        """One statement with quotes or escapes in it, one on several lines, or none."""
        text = written.strip(" \t\r\n")
        if not text:
            return ()
        if text[0] == "#":
            if "\n" in text:
                return _ODD
            return ((COMMENT, "", (), written.index("#")),) if MARK in text else ()
        if text == "}":
            return ((END, "", (), written.index("}")),)
        words = _words(text) if text[-1] in _TERMINATORS else None
        if not words:
            return _ODD
        blanks = written.index(text)
        # on one line, or certainly its own: a forgotten semicolon is looked for in all others
        if text[-1] == "{" and "\n" in text[:-1].rstrip() and words[0] not in BLOCK_NAMES:
            return _ODD
        return _statement(words[0], tuple(words[1:]), blanks, text[-1] == "{")

    def _several(self, line: str) -> tuple[Head, ...]:
        """Pieces that are statements, on one line."""
        found: list[Head] = []
        at = 0
        opens = False
        pieces = PIECES.findall(line)
        for piece in pieces:
            heads = _ODD if len(pieces) == 1 else self[piece]
            if heads is _ODD or (opens and piece[0].isdigit()):
                return _ODD
            for kind, name, values, blanks in heads:
                found.append((kind, name, values, at + blanks))
                opens = kind == BEGIN
            at += len(piece)
        return tuple(found)


def _statement(name: str, values: tuple[str, ...], blanks: int, opens: bool) -> tuple[Head, ...]:
    """A statement that is all there is of a piece."""
    if not opens:
        return ((INCLUDE if name == "include" else STATEMENT, intern(name), values, blanks),)
    return _ODD if name.endswith("_by_lua_block") else ((BEGIN, intern(name), values, blanks),)


def _words(written: str) -> list[str] | None:
    """The words of a statement that ends with the last character; None where it does not."""
    words: list[str] = []
    at = 0
    while match := ONE_WORD.match(written, at):
        at = match.end()
        which = match.lastindex
        if which == 1 and written[at] in _BEHIND_QUOTE:
            word = match[1][1:-1]
        elif which == 2:
            word = match[2]
        else:
            return words if which == 4 and match[4] and at == len(written) else None
        words.append(unescape(word) if "\\" in word else word)
    return None
