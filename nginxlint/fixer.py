"""The fixes of findings, made in the texts of the files they are about: each wholly, or not at all.

First come, first served: a fix that would touch what another one has changed is left for the next round, when the files
have been judged anew. Only the places that edits name are touched; nothing is printed anew.
"""

from __future__ import annotations

import os
from bisect import bisect_left, insort

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nginxlint.diagnostic import Edit, Fix
    from nginxlint.result import Finding, Run

    Piece = tuple[int, int, str]  # what is replaced, from and to, and by what

NOT_OURS = "it would change a file that was left out"
SHARED = "its file is included at other places too, where this is not found"


class Mended:
    """What fixes come to: the `texts` of the files they change, by real path; the findings they mend (`done`); and those
    that were `left`, with the reason."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.done: list[Finding] = []
        self.left: list[tuple[Finding, str]] = []


def mend(
    findings: Iterable[Finding], uses: Mapping[str, int], may_change: Callable[[str], bool], *, unsafe: bool
) -> Mended:
    """Make the fixes of these findings. `uses` says how often each file (by real path) is included, `may_change` whether a
    file may be touched."""
    mended = Mended()
    texts: dict[str, str] = {}
    made: dict[str, list[Piece]] = {}
    offered: list[tuple[Finding, Fix, list[tuple[str, Edit]]]] = []
    found: dict[object, int] = {}  # at how many places a change is asked for: a file may have several names
    for finding in findings:
        if fix := finding.fix(unsafe=unsafe):
            edits = [(os.path.realpath(edit.span.source.path), edit) for edit in fix.edits]
            offered.append((finding, fix, edits))
            found[_change(edits)] = found.get(_change(edits), 0) + max(1, len(finding.seen_at))
    for finding, fix, edits in offered:
        if not all(may_change(edit.span.source.path) for edit in fix.edits):
            mended.left.append((finding, NOT_OURS))
            continue
        if any(uses.get(path, 1) > found[_change(edits)] for path, _ in edits):
            mended.left.append((finding, SHARED))
            continue
        if all(_fits(made.get(path, []), _piece(edit)) for path, edit in edits):
            for path, edit in edits:
                texts.setdefault(path, edit.span.source.text)
                pieces = made.setdefault(path, [])
                if _piece(edit) not in pieces[bisect_left(pieces, _piece(edit)) :][:1]:
                    insort(pieces, _piece(edit))
            mended.done.append(finding)
    mended.texts = {path: _replaced(text, made[path]) for path, text in texts.items()}
    return mended


def uses_of(run: Run) -> dict[str, int]:
    """How often each file is included, by its real path."""
    uses: dict[str, int] = {}
    for checked in run.checked:
        for path in checked.paths:
            real = os.path.realpath(path)
            uses[real] = uses.get(real, 0) + 1
    return uses


def _change(edits: list[tuple[str, Edit]]) -> object:
    return tuple((path, _piece(edit)) for path, edit in edits)


def _piece(edit: Edit) -> Piece:
    text = edit.text
    if "\n" in text and edit.span.source.text.partition("\n")[0].endswith("\r"):
        text = text.replace("\n", "\r\n")  # as the lines of the file end
    return edit.span.start, edit.span.end, text


def _fits(made: list[Piece], piece: Piece) -> bool:
    """Does a piece leave alone what was changed before? `made` is sorted, and its pieces do not overlap."""
    start, end, _ = piece
    at = bisect_left(made, piece)
    if made[at : at + 1] == [piece]:
        return True  # the same change again
    for other_start, other_end, _ in made[max(0, at - 2) : at + 2]:
        if (start < other_end and other_start < end) or (start, end) == (other_start, other_end):
            return False
    return True


def _replaced(text: str, pieces: list[Piece]) -> str:
    parts: list[str] = []
    at = 0
    for start, end, new in pieces:
        parts += (text[at:start], new)
        at = end
    return "".join((*parts, text[at:]))
