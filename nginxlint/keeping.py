"""What was found of a root, as plain values that can be stored, and made findings of again.

Of the tree goes along what reports show of it: the directives findings belong to, the blocks around them, the names and
listen sockets of servers, and the includes that lead there. Texts do not: they are read again.
"""

from __future__ import annotations

from nginxlint.diagnostic import Confidence, Diagnostic, Edit, Fix, Note, Severity
from nginxlint.inputs import Root
from nginxlint.result import Finding, Judged, Kept, Sums
from nginxlint.source import Source, Span
from nginxlint.syntax import Block, Directive, Outermost, Surroundings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from nginxlint.suppressions import Suppression

# Of a server reports show these.
_SHOWN = ("server_name", "listen")
_NOBODY = -1
_CLASSES: tuple[type[Directive], ...] = (Outermost, Block, Surroundings)


def pack(checked: Judged, findings: Iterable[Finding]) -> tuple[Any, ...]:
    """A root with what was found of it."""
    packer = _Packer()
    rows = [packer.finding(finding) for finding in findings]
    sums = checked.sums
    numbers = sums.directives, sums.servers, sums.locations, sums.targets
    return checked.paths, checked.loaded.included, numbers, packer.sources, packer.directives, rows


def unpack(root: Root, stored: tuple[Any, ...], text_of: Callable[[str], str]) -> Kept:
    """The root again. `text_of` reads a file as it was; what it raises passes."""
    paths, included, numbers, sources, directives, rows = stored
    kept = Kept(root, paths, included, Sums(*numbers))
    unpacker = _Unpacker(sources, directives, text_of)
    for row in rows:
        kept.add(*unpacker.finding(row, kept))
    return kept


class _Packer:
    """Writes down each source and each directive once, and refers to it by its number."""

    def __init__(self) -> None:
        self.sources: list[tuple[str, int]] = []
        self.directives: list[tuple[Any, ...]] = []
        self._numbers: dict[object, int] = {}

    def finding(self, finding: Finding) -> tuple[Any, ...]:
        one = finding.diagnostic
        comment = finding.suppressed
        return (
            (one.rule, one.severity.word, one.message, self._span(one.span)),
            (one.group, one.stage, one.confidence.word, one.label, one.help, one.blocks_start, one.nginx_message),
            [(self._span(note.span), note.label) for note in one.related],
            [
                (fix.title, [(self._span(edit.span), edit.text) for edit in fix.edits], fix.safe)
                for fix in one.fixes
            ],
            (self._directive(one.at), self._directive(finding.place), [self._directive(at) for at in finding.seen_at]),
            None if comment is None else (self._span(comment.span), comment.reason, comment.until, comment.fixme),
        )  # fmt: skip

    def _span(self, span: Span) -> tuple[int, int, int]:
        return self._source(span.source), span.start, span.end

    def _source(self, source: Source) -> int:
        number = self._numbers.get(source)
        if number is None:
            number = self._numbers[source] = len(self.sources)
            self.sources.append((source.path, _NOBODY))
            self.sources[number] = source.path, self._directive(source.included_at)
        return number

    def _directive(self, directive: Directive | None) -> int:
        if directive is None:
            return _NOBODY
        number = self._numbers.get(directive)
        if number is None:
            number = self._numbers[directive] = len(self.directives)
            self.directives.append(())
            kind = close = 0
            shown: list[Directive] = []
            if isinstance(directive, Block):
                kind, close = 1 + directive.synthetic, directive.close
                shown = directive.children(*_SHOWN) if directive.name == "server" else []
            self.directives[number] = (
                kind, directive.name, directive.values, directive.start, close,
                self._directive(directive.parent), self._source(directive.source), [self._directive(one) for one in shown],
            )  # fmt: skip
        return number


class _Unpacker:
    def __init__(
        self, sources: list[tuple[str, int]], directives: list[tuple[Any, ...]], text_of: Callable[[str], str]
    ) -> None:
        # they refer to each other in a circle: all are made first, and filled then
        self._sources = [Source(path, text_of(path)) for path, _ in sources]
        self._directives = [object.__new__(_CLASSES[row[0]]) for row in directives]
        for source, (_, include) in zip(self._sources, sources, strict=True):
            source.included_at = self._directive(include)
        for directive, (_, name, values, start, close, parent, number, shown) in zip(
            self._directives, directives, strict=True
        ):
            around: Any = self._directive(parent)
            made: Any = directive
            made.name, made.values, made.start, made.parent = name, values, start, around
            made.source = self._sources[number]
            if isinstance(directive, Block):
                directive.body = tuple(self._directives[one] for one in shown)
                directive.close, directive.has_gap = close, False

    def finding(self, row: tuple[Any, ...], kept: Kept) -> tuple[Finding, Block | None]:
        """One finding, and the block around it."""
        (rule, severity, message, span), texts, related, fixes, (at, around, seen_at), comment = row
        group, stage, confidence, label, help, blocks_start, nginx_message = texts
        finding = Finding(
            Diagnostic(
                rule,
                Severity.named(severity),
                message,
                self._span(span),
                group=group,
                stage=stage,
                confidence=Confidence.named(confidence),
                label=label,
                related=tuple(Note(self._span(place), text) for place, text in related),
                help=help,
                fixes=tuple(
                    Fix(title, tuple(Edit(self._span(place), text) for place, text in edits), safe=safe)
                    for title, edits, safe in fixes
                ),
                blocks_start=blocks_start,
                nginx_message=nginx_message,
                at=self._directive(at),
            ),
            kept,
        )
        finding.seen_at = [self._directives[one] for one in seen_at]
        finding.suppressed = None if comment is None else self._comment(*comment)
        place = self._directive(around)
        return finding, place if isinstance(place, Block) else None

    def _comment(self, span: tuple[int, int, int], reason: str, until: str | None, fixme: bool) -> Suppression:
        from nginxlint.suppressions import Suppression

        return Suppression(self._span(span), (), reason, until, fixme=fixme, covers=(0, 0), server=None)

    def _span(self, row: tuple[int, int, int]) -> Span:
        number, start, end = row
        return Span(self._sources[number], start, end)

    def _directive(self, number: int) -> Directive | None:
        return None if number == _NOBODY else self._directives[number]
