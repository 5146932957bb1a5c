"""Comments that silence findings, with a reason: `# nginxlint: ignore[rule-id] - why (until 2027-03-01)`.

Comments come from the lexer, so a `#` inside a quoted string is never one. On a line of its own a comment covers the
next directive (with `-block` its body too); behind a directive, the directives that start or end on that line;
`-file` the whole file, `-server` the server around it with all it includes. What is wrong with a comment itself is a
finding: an unknown rule, no reason, a date gone by, a comment that is not needed any more.
"""

from __future__ import annotations

from nginxlint.config import Config
from nginxlint.diagnostic import Diagnostic, Edit, Fix, Severity, Stage
from nginxlint.expressions import compiled
from nginxlint.includes import ReadFile
from nginxlint.lexer import MARK
from nginxlint.source import Source, Span
from nginxlint.syntax import Block, Directive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ACTION = compiled(r"#[ \t]*nginxlint:[ \t]*([a-z]+)(?:-([a-z]+))?[ \t]*")
_UNTIL = compiled(r"\(until[ \t]+([^)]*)\)$")
_DATE = compiled(r"\d{4}-\d\d-\d\d")
_SCOPES = ("line", "block", "file", "server")
# Other comments of ours; who reads them judges them.
_OTHER_ACTIONS = ("context",)
_SHORTEST_REASON = 3
_HOW = 'write "# nginxlint: ignore[rule-id] - reason"'

SUPPRESSION_RULES = {
    "suppression-invalid": "A `# nginxlint:` comment that cannot be understood silences nothing.",
    "suppression-unknown-rule": "A comment silences a rule that does not exist: it is misspelt, or the rule is gone.",
    "suppression-without-reason": "A comment that silences a finding has to say why: the next reader has to judge it. "
    "Without a reason it silences nothing.",
    "suppression-expired": "The date of a comment has gone by: what it silenced is shown again.",
    "suppression-unused": "A comment silences nothing any more: take it out, or it will hide the fault when it returns.",
}


class Suppression:
    """One comment: the rule ids and groups it silences, why, until when (a date as written, or None), and whether the
    fault is still to be mended (`fixme`). It covers offsets of its file, or a server."""

    __slots__ = ("_covers", "_server", "fixme", "ids", "reason", "span", "until", "used")

    def __init__(
        self,
        span: Span,
        ids: tuple[str, ...],
        reason: str,
        until: str | None,
        *,
        fixme: bool,
        covers: tuple[int, int],
        server: Block | None,
    ) -> None:
        self.span = span
        self.ids = ids
        self.reason = reason
        self.until = until
        self.fixme = fixme
        self._covers = covers
        self._server = server
        self.used: set[str] = set()

    def silences(self, finding: Diagnostic) -> bool:
        """Is this finding meant?"""
        if finding.rule not in self.ids and finding.group not in self.ids:
            return False
        at = finding.at
        if self._server is not None and at is not None:
            around = at if at.name == "server" and at.body is not None else at.enclosing("server")
            return around is not None and _same_place(around, self._server)
        path = self.span.source.path
        first, last = self._covers
        places = [finding.span.start] if finding.span.source.path == path else []
        if at is not None and at.source.path == path:
            places.append(at.start)
        return any(first <= place < last for place in places)


def _same_place(one: Directive, other: Directive) -> bool:
    return one.start == other.start and one.source.path == other.source.path


