"""What ordinary text gives a line at a time is what it gives word by word."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from nginxlint import words
from nginxlint.lexer import read
from nginxlint.ordinary import ODD, PIECES, Heads
from nginxlint.parser import parse
from nginxlint.source import Source
from nginxlint.syntax import Block, Directive, Surroundings
from nginxlint.words import words_at
from tests.conftest import corpus_mutants

# Pieces that quotes, escapes, braces and comments can go wrong between.
PARTS = (
    "a", "b c", "server", "location /", "x_by_lua_block", " ", "\n", "\t", "\r", ";", ";", ";", "{", "{", "}", "}", '"', "'", '"q r"',
    "'s;t'", "\\", "\\;", "\\ ", '\\"', "$", "${", "${v}", "$v", "#", "# c\n", "# d;\n", "# nginxlint: e\n", "(", ")", "{2}", "\u00a0", "\x0b", "\x85", "\udc80", "\0",
)  # fmt: skip


class Tree:
    """A sink that notes what the tree of the same text has."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.said: list[tuple[object, ...]] = []

    def statement(self, name: str, values: tuple[str, ...], start: int) -> None:
        self.said.append((name, values, start))

    def begin(self, name: str, values: tuple[str, ...], start: int) -> None:
        self.said.append((name, values, start, "{"))

    def end(self, at: int) -> None:
        self.said.append(("}", at))


def word_by_word(text: str) -> tuple[object, ...]:
    tree = Tree()
    remarks = read(text, tree)
    return tree.said, remarks.comments, [(fault.kind, fault.start, fault.end) for fault in remarks.faults]


def by_the_piece(text: str, heads: Heads | None = None) -> tuple[object, ...]:
    source = Source("x", text)
    parsed = parse(source, Surroundings("", source), heads)
    said: list[tuple[object, ...]] = []

    def note(body: Iterable[Directive]) -> None:
        for directive in body:
            if isinstance(directive, Block):
                said.append((directive.name, directive.values, directive.start, "{"))
                note(directive.body)
                said.append(("}", directive.close))
            else:
                said.append((directive.name, directive.values, directive.start))

    note(parsed.top)
    return said, parsed.comments, [(fault.kind, fault.start, fault.end) for fault in parsed.faults]


def test_on_every_file_of_the_corpus(corpus: list[tuple[dict[str, object], str]]) -> None:
    heads = Heads()
    for row, text in corpus:
        assert by_the_piece(text, heads) == word_by_word(text), row["path"]


def test_on_every_mutant_of_the_corpus() -> None:
    texts = [str(row["text"]) for row in corpus_mutants()]
    if not texts:
        pytest.skip("the shared corpus is not here: 796 mutants not tried")
    for text in texts:
        assert by_the_piece(text) == word_by_word(text), text


def test_on_what_quotes_escapes_braces_and_comments_make_of_each_other() -> None:
    chance = random.Random(7)
    heads = Heads()
    for _ in range(6000):
        text = "".join(chance.choice(PARTS) for _ in range(chance.randrange(1, 14)))
        assert by_the_piece(text, heads) == word_by_word(text), repr(text)


def test_plain_statements_have_their_words_where_others_have_them(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(3)
    texts = ["".join(chance.choice(PARTS) for _ in range(chance.randrange(1, 14))) for _ in range(3000)]

    def places() -> list[list[tuple[str, int, int, str]]]:
        return [[(word.text, word.start, word.end, word.quote) for word in words_at(text, 0)] for text in texts]

    plain = places()
    monkeypatch.setattr(words, "_is_plain", lambda text: False)
    assert places() == plain


def test_most_of_what_people_write_is_ordinary(corpus: list[tuple[dict[str, object], str]]) -> None:
    """Else reading by the piece would gain nothing."""
    heads = Heads()
    ordinary = [
        all(ODD not in [head[0] for head in heads[piece]] for piece in PIECES.findall(text)) for _, text in corpus
    ]
    assert sum(ordinary) > 0.9 * len(ordinary)
