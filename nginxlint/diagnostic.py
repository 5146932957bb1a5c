"""What we tell the user: a diagnostic, the places it names, and the edits that would mend it."""

from __future__ import annotations

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from typing import ClassVar, Self

    from nginxlint.source import Span
    from nginxlint.syntax import Directive


class Grade(int):
    """One of a few numbers with a name. (Not an enum: to import that costs as much as ten of our modules.)"""

    words: ClassVar[tuple[str, ...]]

    @property
    def word(self) -> str:
        return self.words[self - 1]

    @classmethod
    def named(cls, word: str) -> Self:
        """The grade of that word; there is one object of each."""
        grade: Self = getattr(cls, word.upper())
        return grade

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self.word.upper()}"

    __str__ = int.__repr__


class Severity(Grade):
    """How bad it is. ERROR: nginx refuses the configuration, or requests to this block certainly fail or are
    misrouted, or a door is open. WARNING: likely to hurt in production. INFO: worth knowing."""

    words = ("info", "warning", "error")
    INFO: ClassVar[Severity]
    WARNING: ClassVar[Severity]
    ERROR: ClassVar[Severity]


Severity.INFO, Severity.WARNING, Severity.ERROR = map(Severity, (1, 2, 3))


class Confidence(Grade):
    """How sure we are. LOW is shown only on request."""

    words = ("low", "medium", "high")
    LOW: ClassVar[Confidence]
    MEDIUM: ClassVar[Confidence]
    HIGH: ClassVar[Confidence]


Confidence.LOW, Confidence.MEDIUM, Confidence.HIGH = map(Confidence, (1, 2, 3))


class Stage:
    """Which part of the pipeline found it."""

    SYNTAX = "syntax"
    NGINX = "nginx"
    RULE = "rule"
    ONLINE = "online"


class Edit:
    """Replace the text of `span` by `text`. An empty span inserts, an empty text deletes."""

    __slots__ = ("span", "text")

    def __init__(self, span: Span, text: str) -> None:
        self.span = span
        self.text = text

    def __repr__(self) -> str:
        return f"Edit({self.span!r}, {self.text!r})"


class Fix:
    """Edits that belong together. `safe`: the effective configuration stays the same apart from the fault."""

    __slots__ = ("edits", "safe", "title")

    def __init__(self, title: str, edits: tuple[Edit, ...], *, safe: bool) -> None:
        self.title = title
        self.edits = edits
        self.safe = safe

    def __repr__(self) -> str:
        return f"Fix({self.title!r}, {self.edits!r}, safe={self.safe})"


class Note:
    """A related place: `label` says what stands there."""

    __slots__ = ("label", "span")

    def __init__(self, span: Span, label: str) -> None:
        self.span = span
        self.label = label

    def __repr__(self) -> str:
        return f"Note({self.span!r}, {self.label!r})"


class Diagnostic:
    """One finding. See design.md 4 and the JSON contract in `nginxlint/reports/json.py`.

    `message` is one sentence for an operator; `label` stands under the excerpt at `span`; `related` are other
    places; `help` are lines that say what to write instead; `nginx_message` is what nginx itself would print
    (without file and line). `at` is the directive the finding belongs to: it gives the breadcrumb and
    suppressions their block. `target` is the id of a proxy target of the online stage.
    """

    __slots__ = (
        "at",
        "blocks_start",
        "confidence",
        "fixes",
        "group",
        "help",
        "label",
        "message",
        "nginx_message",
        "related",
        "rule",
        "severity",
        "span",
        "stage",
        "target",
    )

    def __init__(
        self,
        rule: str,
        severity: Severity,
        message: str,
        span: Span,
        *,
        group: str = "correctness",
        stage: str = Stage.RULE,
        confidence: Confidence = Confidence.HIGH,
        label: str = "",
        related: tuple[Note, ...] = (),
        help: tuple[str, ...] = (),
        fixes: tuple[Fix, ...] = (),
        blocks_start: bool = False,
        nginx_message: str | None = None,
        at: Directive | None = None,
        target: str | None = None,
    ) -> None:
        self.rule = rule
        self.severity = severity
        self.message = _short(message)
        self.span = span
        self.group = group
        self.stage = stage
        self.confidence = confidence
        self.label = label
        self.related = related
        self.help = help
        self.fixes = fixes
        self.blocks_start = blocks_start
        self.nginx_message = nginx_message and _short(nginx_message)
        self.at = at
        self.target = target

    def __repr__(self) -> str:
        return f"{self.span!r}: {self.severity.word}[{self.rule}] {self.message}"


def _short(text: str) -> str:
    """What is said of a word that nobody wrote by hand is cut in the middle; nginx cuts its messages at 2048 bytes, too."""
    return text if len(text) <= 2048 else f"{text[:1000]}…{text[-1000:]}"
