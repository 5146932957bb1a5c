"""Bodies that are tables, not directives: `map`, `geo`, `split_clients`, `types`, `charset_map`."""

from __future__ import annotations

from nginxlint.catalogue.addresses import inet_address, parse_network
from nginxlint.catalogue.checks.faults import fault
from nginxlint.catalogue.checks.hashes import LONGEST, bucket_needed, bucket_size, longest_part, remember_long
from nginxlint.catalogue.checks.patterns import pattern_fault
from nginxlint.catalogue.context import closing
from nginxlint.catalogue.numbers import parse_fixed_point
from nginxlint.diagnostic import Note, Severity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from nginxlint.catalogue.checks.faults import Check
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Directive

_WIDEST_RANGE = 4096  # of /16 networks; a wider range is not compared with the others


def _no_block(context: Context, line: Directive, what: str) -> Refusal:
    return context.refuse(
        "arguments-invalid",
        line,
        f"the lines of {what} end with a semicolon; a block cannot stand here",
        'unexpected "{"',
        help=("close the line before with ;",),
    )


def _named(line: Directive, context: Context, nginx_message: str, message: str, *help: str, rule: str) -> Refusal:
    return context.refuse(rule, line, message, nginx_message, span=line.name_span, help=help)


def _map(block: Directive, context: Context) -> Iterator[Refusal]:
    keys: dict[str, Directive] = {}
    default: Directive | None = None
    hostnames = False
    heads: dict[str, Directive] = {}
    tails: dict[str, Directive] = {}
    too_long: Directive | None = None
    longest = LONGEST
    for line in block.body or ():
        name = line.name
        values = line.values
        if line.body is not None:
            yield _no_block(context, line, "map")
            return
        if len(values) != 1:
            if not values and name in ("hostnames", "volatile"):
                hostnames = hostnames or name == "hostnames"
                continue
            yield _wrong_count(context, line, "map", "a value and its result")
            return
        if name == "include":
            continue
        if name == "default":
            if default is not None:
                yield _again(context, line, default, "duplicate default map parameter", "map has two defaults")
                return
            default = line
            continue
        if name[:1] == "~":
            caseless = name[1:2] == "*"
            refusal = _key_pattern(context, line, name[2 if caseless else 1 :], caseless)
            if refusal is not None:
                yield refusal
                return
            continue
        key = (name[1:] if name[:1] == "\\" else name).lower()
        if hostnames:
            refusal = _host_key(context, line, key, keys, heads, tails)
            if refusal is not None:
                yield refusal
                return
            length = longest_part(key)
        else:
            length = len(key)
            if key in keys:
                yield _again(context, line, keys[key], f'conflicting parameter "{key}"', f'map has "{key}" twice')
                return
            keys[key] = line
        if length > longest:
            longest, too_long = length, line
    if too_long is not None and block.parent is not None:
        line = too_long
        needed = bucket_needed(longest)
        bucket = bucket_size(block.parent, "map_hash_bucket_size", block)
        if needed > bucket:
            refusal = context.refuse(
                "hash-too-small",
                line,
                "this key is too long for the table of a map",
                f"could not build map_hash, you should increase map_hash_bucket_size: {bucket}",
                span=line.name_span,
                nginx_at=None,
                help=(f"write `map_hash_bucket_size {needed};` in {context.subsystem} {{}} before the map",),
            )
            refusal.met_at = closing(block)
            yield refusal


def _wrong_count(context: Context, line: Directive, what: str, wanted: str) -> Refusal:
    return context.refuse(
        "arguments-invalid",
        line,
        f"a line of {what} has two words: {wanted}",
        f"invalid number of the {what} parameters",
        help=("quote a value with blanks, and end each line with ;",),
    )


def _again(context: Context, line: Directive, first: Directive, nginx_message: str, message: str) -> Refusal:
    return context.refuse(
        "map-duplicate",
        line,
        message,
        nginx_message,
        span=line.name_span,
        related=(Note(first.name_span, "the first one"),),
        help=("remove one of the two lines",),
    )


def _key_pattern(context: Context, line: Directive, pattern: str, caseless: bool) -> Refusal | None:
    return pattern_fault(context, line, -1, pattern, caseless=caseless)


