"""nginx's ways to write times and sizes (ngx_parse_time, ngx_parse_size)."""

from __future__ import annotations

import re

_TIME = re.compile(r"(\d+)(ms|[yMwdhms]?)\s*")
_SECONDS = {
    "y": 31_536_000.0,
    "M": 2_592_000.0,
    "w": 604_800.0,
    "d": 86_400.0,
    "h": 3_600.0,
    "m": 60.0,
    "s": 1.0,
    "ms": 0.001,
    "": 1.0,
}
_BYTES = {"k": 1024, "m": 1024**2, "g": 1024**3, "": 1}
_SIZE = re.compile(r"(\d+)([kKmMgG]?)")


def seconds(text: str, default: float) -> float:
    """A time such as `60s`, `1h 30m` or `500ms`; `default` where it is none."""
    total, at = 0.0, 0
    if not text:
        return default
    while at < len(text):
        match = _TIME.match(text, at)
        if match is None:
            return default
        total += int(match[1][:12]) * _SECONDS[match[2]]
        at = match.end()
    return total


def size(text: str, default: int) -> int:
    """A size such as `8k`; `default` where it is none."""
    match = _SIZE.fullmatch(text)
    return int(match[1][:15]) * _BYTES[match[2].lower()] if match else default
