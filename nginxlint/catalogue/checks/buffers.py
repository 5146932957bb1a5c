"""Sizes that must fit together after inheritance: nginx compares them when it merges the blocks, at the end of http."""

from __future__ import annotations

from nginxlint.catalogue.context import closing
from nginxlint.catalogue.numbers import parse_number, parse_offset, parse_size
from nginxlint.diagnostic import Note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from nginxlint.catalogue.checks.faults import BlockEnd, Check
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Block, Directive

_PAGE = 4096
_FAMILIES = ("proxy", "fastcgi", "uwsgi", "scgi")
_PARTS = ("buffer_size", "buffers", "busy_buffers_size", "temp_file_write_size", "max_temp_file_size")
_GIGABYTE = 1024 * 1024 * 1024

# block -> the directives of one family in it
_Settings = dict[str, "Directive"]


def _remember(directive: Directive, context: Context) -> Iterator[Refusal]:
    families = context.state.setdefault("buffers", {})
    assert isinstance(families, dict)
    blocks = families.setdefault(directive.name.partition("_")[0], {})
    _, settings = blocks.setdefault(id(directive.parent), (directive.parent, {}))
    settings[directive.name] = directive
    yield from ()


def _end_of_http(block: Block, context: Context) -> Iterator[Refusal]:
    families = context.state.pop("buffers", {})
    assert isinstance(families, dict)
    servers = [child for child in block.body if child.name == "server"]
    for family in _FAMILIES:
        if servers and family in families:
            yield from _family(context, family, families[family], block, servers)


def _family(
    context: Context,
    family: str,
    blocks: dict[int, tuple[Block, _Settings]],
    http: Block,
    servers: list[Directive],
) -> Iterator[Refusal]:
    reported: set[int] = set()
    # Many locations set the same inside the same surroundings: those that are fine are compared once.
    fine: set[tuple[int, tuple[tuple[str, tuple[str, ...]], ...]]] = set()
    for place, own in list(blocks.values()):
        if place is http:
            # Set in http only: what counts is a server that inherits it unchanged.
            heir = next((server for server in servers if id(server) not in blocks), None)
            if heir is None:
                continue
        around = place.parent
        while around is not None and id(around) not in blocks:
            around = around.parent
        kind = (id(around), tuple((name, directive.values) for name, directive in own.items()))
        if kind in fine:
            continue
        refusal = _compare(context, family, _effective(place, family, blocks), http)
        if refusal is None:
            fine.add(kind)
        elif id(refusal.at) not in reported:
            reported.add(id(refusal.at))
            yield refusal


def _effective(place: Block, family: str, blocks: dict[int, tuple[Block, _Settings]]) -> _Settings:
    """What is in effect in `place`: the nearest of each."""
    found: _Settings = {}
    around: Block | None = place
    while around is not None:
        _, settings = blocks.get(id(around), (None, {}))
        for name, directive in settings.items():
            found.setdefault(name[len(family) + 1 :], directive)
        around = around.parent
    return found


def _size(settings: _Settings, part: str, parse: object = parse_size) -> int | None:
    directive = settings.get(part)
    if directive is None:
        return None
    assert callable(parse)
    value: int | None = parse(directive.values[0])
    return value


def _compare(context: Context, family: str, settings: _Settings, block: Block) -> Refusal | None:
    buffer = _size(settings, "buffer_size")
    buffer = _PAGE if buffer is None else buffer
    count, one = 8, _PAGE
    if "buffers" in settings:
        values = settings["buffers"].values
        count, one = parse_number(values[0]) or 0, parse_size(values[1]) or 0
        if not count or not one:
            return None
    size = max(buffer, one)
    busy = _size(settings, "busy_buffers_size")
    busy = 2 * size if busy is None else busy
    write = _size(settings, "temp_file_write_size")
    write = 2 * size if write is None else write
    largest = _size(settings, "max_temp_file_size", parse_offset)
    largest = _GIGABYTE if largest is None else largest
    maximum = f'the maximum of the value of "{family}_buffer_size" and one of the "{family}_buffers"'
    if count < 2:
        nginx_message = f'there must be at least 2 "{family}_buffers"'
        cause: tuple[str, ...] = ("buffers",)
        message = f"{family}_buffers needs at least 2 buffers"
    elif busy < size:
        nginx_message = f'"{family}_busy_buffers_size" must be equal to or greater than {maximum}'
        cause = ("busy_buffers_size",)
        message = f"{family}_busy_buffers_size ({_show(busy)}) is smaller than a single buffer ({_show(size)})"
    elif busy > (count - 1) * one:
        nginx_message = (
            f'"{family}_busy_buffers_size" must be less than the size of all "{family}_buffers" minus one buffer'
        )
        cause = ("busy_buffers_size", "buffer_size", "buffers")
        implied = "" if "busy_buffers_size" in settings else ", twice the largest buffer,"
        message = (
            f"{family}_busy_buffers_size{implied} is {_show(busy)}, but {count} {family}_buffers of {_show(one)} "
            f"less one make {_show((count - 1) * one)}"
        )
    elif write < size:
        nginx_message = f'"{family}_temp_file_write_size" must be equal to or greater than {maximum}'
        cause = ("temp_file_write_size",)
        message = f"{family}_temp_file_write_size ({_show(write)}) is smaller than a single buffer ({_show(size)})"
    elif largest != 0 and largest < size:
        nginx_message = (
            f'"{family}_max_temp_file_size" must be equal to zero to disable temporary files usage or must be equal to '
            f"or greater than {maximum}"
        )
        cause = ("max_temp_file_size",)
        message = f"{family}_max_temp_file_size ({_show(largest)}) is smaller than a single buffer ({_show(size)})"
    else:
        return None
    at = next(settings[part] for part in (*cause, *_PARTS) if part in settings)
    others = [directive for directive in settings.values() if directive is not at]
    return context.refuse(
        "buffers-inconsistent",
        at,
        message,
        nginx_message,
        nginx_at=closing(block),
        group="proxy",
        related=tuple(Note(directive.head_span, "also in effect") for directive in others),
        help=(_advice(family, size, count, one),),
    )


def _advice(family: str, size: int, count: int, one: int) -> str:
    del one
    return (
        f"write {family}_buffer_size {_show(size)}; {family}_buffers {max(count, 4)} {_show(size)}; "
        f"{family}_busy_buffers_size {_show(2 * size)};"
    )


def _show(size: int) -> str:
    if size and size % (1024 * 1024) == 0:
        return f"{size // (1024 * 1024)}m"
    return f"{size // 1024}k" if size and size % 1024 == 0 else str(size)


CHECKS: dict[str, Check] = {
    **{f"{family}_{part}": _remember for family in _FAMILIES for part in _PARTS},
}
BLOCK_END: dict[str, BlockEnd] = {"http": _end_of_http}
ENDS_OF_OWN = frozenset(("http",))
