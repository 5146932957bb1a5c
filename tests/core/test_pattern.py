"""What is proved of a pattern is true of every text PCRE2 matches with it."""

from __future__ import annotations

import itertools
import random

import pytest

from nginxlint.pattern import covers, shapes
from nginxlint.regex import Regex, compile_regex

COVERED = (
    (r"\.(js|css|png)$", r"\.css$"),
    (r"\.(js|css|png)$", r"\.(png|js)$"),
    (r"\.jpe?g$", r"\.jpg$"),
    (r"\.[jg]s$", r"\.js$"),
    (r"\.php$", r"^/admin/.*\.php$"),
    (r"\.php", r"/a\.php(/|$)"),
    (r"^/api", r"^/api/v1/"),
    (r"^/api/.*$", r"^/api/v[0-9]+/users"),
    (r"^/(a|b)/", r"^/b/.+"),
    (r"/", r"^/x"),
    (r"^", r"foo"),
    (r".*", r"\d+"),
    (r"^/(.*)$", r"^/a/\w+$"),
    (r"^/a/.*\.js$", r"^/a/b/[0-9]{2,4}/x\.js$"),
    (r"^/a$", r"^/a$"),
    (r"(.*)\.php$", r"^/x/(.+)\.php$"),
)
NOT_COVERED = (
    (r"\.(js|css)$", r"\.(js|map)$"),
    (r"\.php$", r"\.php"),
    (r"^/api/", r"^/api"),
    (r"^/api/", r"/api/v1"),
    (r"^/a[0-9]+", r"^/a1"),
    (r"^/a/.*\.js$", r"^/a/\.js"),
    (r"^/a/(?!b)", r"^/a/c"),
    (r"^/a(?=/)", r"^/a/"),
    (r"^/(ab)?x", r"^/abab"),
    (r"(a|b){2}", r"ab"),
    (r"^/x/$", r"^/x/"),
    (r"^/ab.*ba$", r"^/aba$"),
    (r"^/a(*ACCEPT)", r"^/ab"),
    (r"\Ad", r"d"),
)


@pytest.mark.parametrize(("wide", "narrow"), COVERED)
def test_a_wider_pattern_covers_a_narrower_one(wide: str, narrow: str) -> None:
    assert covers(wide, narrow)


@pytest.mark.parametrize(("wide", "narrow"), NOT_COVERED)
def test_nothing_is_claimed_where_one_pattern_matches_more(wide: str, narrow: str) -> None:
    assert not covers(wide, narrow)


def test_case_is_minded() -> None:
    assert covers(r"\.(PNG|jpg)$", r"\.png$", caseless=True)
    assert covers(r"/\.", r"/\.git", narrow_caseless=True)
    assert not covers(r"\.png$", r"\.png$", narrow_caseless=True)
    assert not covers(r"\.PNG$", r"\.png$")


@pytest.mark.parametrize("pattern", [r"^/a$b", r"a^/b", r"^a\zb", r"(^/a|^/b)^/c"])
def test_a_pattern_that_contradicts_itself_has_no_shape(pattern: str) -> None:
    assert shapes(pattern) == ()


@pytest.mark.parametrize("pattern", [r"(?i)a", r"a(?#x)", r"\x41", r"a\1", r"[[:digit:]]", "a(", "(?R)", "*a", "(" * 9])
def test_what_cannot_be_read_is_not_judged(pattern: str) -> None:
    assert shapes(pattern) is None


ATOMS = ("/", "a", r"\.", "b", "[ab]", "[^/]", ".", r"\d", "(a|/b)", "(?:ab)", "^", "$", "(?!a)", r"\b")
COUNTS = ("", "", "", "?", "*", "+", "{2}", "{1,2}", "{0}", "*?", "++")
SUBJECTS = ["".join(one) for size in range(6) for one in itertools.product("/ab.", repeat=size)]


def test_thousands_of_pairs_hold_against_pcre() -> None:
    random_source = random.Random(20261125)
    patterns = []
    for _ in range(260):
        parts = (
            (atom := random_source.choice(ATOMS)) + ("" if atom in "^$" else random_source.choice(COUNTS))
            for _ in range(random_source.randint(1, 5))
        )
        pattern = "".join(parts)
        compiled = compile_regex(pattern)
        if isinstance(compiled, Regex):
            subjects = {subject for subject in random_source.sample(SUBJECTS, 350) if compiled.search(subject)}
            patterns.append((pattern, compiled, subjects))
    claimed = 0
    for wide, compiled, _ in patterns:
        for narrow, _, subjects in patterns:
            if wide != narrow and covers(wide, narrow):
                claimed += 1
                assert all(compiled.search(subject) for subject in subjects), (wide, narrow)
    assert claimed > 1000
    for pattern, _, subjects in patterns:
        assert not (shapes(pattern) == () and subjects), pattern
