"""Directives that make or change response headers and bodies: headers, expiry, cookies, charsets."""

from __future__ import annotations

from nginxlint.catalogue.checks.faults import fault, invalid_value
from nginxlint.catalogue.checks.merging import effective
from nginxlint.catalogue.numbers import parse_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from nginxlint.catalogue.checks.faults import BlockEnd, Check
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Block, Directive

_BROWSERS = frozenset(("msie", "gecko", "opera", "safari", "konqueror"))
_DAY = 24 * 60 * 60


def _add_header(directive: Directive, context: Context) -> Iterator[Refusal]:
    values = directive.values
    if len(values) == 3 and values[2] != "always":
        yield fault(
            context,
            directive,
            2,
            f'invalid parameter "{values[2]}"',
            f'the third argument of {directive.name} can only be always, not "{values[2]}"',
            "quote a value with blanks",
        )


def _expires(directive: Directive, context: Context) -> Iterator[Refusal]:
    values = directive.values
    modified = len(values) == 2
    text = values[-1]
    error = ""
    if modified and values[0] != "modified":
        error = "invalid value"
    elif "$" in text or (not modified and text in ("epoch", "max", "off")):
        return
    else:
        daily = text[:1] == "@"
        time = parse_time(text[1:] if text[:1] in ("@", "+", "-") else text, seconds=True)
        if daily and modified:
            error = 'daily time cannot be used with "modified" parameter'
        elif time is None:
            error = "invalid value"
        elif daily and time > _DAY:
            error = "daily time value must be less than 24 hours"
    if error:
        yield fault(
            context,
            directive,
            len(values) - 1,
            f'"expires" directive {error}',
            f'"{" ".join(values)}" is no time for expires: {error}',
            "write for example 30d, -1, @15h30m, epoch, max or off",
        )


def _sub_filter(directive: Directive, context: Context) -> Iterator[Refusal]:
    if not directive.values[0]:
        yield fault(context, directive, 0, "empty search pattern", "sub_filter has nothing to search for")


def _userid_expires(directive: Directive, context: Context) -> Iterator[Refusal]:
    text = directive.values[0]
    if text not in ("max", "off") and parse_time(text, seconds=True) is None:
        yield invalid_value(context, directive, "a time such as 365d, max or off")


def _userid_mark(directive: Directive, context: Context) -> Iterator[Refusal]:
    text = directive.values[0]
    if text != "off" and not (len(text) == 1 and text.isascii() and (text.isalnum() or text == "=")):
        yield fault(
            context,
            directive,
            0,
            '"userid_mark" directive value must be "off" or a single letter, digit or "="',
            "userid_mark is off or one letter, digit or equals sign",
        )


def _modern_browser(directive: Directive, context: Context) -> Iterator[Refusal]:
    values = directive.values
    if len(values) == 1:
        if values[0] == "unlisted":
            return
    elif values[0] in _BROWSERS:
        parts = values[1].split(".")
        if all(character in "0123456789." for character in values[1]) and all(len(part) < 10 for part in parts):
            return
        yield fault(
            context,
            directive,
            1,
            f'invalid browser version "{values[1]}"',
            f'"{values[1]}" is no version',
        )
        return
    yield fault(
        context,
        directive,
        0,
        f'unknown browser name "{values[0]}"',
        f'modern_browser knows no "{values[0]}"',
        f"{', '.join(sorted(_BROWSERS))} with a version, or unlisted",
    )


def _charset_pair(block: Block, context: Context) -> None:
    """nginx converts only between charsets with a table; it notices at the end of http."""
    source = effective(block, "source_charset")
    target = effective(block, "charset")
    if source is None or target is None:
        return
    if block.name == "http" and not block.blocks("server"):
        return
    pair = (source.values[0], target.values[0])
    if "off" in pair or "$" in pair[0] + pair[1] or pair[0].lower() == pair[1].lower():
        return
    wanted = context.state.setdefault("charset.wanted", [])
    assert isinstance(wanted, list)
    if not any(known[1:] == pair for known in wanted):
        wanted.append((source, *pair))


def _charset_tables(block: Block, context: Context) -> Iterator[Refusal]:
    del block
    tables = context.state.get("charset_map", set())
    wanted = context.state.pop("charset.wanted", [])
    assert isinstance(tables, set) and isinstance(wanted, list)
    if not context.complete:
        return
    for directive, source, target in wanted:
        if frozenset((source.lower(), target.lower())) not in tables:
            yield context.refuse(
                "charset-map-missing",
                directive,
                f"nginx has no table to convert {source} to {target}",
                f'no "charset_map" between the charsets "{source}" and "{target}"',
                nginx_at=None,
                help=(f"include a charset_map {source} {target} (nginx ships koi-win, koi-utf and win-utf)",),
            )


def _judged_late(directive: Directive, context: Context) -> Iterator[Refusal]:
    """A charset is judged together with the other one in effect, at the end of http."""
    late = context.state.setdefault("headers.late", {})
    assert isinstance(late, dict)
    late[id(directive.parent)] = directive.parent
    yield from ()


def _end_of_http(block: Block, context: Context) -> Iterator[Refusal]:
    late = context.state.pop("headers.late", {})
    assert isinstance(late, dict)
    for place in late.values():
        _charset_pair(place, context)
    yield from _charset_tables(block, context)


CHECKS: dict[str, Check] = {
    "add_header": _add_header,
    "add_trailer": _add_header,
    "expires": _expires,
    "charset": _judged_late,
    "source_charset": _judged_late,
    "sub_filter": _sub_filter,
    "userid_expires": _userid_expires,
    "userid_mark": _userid_mark,
    "modern_browser": _modern_browser,
}
PURE = frozenset(CHECKS) - {"charset", "source_charset"}
BLOCK_END: dict[str, BlockEnd] = {"http": _end_of_http}
ENDS_OF_OWN = frozenset(("http",))
