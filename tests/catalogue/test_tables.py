"""The shipped tables: made from the catalogue by the scripts, and what they say."""

from __future__ import annotations

import importlib.util
import os

import pytest

from nginxlint.catalogue.nearest import nearest
from nginxlint.catalogue.table import DIRECTIVES, DOCUMENTATION, VARIABLES
from nginxlint.catalogue.target import NEWEST, Target
from nginxlint.catalogue.variant import count_mask, parse_version, variants

TOP = os.path.join(os.path.dirname(__file__), "..", "..")


def script(name):
    specification = importlib.util.spec_from_file_location(name, os.path.join(TOP, "tools", "catalogue", f"{name}.py"))
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_tables_are_what_the_script_makes_of_the_catalogue(tmp_path):
    ship = script("ship")
    shipped = ship.DATA
    for name in ("directives.json", "variables.json"):
        (tmp_path / name).write_bytes((shipped / name).read_bytes())
    ship.DATA = tmp_path
    ship.main()
    for name in ("directives.tsv", "documentation.tsv", "variables.tsv"):
        assert (tmp_path / name).read_bytes() == (shipped / name).read_bytes(), "run tools/catalogue/ship.py"


def test_the_list_of_owners_is_what_the_script_makes_of_the_families():
    listing = script("list_checks")
    written = (listing.CHECKS / "owners.py").read_text(encoding="utf-8")
    assert namespace(written) == namespace(listing.render()), "run tools/catalogue/list_checks.py"


def namespace(source):
    names = {}
    exec(source, names)
    return names["FAMILY_OF"], names["BLOCK_ENDS"]


@pytest.mark.parametrize("table", [DIRECTIVES, DOCUMENTATION, VARIABLES])
def test_every_name_of_a_table_is_found_and_no_other(table):
    names = table.names()
    assert len(names) > 250 and names == sorted(names)
    assert all(table.rows(name) for name in names)
    assert not any(table.rows(name) for name in ("", "#", "nosuch", "zzz", names[0] + "x", names[-1][:-1] + "{"))


def test_a_table_tells_its_origin():
    origin = DIRECTIVES.origin()
    assert parse_version(origin["nginx"]["version"]) == NEWEST
    assert "BSD" in origin["licence"] and len(origin["nginx"]["commit"]) == 40


@pytest.mark.parametrize(
    ("name", "version", "counts", "absent"),
    [
        ("add_header", (1, 7, 4), {2}, ""),
        ("add_header", (1, 7, 5), {2, 3}, ""),
        ("ssl", (1, 25, 0), {1}, ""),
        ("ssl", (1, 25, 1), {1}, "removed"),
        ("http2", (1, 25, 0), {1}, "version"),
        ("keepalive_requests", (0, 6, 38), {1}, ""),
        ("keepalive_requests", (0, 7, 1), {1}, "version"),
        ("status_zone", NEWEST, {1}, "plus"),
    ],
)
def test_a_directive_is_what_it_was_in_that_version(name, version, counts, absent):
    variant = next(one for one in variants(name, Target(version)) if "http" in one.contexts or one.kind == "plus")
    assert {count for count in range(9) if variant.counts >> count & 1} == counts
    assert variant.why_absent == absent


def test_counts_without_an_upper_limit_have_none():
    mask = count_mask({"min": 2, "max": None})
    assert [mask >> count & 1 for count in (0, 1, 2, 3, 500)] == [0, 0, 1, 1, 1]
    assert count_mask({"min": 1, "max": 3, "exact": [1, 3]}) == 0b1010


@pytest.mark.parametrize(
    ("text", "version", "has", "lacks", "plus"),
    [
        (
            "nginx version: nginx/1.22.1\nconfigure arguments: --with-http_ssl_module --without-http_gzip_module",
            (1, 22, 1),
            "ngx_http_ssl_module",
            "ngx_http_gzip_filter_module",
            False,
        ),
        (
            "nginx version: openresty/1.25.3\nconfigure arguments: --add-module=../ngx_lua-0.10.26 --with-stream=dynamic",
            (1, 25, 3),
            "ngx_stream_core_module",
            "ngx_mail_core_module",
            False,
        ),
        (
            "nginx version: nginx/1.27.2 (nginx-plus-r33)\nconfigure arguments: --add-dynamic-module=/b/echo-nginx-module",
            (1, 27, 2),
            "ngx_http_echo_module",
            "ngx_http_lua_module",
            True,
        ),
    ],
)
def test_a_build_tells_version_edition_and_modules(text, version, has, lacks, plus):
    target = Target.from_build(text)
    assert (target.version, target.plus) == (version, plus)
    assert target.has(has) and not target.has(lacks)


@pytest.mark.parametrize("text", ["", "hello", "nginx/1", "configure arguments: --with-stream"])
def test_other_texts_are_no_build(text):
    assert Target.from_build(text) is None


@pytest.mark.parametrize(
    ("word", "meant"),
    [("prxoy_pass", "proxy_pass"), ("PROXY_PASS", "proxy_pass"), ("rooot", "root"), ("x", ""), ("qwertyuiop", "")],
)
def test_the_nearest_word_is_one_that_was_meant(word, meant):
    assert nearest(word, ["proxy_pass", "root", "return", "proxy_bind"]) == meant
