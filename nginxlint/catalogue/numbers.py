"""Numbers, sizes and times as nginx parses them; None is its NGX_ERROR."""

from __future__ import annotations

MAX = 9223372036854775807  # NGX_MAX_INT_T_VALUE, NGX_MAX_SIZE_T_VALUE and NGX_MAX_OFF_T_VALUE on 64 bits

_SIZES = {"k": 1024, "K": 1024, "m": 1024 * 1024, "M": 1024 * 1024}
_OFFSETS = {**_SIZES, "g": 1024 * 1024 * 1024, "G": 1024 * 1024 * 1024}


def parse_number(text: str) -> int | None:
    """`ngx_atoi`: decimal digits only."""
    if not text.isascii() or not text.isdigit():
        return None
    # Python reads no number of more than 4,300 digits
    value = int(text) if len(text) < 40 else int(text.lstrip("0")[:40] or "0")
    return value if value <= MAX else None


def number_or(text: str, default: int) -> int:
    """The number a text is; `default` for what is none, and for what nginx finds too large."""
    number = parse_number(text)
    return default if number is None else number


def parse_fixed_point(text: str, point: int) -> int | None:
    """`ngx_atofp`: a number with up to `point` decimals, multiplied by 10 ** point."""
    whole, dot, rest = text.partition(".")
    digits = whole + rest
    if not digits or not digits.isascii() or not digits.isdigit() or (dot and len(rest) > point):
        return None
    value = int(digits) * 10 ** (point - len(rest)) if len(digits) < 40 else MAX + 1
    return value if value <= MAX else None


def parse_size(text: str) -> int | None:
    """`ngx_parse_size`: bytes, or with k or m."""
    return _scaled(text, _SIZES)


def parse_offset(text: str) -> int | None:
    """`ngx_parse_offset`: bytes, or with k, m or g."""
    return _scaled(text, _OFFSETS)


def _scaled(text: str, units: dict[str, int]) -> int | None:
    scale = units.get(text[-1:], 1)
    value = parse_number(text[:-1] if scale > 1 else text)
    return value * scale if value is not None and value <= MAX // scale else None


# Unit -> (step, seconds): the steps may only go down, each unit stands once.
_STEPS = {
    "y": (1, 365 * 86400),
    "M": (2, 30 * 86400),
    "w": (3, 7 * 86400),
    "d": (4, 86400),
    "h": (5, 3600),
    "m": (6, 60),
    "s": (7, 1),
    " ": (9, 1),
}


def parse_time(text: str, *, seconds: bool = False) -> int | None:
    """`ngx_parse_time`: milliseconds, or with `seconds` whole seconds (then "ms" is refused, years are accepted)."""
    step = 0 if seconds else 2
    value = total = at = 0
    valid = False
    per_second = 1 if seconds else 1000
    while at < len(text):
        character = text[at]
        at += 1
        if "0" <= character <= "9":
            value = value * 10 + int(character)
            if value > MAX:
                return None
            valid = True
            continue
        if character == "m" and text[at : at + 1] == "s":
            if seconds or step >= 8:
                return None
            at += 1
            step, scale = 8, 1
        else:
            unit = _STEPS.get(character)
            if unit is None:
                return None
            reached, length = unit
            # A year needs a fresh start, a space only that no second was given yet.
            if step > 0 if character == "y" else step >= (7 if character == " " else reached):
                return None
            if character == "M" and not seconds and step >= 2:
                return None
            step, scale = reached, length * per_second
        if value > MAX // scale:
            return None
        total += value * scale
        if total > MAX:
            return None
        value = 0
        while text[at : at + 1] == " ":
            at += 1
    if not valid:
        return None
    total += value * per_second
    return total if total <= MAX else None
