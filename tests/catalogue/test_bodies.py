"""Bodies that are tables: all their faults are said at once, each as nginx says it where it stands alone."""

from __future__ import annotations

import pytest

from nginxlint.catalogue import check
from nginxlint.catalogue.target import Target
from nginxlint.testing import config_of
from tests.oracle.nginx import PROGRAM, VERSION, Nginx

TABLES = [
    ("map $uri $x", ["default 1;", "/a 1;"], ["/a 2;", "default 2;", "~^(x 1;", "/b;", "/b 1 2;", "/c { d 1; }"]),
    ("map $host $x", ["hostnames;", ".a.test 1;"], ["a.test 2;", "a*.test 1;", "*.a.test 3;"]),
    ("geo $x", ["127.0.0.1 1;"], ["127.0.0.256 1;", "a;", "b { c 1; }", "10.0.0.1-10.0.0.2 1;"]),
    ("geo $x", ["ranges;", "10.0.0.1-10.0.0.9 1;"], ["10.0.0.9-10.0.0.10 1;", "10.0.0.0/8 1;", "a;"]),
    ("split_clients $uri $x", ["50% a;", "* b;"], ["0% a;", "x% a;", "5 a;", "c { d 1; }"]),
    ("charset_map a b", ["80 81;"], ["8x 80;", "80;", "82 zz;", "83 { 84 1; }"]),
]


def messages(head: str, lines: list[str]) -> list[tuple[int, str]]:
    """Line and nginx's words of every refusal."""
    text = "events {}\nhttp {\n" + head + " {\n" + "\n".join(lines) + "\n} }"
    target = Target(VERSION)
    found = check(config_of(text, version=VERSION).main, target, complete=True)
    return [(one.span.line - 3, str(one.nginx_message)) for one in found if one.blocks_start]


@pytest.mark.parametrize(("head", "good", "bad"), TABLES)
def test_every_faulty_line_of_a_table_is_told(head: str, good: list[str], bad: list[str]) -> None:
    together = messages(head, good + bad)
    assert [line for line, _ in together] == list(range(len(good) + 1, len(good) + len(bad) + 1))
    for line, (_, message) in zip(bad, together, strict=True):
        assert messages(head, [*good, line]) == [(len(good) + 1, message)]


@pytest.mark.skipif(not PROGRAM, reason="nginx is not installed")
@pytest.mark.parametrize(("head", "good", "bad"), TABLES)
def test_nginx_refuses_each_of_them_with_these_words(head: str, good: list[str], bad: list[str]) -> None:
    for line, (_, message) in zip(bad, messages(head, good + bad), strict=True):
        accepted, said = Nginx(f"{head} {{ {' '.join([*good, line])} }}").test()
        assert not accepted and message in said, said


def test_a_table_in_another_format_is_not_told_line_by_line() -> None:
    assert len(messages("map $uri $x", ["a;"] * 1000)) == len(messages("geo $x", ["a;"] * 1000)) == 50
