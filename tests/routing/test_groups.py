"""Directives by what they say, blocks by what they hold: the same as asking one after the other."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from nginxlint.routing.grouped import Grouped
from nginxlint.routing.inherited import replaced
from nginxlint.testing import config_of

TEXT = """
map $http_a $b { default $HTTP_X-Y; }
proxy_set_header Host a;
server { location /a { proxy_set_header Host b; proxy_set_header X-A ""; if ($arg_a) { proxy_pass http://a; } } }
server { proxy_set_header Host b; proxy_set_header X-A ""; location /a { proxy_pass http://b; } }
server { location /b { proxy_pass http://a; } }
"""


@pytest.mark.parametrize("different", [1, 7, 60, 100, 1000], ids=lambda number: f"of {number} keys")
def test_groups_are_those_that_asking_one_by_one_finds_in_the_same_order(different: int) -> None:
    random = Random(different)
    members = list(map(str, range(100)))
    keys = list(range(100)) if different == 1000 else [random.randrange(different) for _ in members]
    expected: dict[int, list[str]] = {}
    for key, member in zip(keys, members, strict=True):
        expected.setdefault(key, []).append(member)
    grouped: Grouped[int, str] = Grouped(keys, members)
    examples = {key: found[-1] for key, found in expected.items()}
    assert grouped.examples() == examples
    assert list(grouped.groups()) == list(expected.items())
    assert [grouped.members(key) for key in range(-1, 100)] == [expected.get(key, []) for key in range(-1, 100)]
    assert grouped.examples() == examples


def test_directives_that_say_the_same_are_one_group() -> None:
    config = config_of(TEXT)
    said = {values: len(lines) for values, lines in config.alike("proxy_set_header").groups()}
    assert said == {("Host", "a"): 1, ("Host", "b"): 2, ("X-A", ""): 2}
    assert [values for values, _ in config.alike("absent").groups()] == []


def test_blocks_that_hold_the_same_lines_are_one_group() -> None:
    sets = config_of(TEXT).sets("proxy_set_header")
    named = {lines: [block.name for block in blocks] for lines, blocks in sets.groups()}
    assert named == {(("Host", "a"),): ["http"], (("Host", "b"), ("X-A", "")): ["location", "server"]}


@pytest.mark.parametrize(
    ("says", "blocks"),
    [
        (lambda values: values[0] == "Host", ["http", "location", "server"]),
        (lambda values: values[1] == "", ["location", "server"]),
        (lambda values: len(values) > 2, []),
    ],
)
def test_a_block_is_a_holder_when_one_of_its_lines_says_so(
    says: Callable[[tuple[str, ...]], bool], blocks: list[str]
) -> None:
    config = config_of(TEXT)
    assert sorted(block.name for block in config.holders("proxy_set_header", says)) == blocks
    lines = config.saying(says, "proxy_set_header")
    assert sorted({line.parent.name for line in lines if line.parent is not None}) == blocks


def test_the_setter_is_the_nearest_block_that_says_anything() -> None:
    config = config_of(TEXT)
    setters = [config.setter("proxy_set_header", target.directive) for target in config.passes()]
    assert [block and block.name for block in setters] == ["location", "server", "http"]
    assert config.setter("proxy_redirect", next(config.find("proxy_pass"))) is None


def test_an_argument_begins_and_ends_with_a_zero_in_what_is_said() -> None:
    config = config_of("upstream a { server 10.0.127.1:80 down; server 127.0.0.1; }")
    assert config.said("server").count("\x00127.") == 1
    assert config.concerns(("server",), ("\x00down\x00",))
    assert not config.concerns(("server",), ("\x00dow\x00",))


@pytest.mark.parametrize("asked", [(), ("default",)], ids=["", "after its texts were asked for"])
def test_a_variable_before_a_hyphen_is_found_whatever_its_name_and_case(asked: tuple[str, ...]) -> None:
    config = config_of(TEXT)
    assert [config.said(name).count("y") for name in asked] == [1] * len(asked)
    assert [(line.name, line.values) for line in config.hyphenated] == [("default", ("$HTTP_X-Y",))]


def test_replaced_are_the_lines_around_that_a_block_does_not_repeat() -> None:
    config = config_of("add_header A 1; add_header B 2; server { add_header b 3; add_header C 4; }")
    found = [
        (block.name, [line.values[0] for line in own], [line.values[0] for line in lost])
        for block, own, lost in replaced(config, "add_header", "add_trailer")
    ]
    assert found == [("server", ["b", "C"], ["A"])]