def apply_suppressions(
    config: Config,
    findings: list[Diagnostic],
    is_known: Callable[[str], bool],
    has_run: Callable[[str], bool],
    *,
    nearest: Callable[[str], str] = lambda word: "",
    today: str = "",
) -> tuple[dict[int, Suppression], list[Diagnostic]]:
    """Which findings are silenced (by `id()` of the diagnostic), and what is wrong with the comments.

    `is_known` tells whether an id or group exists, `has_run` whether this run would have shown a finding of that id:
    only then is a comment without effect not needed. `nearest` knows what a word was probably meant
    to be. `today` is an ISO date (empty: ask the clock).
    """
    about: list[Diagnostic] = []
    suppressions: list[Suppression] = []
    for file in _files_with_comments(config):
        suppressions.extend(_read(file, config, is_known, nearest, today, about))
    silenced: dict[int, Suppression] = {}
    for finding in findings if suppressions else ():
        for suppression in suppressions:
            if suppression.silences(finding):
                suppression.used.update((finding.rule, finding.group))
                silenced.setdefault(id(finding), suppression)
    for suppression in suppressions:
        idle = [word for word in suppression.ids if word not in suppression.used and has_run(word)]
        if idle:
            about.append(_unused(suppression, idle))
    return silenced, about


def _files_with_comments(config: Config) -> Iterator[ReadFile]:
    seen: set[str] = set()
    for file in config.files:
        if file.comments and file.source.path not in seen:
            seen.add(file.source.path)
            yield file


def _read(
    file: ReadFile,
    config: Config,
    is_known: Callable[[str], bool],
    nearest: Callable[[str], str],
    today: str,
    about: list[Diagnostic],
) -> Iterator[Suppression]:
    """The valid comments of one file. What is wrong with the others goes to `about`."""
    source = file.source
    directives: list[Directive] | None = None
    for start in file.comments:
        end = source.text.find("\n", start)
        text = source.text[start : end if end >= 0 else len(source.text)].rstrip()
        if not text[1:].lstrip(" \t").startswith(MARK):
            continue
        span = Span(source, start, start + len(text))
        action = _ACTION.match(text)
        verb, scope = (action[1], action[2] or "") if action else ("", "")
        if verb in _OTHER_ACTIONS:
            continue
        closing = text.find("]")
        if action is None or verb not in ("ignore", "fixme") or (scope and scope not in _SCOPES):
            about.append(_finding("suppression-invalid", "this comment cannot be understood", span, _HOW))
            continue
        ids = tuple(word.strip() for word in text[action.end() + 1 : closing].split(",") if word.strip())
        if text[action.end() : action.end() + 1] != "[" or closing < 0 or not ids:
            about.append(_finding("suppression-invalid", "this comment names no rule", span, _HOW))
            continue
        unknown = [word for word in ids if word == "ALL" or not is_known(word)]
        for word in unknown:
            message = f"there is no rule or group called {word}"
            near = nearest(word)
            how = f"did you mean {near}?" if near else "nginxlint rules lists them"
            about.append(_finding("suppression-unknown-rule", message, span, how))
        rest, until = text[closing + 1 :].strip(), None
        if limit := _UNTIL.search(rest):
            until = limit[1].strip()
            rest = rest[: limit.start()].rstrip()
            if not _is_date(until):
                about.append(_finding("suppression-invalid", f"{until!r} is no date", span, "write (until YYYY-MM-DD)"))
                continue
        elif "(until" in rest:
            message = "a date has to be at the end: this comment would never expire"
            about.append(_finding("suppression-invalid", message, span, "write (until YYYY-MM-DD) behind the reason"))
            continue
        reason = rest[1:].strip() if rest[:1] in ("-", ":", "–", "—") else ""
        if len(reason) < _SHORTEST_REASON:
            message = "the reason is missing: this comment silences nothing"
            about.append(_finding("suppression-without-reason", message, span, _HOW))
            continue
        if until is not None and until < (today or _today()):
            message = f"this comment was good until {until}: it silences nothing any more"
            about.append(_finding("suppression-expired", message, span, "mend the fault, or give a new date"))
            continue
        if directives is None:
            directives = _directives_of(source, config)
        known = tuple(word for word in ids if word not in unknown)
        covers, server = _covers(source, start, scope, directives)
        if covers is None:
            message = (
                "ignore-file has to stand before the first directive of its file"
                if scope == "file"
                else f"there is no {scope or 'directive'} that this comment could be about"
            )
            about.append(_finding("suppression-invalid", message, span, _HOW))
        elif known:
            yield Suppression(span, known, reason, until, fixme=verb == "fixme", covers=covers, server=server)


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    from datetime import date

    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _today() -> str:
    import time

    return time.strftime("%Y-%m-%d")


