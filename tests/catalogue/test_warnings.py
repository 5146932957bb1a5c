"""What nginx warns about, in its words and at its lines.

warnings.tsv lists every [warn] line of nginx's configuration test with what says it here, or why nothing does;
warnings.txt has configurations that draw it, and twins that do not, for the installed nginx to judge.
"""

from __future__ import annotations

import os
import random
import re

import pytest

from nginxlint.catalogue import check
from nginxlint.catalogue.rules import RULES
from nginxlint.catalogue.target import Target, Version
from nginxlint.catalogue.variant import parse_version
from nginxlint.config import Config
from nginxlint.files import Disk
from nginxlint.includes import load
from nginxlint.registry import all_rules
from nginxlint.routing.upstreams import KEPT_BY_DEFAULT
from nginxlint.testing import apply, has_something_to_judge
from tests.catalogue.nginx import PRELUDE, installed, judge_all
from tests.catalogue.test_against_nginx import target
from tests.catalogue.test_parsers import AROUND

HERE = os.path.dirname(__file__)
# Nothing can be shown with the nginx of the tests: it has debugging, and is older.
NOT_SHOWN = (
    '"debug_connection" is ignored, you need to rebuild nginx using --with-debug option to enable it',
    'the "%V" directive is obsolete, ignored',
)


# http|stream, a configuration that draws what a rule says, a twin that does not. (nginx names the line where it closes http,
# or of another directive.)
OF_RULES = (
    ("http", "upstream u { ip_hash; least_conn; server 127.0.0.1:1; }", "upstream u { ip_hash; server 127.0.0.1:1; }"),
    ("http", "upstream u { hash $uri; random; server 127.0.0.1:1; }", "upstream u { random; server 127.0.0.1:1; }"),
    (
        "http",
        "upstream u { server 127.0.0.1:1; keepalive 2; least_conn; }",
        "upstream u { server 127.0.0.1:1; least_conn; keepalive 2; }",
    ),
    (
        "stream",
        "upstream u { hash $remote_addr; least_conn; server 127.0.0.1:1; }",
        "upstream u { server 127.0.0.1:1; }",
    ),
    ("stream", "upstream u { random; least_conn; server 127.0.0.1:1; }", "upstream u { random; server 127.0.0.1:1; }"),
    *(
        (
            "http",
            f"{family}_cache_path /var/cache/x keys_zone=z:1m; server {{ location / {{ {family}_cache z; "
            f"{family}_pass 127.0.0.1:1; }} }}",
            f"{family}_cache_path /var/cache/x keys_zone=z:1m; {family}_cache_key $uri; server {{ location / {{ "
            f"{family}_cache z; {family}_pass 127.0.0.1:1; }} }}",
        )
        for family in ("fastcgi", "uwsgi", "scgi")
    ),
    *(
        (
            "http",
            f"server {{ location / {{ {family}_set_header X-Forwarded-For a; {family}_set_header X-forwarded-For {value}; "
            f"{family}_pass {scheme}127.0.0.1:1; }} }}",
            f"{family}_set_header X-Forwarded-For a; server {{ location / {{ {family}_set_header X-Forwarded-For b; "
            f"{family}_set_header Host a; {family}_set_header Host ''; {family}_pass {scheme}127.0.0.1:1; }} }}",
        )
        for family, scheme in (("proxy", "http://"), ("grpc", ""))
        for value in ("b", "''")
    ),
    (
        "http",
        "proxy_headers_hash_bucket_size 64; proxy_headers_hash_max_size 99; server { location / { "
        "proxy_set_header X-Seven a; proxy_set_header X-Seven b; proxy_set_header X-Seven c; } }",
        "proxy_headers_hash_bucket_size 65; server { location / { proxy_set_header X-Seven a; "
        "proxy_set_header X-Seven b; proxy_set_header X-Seven c; } }",
    ),
)


def table() -> dict[str, str]:
    """What says a message of nginx: ids of the check, `rule: ids`, both, or `-: reason`."""
    with open(os.path.join(HERE, "warnings.tsv"), encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines if not line.startswith("#")]
    assert all(len(row) == 4 for row in rows)
    return {row[0]: row[3] for row in rows}


