"""Bodies that are tables, not directives: `map`, `split_clients`, `types`, `charset_map`."""

from __future__ import annotations

from itertools import islice

from nginxlint.catalogue.checks.faults import fault
from nginxlint.catalogue.checks.hashes import (
    LONGEST,
    bucket_needed,
    bucket_size,
    is_small,
    longest_part,
    remember_long,
)
from nginxlint.catalogue.checks.patterns import pattern_fault
from nginxlint.catalogue.context import closing
from nginxlint.catalogue.numbers import parse_fixed_point
from nginxlint.diagnostic import Note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from nginxlint.catalogue.checks.faults import Check
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Directive


# So many faults of one table are told: a thousand lines of another format are not looked at to the end.
_MOST = 50


def some_of(check: Check) -> Check:
    """The check of a table, left where it has found enough."""

    def limited(block: Directive, context: Context) -> Iterator[Refusal]:
        return islice(check(block, context), _MOST)

    return limited


def no_block(context: Context, line: Directive, what: str) -> Refusal:
    return context.refuse(
        "arguments-invalid",
        line,
        f"the lines of {what} end with a semicolon; a block cannot stand here",
        'unexpected "{"',
        help=("close the line before with ;",),
    )


def named(line: Directive, context: Context, nginx_message: str, message: str, *help: str, rule: str) -> Refusal:
    return context.refuse(rule, line, message, nginx_message, span=line.name_span, help=help)


def _map(block: Directive, context: Context) -> Iterator[Refusal]:
    keys: dict[str, Directive] = {}
    default: Directive | None = None
    hostnames = False
    heads: dict[str, Directive] = {}
    tails: dict[str, Directive] = {}
    too_long: Directive | None = None
    longest = LONGEST
    sound = True
    for line in block.body or ():
        name = line.name
        values = line.values
        refusal: Refusal | None = None
        if line.body is not None:
            refusal = no_block(context, line, "map")
        elif len(values) != 1:
            if values or name not in ("hostnames", "volatile"):
                refusal = wrong_count(context, line, "map", "a value and its result")
            hostnames = hostnames or name == "hostnames"
        elif name == "default":
            if default is not None:
                refusal = _again(context, line, default, "duplicate default map parameter", "map has two defaults")
            default = line
        elif name[:1] == "~":
            caseless = name[1:2] == "*"
            refusal = pattern_fault(context, line, -1, name[2 if caseless else 1 :], caseless=caseless)
        elif name != "include":
            key = (name[1:] if name[:1] == "\\" else name).lower()
            length = len(key)
            if hostnames:
                refusal = _host_key(context, line, key, keys, heads, tails)
                length = longest_part(key)
            elif key in keys:
                refusal = _again(context, line, keys[key], f'conflicting parameter "{key}"', f'map has "{key}" twice')
            else:
                keys[key] = line
            if length > longest:
                longest, too_long = length, line
        if refusal is not None:
            sound = False
            yield refusal
    if not sound:
        return
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
    elif not hostnames and not is_small(context, len(keys), "map_hash"):
        from nginxlint.catalogue.checks import hash_sizes

        yield from hash_sizes.map_keys(context, block, keys)


def _map_hash(directive: Directive, context: Context) -> Iterator[Refusal]:
    """`ngx_http_map_block` sets both sizes to their defaults where nobody has: behind a map they stand twice."""
    for line in directive.parent.body if directive.parent is not None else ():
        if line is directive:
            return
        if line.name == "map" and line.body is not None:
            yield context.refuse(
                "directive-repeat",
                directive,
                f"{directive.name} stands below a map, which has taken the default size",
                f'"{directive.name}" directive is duplicate',
                related=(Note(line.head_span, "the map"),),
                help=("move it above the first map",),
            )
            return


def wrong_count(context: Context, line: Directive, what: str, wanted: str) -> Refusal:
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
        return named(
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


def _split_clients(block: Directive, context: Context) -> Iterator[Refusal]:
    total = 0
    over: Directive | None = None
    for line in block.body or ():
        if line.body is not None:
            yield no_block(context, line, "split_clients")
            continue
        if line.name == "*":
            total = 10000
            continue
        percent = parse_fixed_point(line.name[:-1], 2) if line.name[-1:] == "%" else None
        if not percent:
            yield named(
                line,
                context,
                f'invalid percent value "{line.name}"',
                f'"{line.name}" is no percentage: it is a number above 0 with up to two decimals and a % sign',
                "write for example 0.5% or 20%, and * for the rest",
                rule="arguments-invalid",
            )
            continue
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
    """The blocks of one place are one list (`ngx_http_core_type`)."""
    lists = context.state.setdefault("types", {})
    assert isinstance(lists, dict)
    known: dict[str, Directive] = lists.setdefault(block.parent, {})
    for line in block.body or ():
        if line.body is not None:
            yield no_block(context, line, "types")
            continue
        if line.name == "include" and len(line.values) != 1:
            yield fault(
                context,
                line,
                -1,
                'invalid number of arguments in "include" directive',
                "include takes one file or mask",
            )
            continue
        for index, extension in enumerate(line.values):
            if len(extension) > LONGEST:
                remember_long(context, line, extension, "types_hash", "types_hash_bucket_size")
            key = extension.lower()
            if key in known:
                yield _extension_again(context, line, index, known[key])
            known[key] = line


def _extension_again(context: Context, line: Directive, index: int, first: Directive) -> Refusal:
    extension = line.values[index].lower()
    differ = f": they are {line.name}, not {first.name}" if line.name != first.name else ""
    return context.warn(
        "types-duplicate",
        line,
        f"files with .{extension} have a type twice{differ}",
        f'duplicate extension "{extension}", content type: "{line.name}", previous content type: "{first.name}"',
        word=line.args[index],
        related=(Note(first.head_span, "the first one"),),
        help=("keep the one that is meant",),
    )


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
            yield no_block(context, line, "charset_map")
            continue
        if len(line.values) != 1:
            yield fault(context, line, -1, "invalid parameters number", "a line of charset_map has two codes")
            continue
        for text, longest in ((line.name, 2), (line.values[0], 8 if utf8 else 2)):
            if not _code(text, longest):
                yield context.refuse(
                    "arguments-invalid", line, f'"{text}" is no hexadecimal code here', f'invalid value "{text}"'
                )


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
    "map_hash_bucket_size": _map_hash,
    "map_hash_max_size": _map_hash,
    "map": some_of(_map),
    "split_clients": some_of(_split_clients),
    "types": some_of(_types),
    "charset_map": some_of(_charset_map),
}
