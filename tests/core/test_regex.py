"""The one door to regular expressions: captures, errors in nginx's words, and a limit on every match."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nginxlint.catalogue.checks.patterns import _SPECIAL, is_usual
from nginxlint.regex import Regex, RegexError, RegexLimit, compile_regex


def compiled(pattern: str, *, caseless: bool = False) -> Regex:
    found = compile_regex(pattern, caseless=caseless)
    assert isinstance(found, Regex)
    return found


def test_captures_are_counted_and_named() -> None:
    regex = compiled(r"^/(?<user>\w+)/(\d+)(?:x)(?P<rest>.*)$")
    assert regex.captures == 3
    assert regex.names == {"user": 1, "rest": 3}


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("^/(abc", 'pcre2_compile() failed: missing closing parenthesis in "^/(abc"'),
        ("[a", 'pcre2_compile() failed: missing terminating ] for character class in "[a"'),
        ("*.php", 'pcre2_compile() failed: quantifier does not follow a repeatable item in "*.php" at "*.php"'),
        ("é)x", 'pcre2_compile() failed: unmatched closing parenthesis in "é)x" at ")x"'),
    ],
)
def test_errors_are_worded_as_nginx_words_them(pattern: str, message: str) -> None:
    found = compile_regex(pattern)
    assert isinstance(found, RegexError)
    assert found.nginx_message == message


def test_offsets_count_characters_where_a_person_looks_at_them() -> None:
    found = compile_regex("éé)x")
    assert isinstance(found, RegexError)
    assert (found.offset, found.character_offset) == (4, 2)


def test_a_pattern_is_bytes_as_it_is_to_nginx() -> None:
    assert compiled("^.$").search("é") is None
    match = compiled("^(..)$").search("é")
    assert match is not None and match.group(1) == "é"


def test_case_is_ignored_only_when_asked() -> None:
    assert compiled("php").search("X.PHP") is None
    assert compiled("php", caseless=True).search("X.PHP") is not None


def test_a_group_that_took_no_part_is_empty() -> None:
    match = compiled("^a(b)?(?<n>c)?").search("a")
    assert match is not None
    assert (match.group(1), match.group("n"), match.group()) == ("", "", "a")


def test_a_catastrophic_pattern_ends() -> None:
    with pytest.raises(RegexLimit):
        compiled("^(a+)+$").search("a" * 60 + "b")


def test_an_answer_is_remembered() -> None:
    assert compile_regex("^/once$") is compile_regex("^/once$")


def test_what_passes_for_usual_compiles(corpus: list[tuple[dict[str, object], str]]) -> None:
    words = {word for _, text in corpus for word in text.split() if not _SPECIAL.isdisjoint(word)}
    usual = [word for word in words if is_usual(word)]
    assert len(usual) > 500
    for word in usual:
        compiled = compile_regex(word)
        assert isinstance(compiled, Regex), compiled
        assert not compiled.names


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from([*"a19-.^$*+?()[]{}|\\dw/é,:=!<", "(?:", "(?!", "{1,3}", "[a-z]", "\\."]), max_size=10))
def test_no_random_text_passes_for_usual_that_does_not_compile(pieces: list[str]) -> None:
    text = "".join(pieces)
    if is_usual(text):
        assert isinstance(compile_regex(text), Regex), text
