"""Header blocks of HTTP/2 (HPACK, RFC 7541) as nginx's grpc module decodes them: no dynamic table, its own faults.

Source: ngx_http_grpc_parse_header, ngx_http_grpc_validate_header_name and _value.
"""

from __future__ import annotations

import functools
import re

_STATUSES = (b"200", b"204", b"206", b"304", b"400", b"404", b"500")
_PSEUDO = (b":authority", b":method", b":method", b":path", b":path", b":scheme", b":scheme")
_STATIC = 61
_BAD_NAME = re.compile(rb"(?!^):|[A-Z\x00-\x20\x7f]", re.S)
_BAD_VALUE = re.compile(rb"[\x00\r\n]")
# The length of every symbol's code, A for 5 bits; the code is canonical, so the lengths are all there is to it.
_LENGTHS = (
    "ISXXXXXXXTZXXZXXXXXXXXZXXXXXXXXXBFFHIBDGFFDGDBBBAAABBBBBBBCDKBHFIBCCCCCCCCCCCCCCCCCCCCCCDCDIOIJBKABABABBBACCBBBABCB"
    "AABCCCCCKGJIXPRPPRRRSRSSSSSTSTTRSTSSSSQRSRSSTRQPRRSSQSRRTQRSSQQRQSRSSPRRRSRRSVVPORSRUVVVWWVTUOQVWWVWTQQVVXWWWPTPQRQQ"
    "SRRUUTTVSVWVVWWWWWXWWWWWVZ"
)
_END = 256


class Invalid(Exception):
    """What nginx refuses about a header block; the text is its message."""


class _Truncated(Invalid):
    """The block ends within a field."""

    def __init__(self) -> None:
        super().__init__("upstream sent truncated http2 header")


def fields(block: bytes, *, whole: bool = True) -> list[tuple[bytes, bytes]]:
    """The fields of a header block, names of the static table only where they are needed; of one that is not `whole`,
    those that are there. Raises Invalid."""
    found: list[tuple[bytes, bytes]] = []
    try:
        _read(block, found)
    except _Truncated:
        if whole:
            raise
    return found


def _read(block: bytes, found: list[tuple[bytes, bytes]]) -> None:
    at = 0
    while at < len(block):
        first = block[at]
        if first & 0x80:
            index, at = _integer(block, at, 7)
            found.append((_name(index), _value(index)))
            continue
        if first & 0xE0 == 0x20:
            if first & 0x1F:  # nginx keeps no table, and takes no size but zero
                raise Invalid(f"upstream sent invalid http2 dynamic table size update: {first & 0x1F}")
            at += 1
            continue
        index, at = _integer(block, at, 6 if first & 0x40 else 4)
        if index:
            name = _name(index)
        else:
            name, at = _string(block, at)
            if not name:
                raise Invalid("upstream sent zero http2 header name length")
        value, at = _string(block, at)
        if (not index and _BAD_NAME.search(name)) or _BAD_VALUE.search(value):
            shown = (name + b": " + value).decode("latin-1")
            raise Invalid(f'upstream sent invalid header: "{shown}"')
        found.append((name, value))


def _name(index: int) -> bytes:
    if not 1 <= index <= _STATIC:
        raise Invalid(f"upstream sent invalid http2 table index: {index}")
    if index <= len(_PSEUDO):
        return _PSEUDO[index - 1]
    return b":status" if index <= len(_PSEUDO) + len(_STATUSES) else b"static-%d" % index


def _value(index: int) -> bytes:
    return _STATUSES[index - 8] if 8 <= index <= 14 else b""


def _integer(block: bytes, at: int, bits: int) -> tuple[int, int]:
    limit = (1 << bits) - 1
    value = block[at] & limit
    at += 1
    if value < limit:
        return value, at
    shift = 0
    while at < len(block) and shift < 28:
        value += (block[at] & 0x7F) << shift
        shift += 7
        at += 1
        if not block[at - 1] & 0x80:
            return value, at
    if shift >= 28:
        raise Invalid("upstream sent http2 table index with continuation flag")
    raise _Truncated


def _string(block: bytes, at: int) -> tuple[bytes, int]:
    if at >= len(block):
        raise _Truncated
    packed = block[at] & 0x80
    length, at = _integer(block, at, 7)
    if at + length > len(block):
        raise _Truncated
    raw = block[at : at + length]
    return (_unpacked(raw) if packed else raw), at + length


def _unpacked(data: bytes) -> bytes:
    """Text in the Huffman code of HPACK."""
    codes = _codes()
    result = bytearray()
    code = length = 0
    for byte in data:
        for bit in range(7, -1, -1):
            code = code << 1 | byte >> bit & 1
            length += 1
            symbol = codes.get((length, code))
            if symbol == _END or length > 30:
                raise Invalid("upstream sent invalid encoded header")
            if symbol is not None:
                result.append(symbol)
                code = length = 0
    if length > 7 or code != (1 << length) - 1:  # the rest is padding: ones
        raise Invalid("upstream sent invalid encoded header")
    return bytes(result)


@functools.cache
def _codes() -> dict[tuple[int, int], int]:
    codes: dict[tuple[int, int], int] = {}
    code = last = 0
    for symbol in sorted(range(len(_LENGTHS)), key=lambda one: (_LENGTHS[one], one)):
        length = ord(_LENGTHS[symbol]) - ord("A") + 5
        code <<= length - last
        last = length
        codes[length, code] = symbol
        code += 1
    return codes
