"""`limit_req`, `limit_conn` and their zones, in http and stream."""

from __future__ import annotations

from nginxlint.catalogue.checks.faults import fault
from nginxlint.catalogue.checks.zones import SMALLEST, share_memory
from nginxlint.catalogue.numbers import parse_number, parse_size
from nginxlint.diagnostic import Note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from nginxlint.catalogue.checks.faults import Check
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Directive


def _zone_parameter(context: Context, directive: Directive, index: int, text: str) -> tuple[str, int, Refusal | None]:
    """`zone=name:size`, as all zone directives read it."""
    name, colon, size_text = text[5:].partition(":")
    size = parse_size(size_text) if colon else None
    if size is None:
        refusal = fault(
            context,
            directive,
            index,
            f'invalid zone size "{text}"',
            f'"{text}" gives the zone no size' if not colon else f'"{size_text}" is not a size',
            f"write zone={name or 'name'}:10m",
        )
        return name, 0, refusal
    if size < SMALLEST:
        refusal = fault(
            context,
            directive,
            index,
            f'zone "{text}" is too small',
            f"{size_text} is too small for a zone: nginx needs at least 32k",
            f"write zone={name or 'name'}:10m",
            rule="zone-too-small",
        )
        return name, size, refusal
    return name, size, None


def _limit_req_zone(directive: Directive, context: Context) -> Iterator[Refusal]:
    values = directive.values
    name, size, zone_index = "", 0, 0
    for index in range(1, len(values)):
        text = values[index]
        if text.startswith("zone="):
            zone_index = index
            name, size, refusal = _zone_parameter(context, directive, index, text)
            if refusal is not None:
                yield refusal
                return
        elif text.startswith("rate="):
            number = text[5:-3] if text.endswith(("r/s", "r/m")) else text[5:]
            if not parse_number(number):
                yield fault(
                    context,
                    directive,
                    index,
                    f'invalid rate "{text}"',
                    f'"{text[5:]}" is no rate: it is a whole number of requests per second (r/s) or minute (r/m)',
                    "write for example rate=10r/s, or rate=30r/m for one every two seconds",
                )
                return
        elif text != "sync" or not context.target.plus:
            yield _unknown_parameter(context, directive, index, "zone=name:size and rate=…")
            return
    yield from _declare(directive, context, name, size, zone_index)


def _limit_conn_zone(directive: Directive, context: Context) -> Iterator[Refusal]:
    text = directive.values[1]
    if not text.startswith("zone="):
        yield _unknown_parameter(context, directive, 1, "zone=name:size")
        return
    name, size, refusal = _zone_parameter(context, directive, 1, text)
    if refusal is not None:
        yield refusal
        return
    yield from _declare(directive, context, name, size, 1)


def _unknown_parameter(context: Context, directive: Directive, index: int, wanted: str) -> Refusal:
    text = directive.values[index]
    return fault(
        context,
        directive,
        index,
        f'invalid parameter "{text}"',
        f'{directive.name} has no parameter "{text}"',
        f"after the key it takes {wanted}",
    )


def _declare(directive: Directive, context: Context, name: str, size: int, index: int) -> Iterator[Refusal]:
    if not name:
        yield fault(
            context,
            directive,
            -1,
            f'"{directive.name}" must have "zone" parameter',
            f"{directive.name} names no zone",
            "add zone=name:10m",
        )
        return
    kind = directive.name.removesuffix("_zone")
    zone, refusal = share_memory(context, directive, index, name, size, f"{kind} {context.subsystem}")
    if refusal is not None:
        yield refusal
        return
    assert zone is not None
    bound = context.state.setdefault(f"limits.{kind}.{context.subsystem}", {})
    assert isinstance(bound, dict)
    first = bound.setdefault(name, directive)
    if first is not directive:
        yield context.refuse(
            "zone-conflict",
            directive,
            f'the zone "{name}" is already defined',
            f'{directive.name} "{name}" is already bound to key "{first.values[0]}"',
            word=directive.args[index],
            related=(Note(first.head_span, "defined here"),),
            help=("give this zone a name of its own, or remove one of the two lines",),
        )


def _limit_req(directive: Directive, context: Context) -> Iterator[Refusal]:
    values = directive.values
    zone, zone_index = None, 0
    for index, text in enumerate(values):
        name, equals, value = text.partition("=")
        if name == "zone" and equals:
            zone, zone_index = value, index
            _, refusal = share_memory(context, directive, index, value, 0, f"limit_req {context.subsystem}")
            if refusal is not None:
                yield refusal
                return
        elif name in ("burst", "delay") and equals:
            if not parse_number(value):
                yield fault(
                    context,
                    directive,
                    index,
                    f'invalid {name} value "{text}"',
                    f'{name} is a number of requests from 1, not "{value}"',
                    "remove it for no burst at all" if name == "burst" else "write nodelay for no delay at all",
                )
                return
        elif text != "nodelay":
            yield fault(
                context,
                directive,
                index,
                f'invalid parameter "{text}"',
                f'limit_req has no parameter "{text}"',
                "write limit_req zone=name burst=20 nodelay;",
            )
            return
    if zone is None:
        yield fault(
            context,
            directive,
            -1,
            '"limit_req" must have "zone" parameter',
            "limit_req names no zone",
            "add zone=name, with the name a limit_req_zone defines",
        )
        return
    yield from _use(directive, context, zone, zone_index)


def _limit_conn(directive: Directive, context: Context) -> Iterator[Refusal]:
    # nginx looks the zone up first, and refuses a second use of it before it reads the number.
    for refusal in _use(directive, context, directive.values[0], 0):
        yield refusal
        return
    text = directive.values[1]
    number = parse_number(text)
    if not number:
        yield fault(
            context,
            directive,
            1,
            f'invalid number of connections "{text}"',
            f'"{text}" is no number of connections from 1',
            "write limit_conn zone 10;",
        )
    elif number > 65535:
        yield fault(
            context, directive, 1, "connection limit must be less 65536", "at most 65535 connections can be set"
        )


def _use(directive: Directive, context: Context, name: str, index: int) -> Iterator[Refusal]:
    _, refusal = share_memory(context, directive, index, name, 0, f"{directive.name} {context.subsystem}")
    if refusal is not None:
        yield refusal
        return
    word = name if directive.name == "limit_conn" else f"zone={name}"
    for child in (directive.parent.body if directive.parent is not None else None) or ():
        if child is directive:
            return
        if child.name == directive.name and word in child.values:
            yield context.refuse(
                "directive-repeat",
                directive,
                f'the zone "{name}" is used twice in this block',
                f'"{directive.name}" directive is duplicate',
                related=(Note(child.head_span, "the first one"),),
                help=("remove one of the two",),
            )
            return


CHECKS: dict[str, Check] = {
    "limit_req_zone": _limit_req_zone,
    "limit_conn_zone": _limit_conn_zone,
    "limit_req": _limit_req,
    "limit_conn": _limit_conn,
}
