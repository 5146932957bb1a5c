"""The lexer reads as nginx does, knows every place, and stays linear."""

from __future__ import annotations

import random
import signal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nginxlint.lexer import Fault
from nginxlint.parser import parse
from nginxlint.payload import Tokens
from nginxlint.source import Source
from nginxlint.syntax import Block, Surroundings
from nginxlint.words import unescape, words_at
from tests.lexer.reference_tokenizer import Refused, statements


def read(text: str) -> list[tuple[list[str], str]]:
    """The lexer's tokens in the shape of the reference tokenizer."""
    result: list[tuple[list[str], str]] = []
    words: list[str] = []
    for token, _, quoted in Tokens(text).tokens:
        if token in (";", "{", "}") and not quoted:
            result.append((words, token))
            words = []
        else:
            words.append(token)
    return result


def faults_of(text: str) -> list[Fault]:
    return Tokens(text).remarks.faults


def tree_of(text: str) -> Block:
    root = Surroundings("", Source("", text))
    root.body = tuple(parse(root.source, root).body)
    return root


def starts_of(text: str) -> list[int]:
    """The offsets of all statements."""
    return [directive.start for directive in tree_of(text).walk()][1:]


def agrees(text: str) -> bool:
    try:
        expected = statements(text)
    except Refused:
        return bool(faults_of(text))
    faults = faults_of(text)
    if faults and all((fault.nginx_message or "").startswith("directive ") for fault in faults):
        return True  # a statement that swallowed a block: the tokenizer takes it, ngx_conf_handler refuses it
    return not faults and read(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a ${x} y;", ["a", "${x}", "y"]),
        ("a a}b;", ["a", "a}b"]),
        ("a \"x\"  'y';", ["a", "x", "y"]),
        ('a b"c d";', ["a", 'b"c', 'd"']),
        (r"a 'b\"c' d\"e;", ["a", 'b"c', 'd"e']),
        (r'a "b\\c" \t;', ["a", "b\\c", "\t"]),
        (r"a b\;c d\ e;", ["a", r"b\;c", r"d\ e"]),
        ("a b#c #d\n;", ["a", "b#c"]),
        ("a\u00a0b c\x0bd;", ["a\u00a0b", "c\x0bd"]),
        ("a \x00b;", ["a", "\x00b"]),
        ("a \udcffb;", ["a", "\udcffb"]),
        ("\ufeffa b;", ["\ufeffa", "b"]),
        ("a\rb;", ["a", "b"]),
        ('a "b\r\nc";', ["a", "b\r\nc"]),
        ('a "$" "${" $;', ["a", "$", "${", "$"]),
        ('if ($x ~ "a{2}");', ["if", "($x", "~", "a{2}", ")"]),
    ],
)
def test_words_are_read_as_nginx_reads_them(text: str, words: list[str]) -> None:
    assert read(text) == [(words, ";")]
    assert statements(text) == [(words, ";")]


ALPHABET = st.sampled_from(list("ab ${}\"'\\;#\n\t~()t") + ["\u00a0", "${", "a b;", "a {", "}\n"])


@settings(max_examples=600, deadline=None)
@given(st.lists(ALPHABET, max_size=40).map("".join))
def test_random_texts_are_accepted_refused_and_read_as_by_the_reference(text: str) -> None:
    assert agrees(text), text


def test_mutated_corpus_files_are_read_as_by_the_reference(corpus: list[tuple[dict[str, object], str]]) -> None:
    rng = random.Random(20261124)
    texts = [text for _, text in corpus if "_by_lua_block" not in text and len(text) < 6000]
    wrong = []
    for text in rng.sample(texts, min(400, len(texts))):
        for _ in range(3):
            at = rng.randrange(len(text) + 1)
            mutated = text[:at] + rng.choice(["", '"', "'", "{", "}", ";", "\\", "$", "#", "\n"]) + text[at + 1 :]
            if not agrees(mutated):
                wrong.append(mutated)
    assert not wrong, wrong[0]


def test_every_word_of_the_corpus_is_found_again_at_its_place(corpus: list[tuple[dict[str, object], str]]) -> None:
    seen = 0
    for row, text in corpus:
        for start in starts_of(text):
            for word in words_at(text, start):
                written = text[word.start : word.end]
                inner = written[1:-1] if word.quote else written
                assert unescape(inner) == word.text, (row["path"], word.start)
                seen += 1
    assert seen > 10_000


