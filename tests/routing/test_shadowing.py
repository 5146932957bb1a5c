"""Which locations never answer: the index against a comparison of all with all, and many patterns in one server."""

from __future__ import annotations

import random
from itertools import product

import pytest

from nginxlint.pattern import Shape, covers, covers_shape, shapes
from nginxlint.routing.shadowing import shadows
from nginxlint.testing import config_of

PIECES = ("/a", "/A", "/ab", "/", "b", "\\.php", "\\.(php|js)", ".*", "[0-9]+", "(x|/a)")
PATTERNS = [
    f"{start}{''.join(parts)}{end}"
    for start, end in product(("^", ""), ("$", ""))
    for parts in product(PIECES, repeat=2)
]
PREFIXES = ("/", "/a", "/a/b", "/ab", "/A", "/a.php/x")


def expected(level: list[tuple[str, str]]) -> set[tuple[int, int]]:
    """The shadows of a level by comparing each location with every other one, as nginx's search would find them."""
    regexes = [at for at, (modifier, _) in enumerate(level) if modifier.startswith("~")]
    found = set()
    for at in regexes:
        modifier, pattern = level[at]
        above = [by for by in regexes if by < at]
        twins = [by for by in above if level[by] == level[at]]
        wider = [
            by
            for by in above
            if covers(level[by][1], pattern, caseless=level[by][0] == "~*", narrow_caseless=modifier == "~*")
        ]
        guard = None if modifier == "~*" else expected_guard(pattern, level)
        for by in (twins or wider or ([] if guard is None else [guard]))[:1]:
            found.add((at, by))
    for at, (modifier, prefix) in enumerate(level):
        shape = Shape((prefix,), start=True)
        takers = [by for by in regexes if covers_shape(level[by][1], shape, level[by][0] == "~*")]
        found.update((at, by) for by in takers[:1] if modifier == "")
    return found


def expected_guard(pattern: str, level: list[tuple[str, str]]) -> int | None:
    prefixes = [(prefix, at) for at, (modifier, prefix) in enumerate(level) if modifier in ("", "^~")]
    guards = []
    for shape in shapes(pattern) or ():
        begin = shape.runs[0] if shape.start else ""
        around = [(len(prefix), at) for prefix, at in prefixes if begin.startswith(prefix)]
        inside = [at for prefix, at in prefixes if prefix.startswith(begin)]
        if not begin or not around or any(level[at][0] != "^~" for at in (max(around)[1], *inside)):
            return None
        guards.append(max(around)[1])
    return guards[-1] if guards else None


@pytest.mark.parametrize("seed", range(60))
def test_few_comparisons_find_what_all_comparisons_find(seed: int) -> None:
    chance = random.Random(seed)
    regexes = [(chance.choice(("~", "~", "~*")), chance.choice(PATTERNS)) for _ in range(14)]
    prefixes = [(chance.choice(("", "^~")), prefix) for prefix in chance.sample(PREFIXES, 4)]
    level = chance.sample(regexes + prefixes, 18)
    config = config_of("server { " + " ".join(f"location {' '.join(one)} {{ }}" for one in level) + " }")
    blocks = list(config.blocks("location"))
    found = {(blocks.index(one.block), blocks.index(one.by)) for one in shadows(config)}
    assert found == expected(level), level


@pytest.mark.parametrize(
    "pattern", ["^/a{}/", "/a{}/(x|y)\\.php$", "\\.e{}$", "^/(?<p{}>[a-z]+)/x{}/(.*)$", "^/.*\\.(js{}|css{})$"]
)
def test_two_thousand_patterns_in_one_server_are_compared_with_few_others(
    pattern: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "".join(f"location ~ {pattern.replace('{}', str(number))} {{ }}\n" for number in range(2000))
    comparisons = 0

    def counted(self: Shape, other: Shape, *, caseless: bool, other_caseless: bool) -> bool:
        nonlocal comparisons
        comparisons += 1
        return original(self, other, caseless=caseless, other_caseless=other_caseless)

    original = Shape.covers
    monkeypatch.setattr(Shape, "covers", counted)
    assert shadows(config_of(f"server {{ {text} }}")) == []
    assert comparisons < 20_000
