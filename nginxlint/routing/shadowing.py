"""Which location takes every request another one is written for, as far as their patterns prove it."""

from __future__ import annotations

from collections.abc import Iterator

from nginxlint.pattern import Shape, covers, covers_shape, shapes
from nginxlint.routing.servers import split_location
from nginxlint.syntax import Block

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from nginxlint.config import Config

_Pattern = tuple[str, str]  # modifier and pattern of a location
_Found = tuple[int, int, str]  # the place of a location in its level, that of the other one (-1: around), the kind


class Shadow:
    """The location `block` never answers because of the location `by`. `kind`: `twin` (the same regular expression
    stands above it), `wider` (a regular expression takes all of it), `prefix` (a `^~` prefix does), `outside` (it lies
    in `by`, where nothing matches it)."""

    __slots__ = ("block", "by", "kind")

    def __init__(self, block: Block, by: Block, kind: str) -> None:
        self.block = block
        self.by = by
        self.kind = kind


def shadows(config: Config) -> list[Shadow]:
    """The locations that no request reaches (ngx_http_core_find_location). Without a regex no location shadows another
    one; levels of the same patterns are judged once."""
    found: list[Shadow] = []
    judged: dict[tuple[object, ...], list[_Found]] = {}
    around = dict.fromkeys(
        block.parent for block in config.find("location") if block.values and block.values[0][:1] == "~"
    )
    for parent in around:
        if parent is None:
            continue
        level = [child for child in parent.body if child.name == "location" and isinstance(child, Block)]
        outer = parent.values if parent.name == "location" else ()
        key = (outer, *(child.values for child in level))
        if key not in judged:
            patterns = [split_location(child.values) for child in level]
            judged[key] = list(_judge(patterns, split_location(outer) if outer else None))
        found.extend(Shadow(level[at], parent if by < 0 else level[by], kind) for at, by, kind in judged[key])
    return found


def _judge(level: list[_Pattern], outer: _Pattern | None) -> Iterator[_Found]:
    regexes = [at for at, (modifier, _) in enumerate(level) if modifier in ("~", "~*")]
    for number, at in enumerate(regexes):
        twin = next((by for by in regexes[:number] if level[by] == level[at]), None)
        if twin is not None:
            yield at, twin, "twin"
            continue
        wider = next((by for by in regexes[:number] if _covers(level[by], level[at])), None)
        if wider is not None:
            yield at, wider, "wider"
        elif outer is not None and _disjoint(outer, level[at]):
            yield at, -1, "outside"
        elif (guard := _guard(level[at], level)) is not None:
            yield at, guard, "prefix"
    for at, (modifier, prefix) in enumerate(level):
        if modifier == "":
            shape = Shape((prefix,), start=True)
            takes_all = (by for by in regexes if covers_shape(level[by][1], shape, level[by][0] == "~*"))
            if (by := next(takes_all, None)) is not None:
                yield at, by, "wider"


def _covers(wide: _Pattern, narrow: _Pattern) -> bool:
    return covers(wide[1], narrow[1], caseless=wide[0] == "~*", narrow_caseless=narrow[0] == "~*")


def _disjoint(outer: _Pattern, inner: _Pattern) -> bool:
    """Do the matches of a nested regex all begin otherwise than what gets into the location around it?"""
    around = _beginnings(outer) if outer[0] in ("~", "~*") else [outer[1]]
    begins = _beginnings(inner)
    if "~*" in (outer[0], inner[0]):
        around, begins = [one.lower() for one in around], [one.lower() for one in begins]
    if not around or not begins:
        return False
    return not any(one.startswith(other) or other.startswith(one) for one in around for other in begins)


def _guard(regex: _Pattern, level: list[_Pattern]) -> int | None:
    """The place of the `^~` prefix that is the longest one for everything a regex matches."""
    guard: int | None = None
    if regex[0] == "~*":
        return None
    prefixes = [(at, modifier, prefix) for at, (modifier, prefix) in enumerate(level) if modifier in ("", "^~")]
    for begin in _beginnings(regex):
        longest = max((one for one in prefixes if begin.startswith(one[2])), key=lambda one: len(one[2]), default=None)
        inside = [modifier for _, modifier, prefix in prefixes if prefix.startswith(begin)]
        if longest is None or any(modifier != "^~" for modifier in (longest[1], *inside)):
            return None
        guard = longest[0]
    return guard


def _beginnings(regex: _Pattern) -> list[str]:
    """The texts every match of a regex begins with; none where one of them is not known."""
    found = shapes(regex[1]) or ()
    return [shape.runs[0] for shape in found] if all(shape.start and shape.runs[0] for shape in found) else []
