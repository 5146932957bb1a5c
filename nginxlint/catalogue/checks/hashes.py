"""Hash tables whose buckets are too small for one long name (header names, MIME types, variables, hosts), or may be too
few for all the names.

A bucket has to hold a pointer, the name with two bytes more in whole pointers, and a pointer that ends it
(`ngx_hash_init`); without a directive of its own it has one cache line, enough for 46 bytes.
"""

from __future__ import annotations

from _operator import attrgetter

from nginxlint.catalogue.checks.merging import effective
from nginxlint.catalogue.names import is_merged, variables_of
from nginxlint.catalogue.numbers import parse_number, parse_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from nginxlint.catalogue.checks.faults import BlockEnd, Check
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Block, Directive

_values = attrgetter("values")
LONGEST = 46  # bytes of a name that fit into a bucket of one cache line
_LINE = 64  # the cache line of the machines nginx runs on
_POINTER = 8
_FEW = 50  # names; so many fit into every table by its default sizes
_MOST = 5000  # names; to lay out more takes as long as all else that is checked, so they are only counted
_LEAST = 16  # bytes the shortest name takes in its bucket

# directive -> the hash its names go into, and the directive that sets the size of its buckets (empty: fixed)
_HASH_OF: dict[str, tuple[str, str]] = {
    **{
        f"proxy_{name}": ("proxy_headers_hash", "proxy_headers_hash_bucket_size")
        for name in ("set_header", "hide_header")
    },
    "grpc_set_header": ("grpc_headers_hash", ""),
    **{f"{family}_hide_header": (f"{family}_hide_headers_hash", "") for family in ("fastcgi", "uwsgi", "scgi", "grpc")},
}


def longest_part(name: str) -> int:
    """The bytes of what nginx hashes of a host: the whole name, or under a wildcard its longest label."""
    if "*" not in name and name[:1] != ".":
        return len(name.encode("utf-8", "surrogateescape"))
    whole = len(name) - 1 if name[:1] == "." else 0
    return max(whole, *(len(label) for label in name.split(".")))


