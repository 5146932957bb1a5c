"""Text that came over the network, made fit for a report: no control characters, no direction marks, bounded."""

from __future__ import annotations

import unicodedata

LIMIT = 200
# Cc control, Cf format (direction marks, zero width), Cs surrogates, Co private use, Cn unassigned, line separators.
_UNSAFE = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def clean(text: str | bytes, limit: int = LIMIT) -> str:
    """Replace what could move a cursor, turn text around or break a line by its escape, and cut at `limit`."""
    if text.isascii() and len(text) < limit and isinstance(text, str) and text.isprintable():
        return text  # almost always
    if isinstance(text, bytes):
        text = text[: limit * 4].decode("utf-8", "backslashreplace")
    parts: list[str] = []
    size = 0
    for character in text[: limit * 4]:
        shown = _escape(character) if unicodedata.category(character) in _UNSAFE else character
        if size + len(shown) > limit - 1:
            parts.append("…")
            break
        parts.append(shown)
        size += len(shown)
    return "".join(parts)


def _escape(character: str) -> str:
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