def _host_key(
    context: Context,
    line: Directive,
    key: str,
    keys: dict[str, Directive],
    heads: dict[str, Directive],
    tails: dict[str, Directive],
) -> Refusal | None:
    """A key under `hostnames`, as `ngx_hash_add_key` takes it."""
    table, entry = keys, key
    if key.count("*") > 1 or ".." in key:
        table = None  # type: ignore[assignment]
    elif len(key) > 1 and key[0] == ".":
        if key[1:] in keys:
            return _again(
                context, line, keys[key[1:]], f'conflicting parameter "{key}"', f'"{key}" includes "{key[1:]}"'
            )
        keys[key[1:]] = line
        table, entry = heads, key[1:]
    elif len(key) > 2 and key[:2] == "*.":
        table, entry = heads, key[2:]
    elif len(key) > 2 and key[-2:] == ".*":
        table, entry = tails, key[:-2]
    elif "*" in key:
        table = None  # type: ignore[assignment]
    if table is None:
        return _named(
            line,
            context,
            f'invalid hostname or wildcard "{key}"',
            f'"{key}" is no host name: with hostnames a wildcard stands at the beginning or the end',
            "write a regular expression: ~^…$",
            rule="map-host-invalid",
        )
    if entry in table:
        return _again(context, line, table[entry], f'conflicting parameter "{key}"', f'map has "{key}" twice')
    table[entry] = line
    return None


def _geo(block: Directive, context: Context) -> Iterator[Refusal]:
    if len(block.values) == 2 and not (block.values[0].startswith("$") and len(block.values[0]) > 1):
        yield fault(
            context,
            block,
            0,
            f'invalid variable name "{block.values[0]}"',
            "the first argument of geo is the variable with the address, with its dollar sign",
            rule="variable-invalid",
        )
        return
    ranges = False
    tree = False
    known: dict[int, list[tuple[int, int]]] = {}
    http = context.subsystem == "http"
    for line in block.body or ():
        name = line.name
        values = line.values
        if line.body is not None:
            yield _no_block(context, line, "geo")
            return
        if not values:
            if name == "ranges":
                if tree:
                    yield _named(
                        line,
                        context,
                        'the "ranges" directive must be the first directive inside "geo" block',
                        "ranges must be the first line of geo",
                        "move it to the top",
                        rule="arguments-invalid",
                    )
                    return
                ranges = True
                continue
            if (name == "proxy_recursive" and http) or (name == "volatile" and context.version >= (1, 29, 3)):
                continue
        if len(values) != 1:
            yield _wrong_count(context, line, "geo", "a network and its value")
            return
        if name == "include":
            continue
        if name == "proxy" and http:
            refusal = _network(context, line, values[0])
        elif name == "default":
            tree = tree or not ranges
            continue
        else:
            text = values[0] if name == "delete" else name
            if ranges:
                refusal = _range(context, line, text, known)
            else:
                tree = True
                refusal = _network(context, line, text)
        if refusal is not None:
            yield refusal
            if refusal.blocks_start:
                return


def _network(context: Context, line: Directive, text: str) -> Refusal | None:
    if text == "255.255.255.255":
        return None
    network = parse_network(text)
    if network is None:
        return _named(
            line,
            context,
            f'invalid network "{text}"',
            f'"{text}" is no address and no network',
            "write an address, or a network such as 192.0.2.0/24",
            rule="network-invalid",
        )
    if network.host_bits:
        return context.refuse(
            "cidr-host-bits",
            line,
            f'"{text}" has bits set that its mask makes meaningless',
            f"low address bits of {text} are meaningless",
            span=line.name_span,
            severity=Severity.INFO,
            blocks_start=False,
        )
    return None


def _range(context: Context, line: Directive, text: str, known: dict[int, list[tuple[int, int]]]) -> Refusal | None:
    first, dash, last = text.partition("-")
    low, high = inet_address(first), inet_address(last)
    if not dash or low is None or high is None or high < low:
        return _named(
            line,
            context,
            f'invalid range "{text}"',
            f'"{text}" is no range of IPv4 addresses',
            "under `ranges` write first-last, such as 192.0.2.0-192.0.2.255",
            rule="network-invalid",
        )
    begin, end = int.from_bytes(low, "big"), int.from_bytes(high, "big")
    if (end >> 16) - (begin >> 16) > _WIDEST_RANGE:
        return None
    for bucket in range(begin >> 16, (end >> 16) + 1):
        start = begin if bucket == begin >> 16 else bucket << 16
        stop = end if bucket == end >> 16 else (bucket << 16) + 0xFFFF
        clash = _insert(known.setdefault(bucket, []), start, stop)
        if clash is not None:
            shown = "-".join(".".join(map(str, part.to_bytes(4, "big"))) for part in clash)
            return _named(
                line,
                context,
                f'range "{text}" overlaps "{shown}"',
                f'"{text}" overlaps {shown} in part',
                "one range may lie inside another, but not across its border",
                rule="range-overlap",
            )
    return None


