"""A refusal: what `nginx -t` would say, at the place of its cause."""

from __future__ import annotations

from nginxlint.diagnostic import Diagnostic, Severity, Stage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nginxlint.diagnostic import Fix, Note
    from nginxlint.source import Span
    from nginxlint.syntax import Directive


class Refusal(Diagnostic):
    """A diagnostic with the place nginx itself would name.

    `nginx_at`: where nginx points (its line is that of the `;` or `{` that ends the statement, or of the `}` of the
    block in which it noticed); None = nginx names no line. `met_at`: how far nginx has read when it notices, where
    that is not `nginx_at`; `order` numbers the refusals of one run as nginx would meet them. `check` sets both.
    """

    __slots__ = ("met_at", "nginx_at", "order")

    def __init__(
        self,
        rule: str,
        message: str,
        span: Span,
        nginx_message: str | None,
        nginx_at: Span | None,
        *,
        at: Directive | None,
        group: str = "correctness",
        severity: Severity = Severity.ERROR,
        blocks_start: bool = True,
        label: str = "",
        related: tuple[Note, ...] = (),
        help: tuple[str, ...] = (),
        fixes: tuple[Fix, ...] = (),
    ) -> None:
        super().__init__(
            rule,
            severity,
            message,
            span,
            group=group,
            stage=Stage.NGINX,
            label=label,
            related=related,
            help=help,
            fixes=fixes,
            blocks_start=blocks_start,
            nginx_message=nginx_message,
            at=at,
        )
        self.nginx_at = nginx_at
        self.met_at: Span | None = nginx_at
        self.order = 0
