"""How a check words what many directives have in common: an argument that is refused, a network with too many bits."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nginxlint.catalogue.addresses import Network
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.diagnostic import Fix
    from nginxlint.source import Span
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


def invalid_value(context: Context, directive: Directive, wanted: str, index: int = 0) -> Refusal:
    """A refusal of argument `index`, in the words nginx has where a directive reads it by itself."""
    return fault(
        context,
        directive,
        index,
        f'"{directive.name}" directive invalid value',
        f'{directive.name} takes {wanted}, not "{directive.values[index]}"',
    )


def host_bits(context: Context, directive: Directive, text: str, network: Network, span: Span) -> Refusal:
    """What nginx warns about where `text`, at `span`, has bits behind its mask."""
    from nginxlint.catalogue.addresses import print_address
    from nginxlint.diagnostic import Edit, Fix

    whole = f"{print_address(network.address)}/{network.bits}"
    return context.warn(
        "cidr-host-bits",
        directive,
        f'"{text}" is the whole of {whole}: its mask makes the last bits meaningless',
        f"low address bits of {text} are meaningless",
        span=span,
        help=(f"write {whole}, or the mask that is meant",),
        fixes=(Fix(f"write {whole}", (Edit(span, whole),), safe=True),),
    )
