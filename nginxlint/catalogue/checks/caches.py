"""Cache paths, temporary paths and the caches of open files."""

from __future__ import annotations

from nginxlint.catalogue.checks.faults import fault
from nginxlint.catalogue.checks.zones import share_memory
from nginxlint.catalogue.numbers import parse_number, parse_offset, parse_size, parse_time
from nginxlint.diagnostic import Note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nginxlint.catalogue.checks.faults import Check
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Directive
# Two pages are asked for (ngx_http_file_cache_set_slot), three hold what a zone begins with (ngx_http_file_cache_init).
_SMALLEST_SIZE = 2 * 4096
_SMALLEST_ZONE = 3 * 4096


def _levels(text: str) -> bool:
    """1 to 3 levels of 1 or 2 characters, divided by colons (an empty list passes)."""
    return not text or (len(text) <= 5 and all(part in ("1", "2") for part in text.split(":")))


def _seconds(text: str) -> bool:
    return parse_time(text, seconds=True) is not None


def _milliseconds(text: str) -> bool:
    return parse_time(text) is not None


def _number(text: str) -> bool:
    return parse_number(text) is not None


def _offset(text: str) -> bool:
    return parse_offset(text) is not None


# Parameters of *_cache_path -> (does the value parse, what it is, NGINX Plus only)
_CACHE_PATH: dict[str, tuple[Callable[[str], bool], str, bool]] = {
    "inactive": (_seconds, "a time such as 10m", False),
    "max_size": (_offset, "a size such as 10g", False),
    "min_free": (_offset, "a size such as 1g", False),
    "loader_files": (_number, "a number", False),
    "loader_sleep": (_milliseconds, "a time such as 50ms", False),
    "loader_threshold": (_milliseconds, "a time such as 200ms", False),
    "manager_files": (_number, "a number", False),
    "manager_sleep": (_milliseconds, "a time such as 50ms", False),
    "manager_threshold": (_milliseconds, "a time such as 200ms", False),
    "purger_files": (_number, "a number", True),
    "purger_sleep": (_milliseconds, "a time such as 50ms", True),
    "purger_threshold": (_milliseconds, "a time such as 50ms", True),
}


def _cache_path(directive: Directive, context: Context) -> Iterator[Refusal]:
    values = directive.values
    zone, size, zone_index = "", 0, 0
    for index in range(1, len(values)):
        text = values[index]
        name, equals, value = text.partition("=")
        known = _CACHE_PATH.get(name) if equals else None
        if known is not None and (not known[2] or context.target.plus):
            if not known[0](value):
                yield _bad(context, directive, index, f'invalid {name} value "{text}"', name, value, known[1])
                return
        elif name == "keys_zone" and equals:
            zone_index = index
            zone, colon, size_text = value.partition(":")
            parsed = parse_size(size_text) if colon else None
            if parsed is None:
                nginx_message = f'invalid keys zone size "{text}"'
                yield _bad(context, directive, index, nginx_message, name, value, "name:size, such as pages:10m")
                return
            if parsed < _SMALLEST_ZONE:
                refused = parsed < _SMALLEST_SIZE
                yield fault(
                    context,
                    directive,
                    index,
                    f'keys zone "{text}" is too small' if refused else "ngx_slab_alloc() failed: no memory",
                    f"{size_text} is too small for a zone: nginx needs at least 12k, and 1m holds about 8,000 keys",
                    f"keys_zone={zone}:10m",
                    rule="zone-too-small",
                    group="cache",
                    nginx_line=refused,
                )
                return
            size = parsed
        elif name == "levels" and equals:
            if not _levels(value):
                yield _bad(context, directive, index, f'invalid "levels" "{text}"', name, value, "such as 1:2")
                return
        elif name == "use_temp_path" and equals:
            if value not in ("on", "off"):
                nginx_message = f'invalid use_temp_path value "{text}", it must be "on" or "off"'
                yield _bad(context, directive, index, nginx_message, name, value, "on or off")
                return
        elif name == "purger" and equals and context.target.plus:
            if value not in ("on", "off"):
                nginx_message = f'invalid purger value "{text}", it must be "on" or "off"'
                yield _bad(context, directive, index, nginx_message, name, value, "on or off")
                return
        else:
            yield fault(
                context,
                directive,
                index,
                f'invalid parameter "{text}"',
                f'{directive.name} has no parameter "{text}"'
                + (" outside NGINX Plus" if name.startswith("purger") else ""),
                group="cache",
            )
            return
    if not zone:
        yield fault(
            context,
            directive,
            -1,
            f'"{directive.name}" must have "keys_zone" parameter',
            f"{directive.name} names no zone for its keys",
            "add keys_zone=name:10m",
            group="cache",
        )
        return
    yield from _declare(directive, context, zone, size, zone_index)


