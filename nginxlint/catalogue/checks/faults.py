"""How a check words the commonest fault: one argument that the directive's own parser refuses."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Block, Directive

    Check = Callable[[Directive, Context], Iterator[Refusal]]
    BlockEnd = Callable[[Block, Context], Iterator[Refusal]]


def fault(
    context: Context,
    directive: Directive,
    index: int,
    nginx_message: str,
    message: str,
    *help: str,
    rule: str = "arguments-invalid",
    group: str = "correctness",
) -> Refusal:
    """A refusal at argument `index` (-1: the whole statement)."""
    word = directive.args[index] if index >= 0 else None
    return context.refuse(rule, directive, message, nginx_message, word=word, group=group, help=help)


def lower_size(text: str) -> str:
    """Advice for a size that does not parse."""
    return f'write a number with k or m, such as 8k or 1m, instead of "{text}"'
