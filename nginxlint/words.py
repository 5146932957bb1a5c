"""The words of one statement, exactly as `ngx_conf_read_token()` (src/core/ngx_conf_file.c) reads them, with their places.

Every alternative of a regular expression is possessive, so that no input makes it backtrack.
"""

from __future__ import annotations

from nginxlint.expressions import compiled

PLAIN = r"!$-&(-:<-\[\]-z|~"  # printable ASCII without ; { } " ' # \ and blank
WORD = r"""(?:\\.|\$\{*+|[^ \t\r\n;{}#"'\\$])(?:[^ \t\r\n;{\\$]++|\$\{*+|\\.)*+"""
ONE_WORD = compiled(
    rf"""(?xs)[ \t\r\n]*+(?:
      ("[^"\\]*+(?:\\.[^"\\]*+)*+"|'[^'\\]*+(?:\\.[^'\\]*+)*+')
    | ({WORD})
    | (\#[^\n]*+)
    | ([;{{}}]|\Z|.)
    )"""
)
# Compiled when it is needed: few texts have any.
_ESCAPE = r"""\\(["'\\trn])"""
_ESCAPED = {"t": "\t", "r": "\r", "n": "\n"}
# Further than this nobody looks for the end of a plain statement.
_LINE = 400


class RawWord:
    """A word in place: its text as nginx reads it, the offsets of what is written, the quote around it."""

    __slots__ = ("end", "quote", "start", "text")

    def __init__(self, text: str, start: int, end: int, quote: str) -> None:
        self.text = text
        self.start = start
        self.end = end
        self.quote = quote


def _is_plain(text: str) -> bool:
    """Are the words of a statement what stands between its blanks?"""
    return (
        text.isascii()
        and text.isprintable()
        and '"' not in text
        and "'" not in text
        and "\\" not in text
        and "${" not in text
        and "#" not in text
    )


def unescape(word: str) -> str:
    r"""Decode the escapes nginx decodes in every word: `\"`, `\'`, `\\`, `\t`, `\r` and `\n`."""
    return compiled(_ESCAPE).sub(lambda match: _ESCAPED.get(match[1], match[1]), word)


def words_at(text: str, start: int) -> list[RawWord]:
    """The words of the statement that begins at `start`, with their places."""
    words: list[RawWord] = []
    at = start
    semicolon = text.find(";", start, start + _LINE)
    head = text[start : max(start, semicolon)]
    if head and "{" not in head and "}" not in head and _is_plain(head):
        for word in head.split():
            at = text.index(word, at)
            words.append(RawWord(word, at, at + len(word), ""))
            at += len(word)
        return words
    while match := ONE_WORD.match(text, at):
        at = match.end()
        which = match.lastindex
        if which == 1:
            raw = match[1]
            words.append(RawWord(unescape(raw[1:-1]), match.start(1), at, raw[0]))
        elif which == 2:
            raw = match[2]
            words.append(RawWord(unescape(raw) if "\\" in raw else raw, match.start(2), at, ""))
        elif which == 4:
            break
    return words
