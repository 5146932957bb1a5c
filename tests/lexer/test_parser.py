"""The tree is crossplane's, save where nginx reads the text differently."""

from __future__ import annotations

import os

import crossplane
import pytest

from nginxlint.lexer import Fault
from nginxlint.parser import parse
from nginxlint.payload import Statement, parse_with_crossplane, to_crossplane
from nginxlint.source import Source
from nginxlint.syntax import Block, Surroundings
from tests.conftest import CORPUS, accepted
from tests.lexer.reference_tokenizer import statements


def ours(text: str) -> tuple[list[Statement], list[Fault]]:
    """Our tree in crossplane's form, and what is wrong with the text."""
    source = Source("x", text)
    parsed = parse(source, Surroundings("", source))
    return to_crossplane(parsed.top), parsed.faults


def shape(parsed: list[Statement]) -> list[object]:
    """Names, arguments and blocks, with the parentheses of `if` taken off as crossplane does."""
    result: list[object] = []
    for statement in parsed:
        stripped = {"directive": statement["directive"], "args": list(statement["args"])}
        if stripped["directive"] == "if":
            crossplane.parser._prepare_if_args(stripped)
        block = shape(statement["block"]) if "block" in statement else None
        result.append((stripped["directive"], stripped["args"], block))
    return result


def flat(parsed: list[Statement]) -> list[tuple[list[str], str]]:
    """The statements in the shape of the reference tokenizer."""
    result: list[tuple[list[str], str]] = []
    for statement in parsed:
        words = [statement["directive"], *statement["args"]]
        if "block" in statement:
            result += [(words, "{"), *flat(statement["block"]), ([], "}")]
        else:
            result.append((words, ";"))
    return result


def test_every_valid_file_gives_the_tree_of_crossplane_or_the_one_nginx_reads(
    corpus: list[tuple[dict[str, object], str]],
) -> None:
    deviations = []
    for row, text in corpus:
        tree, faults = ours(text)
        assert tree == parse_with_crossplane(text), row["path"]
        assert not (accepted(row) and faults), (row["path"], faults[0].message)
        if faults:
            continue
        plain = crossplane.parse(os.path.join(CORPUS, str(row["path"])), single=True, check_ctx=False, check_args=False)
        if shape(tree) != shape(plain["config"][0]["parsed"]):
            deviations.append(row["path"])
            # the yardstick for a deviation is nginx: the reference tokenizer is held against it
            assert flat(tree) == statements(text), row["path"]
    assert len(deviations) < 0.05 * len(corpus)


# How nginx reads what crossplane reads differently: (text, what crossplane makes of the argument of `map` line `a`).
DEVIATIONS = {
    "a variable in braces before a blank": "a ${x} y;",
    "a closing brace inside a word": "a b}c;",
    "an escaped quote in quotes of the other kind": "a 'b\\\"c';",
    "an escaped backslash": 'a "b\\\\c";',
    "a tab written as an escape": "a b\\tc;",
    "a no-break space": "a b\u00a0c;",
    "CRLF inside quotes": 'a "b\r\nc";',
}


@pytest.mark.parametrize("text", DEVIATIONS.values(), ids=DEVIATIONS.keys())
def test_a_known_deviation_from_crossplane_is_what_nginx_reads(text: str, tmp_path: object) -> None:
    path = os.path.join(str(tmp_path), "a.conf")
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    plain = crossplane.parse(path, single=True, check_ctx=False, check_args=False)
    tree, faults = ours(text)
    assert not faults
    assert tree == parse_with_crossplane(text)
    assert flat(tree) == statements(text)
    assert plain["status"] != "ok" or shape(tree) != shape(plain["config"][0]["parsed"])


def test_directives_know_their_parent_and_their_closing_brace() -> None:
    text = "http {\n  server { listen 80; }\n}\n"
    source = Source("x", text)
    root = Surroundings("", source)
    parsed = parse(source, root)
    http = parsed.top[0]
    assert isinstance(http, Block)
    server = http.body[0]
    assert isinstance(server, Block)
    listen = server.body[0]
    assert not parsed.includes
    assert listen.enclosing("http") is http
    assert text[server.close] == "}"
    assert server.span.text == "server { listen 80; }"
    assert listen.span.text == "listen 80;"
    assert [word.span.text for word in listen.args] == ["80"]


def test_crossplane_itself_is_left_as_it_was() -> None:
    before = dict(vars(crossplane.parser))
    parse_with_crossplane("a { b c; }")
    assert dict(vars(crossplane.parser)) == before


def test_the_parser_makes_directives_that_lack_nothing() -> None:
    """It sets their attributes itself: what their classes gain, it has to set too."""
    source = Source("nginx.conf", "a;\nb {\n    c d;\n    e { f; }\n}\ng { h; } i;\n")
    root = Surroundings("", source)
    root.body = tuple(parse(source, root).body)
    made = list(root.walk())[1:]
    assert [directive.name for directive in made] == list("abcefghi")
    for directive in made:
        for kind in type(directive).__mro__:
            assert all(hasattr(directive, name) for name in getattr(kind, "__slots__", ()))
        assert directive.parent is not None and directive in directive.parent.body