def bucket_needed(length: int) -> int:
    """The bucket size a name of so many bytes needs, in whole cache lines."""
    element = _POINTER + -(-(length + 2) // _POINTER) * _POINTER + _POINTER
    return -(-element // _LINE) * _LINE


def bucket_size(block: Directive, name: str, before: Directive | None = None) -> int:
    """The bucket size in effect: the directive in `block` (above `before`), rounded up to cache lines, or one line."""
    for child in block.body or ():
        if child is before:
            break
        if child.name == name and child.values:
            return -(-(parse_size(child.values[0]) or _LINE) // _LINE) * _LINE
    return _LINE


def number_setting(block: Block, name: str, default: int, before: Directive | None = None) -> int:
    """The number a directive in `block` (above `before`) sets; 0 where it is none."""
    for child in block.body or ():
        if child is before:
            break
        if child.name == name and child.values:
            return parse_number(child.values[0]) or 0
    return default


def names_in_bucket(longest: int, bucket: int) -> int:
    """How many names of that length go into a bucket."""
    return (bucket - _POINTER) // (_POINTER + -(-(longest + 2) // _POINTER) * _POINTER)


def may_overflow(count: int, fit: int, largest: int) -> bool:
    """May so many names, of which `fit` go into a bucket, be too many for every number of buckets up to `largest`? Not
    where chance fills few buckets too full: with one of the many numbers it fills none."""
    if not largest or not fit:
        return False
    if largest <= _FEW:
        return True
    crowd = float(largest)  # buckets that are expected to have one name more than fits
    for together in range(1, fit + 2):
        crowd *= count / largest / together
    return crowd > 3


def remember_long(context: Context, directive: Directive, text: str, table: str, setting: str) -> None:
    """Keep a long name until http closes, when nginx builds the table."""
    names = context.state.setdefault("hashes", [])
    assert isinstance(names, list)
    names.append((directive, text, table, setting))


def _names(directive: Directive, context: Context) -> Iterator[Refusal]:
    table, setting = _HASH_OF[directive.name]
    if len(directive.values[0]) > LONGEST:
        remember_long(context, directive, directive.values[0], table, setting)
    yield from ()


def _end_of_subsystem(block: Block, context: Context) -> Iterator[Refusal]:
    kept = context.state.pop("hashes", [])
    assert isinstance(kept, list)
    said: set[tuple[str, str]] = set()
    for directive, text, table, setting in kept:
        if (text, table) in said or not is_merged(directive, block):
            continue
        own = effective(directive.parent, setting) if setting else None
        bucket = -(-(parse_size(own.values[0]) or _LINE) // _LINE) * _LINE if own is not None else _LINE
        if bucket_needed(len(text.encode("utf-8", "surrogateescape"))) > bucket:
            said.add((text, table))
            yield _too_small(context, directive, text, table, setting, bucket)
    yield from _many(block, context)
    variables = variables_of(context, context.place)
    for name, directive in variables.defined.items() if variables is not None else ():
        if len(name) > LONGEST:
            bucket = bucket_size(block, "variables_hash_bucket_size")
            if bucket_needed(len(name)) > bucket:
                setting = "variables_hash_bucket_size"
                yield _too_small(context, directive, "$" + name, "variables_hash", setting, bucket)


def _many(block: Block, context: Context) -> Iterator[Refusal]:
    """Where there are so many names that buckets may run over, each table is looked at."""
    count = sum(map(len, map(_values, context.find("server_name"))))
    if _maybe(context, count, block, "server_names_hash", 512):
        from nginxlint.catalogue.checks import hash_sizes

        yield from hash_sizes.server_names(block, context)
    variables = variables_of(context, context.place)
    # with nginx's own, which are up to a hundred, and by themselves fit
    own = len(variables.defined) if variables is not None else 0
    asked = own or context.occurs("variables_hash_max_size") or context.occurs("variables_hash_bucket_size")
    if variables is not None and asked and _maybe(context, own + 100, block, "variables_hash", 1024):
        from nginxlint.catalogue.checks import hash_sizes

        yield from hash_sizes.variables(block, context)
    if context.place == "http":
        for around, extensions in context.state.get("types", {}).items():
            if not is_small(context, len(extensions), "types_hash"):
                from nginxlint.catalogue.checks import hash_sizes

                yield from hash_sizes.extensions(block, context, around, extensions)


def is_small(context: Context, count: int, table: str) -> bool:
    """Do so few names fit, unless somebody has lowered what they fit into?"""
    return not count or (count <= _FEW and not context.occurs(f"{table}_max_size"))


def _maybe(context: Context, count: int, block: Block, table: str, default: int) -> bool:
    """May so many names be too many, whatever their lengths?"""
    if is_small(context, count, table):
        return False
    bucket = bucket_size(block, f"{table}_bucket_size")
    largest = number_setting(block, f"{table}_max_size", default)
    if count > _MOST:
        return count > largest * ((bucket - _POINTER) // _LEAST)
    return may_overflow(count, names_in_bucket(LONGEST, bucket), largest)


def _too_small(context: Context, directive: Directive, text: str, table: str, setting: str, bucket: int) -> Refusal:
    needed = bucket_needed(len(text))
    if setting:
        help = f"write `{setting} {needed};`"
    elif table == "test_types_hash":
        help = "remove it: this table has a fixed size; `*` stands for all types"
    else:
        help = "use a shorter name: this table has a fixed size"
    word = next((word for word in directive.args if text in word.text), None)
    return context.refuse(
        "hash-too-small",
        directive,
        f'"{text}" is too long for the table nginx keeps it in ({LONGEST} bytes fit)',
        f"could not build {table}, you should increase {table}_bucket_size: {bucket}",
        word=word,
        span=None if word is not None or directive.body is None else directive.name_span,
        nginx_at=None,
        help=(help,),
    )


CHECKS: dict[str, Check] = dict.fromkeys(_HASH_OF, _names)
PURE = frozenset(CHECKS)
BLOCK_END: dict[str, BlockEnd] = {"http": _end_of_subsystem, "stream": _end_of_subsystem}
