"""The values nginx's own slot setters accept: what `ngx_conf_set_*_slot()` says of the arguments."""

from __future__ import annotations

from nginxlint.catalogue.numbers import parse_number, parse_offset, parse_size, parse_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from nginxlint.catalogue.variant import Variant


class Fault:
    """What is wrong with argument `index`: nginx's words, ours, and what to write instead (`repair` replaces it)."""

    __slots__ = ("help", "index", "message", "nginx_message", "repair")

    def __init__(self, index: int, nginx_message: str, message: str, help: str = "", repair: str = "") -> None:
        self.index = index
        self.nginx_message = nginx_message
        self.message = message
        self.help = help
        self.repair = repair


def _flag(variant: Variant, values: tuple[str, ...]) -> Fault | None:
    value = values[0]
    if value.lower() in ("on", "off"):
        return None
    meant = {"true": "on", "yes": "on", "1": "on", "enabled": "on", "false": "off", "no": "off", "0": "off"}
    return Fault(
        0,
        f'invalid value "{value}" in "{variant.name}" directive, it must be "on" or "off"',
        f'"{variant.name}" is either on or off, not "{value}"',
        "write on or off",
        meant.get(value.lower(), ""),
    )


def _number(variant: Variant, values: tuple[str, ...]) -> Fault | None:
    number = parse_number(values[0])
    if number is None:
        return Fault(
            0,
            f'"{variant.name}" directive invalid number'
            if variant.name != "worker_connections"
            else f'invalid number "{values[0]}"',
            f'"{values[0]}" is not a number',
            "write digits only",
        )
    low, high = variant.range
    if high is None:
        if low is not None and number < low:
            return Fault(
                0,
                f"value must be equal to or greater than {low}",
                f'"{variant.name}" must be at least {low}',
            )
    elif not (low or 0) <= number <= high:
        return Fault(
            0,
            f"value must be between {low or 0} and {high}",
            f'"{variant.name}" must be between {low or 0} and {high}',
        )
    return None


def _size(variant: Variant, values: tuple[str, ...]) -> Fault | None:
    return None if parse_size(values[0]) is not None else _bad_size(variant, 0, values[0], "k or m")


def _offset(variant: Variant, values: tuple[str, ...]) -> Fault | None:
    return None if parse_offset(values[0]) is not None else _bad_size(variant, 0, values[0], "k, m or g")


def _complex_size(variant: Variant, values: tuple[str, ...]) -> Fault | None:
    if "$" in values[0] or parse_size(values[0]) is not None:
        return None
    return _bad_size(variant, 0, values[0], "k or m")


def _bad_size(variant: Variant, index: int, value: str, units: str) -> Fault:
    shorter = value[:-1] if value[-1:] in "bB" and value[-2:-1].isalpha() else ""
    parse = parse_offset if "g" in units else parse_size
    repair = shorter if shorter and parse(shorter) is not None else ""
    if not repair and value[-1:] in "gG" and (count := parse_number(value[:-1])) is not None and parse is parse_size:
        repair = f"{count * 1024}m"
    return Fault(
        index,
        f'"{variant.name}" directive invalid value',
        f'"{value}" is not a size nginx reads in "{variant.name}"',
        f"write a number of bytes, or a number with {units} and nothing after it",
        repair,
    )


def _milliseconds(variant: Variant, values: tuple[str, ...]) -> Fault | None:
    return None if parse_time(values[0]) is not None else _bad_time(variant, values[0], "ms, s, m, h, d or w")


def _seconds(variant: Variant, values: tuple[str, ...]) -> Fault | None:
    if parse_time(values[0], seconds=True) is not None:
        return None
    return _bad_time(variant, values[0], "s, m, h, d, w, M or y")