def _insert(ranges: list[tuple[int, int]], start: int, stop: int) -> tuple[int, int] | None:
    """`ngx_http_geo_add_range` for one /16: keeps the list sorted; returns what is overlapped in part."""
    for at in range(len(ranges) - 1, -1, -1):
        low, high = ranges[at]
        if stop < low:
            continue
        if start > high:
            ranges.insert(at + 1, (start, stop))
            return None
        if start == low and stop == high:
            return None
        if start >= low and stop <= high:
            parts = [(low, start - 1)] if start > low else []
            parts.append((start, stop))
            if stop < high:
                parts.append((stop + 1, high))
            ranges[at : at + 1] = parts
            return None
        return low, high
    ranges.insert(0, (start, stop))
    return None


def _split_clients(block: Directive, context: Context) -> Iterator[Refusal]:
    total = 0
    over: Directive | None = None
    for line in block.body or ():
        if line.body is not None:
            yield _no_block(context, line, "split_clients")
            return
        if line.name == "*":
            total = 10000
            continue
        percent = parse_fixed_point(line.name[:-1], 2) if line.name[-1:] == "%" else None
        if not percent:
            yield _named(
                line,
                context,
                f'invalid percent value "{line.name}"',
                f'"{line.name}" is no percentage: it is a number above 0 with up to two decimals and a % sign',
                "write for example 0.5% or 20%, and * for the rest",
                rule="arguments-invalid",
            )
            return
        total += percent
        if total > 10000 and over is None:
            over = line
    if over is not None:
        yield context.refuse(
            "split-over-100",
            block,
            f"the shares add up to {total / 100:g}%",
            "percent total is greater than 100%",
            span=over.name_span,
            nginx_at="close",
            help=("lower the shares to 100% in all, with * as the last line for the rest",),
        )


def _types(block: Directive, context: Context) -> Iterator[Refusal]:
    for line in block.body or ():
        if line.body is not None:
            yield _no_block(context, line, "types")
            return
        if line.name == "include" and len(line.values) != 1:
            yield fault(
                context,
                line,
                -1,
                'invalid number of arguments in "include" directive',
                "include takes one file or mask",
            )
            return
        for extension in line.values:
            if len(extension) > LONGEST:
                remember_long(context, line, extension, "types_hash", "types_hash_bucket_size")


def _charset_map(block: Directive, context: Context) -> Iterator[Refusal]:
    first, second = block.values
    if first.lower() == second.lower():
        yield fault(
            context,
            block,
            1,
            f'"charset_map" between the same charsets "{first}" and "{second}"',
            "charset_map needs two different charsets",
        )
        return
    pairs = context.state.setdefault("charset_map", set())
    assert isinstance(pairs, set)
    pair = frozenset((first.lower(), second.lower()))
    if pair in pairs:
        yield fault(
            context,
            block,
            0,
            f'duplicate "charset_map" between "{first}" and "{second}"',
            "these two charsets already have a charset_map",
        )
        return
    pairs.add(pair)
    utf8 = second.lower() == "utf-8"
    for line in block.body or ():
        if line.body is not None:
            yield _no_block(context, line, "charset_map")
            return
        if len(line.values) != 1:
            yield fault(context, line, -1, "invalid parameters number", "a line of charset_map has two codes")
            return
        for text, longest in ((line.name, 2), (line.values[0], 8 if utf8 else 2)):
            if not _code(text, longest):
                yield context.refuse(
                    "arguments-invalid", line, f'"{text}" is no hexadecimal code here', f'invalid value "{text}"'
                )
                return


def _code(text: str, longest: int) -> bool:
    """One byte, or the bytes of one character in UTF-8 (up to U+FFFF)."""
    if not text or len(text) > longest or any(character not in "0123456789abcdefABCDEF" for character in text):
        return False
    if longest == 2:
        return True
    try:
        character = bytes.fromhex(text).decode("utf-8")
    except ValueError:
        return False
    return ord(character[0]) <= 0xFFFF


CHECKS: dict[str, Check] = {
    "map": _map,
    "geo": _geo,
    "split_clients": _split_clients,
    "types": _types,
    "charset_map": _charset_map,
}
