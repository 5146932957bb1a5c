"""Draw the lines of a file that a finding is about, with marks and labels under them."""

from __future__ import annotations

from nginxlint.reports.text import Style, shown, visible, width_of, wrapped
from nginxlint.source import Source, Span

_TAB = "    "
# Of a line longer than this nothing but the neighbourhood of its marks is looked at.
_NEAR = 400


class Mark:
    """A span to point at: the primary one with `^`, others with `-`, and its label."""

    __slots__ = ("label", "primary", "span")

    def __init__(self, span: Span, label: str, *, primary: bool) -> None:
        self.span = span
        self.label = label
        self.primary = primary


def draw(marks: list[Mark], gutter: int, severity: str, style: Style) -> list[str]:
    """The rows for marks of one file: numbered lines, `...` where lines are left out, marks and labels."""
    by_line: dict[int, list[Mark]] = {}
    for mark in marks:
        by_line.setdefault(mark.span.line, []).append(mark)
    source = marks[0].span.source
    room = max(20, style.width - gutter - 3)
    rows: list[str] = []
    before = 0
    for number in sorted(by_line):
        if before and number - before == 2:
            rows.append(_numbered(number - 1, _Line(source, number - 1, None, room).text, gutter, style))
        elif before and number - before > 2:
            rows.append(style.paint("dim", "..."))
        before = number
        here = sorted(by_line[number], key=lambda mark: (not mark.primary, mark.span.start))
        bar = f"{' ' * gutter} {style.paint('dim', '|')} "
        while here:  # once, or once for each mark that a cut of the line leaves out
            line = _Line(source, number, here[0].span, room)
            rows.append(_numbered(number, line.text, gutter, style))
            drawn = [mark for mark in here if mark is here[0] or line.holds(mark.span)]
            for mark in drawn:
                rows.extend(bar + row for row in _mark_rows(mark, line, room, severity, style))
            here = [mark for mark in here if mark not in drawn]
    return rows


def _numbered(number: int, text: str, gutter: int, style: Style) -> str:
    return f"{style.paint('dim', f'{number:>{gutter}} |')} {text}".rstrip()


def _mark_rows(mark: Mark, line: _Line, room: int, severity: str, style: Style) -> list[str]:
    start, end = line.columns(mark.span)
    role = severity if mark.primary else "secondary"
    marks = style.paint(role, ("^" if mark.primary else "-") * max(1, end - start))
    label = visible(mark.label)
    if mark.span.end_line > mark.span.line:
        label = f"{label} (to line {mark.span.end_line})" if label else f"to line {mark.span.end_line}"
    lead = " " * start
    if not label:
        return [lead + marks]
    if max(start + 1, end) + 1 + width_of(label) <= room:
        return [f"{lead}{marks} {style.paint(role, label)}"]
    # no room to the right: below, from the mark or so far left that it fits
    left = max(0, min(start, room - min(room, max(30, width_of(label)))))
    below = [" " * left + style.paint(role, row) for row in wrapped(label, room - left)]
    return [lead + marks, *below]


class _Line:
    """One line as it is drawn: tabs as four columns, nothing a terminal would obey, cut around a span where it does
    not fit. `columns` says where a span is on the screen, `holds` whether it is there at all."""

    __slots__ = ("_begin", "_columns", "_first", "_shown", "text")

    def __init__(self, source: Source, number: int, span: Span | None, room: int) -> None:
        begin = source.line_start(number)
        raw = source.line_text(number)
        low = 0 if span is None else min(span.start - begin, len(raw))
        first = max(0, low - _NEAR)
        raw = raw[first : low + _NEAR]
        cells = [_TAB if character == "\t" else shown(character) for character in raw]
        columns = [0]
        for cell in cells:
            columns.append(columns[-1] + width_of(cell))
        self._begin = begin
        self._first = first
        total = columns[-1]
        cut_left = first > 0
        cut_right = source.line_text(number)[first + len(raw) :] != ""
        if total <= room and not cut_left and not cut_right:
            self._columns = columns
            self._shown = (0, len(cells))
            self.text = "".join(cells)
            return
        # a window that shows the first mark with a third of the room before it
        start = columns[min(max(0, low - first), len(cells))]
        left = max(0, start - room // 3)
        left = max(0, min(left, total - room + 2)) if not cut_right else left
        if not cut_left and left <= 1:
            left = 0
        a = next(index for index, column in enumerate(columns) if column >= left)
        cut_left = cut_left or a > 0
        space = room - cut_left
        b = len(cells)
        if columns[b] - columns[a] > space or cut_right:
            while b > a and columns[b] - columns[a] > space - 1:
                b -= 1
            cut_right = cut_right or b < len(cells)
        text = ("…" if cut_left else "") + "".join(cells[a:b]) + ("…" if cut_right else "")
        shift = columns[a] - cut_left
        limit = columns[b] - shift
        self._shown = (a, b)
        self._columns = [min(max(column - shift, int(cut_left)), limit) for column in columns]
        self.text = text

    def holds(self, span: Span) -> bool:
        """Does the span begin in what is shown?"""
        at = span.start - self._begin - self._first
        return self._shown[0] <= at < self._shown[1] or (at == self._shown[1] and not self.text.endswith("…"))

    def columns(self, span: Span) -> tuple[int, int]:
        """First column of a span, and the one behind it (on this line)."""
        last = len(self._columns) - 1
        start = min(max(span.start - self._begin - self._first, 0), last)
        end = min(max(span.end - self._begin - self._first, start), last)
        return self._columns[start], self._columns[end]