def test_words_blanks_and_terminators_make_up_the_whole_text(corpus: list[tuple[dict[str, object], str]]) -> None:
    for row, text in corpus:
        if faults_of(text) or "_by_lua_block" in text:
            continue
        pieces, at = [], 0
        for start in [*starts_of(text), len(text)]:
            pieces.append(text[at:start])
            at = start
            if start < len(text):
                end = words_at(text, start)[-1].end
                pieces.append(text[start:end])
                at = end
        assert "".join(pieces) == text, row["path"]


@pytest.mark.parametrize(
    ("text", "kind", "line", "nginx_message", "nginx_line"),
    [
        ("server {\n    listen 80\n}\n", "semicolon-missing", 2, 'unexpected "}"', 3),
        (
            "server {\n    listen 80\n    location / {\n    }\n}\n",
            "semicolon-missing",
            2,
            'directive "listen" is not terminated by ";"',
            3,
        ),
        (
            "http {\n    server {\n        listen 80;\n}\n",
            "braces-unmatched",
            2,
            'unexpected end of file, expecting "}"',
            4,
        ),
        ("http {\n}\n}\n", "braces-unmatched", 3, 'unexpected "}"', 3),
        ('a "b;\nc d;\n', "quote-unclosed", 1, 'unexpected end of file, expecting ";" or "}"', 2),
        ('a "b;\nc "d";\n', "quote-unclosed", 1, 'unexpected "d"', 2),
        ('a "b"c;\n', "unexpected-character", 1, 'unexpected "c"', 1),
        ("a b;;\n", "unexpected-character", 1, 'unexpected ";"', 1),
        ("location ~ ^/a{2}$ {\n}\n", "regex-brace-unquoted", 1, 'unknown directive "2}$"', 1),
        ("a b\n", "semicolon-missing", 1, 'unexpected end of file, expecting ";" or "}"', 1),
    ],
)
def test_a_fault_is_put_where_it_was_made(text: str, kind: str, line: int, nginx_message: str, nginx_line: int) -> None:
    fault = faults_of(text)[0]
    at = text.count("\n", 0, fault.start) + 1
    assert (fault.kind, at, fault.nginx_message) == (kind, line, nginx_message)
    assert text.count("\n", 0, fault.nginx_at) + 1 - (fault.nginx_at >= len(text) and text.endswith("\n")) == nginx_line


def test_every_unquoted_quantifier_of_a_statement_is_a_fault_of_its_own() -> None:
    text = "rewrite ^/a{2}$ /b{3} last;\n"
    assert [(fault.kind, fault.start) for fault in faults_of(text)] == [
        ("regex-brace-unquoted", text.index("{2}")),
        ("regex-brace-unquoted", text.index("{3}")),
    ]


def test_reading_goes_on_after_a_fault() -> None:
    text = "http {\n  server {\n    listen 80\n    server_name a;\n  }\n  server {\n    listen 81;\n  }\n}\n"
    names = [words[0] for words, terminator in read(text) if words]
    assert names == ["http", "server", "listen", "server", "listen"]


def test_several_faults_are_all_found() -> None:
    text = "http {\n a b\n}\nserver {\n c d\n}\n"
    assert [fault.kind for fault in faults_of(text)] == ["semicolon-missing", "semicolon-missing"]


@pytest.mark.parametrize(
    "piece",
    [
        '""',
        '"\\"',
        "\\",
        "$",
        "${",
        "a ",
        "a{",
        "a\u00a0",
        " ",
        "a '\"",
        "{",
        "}",
        'a "b\n',
        "#",
        "_by_lua_block {",
        "x_by_lua_block { [[ ",
    ],
)
def test_hostile_texts_do_not_make_it_hang(piece: str) -> None:
    def hang(*_: object) -> None:
        raise AssertionError(f"the lexer hangs on {piece!r} repeated")

    signal.signal(signal.SIGALRM, hang)
    signal.alarm(60)  # linear: well under a second; quadratic: hours
    try:
        tree_of(piece * (2_000_000 // len(piece)))
    finally:
        signal.alarm(0)
