"""Memory pools and the buffers for request headers, which have to be larger."""

from __future__ import annotations

from nginxlint.catalogue.checks.faults import fault
from nginxlint.catalogue.checks.merging import effective
from nginxlint.catalogue.context import closing
from nginxlint.catalogue.numbers import parse_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from nginxlint.catalogue.checks.faults import BlockEnd, Check
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Block, Directive


def _remember(directive: Directive, context: Context) -> Iterator[Refusal]:
    places = context.state.setdefault("pools", {})
    assert isinstance(places, dict)
    places[id(directive.parent)] = directive.parent
    yield from ()


def _pool_size(directive: Directive, context: Context) -> Iterator[Refusal]:
    size = parse_size(directive.values[0])
    if size is None:
        return
    if directive.name == "connection_pool_size":
        yield from _remember(directive, context)
    if size < 112:
        yield fault(
            context, directive, 0, "the pool size must be no less than 112", "a memory pool has at least 112 bytes"
        )
    elif size % 16:
        yield fault(
            context,
            directive,
            0,
            "the pool size must be a multiple of 16",
            "the size of a memory pool is a multiple of 16",
            f"write {size // 16 * 16 + 16}",
        )


def _end_of_http(block: Block, context: Context) -> Iterator[Refusal]:
    places = context.state.pop("pools", {})
    assert isinstance(places, dict)
    servers = block.blocks("server") if places else []
    for server in servers:
        if id(server) in places or id(block) in places:
            refusal = _header_buffers(context, server, block)
            if refusal is not None:
                yield refusal
                return


def _header_buffers(context: Context, server: Block, http: Block) -> Refusal | None:
    large = effective(server, "large_client_header_buffers")
    pool = effective(server, "connection_pool_size")
    size = (parse_size(large.values[-1]) or 0) if large is not None else 8192
    least = (parse_size(pool.values[0]) or 0) if pool is not None else 512
    at = large or pool
    if size >= least or at is None:
        return None
    return context.refuse(
        "buffers-inconsistent",
        at,
        f"one buffer for large request headers ({size} bytes) is smaller than connection_pool_size ({least})",
        'the "large_client_header_buffers" size must be equal to or greater than "connection_pool_size"',
        nginx_at=closing(http),
        help=("write large_client_header_buffers 4 8k;",),
    )


CHECKS: dict[str, Check] = {
    "large_client_header_buffers": _remember,
    "connection_pool_size": _pool_size,
    "request_pool_size": _pool_size,
}
PURE = frozenset(("request_pool_size",))
BLOCK_END: dict[str, BlockEnd] = {"http": _end_of_http}
ENDS_OF_OWN = frozenset(("http",))
