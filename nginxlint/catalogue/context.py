"""What a check of one directive is given: the target, where it stands, and the names known so far."""

from __future__ import annotations

from nginxlint.catalogue.refusal import Refusal
from nginxlint.diagnostic import Severity
from nginxlint.source import Span
from nginxlint.syntax import Index

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from nginxlint.catalogue.target import Target
    from nginxlint.diagnostic import Fix, Note
    from nginxlint.syntax import Block, Directive, Word

_BSD_PATHS = (
    "/usr/local/etc/nginx",
    "/usr/local/libexec/nginx",
    "/usr/local/www/",
    "/usr/local/var/",
    "/opt/homebrew/",
)


class Context:
    """The state of one run over one tree, as nginx has it while it reads.

    `place` names the context of the directive at hand by the catalogue's word (main, events, http, server, location,
    if-in-server, if-in-location, limit_except, upstream, stream, stream-server, stream-upstream, mail, mail-server);
    in a `BLOCK_END` check it is that of the block itself (its body). `complete` is false for a loose snippet:
    what is absent may stand elsewhere. `names` are those of the directives met so far; `index` has all directives by
    name. `state` is free for the checks:
    what one has to remember for a later one (key: a name of its own), for example the zones declared so far. Names below
    are filled in document order.
    """

    __slots__ = ("complete", "index", "names", "place", "root", "state", "target", "version")

    def __init__(
        self,
        root: Block,
        target: Target,
        *,
        complete: bool = True,
        index: Index | None = None,
    ) -> None:
        self.root = root
        self.index = Index(root) if index is None else index
        self.target = target
        self.version = target.version
        self.complete = complete
        self.place = "main"
        self.names: set[str] = set()
        self.state: dict[str, Any] = {}

    @property
    def subsystem(self) -> str:
        """http, stream, mail or main: which of nginx's worlds the directive at hand belongs to."""
        return SUBSYSTEM.get(self.place, "main")

    def find(self, name: str) -> Sequence[Directive]:
        """All directives of a name, wherever they stand, those that stand further down too."""
        return self.index.get(name, ())

    def occurs(self, name: str) -> bool:
        """Is there a directive of that name anywhere?"""
        return name in self.index

    @property
    def of_bsd(self) -> bool:
        """Is it written for FreeBSD or macOS, as far as its paths tell? nginx has methods and parameters there that
        Linux lacks."""
        known: bool | None = self.state.get("bsd")
        if known is None:
            texts = (text for directive in self.root.walk() for text in directive.values)
            known = self.state["bsd"] = any(text.startswith(_BSD_PATHS) for text in texts)
        return known

    def may_guess(self) -> bool:
        """Is it worth looking for what somebody meant? Not any more in a file that is full of unknown names."""
        left: int = self.state.get("guesses", _GUESSES)
        self.state["guesses"] = left - 1
        return left > 0

    def refuse(
        self,
        rule: str,
        at: Directive,
        message: str,
        nginx_message: str | None,
        *,
        word: Word | None = None,
        span: Span | None = None,
        nginx_at: Span | str | None = "end",
        group: str = "correctness",
        severity: Severity = Severity.ERROR,
        blocks_start: bool = True,
        label: str = "",
        related: tuple[Note, ...] = (),
        help: tuple[str, ...] = (),
        fixes: tuple[Fix, ...] = (),
    ) -> Refusal:
        """A refusal at `span`, else at `word`, else at the whole head of the directive.

        `nginx_at`: "end" = the `;` or `{` of `at` (what nginx names for all it finds while it reads), "close" = the
        `}` of the block `at`, None = nginx names no line, or a span.
        """
        place = span or (word.span if word is not None else at.head_span)
        if nginx_at == "end":
            nginx_at = terminator(at)
        elif nginx_at == "close":
            nginx_at = closing(at)
        assert not isinstance(nginx_at, str)
        return Refusal(
            rule,
            message,
            place,
            nginx_message,
            nginx_at,
            at=at,
            group=group,
            severity=severity,
            blocks_start=blocks_start,
            label=label,
            related=related,
            help=help,
            fixes=fixes,
        )

    def warn(
        self,
        rule: str,
        at: Directive,
        message: str,
        nginx_message: str | None,
        *,
        word: Word | None = None,
        span: Span | None = None,
        nginx_at: Span | str | None = "end",
        group: str = "correctness",
        related: tuple[Note, ...] = (),
        help: tuple[str, ...] = (),
        fixes: tuple[Fix, ...] = (),
    ) -> Refusal:
        """What nginx warns about (its [warn] lines) and then does all the same; as `refuse`."""
        return self.refuse(
            rule,
            at,
            message,
            nginx_message,
            word=word,
            span=span,
            nginx_at=nginx_at,
            group=group,
            severity=Severity.WARNING,
            blocks_start=False,
            related=related,
            help=help,
            fixes=fixes,
        )


_GUESSES = 200

SUBSYSTEM = {
    "http": "http",
    "server": "http",
    "location": "http",
    "if-in-server": "http",
    "if-in-location": "http",
    "limit_except": "http",
    "upstream": "http",
    "stream": "stream",
    "stream-server": "stream",
    "stream-upstream": "stream",
    "mail": "mail",
    "mail-server": "mail",
}


def terminator(directive: Directive) -> Span:
    """The `;` or `{` that ends a statement: the line nginx names when its setter refuses it."""
    source = directive.source
    end = directive.raw_words()[-1].end
    text = source.text
    while end < len(text) and text[end] not in ";{}":
        if text[end] == "#":
            newline = text.find("\n", end)
            end = len(text) if newline < 0 else newline
        else:
            end += 1
    return Span(source, min(end, len(text)), min(end + 1, len(text)))


def unread(context: Context) -> str:
    """A help line where files could not be read: what is missing may stand there. Empty where all was read."""
    found: str | None = context.state.get("unread")
    if found is None:
        gap = any(getattr(directive, "has_gap", False) for directive in context.root.walk())
        found = context.state["unread"] = _UNREAD if gap else ""
    return found


_UNREAD = "unless a file that is included but could not be read defines it"


def closing(block: Directive) -> Span:
    """The `}` of a block."""
    close: int = getattr(block, "close", block.start)
    return Span(block.source, close, min(close + 1, len(block.source.text)))
