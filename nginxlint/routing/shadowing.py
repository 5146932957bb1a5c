"""Which location takes every request another one is written for, as far as their patterns prove it."""

from __future__ import annotations

from bisect import bisect_left

from nginxlint.pattern import Shape, covers, covers_shape, shapes
from nginxlint.routing.servers import split_location
from nginxlint.syntax import Block

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from collections.abc import Iterator

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
    for lines, parents in config.sets("location").groups():
        if not any(values and values[0][:1] == "~" for values in lines):
            continue
        patterns = [split_location(values) for values in lines]
        judged: dict[tuple[str, ...], list[_Found]] = {}
        for outer in {parent.values if parent.name == "location" else () for parent in parents}:
            judged[outer] = list(_judge(patterns, split_location(outer) if outer else None))
        for parent in parents if any(judged.values()) else ():
            shadowed = judged[parent.values if parent.name == "location" else ()]
            level = parent.blocks("location") if shadowed else []
            if len(level) == len(lines):  # one without a body is another fault
                found.extend(Shadow(level[at], parent if by < 0 else level[by], kind) for at, by, kind in shadowed)
    return found


def _judge(level: list[_Pattern], outer: _Pattern | None) -> Iterator[_Found]:
    regexes = [at for at, (modifier, _) in enumerate(level) if modifier in ("~", "~*")]
    guards = _Guards(level)
    first: dict[_Pattern, int] = {}
    wide = _Wide()
    for at in regexes:
        pattern = level[at]
        twin = first.setdefault(pattern, at)
        if twin != at:
            yield at, twin, "twin"
            continue
        wider = next((by for by in wide.candidates(pattern[1]) if _covers(level[by], pattern)), None)
        wide.add(at, pattern[1])
        if wider is not None:
            yield at, wider, "wider"
        elif outer is not None and _disjoint(outer, pattern):
            yield at, -1, "outside"
        elif (guard := guards.of(pattern)) is not None:
            yield at, guard, "prefix"
    for at, (modifier, prefix) in enumerate(level):
        if modifier == "":
            shape = Shape((prefix,), start=True)
            takes_all = (by for by in wide.around(shape) if covers_shape(level[by][1], shape, level[by][0] == "~*"))
            if (by := next(takes_all, None)) is not None:
                yield at, by, "wider"


class _Wide:
    """The regular expressions of a level, by a text that whatever they cover begins with, ends with or holds (without
    regard to case): each has to be compared with few others only."""

    __slots__ = ("_all", "_ends", "_inside", "_lengths", "_same", "_starts")

    def __init__(self) -> None:
        self._starts: dict[str, list[int]] = {}
        self._ends: dict[str, list[int]] = {}
        self._inside: dict[str, list[int]] = {}
        self._same: dict[str, list[int]] = {}
        self._lengths: set[int] = set()
        self._all: list[int] = []

    def add(self, at: int, pattern: str) -> None:
        self._same.setdefault(pattern, []).append(at)
        for shape in shapes(pattern) or ():
            if not shape.exact or len(shape.runs) > 2:
                continue  # covers nothing that can be proved
            start = shape.runs[0].lower() if shape.start else ""
            end = shape.runs[-1].lower() if shape.end else ""
            inside = "" if shape.start or shape.end else shape.runs[0].lower()
            if start and len(start) >= len(end):
                self._starts.setdefault(start, []).append(at)
            elif end:
                self._ends.setdefault(end, []).append(at)
            elif inside:
                self._lengths.add(len(inside))
                self._inside.setdefault(inside, []).append(at)
            else:
                self._all.append(at)

    def candidates(self, pattern: str) -> list[int]:
        """Those that may cover a pattern, in order."""
        found = shapes(pattern)
        return sorted({*self._same.get(pattern, ()), *(self.around(found[0]) if found else ())})

    def around(self, shape: Shape) -> list[int]:
        """Those that may cover whatever has this shape, in order."""
        found = set(self._all)
        runs = [run.lower() for run in shape.runs]
        for length in range(1, len(runs[0]) + 1) if shape.start else ():
            found.update(self._starts.get(runs[0][:length], ()))
        for begin in range(len(runs[-1])) if shape.end else ():
            found.update(self._ends.get(runs[-1][begin:], ()))
        for run in runs if self._inside else ():
            for length in self._lengths:
                for begin in range(len(run) - length + 1):
                    found.update(self._inside.get(run[begin : begin + length], ()))
        return sorted(found)


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


class _Guards:
    """The prefixes of a level, to be asked which `^~` keeps a regular expression from being tried."""

    __slots__ = ("_places", "_prefixes", "_sorted")

    def __init__(self, level: list[_Pattern]) -> None:
        self._prefixes = {prefix: modifier for modifier, prefix in level if modifier in ("", "^~")}
        self._places = {prefix: at for at, (modifier, prefix) in enumerate(level) if modifier == "^~"}
        self._sorted = sorted(self._prefixes) if self._places else []

    def of(self, regex: _Pattern) -> int | None:
        """The place of the `^~` prefix that is the longest one for everything a regex matches."""
        if not self._places or regex[0] == "~*":
            return None
        guard = None
        for begin in _beginnings(regex):
            longest = next((begin[:end] for end in range(len(begin), 0, -1) if begin[:end] in self._prefixes), "")
            if longest not in self._places or not self._all_guard_inside(begin):
                return None
            guard = self._places[longest]
        return guard

    def _all_guard_inside(self, begin: str) -> bool:
        """Do all prefixes that begin so have `^~`?"""
        for at in range(bisect_left(self._sorted, begin), len(self._sorted)):
            if not self._sorted[at].startswith(begin):
                break
            if self._sorted[at] not in self._places:
                return False
        return True


def _beginnings(regex: _Pattern) -> list[str]:
    """The texts every match of a regex begins with; none where one of them is not known."""
    found = shapes(regex[1]) or ()
    return [shape.runs[0] for shape in found] if all(shape.start and shape.runs[0] for shape in found) else []
