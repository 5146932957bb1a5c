"""How a check words the commonest fault: one argument that the directive's own parser refuses."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.diagnostic import Fix
    from nginxlint.syntax import Block, Directive

    Check = Callable[[Directive, Context], Iterable[Refusal]]
    AllFine = Callable[[Mapping[tuple[str, ...], Directive], Context], bool]
    AllEndWell = Callable[[Context], bool]
    BlockEnd = Callable[[Block, Context], Iterable[Refusal]]


def fault(
    context: Context,
    directive: Directive,
    index: int,
    nginx_message: str,
    message: str,
    *help: str,
    rule: str = "arguments-invalid",
    group: str = "correctness",
    nginx_line: bool = True,
    fixes: tuple[Fix, ...] = (),
) -> Refusal:
    """A refusal at argument `index` (-1: the whole statement). `nginx_line`: nginx names its line."""
    word = directive.args[index] if index >= 0 else None
    nginx_at = "end" if nginx_line else None
    return context.refuse(
        rule, directive, message, nginx_message, word=word, group=group, help=help, nginx_at=nginx_at, fixes=fixes
    )