def _covers(
    source: Source, start: int, scope: str, directives: list[Directive]
) -> tuple[tuple[int, int] | None, Block | None]:
    """The offsets a comment covers (first, behind the last), and the server where it is about one."""
    text = source.text
    if scope == "file":
        first = min((directive.start for directive in directives), default=len(text))
        return ((0, len(text)) if start < first else None), None
    line_start = text.rfind("\n", 0, start) + 1
    own_line = not text[line_start:start].strip()
    following = next((directive for directive in directives if directive.start > start), None) if own_line else None
    behind = [d for d in directives if d.start < start and _head_end(d) > line_start] if not own_line else []
    if scope == "server":
        server = _server_of(source, start, [following, *behind], directives)
        return (None, None) if server is None else ((server.start, server.end), server.block)
    if own_line:
        if following is None:
            return None, None
        return (following.start, _end(following, scope)), None
    if not behind:
        # `}` or nothing at all stands before it
        return None, None
    if scope == "block":
        return (behind[0].start, _end(behind[0], scope)), None
    return (min(behind[0].start, line_start), max(_head_end(directive) for directive in behind)), None


class _ServerPlace:
    __slots__ = ("block", "end", "start")

    def __init__(self, block: Block) -> None:
        self.block = block
        self.start = block.start
        self.end = block.close + 1


def _server_of(
    source: Source, start: int, near: list[Directive | None], directives: list[Directive]
) -> _ServerPlace | None:
    """The server a comment stands before or in, also through the include that brings its file in."""
    for directive in near:
        if isinstance(directive, Block) and directive.name == "server":
            return _ServerPlace(directive)
    inside = [
        directive
        for directive in directives
        if isinstance(directive, Block) and directive.name == "server" and directive.start <= start <= directive.close
    ]
    if inside:
        return _ServerPlace(inside[-1])
    include = source.included_at
    around = include.enclosing("server") if include is not None else None
    return _ServerPlace(around) if around is not None else None


def _head_end(directive: Directive) -> int:
    return directive.raw_words()[-1].end + 1


def _end(directive: Directive, scope: str) -> int:
    """Behind the part of a directive that a comment covers."""
    return directive.close + 1 if scope == "block" and isinstance(directive, Block) else _head_end(directive)


def _directives_of(source: Source, config: Config) -> list[Directive]:
    """The directives written in a file, in their order, includes too (they are not in the tree)."""
    found = [
        directive for directive in config.main.walk() if directive.source is source and not _nobody_wrote(directive)
    ]
    found.extend(include.directive for include in config.includes if include.directive.source is source)
    return sorted(found, key=lambda directive: directive.start)


def _nobody_wrote(directive: Directive) -> bool:
    return isinstance(directive, Block) and directive.synthetic


def _finding(rule: str, message: str, span: Span, *help: str) -> Diagnostic:
    return Diagnostic(rule, Severity.WARNING, message, span, group="style", stage=Stage.RULE, help=help)


def _unused(suppression: Suppression, idle: list[str]) -> Diagnostic:
    span = suppression.span
    message = f"nothing to silence here: {', '.join(idle)} is not reported"
    found = _finding("suppression-unused", message, span, "take it out, or it will hide the fault when it returns")
    found.severity = Severity.INFO
    if len(idle) == len(suppression.ids):
        text, start = span.source.text, span.start
        while start and text[start - 1] in " \t":
            start -= 1
        whole_line = start == 0 or text[start - 1] == "\n"
        end = (text.find("\n", span.end) + 1 or len(text)) if whole_line else span.end
        edit = Edit(Span(span.source, start, end), "")
        found.fixes = (Fix("take the comment out", (edit,), safe=True),)
    return found
