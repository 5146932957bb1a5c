"""Edits a fix is written with, and the places findings name; shared by rules and by the catalogue check."""

from __future__ import annotations

from nginxlint.diagnostic import Edit, Note
from nginxlint.source import Span
from nginxlint.syntax import Block, Directive, Word

Place = Span | Directive | Word


def spot(place: Place) -> tuple[Span, Directive | None]:
    """The span of a place, and the directive it belongs to where that is known."""
    if isinstance(place, Directive):
        return place.head_span, place
    if isinstance(place, Word):
        return place.span, place.directive
    return place, None


def note(place: Place, label: str) -> Note:
    """A related place."""
    return Note(spot(place)[0], label)


def insert_after(span: Span, text: str) -> Edit:
    """Write `text` right behind a place."""
    return Edit(Span(span.source, span.end, span.end), text)


def insert_before(span: Span, text: str) -> Edit:
    """Write `text` right before a place."""
    return Edit(Span(span.source, span.start, span.start), text)


def replace(span: Span, text: str) -> Edit:
    """Write `text` in place of what stands there."""
    return Edit(span, text)


def delete(directive: Directive) -> Edit:
    """Take a whole statement out, with its line where nothing else stands on it."""
    span = directive.span
    text, start, end = span.source.text, span.start, span.end
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", end)
    line_end = len(text) if line_end < 0 else line_end + 1
    if not text[line_start:start].strip() and not text[end:line_end].strip():
        start, end = line_start, line_end
    return Edit(Span(span.source, start, end), "")


def delete_word(word: Word) -> Edit:
    """Take one argument out, with the blanks before it, or with its line where nothing else stands on it."""
    span = word.span
    text, start, end = span.source.text, span.start, span.end
    while start > 0 and text[start - 1] in " \t":
        start -= 1
    if text[start - 1 : start] == "\n" and text[end : end + 1] in ("\n", "\r"):
        start -= 1
    return Edit(Span(span.source, start, end), "")


def insert_line_after(directive: Directive, *statements: str) -> Edit:
    """Write statements on lines of their own below a directive, indented as it is; behind it where its line goes on."""
    span = directive.span
    text = span.source.text
    rest = text[span.end : (text + "\n").find("\n", span.end)].strip()
    between = f"\n{_indent(span)}" if not rest or rest.startswith("#") else " "
    return insert_after(span, "".join(f"{between}{statement}" for statement in statements))


def insert_line_before(directive: Directive, *statements: str) -> Edit:
    """Write statements on lines of their own above a directive, indented as it is."""
    span = directive.span
    indent = _indent(span)
    return insert_before(span, "".join(f"{statement}\n{indent}" for statement in statements))


def insert_into(block: Block, *statements: str) -> Edit:
    """Write statements at the beginning of a block's body, indented as its first directive is."""
    brace = block.source.text.index("{", block.head_span.end)
    first = next((child for child in block.body if child.source is block.source), None)
    indent = _indent(first.span) if first is not None else _indent(block.span) + "    "
    text = "".join(f"\n{indent}{statement}" for statement in statements)
    return insert_after(Span(block.source, brace, brace + 1), text)


def _indent(span: Span) -> str:
    text = span.source.text
    begin = text.rfind("\n", 0, span.start) + 1
    return text[begin : begin + len(text[begin : span.start]) - len(text[begin : span.start].lstrip(" \t"))]