def cases(version: Version = (0, 0, 0)) -> list[tuple[str, str, bool]]:
    """(message of the table, configuration, does it draw a warning) of warnings.txt, as far as this nginx reads it."""
    found = []
    message = ""
    with open(os.path.join(HERE, "warnings.txt"), encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("= "):
                message = line[2:].rstrip("\n")
            elif line.strip() and not line.startswith("#"):
                place, _, text = line.rstrip("\n").lstrip("-").partition("|")
                place, _, gone = place.partition("<")
                if gone and version >= parse_version(gone):
                    continue
                found.append((message, (AROUND[place] % text).replace("\\n", "\n"), not line.startswith("-")))
    return found


def pattern(message: str) -> re.Pattern[str]:
    """A message of the table as a regular expression: % and a letter or two stand for something."""
    return re.compile(re.sub(r"%(ui|ud|V|v|s|i)", ".*", re.escape(message).replace(r"\%", "%")))


def ours(text: str, judged_for: Target) -> list[tuple[str, int | None]]:
    loaded = load(Disk("/nonexistent"), "nginx.conf", PRELUDE + text)
    said = [one for one in check(loaded.main, judged_for) if not one.blocks_start]
    return sorted(
        {(one.nginx_message or one.rule, one.nginx_at.line if one.nginx_at else None) for one in said}, key=str
    )


def test_every_message_is_said_by_an_id_that_exists_or_has_a_reason() -> None:
    rules = all_rules()
    for message, by in table().items():
        if by.startswith("-: "):
            assert len(by) > 10, message
            continue
        of_check, _, of_rules = by.partition("rule: ")
        assert by and all(id in RULES for id in of_check.split()), (message, by)
        assert all(id in rules or id in COMING for id in of_rules.split()), (message, by)


COMING = (
    "server-name-duplicate",
    "server-name-with-scheme-or-path",
    "listen-protocol-mismatch",
    "listen-http2-deprecated",
)


def test_every_message_the_check_says_has_a_configuration_that_draws_it_and_a_twin_that_does_not() -> None:
    shown = {(message, draws) for message, _, draws in cases()}
    for message, by in table().items():
        if not by.startswith(("-: ", "rule: ")) and message not in NOT_SHOWN:
            assert (message, True) in shown and (message, False) in shown, message


@pytest.mark.skipif(not installed(), reason="nginx is not installed, or no stream and mail")
def test_nginx_warns_where_we_do_in_the_same_words() -> None:
    judged_for = target()
    rows = cases(judged_for.version)
    wrong = []
    for (message, text, draws), verdict in zip(rows, judge_all([text for _, text, _ in rows]), strict=True):
        said = sorted(set(verdict.warnings), key=str)
        assert verdict.ok, (text, verdict.message)
        if said != ours(text, judged_for):
            wrong.append(f"{text}\n    nginx: {said}\n    we:    {ours(text, judged_for)}")
        assert bool(said) is draws, text
        assert not draws or any(pattern(message).fullmatch(one) for one, _ in said), (text, said)
    assert not wrong, "\n".join(wrong)


@pytest.mark.skipif(not installed(), reason="nginx is not installed, or no stream and mail")
def test_what_a_fix_leaves_draws_no_warning_any_more() -> None:
    judged_for = target()
    mended = []
    for _, text, draws in cases(judged_for.version):
        loaded = load(Disk("/nonexistent"), "nginx.conf", text)
        said = [one for one in check(loaded.main, judged_for) if not one.blocks_start]
        if draws and said and all(one.fixes and one.fixes[0].safe for one in said):
            mended.append(apply(text, [edit for one in said for edit in one.fixes[0].edits]))
    assert len(mended) > 20
    for text, verdict in zip(mended, judge_all(mended), strict=True):
        assert verdict.ok and not verdict.warnings, (text, verdict, verdict.warnings)


def said_by_rules(text: str) -> set[str | None]:
    """The messages of nginx that rules of the table speak of."""
    names = {id for by in table().values() for id in by.partition("rule: ")[2].split()}
    config = Config("nginx.conf", load(Disk("/nonexistent"), "nginx.conf", text), version=target().version)
    found = set()
    for id, entry in all_rules().items():
        if id in names and has_something_to_judge(entry.load(), config):
            found |= {one.nginx_message for one in entry.load()().check(config)}
    return found - {None}


@pytest.mark.skipif(not installed(), reason="nginx is not installed, or no stream and mail")
@pytest.mark.parametrize("draws", [True, False])
def test_rules_say_what_else_nginx_warns_about(draws: bool) -> None:
    texts = [f"events {{}}\n{place} {{\n{bad if draws else good}\n}}\n" for place, bad, good in OF_RULES]
    for text, verdict in zip(texts, judge_all(texts), strict=True):
        assert verdict.ok, (text, verdict)
        assert said_by_rules(text) == {message for message, _ in verdict.warnings}, text
        assert bool(verdict.warnings) is draws or (
            "keepalive 2; least_conn" in text and target().version >= KEPT_BY_DEFAULT
        )


def _tables(chance: random.Random) -> str:
    """A configuration with a table that is about as full as it may be."""

    def words(count: int, shape: str) -> str:
        least = chance.choice((3, 8, 14))
        made = {"".join(chance.choices("abcdefghijklmnop", k=chance.randint(least, least + 8))) for _ in range(count)}
        return " ".join(chance.choice(shape.split()).replace("W", word) for word in sorted(made))

    def sizes(table: str) -> str:
        largest, bucket = chance.choice((0, 128, 256, 512, 1024)), chance.choice((0, 0, 128))
        return (f"{table}_max_size {largest}; " if largest else "") + (
            f"{table}_bucket_size {bucket}; " if bucket else ""
        )

    count = chance.randint(40, 300)
    table = chance.choice(("server_names", "map", "types", "variables"))
    if table == "server_names":
        names = words(count, chance.choice(("W.example.org", "*.W.org .W.org W.*", "W.com W.org W.de")))
        body = f"server {{ listen 8081; }} server {{ listen 8081; server_name {names}; }}"
    elif table == "map":
        body = f"map $uri $new {{ {words(count, '/W').replace(' ', ' 1; ')} 1; }}"
    elif table == "types":
        block = f"types {{ a/b {words(count * 3, 'W')}; }}"
        body = chance.choice(("server { # } ", "# server { }", "server { location / { # } }")).replace("#", block)
    else:
        body = "server { set $" + words(count, "W").replace(" ", " 1; set $") + " 1; }"
    return f"events {{}}\nhttp {{ {sizes(table + '_hash')}\n{body} }}\n"


@pytest.mark.skipif(not installed(), reason="nginx is not installed, or no stream and mail")
def test_nginx_cannot_lay_out_the_same_hash_tables_and_can_by_what_we_advise() -> None:
    judged_for = target()
    chance = random.Random(11)
    many = "".join(f" server {{ listen 8081; server_name site{number}.example.com; }}" for number in range(10_000))
    sizes = "server_names_hash_max_size 32768; server_names_hash_bucket_size 128;"
    texts = [_tables(chance) for _ in range(60)] + [f"events {{}}\nhttp {{ {more}{many} }}\n" for more in ("", sizes)]
    mended = []
    told = 0
    for text, verdict in zip(texts, judge_all(texts), strict=True):
        assert verdict.ok and ours(text, judged_for) == sorted(set(verdict.warnings), key=str), text
        loaded = load(Disk("/nonexistent"), "nginx.conf", text)
        for warning in check(loaded.main, judged_for):
            advice = warning.help[0].removeprefix("write `").partition("`")[0]
            told += 1
            for size in re.findall(r"\w+_size", advice):
                text = re.sub(rf"{size} \d+;", "", text)
            mended.append(text.replace("http {", f"http {{ {advice}", 1))
    assert told > 15
    for text, verdict in zip(mended, judge_all(mended), strict=True):
        assert verdict.ok and not verdict.warnings, (text, verdict, verdict.warnings)


def test_debug_connection_is_ignored_by_a_build_without_debugging() -> None:
    text = "events { debug_connection 10.0.0.1; }"
    without = Target((1, 22, 1), options=("--with-threads",))
    assert ours(text, without) == [(NOT_SHOWN[0], 1)]
    assert ours(text, Target((1, 22, 1), options=("--with-debug",))) == []
    assert ours(text, Target((1, 22, 1))) == []


def test_http2_push_is_obsolete_since_1_25_1() -> None:
    text = "events {}\nhttp { http2_push_preload on; }"
    assert ours(text, Target((1, 25, 1))) == [('the "http2_push_preload" directive is obsolete, ignored', 2)]
    assert ours(text, Target((1, 25, 0))) == []
