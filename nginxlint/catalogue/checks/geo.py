"""The body of `geo`: networks in a tree, or ranges (`ngx_http_geo_module.c`; stream's is the same without `proxy`)."""

from __future__ import annotations

from _operator import itemgetter
from bisect import bisect_left, bisect_right

from nginxlint.catalogue.addresses import Network, inet_address, parse_network
from nginxlint.catalogue.checks.faults import fault, host_bits
from nginxlint.catalogue.checks.maps import named, no_block, some_of, wrong_count
from nginxlint.diagnostic import Fix, Note
from nginxlint.edits import delete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from nginxlint.catalogue.checks.faults import Check
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Directive

_WIDEST_RANGE = 4096  # of /16 networks; a wider range is not compared with the others
_FLAT = 6  # nginx fills the tree down to these bits beforehand (64-bit machines with pages of 4 KB)
_low = itemgetter(0)
_EVERYWHERE = (Network(bytes(4), 0), Network(bytes(16), 0))


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
    table: _Tree | _Ranges | None = None
    http = context.subsystem == "http"
    for line in block.body or ():
        name = line.name
        values = line.values
        if line.body is not None:
            yield no_block(context, line, "geo")
            continue
        if not values:
            if name == "ranges":
                if isinstance(table, _Tree):
                    yield named(
                        line,
                        context,
                        'the "ranges" directive must be the first directive inside "geo" block',
                        "ranges must be the first line of geo",
                        "move it to the top",
                        rule="arguments-invalid",
                    )
                    return
                table = table or _Ranges(context, bool(getattr(block, "has_gap", False)))
                continue
            if (name == "proxy_recursive" and http) or (name == "volatile" and context.version >= (1, 29, 3)):
                continue
        if len(values) != 1:
            yield wrong_count(context, line, "geo", "a network and its value")
        elif name == "proxy" and http:
            yield from _network(context, line, values[0])[1]
        elif name != "include":
            table = table or _Tree(context, bool(getattr(block, "has_gap", False)))
            yield from table.read(line)
            if "-" in name and isinstance(table, _Tree):
                return  # `ranges` is missing: the other lines are like this one


def _network(context: Context, line: Directive, text: str) -> tuple[Network | None, tuple[Refusal, ...]]:
    if text == "255.255.255.255":
        return Network(b"\xff\xff\xff\xff", 32), ()
    network = parse_network(text)
    if network is None:
        refusal = named(
            line,
            context,
            f'invalid network "{text}"',
            f'"{text}" is no address and no network',
            "write an address, or a network such as 192.0.2.0/24; for ranges put `ranges;` first",
            rule="network-invalid",
        )
        return None, (refusal,)
    if network.host_bits:
        span = line.name_span if line.name == text else line.args[0].span
        return network, (host_bits(context, line, text, network, span),)
    return network, ()


def _twice(context: Context, line: Directive, first: Directive, what: str, old: str) -> Refusal:
    net, value = line.name, line.values[0]
    other = first.values[0]
    if net == "default" and "range" in what:
        nginx_message = f'duplicate default geo range value: "{value}", old value: "{old}"'
    else:
        nginx_message = f'duplicate {what} "{net}", value: "{value}", old value: "{old}"'
    fixes: tuple[Fix, ...] = ()
    if first.source is line.source and first.name == net:
        fixes = (Fix("remove the first line", (delete(first),), safe=True),)
    return context.warn(
        "map-duplicate",
        line,
        f'"{net}" stands in this geo twice' + (f": {value} is in effect, not {other}" if other != value else ""),
        nginx_message,
        span=line.name_span,
        related=(Note(first.name_span, "the first one"),),
        help=("keep the line that is meant",),
        fixes=fixes,
    )


def _not_there(context: Context, line: Directive, what: str) -> Refusal:
    text = line.values[0]
    return context.warn(
        "geo-delete-missing",
        line,
        f'there is no line for "{text}" above that could be deleted',
        f'no {what} "{text}" to delete',
        word=line.args[0],
        help=("delete takes the very network or range of an earlier line, not a part of it",),
    )


