"""What a rule is: its documentation, its examples, and the check."""

from __future__ import annotations

from nginxlint.diagnostic import Confidence, Diagnostic, Edit, Fix, Note, Severity, Stage
from nginxlint.edits import Place, insert_into, insert_line_after, spot
from nginxlint.syntax import Directive

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, ClassVar

    from nginxlint.config import Config, Version
    from nginxlint.routing.scope import Scope


class Bad:
    """A configuration the rule must report at every line marked `# here`, and nowhere else. `fixed` is what the fix
    makes of it (None: the rule offers none here). `context` and `version` as for a snippet on the command line; `live`:
    judged as the configuration of this machine, whose files are looked for."""

    __slots__ = ("context", "fixed", "live", "text", "version")

    def __init__(
        self,
        text: str,
        fixed: str | None = None,
        *,
        context: str | None = None,
        version: Version | None = None,
        live: bool = False,
    ) -> None:
        self.text = text
        self.fixed = fixed
        self.context = context
        self.version = version
        self.live = live


class Good:
    """A configuration the rule must be silent on: the mended one, and the false alarms it was taught not to raise."""

    __slots__ = ("context", "live", "text", "version")

    def __init__(
        self, text: str, *, context: str | None = None, version: Version | None = None, live: bool = False
    ) -> None:
        self.text = text
        self.context = context
        self.version = version
        self.live = live


class Rule:
    """One rule: `id` is the file name with hyphens and says what is wrong. The docstring is its page.

    A rule holds no state: `check` yields what it finds. Most rules set `directives` and write `check_directive`;
    one about inheritance or routing overrides `check`. `directives` then still names what has to occur for the rule
    to have anything to say: without any of them in the configuration the rule is not even imported (leave it empty
    for a rule about something that is absent). `texts` narrows that down: one of them (lower-case) has to stand in an
    argument of one of `directives`, as `("$",)` for a rule on variables in them. `judges` names the answer of the model
    that the rule is about, a property of `Config` as `shadows`: where that is empty, the rule is not imported either.

    `opt_in`: off unless selected or in the strict profile. `tolerant`: also runs on a file with syntax faults.
    `options` are the settings of the rule with their defaults; read them with `self.option(name)`.
    """

    id: ClassVar[str] = ""
    group: ClassVar[str] = "correctness"
    severity: ClassVar[Severity] = Severity.WARNING
    confidence: ClassVar[Confidence] = Confidence.HIGH
    directives: ClassVar[tuple[str, ...]] = ()
    texts: ClassVar[tuple[str, ...]] = ()
    judges: ClassVar[str] = ""
    examples: ClassVar[tuple[Bad | Good, ...]] = ()
    options: ClassVar[dict[str, Any]] = {}
    opt_in: ClassVar[bool] = False
    tolerant: ClassVar[bool] = False

    def __init__(self, **options: Any) -> None:
        self._options = {**self.options, **options}

    def option(self, name: str) -> Any:
        """The value of one of `options`, from the settings or its default."""
        return self._options[name]

    def check(self, config: Config) -> Iterator[Diagnostic]:
        """Yield what is wrong in a configuration."""
        for directive in config.find(*self.directives):
            yield from self.check_directive(directive)

    def check_directive(self, directive: Directive) -> Iterator[Diagnostic]:
        """Yield what is wrong with one directive of those named by `directives`."""
        raise NotImplementedError(f"{type(self).__name__} has neither check nor check_directive")

    def report(
        self,
        place: Place,
        message: str,
        *fixes: Fix | None,
        label: str = "",
        related: tuple[Note, ...] = (),
        help: tuple[str, ...] | str = (),
        severity: Severity | None = None,
        confidence: Confidence | None = None,
        blocks_start: bool = False,
        nginx_message: str | None = None,
        at: Directive | None = None,
    ) -> Diagnostic:
        """A finding of this rule at `place`: a directive (its name and arguments are marked), a word, or a span. Of `fixes`
        those that are None do not apply.
        `at` is the directive it belongs to; needed only where `place` is a span."""
        span, owner = spot(place)
        return Diagnostic(
            self.id,
            self.severity if severity is None else severity,
            message,
            span,
            group=self.group,
            stage=Stage.RULE,
            confidence=self.confidence if confidence is None else confidence,
            label=label,
            related=related,
            help=(help,) if isinstance(help, str) else help,
            fixes=tuple(fix for fix in fixes if fix is not None),
            blocks_start=blocks_start,
            nginx_message=nginx_message,
            at=at or owner,
        )


def add_to_set(scope: Scope, statement: str, beside: Directive) -> Edit:
    """Write one more statement of a directive that is inherited as a whole set (`proxy_set_header`, `fastcgi_param`)
    where those in effect in `scope` stand, so that none of them is lost; where there are none, below `beside`."""
    origin = scope.origin(statement.split()[0])
    if origin is None:
        return insert_line_after(beside, statement)
    own = [one for one in origin.own(statement.split()[0]) if one.source is origin.block.source]
    return insert_line_after(own[-1], statement) if own else insert_into(origin.block, statement)