def _bad_time(variant: Variant, value: str, units: str) -> Fault:
    repair = ""
    digits = value.rstrip("abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    unit = {"sec": "s", "secs": "s", "second": "s", "seconds": "s", "min": "m", "mins": "m", "minute": "m",
            "minutes": "m", "hour": "h", "hours": "h", "day": "d", "days": "d", "S": "s", "H": "h"}.get(
        value[len(digits) :].strip()
    )  # fmt: skip
    if digits and unit and parse_number(digits) is not None:
        repair = digits + unit
    return Fault(
        0,
        f'"{variant.name}" directive invalid value',
        f'"{value}" is not a time nginx reads in "{variant.name}"',
        f"write a number with one of {units}, for example 30s",
        repair,
    )


def _buffers(variant: Variant, values: tuple[str, ...]) -> Fault | None:
    if not parse_number(values[0]):
        return Fault(
            0,
            f'"{variant.name}" directive invalid value',
            f'"{values[0]}" is not a number of buffers',
            "the number of buffers comes first, then the size of one: 8 16k",
        )
    return None if parse_size(values[1]) else _bad_size(variant, 1, values[1], "k or m")


def _enumeration(variant: Variant, values: tuple[str, ...]) -> Fault | None:
    return None if _known(variant, values[0]) else _not_one_of(variant, 0, values[0])


def _bits(variant: Variant, values: tuple[str, ...]) -> Fault | None:
    for index, value in enumerate(values):
        if not _known(variant, value):
            return _not_one_of(variant, index, value)
    return None


def _known(variant: Variant, value: str) -> bool:
    lower = value.lower()
    return any(lower == word.lower() for word in variant.values)


def _not_one_of(variant: Variant, index: int, value: str) -> Fault:
    from nginxlint.catalogue.nearest import nearest

    if since := variant.later.get(value.lower()):
        return Fault(
            index,
            f'invalid value "{value}"',
            f'"{value}" of "{variant.name}" needs nginx {since} or later',
            f"possible values before: {', '.join(variant.values)}",
        )
    close = nearest(value, variant.values)
    return Fault(
        index,
        f'invalid value "{value}"',
        f'"{value}" is no value of "{variant.name}"' + (f', "{close}" is' if close else ""),
        f"possible values: {', '.join(variant.values)}",
        close,
    )


def _access(variant: Variant, values: tuple[str, ...]) -> Fault | None:
    for index, value in enumerate(values):
        who, colon, rights = value.partition(":")
        if who not in ("user", "group", "all") or not colon or rights not in ("rw", "r"):
            return Fault(
                index,
                f'invalid value "{value}"',
                f'"{value}" is no access right',
                "write user:rw, group:r or all:r",
            )
    return None


def _path(variant: Variant, values: tuple[str, ...]) -> Fault | None:
    total = 0
    for index, value in enumerate(values[1:], 1):
        level = parse_number(value)
        if not level:
            total = 99
        else:
            total += level + 1
        if total > 10 + index:
            return Fault(
                index,
                f'"{variant.name}" directive invalid value',
                f'"{value}" is no level of subfolders',
                "up to three levels of 1 or 2, for example 1 2",
            )
    return None


def _param(variant: Variant, values: tuple[str, ...]) -> Fault | None:
    if len(values) == 3 and values[2] != "if_not_empty":
        return Fault(
            2,
            f'invalid parameter "{values[2]}"',
            f'the third argument of "{variant.name}" can only be if_not_empty',
            "quote the value if it contains blanks, or end the statement before with a semicolon",
        )
    return None


# value type of the catalogue -> what is wrong with these arguments
VALUE_CHECKS: dict[str, Callable[[Variant, tuple[str, ...]], Fault | None]] = {
    "flag": _flag,
    "num": _number,
    "size": _size,
    "off": _offset,
    "complex-size": _complex_size,
    "msec": _milliseconds,
    "sec": _seconds,
    "bufs": _buffers,
    "enum": _enumeration,
    "bitmask": _bits,
    "access": _access,
    "path": _path,
    "param": _param,
}