class _Tree:
    """Networks: `lines` has those of the tree, by address and bits. `gap`: lines may be missing."""

    def __init__(self, context: Context, gap: bool) -> None:
        self.context = context
        self.gap = gap
        self.lines: dict[tuple[bytes, int], Directive] = {}

    def read(self, line: Directive) -> Iterator[Refusal]:
        context, lines = self.context, self.lines
        if line.name == "default":
            said = ""
            for network in _EVERYWHERE:
                for refusal in self._add(line, network):
                    if refusal.nginx_message != said:
                        yield refusal
                    said = refusal.nginx_message or ""
            return
        delete_it = line.name == "delete"
        network_of, found = _network(context, line, line.values[0] if delete_it else line.name)
        yield from found
        if network_of is None:
            return
        if not delete_it:
            yield from self._add(line, network_of)
        elif (
            lines.pop((network_of.address, network_of.bits), None) is None and not self.gap and network_of.bits > _FLAT
        ):
            yield _not_there(context, line, "network")

    def _add(self, line: Directive, network: Network) -> Iterator[Refusal]:
        key = network.address, network.bits
        if first := self.lines.get(key):
            yield _twice(self.context, line, first, "network", self._nearest(network))
        self.lines[key] = line

    def _nearest(self, network: Network) -> str:
        """The value of the smallest network that has the address: `ngx_radix32tree_find`."""
        for bits in range(8 * len(network.address), -1, -1):
            if line := self.lines.get((Network(network.address, bits).address, bits)):
                return line.values[0]
        raise AssertionError  # it is called for a network of the tree


class _Ranges:
    """Ranges of IPv4 addresses, as nginx keeps them: cut into /16 networks, in each a list that is sorted."""

    def __init__(self, context: Context, gap: bool) -> None:
        self.context = context
        self.gap = gap
        self.default: Directive | None = None
        self.known: dict[int, list[tuple[int, int, Directive]]] = {}

    def read(self, line: Directive) -> Iterator[Refusal]:
        if line.name == "default":
            if self.default is not None:
                yield _twice(self.context, line, self.default, "range", self.default.values[0])
            self.default = line
            return
        delete_it = line.name == "delete"
        text = line.values[0] if delete_it else line.name
        first, dash, last = text.partition("-")
        low, high = inet_address(first), inet_address(last)
        if not dash or low is None or high is None or high < low or b"\xff\xff\xff\xff" in (low, high):
            yield named(
                line,
                self.context,
                f'invalid range "{text}"',
                f'"{text}" is no range of IPv4 addresses',
                "under `ranges` write first-last, such as 192.0.2.0-192.0.2.255",
                rule="network-invalid",
            )
            return
        begin, end = int.from_bytes(low, "big"), int.from_bytes(high, "big")
        if (end >> 16) - (begin >> 16) > _WIDEST_RANGE:
            self.gap = True
        elif delete_it:
            yield from self._delete(line, begin, end)
        else:
            yield from self._add(line, begin, end)

    def _add(self, line: Directive, begin: int, end: int) -> Iterator[Refusal]:
        said = set()
        for bucket, start, stop in _cut(begin, end):
            first = _insert(self.known.setdefault(bucket, []), start, stop, line)
            if isinstance(first, tuple):
                shown = "-".join(".".join(map(str, part.to_bytes(4, "big"))) for part in first)
                yield named(
                    line,
                    self.context,
                    f'range "{line.name}" overlaps "{shown}"',
                    f'"{line.name}" overlaps {shown} in part',
                    "one range may lie inside another, but not across its border",
                    rule="range-overlap",
                )
                return
            if first is not None and first.values not in said:
                said.add(first.values)
                yield _twice(self.context, line, first, "range", first.values[0])

    def _delete(self, line: Directive, begin: int, end: int) -> Iterator[Refusal]:
        missing = False
        for bucket, start, stop in _cut(begin, end):
            ranges = self.known.get(bucket, [])
            at = bisect_left(ranges, start, key=_low)
            if at < len(ranges) and ranges[at][:2] == (start, stop):
                del ranges[at]
            else:
                missing = True
        if missing and not self.gap:
            yield _not_there(self.context, line, "address range")


def _cut(begin: int, end: int) -> Iterator[tuple[int, int, int]]:
    """The /16 networks of a range, each with the first and the last address of the range in it."""
    for bucket in range(begin >> 16, (end >> 16) + 1):
        yield bucket, max(begin, bucket << 16), min(end, (bucket << 16) + 0xFFFF)


def _insert(
    ranges: list[tuple[int, int, Directive]], start: int, stop: int, line: Directive
) -> Directive | tuple[int, int] | None:
    """`ngx_http_geo_add_range` for one /16. Returns the line of the same range, if there is one, or what is overlapped in
    part."""
    at = bisect_right(ranges, stop, key=_low) - 1
    if at < 0 or start > ranges[at][1]:
        ranges.insert(at + 1, (start, stop, line))
        return None
    low, high, first = ranges[at]
    if start == low and stop == high:
        ranges[at] = (start, stop, line)
        return first
    if start >= low and stop <= high:
        parts = [(low, start - 1, first)] if start > low else []
        parts.append((start, stop, line))
        if stop < high:
            parts.append((stop + 1, high, first))
        ranges[at : at + 1] = parts
        return None
    return low, high


CHECKS: dict[str, Check] = {"geo": some_of(_geo)}