def _bad(
    context: Context, directive: Directive, index: int, nginx_message: str, name: str, value: str, wanted: str
) -> Refusal:
    return fault(context, directive, index, nginx_message, f'{name} is {wanted}; "{value}" is not', group="cache")


def _declare(directive: Directive, context: Context, name: str, size: int, index: int) -> Iterator[Refusal]:
    refusal = _path(context, directive, "cache", _level_tuple(directive))
    if refusal is not None:
        yield refusal
        return
    family = directive.name.partition("_")[0]
    _zone, refusal = share_memory(context, directive, index, name, size, f"{family} cache")
    if refusal is not None:
        yield refusal
        return
    declared = context.state.setdefault(f"caches.{family}", {})
    assert isinstance(declared, dict)
    first = declared.setdefault(name, directive)
    if first is not directive:
        yield context.refuse(
            "zone-conflict",
            directive,
            f'there are two caches with the zone "{name}"',
            f'duplicate zone "{name}"',
            word=directive.args[index],
            group="cache",
            related=(Note(first.head_span, "the first one"),),
            help=("give this zone a name of its own",),
        )


def _level_tuple(directive: Directive) -> tuple[str, ...]:
    text = next((value[7:] for value in directive.values if value.startswith("levels=")), "")
    return tuple(part for part in text.split(":") if part)


def _temp_path(directive: Directive, context: Context) -> Iterator[Refusal]:
    refusal = _path(context, directive, "temporary", directive.values[1:])
    if refusal is not None:
        yield refusal


def _path(context: Context, directive: Directive, use: str, levels: tuple[str, ...]) -> Refusal | None:
    """`ngx_add_path`: one folder serves one cache, or temporary files with the same levels."""
    paths = context.state.setdefault("paths", {})
    assert isinstance(paths, dict)
    name = directive.values[0]
    owner = use if use == "temporary" else id(directive)
    first = paths.setdefault(name, (owner, levels, directive))
    if first[2] is directive or (first[0] == owner and first[1] == levels):
        return None
    other: Directive = first[2]
    where = f'"{name}" '
    place = f"{other.source.path}:{other.line}"
    if first[0] != owner:
        nginx_message = f"the same path name {where}used in {place} and"
        message = f'the folder "{name}" is used for two purposes'
    else:
        nginx_message = f"the same path name {where}in {place} has the different levels than"
        message = f'the folder "{name}" is used with two different levels'
    return context.refuse(
        "path-conflict",
        directive,
        message,
        nginx_message,
        word=directive.args[0],
        group="cache",
        related=(Note(other.head_span, "used here first"),),
        help=("give each of them a folder of its own",),
    )


def _open_file_cache(directive: Directive, context: Context) -> Iterator[Refusal]:
    maximum = 0
    for index, text in enumerate(directive.values):
        name, _, value = text.partition("=")
        if name == "max" and parse_number(value):
            maximum = parse_number(value) or 0
        elif text == "off":
            maximum = -1
        elif name != "inactive" or not _seconds(value):
            yield _bad_open(context, directive, index)
            return
    if maximum == 0:
        yield _no_maximum(context, directive, "the ")


def _open_log_file_cache(directive: Directive, context: Context) -> Iterator[Refusal]:
    maximum = 0
    off = False  # it does not end the list (ngx_http_log_open_file_cache)
    for index, text in enumerate(directive.values):
        name, _, value = text.partition("=")
        if name in ("max", "min_uses") and parse_number(value) is not None:
            maximum = (parse_number(value) or 0) if name == "max" else maximum
        elif text == "off":
            off = True
        elif name not in ("inactive", "valid") or not _seconds(value):
            yield _bad_open(context, directive, index)
            return
    if maximum == 0 and not off:
        yield _no_maximum(context, directive, "")


def _bad_open(context: Context, directive: Directive, index: int) -> Refusal:
    text = directive.values[index]
    return fault(
        context,
        directive,
        index,
        f'invalid "{directive.name}" parameter "{text}"',
        f'{directive.name} cannot read "{text}"',
        f"{directive.name} max=1000 inactive=20s; or {directive.name} off;",
        group="performance",
    )


def _no_maximum(context: Context, directive: Directive, article: str) -> Refusal:
    return fault(
        context,
        directive,
        -1,
        f'"{directive.name}" must have {article}"max" parameter',
        f"{directive.name} does not say how many files it may hold",
        "add max=1000",
        group="performance",
    )


_FAMILIES = ("proxy", "fastcgi", "uwsgi", "scgi")

CHECKS: dict[str, Check] = {
    **{f"{family}_cache_path": _cache_path for family in _FAMILIES},
    **{f"{family}_temp_path": _temp_path for family in _FAMILIES},
    "client_body_temp_path": _temp_path,
    "open_file_cache": _open_file_cache,
    "open_log_file_cache": _open_log_file_cache,
}

PURE = frozenset(("open_file_cache", "open_log_file_cache"))
