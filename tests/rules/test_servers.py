"""What the rules on server names and listeners warn of happens in real nginx, and not after the cure.

65000 in the texts stands for the port of that nginx.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from tests.oracle.nginx import PROGRAM, Nginx
from tests.rules.mending import found_by, mend

pytestmark = pytest.mark.skipif(not PROGRAM, reason="nginx is not installed")


@dataclass(frozen=True)
class Case:
    """In `text`, a request for `host` is answered with `symptom`, mended (by the rule's own fix where `mended` is None)
    with `cured`. `warns`: nginx says of the text what the rule says it says, and nothing of the mended one."""

    rule: str
    text: str
    host: str
    symptom: str
    cured: str
    mended: str | None = None
    warns: bool = True


def two(first: str, second: str, *, listen: str = "") -> str:
    return (
        f'server {{ listen 127.0.0.1:65000; {first} return 200 "first"; }}\n'
        f'server {{ listen 127.0.0.1:65000{listen}; {second} return 200 "second"; }}\n'
    )


CASES = (
    Case(
        "server-name-duplicate",
        two("server_name a.test;", "server_name b.test a.test;"),
        "a.test",
        "first",
        "second",
        two("server_name c.test;", "server_name b.test a.test;"),
    ),
    Case(
        "server-name-duplicate",
        two("", ""),
        "b.test",
        "first",
        "second",
        two("", "server_name b.test;"),
    ),
    Case(
        "server-name-duplicate",
        two("", "server_name a.test .a.test;"),
        "www.a.test",
        "first",
        "second",
    ),
    Case(
        "server-name-duplicate",
        two("server_name *.a.test;", "server_name .a.test;"),
        "a.test",
        "first",
        "second",
        two("server_name *.a.test;", "server_name a.test;"),
    ),
)


def on_a_port(text: str) -> str:
    return text.replace("65000", "{port}")


def warnings(text: str) -> list[str]:
    """What nginx -t warns of."""
    accepted, said = Nginx(on_a_port(text)).test()
    assert accepted, said
    return [re.sub(r" in /\S+$", "", line) for line in re.findall(r"\[warn\] (?:\d+#\d+: )?(.*)", said)]


def answer(nginx: Nginx, host: str) -> str:
    return nginx.ask("/", host=host).raw.decode("latin-1")


@pytest.mark.parametrize("case", CASES, ids=[f"{case.rule}-{n}" for n, case in enumerate(CASES)])
def test_the_symptom_is_there_and_gone_after_the_cure(case: Case) -> None:
    found = found_by(case.rule, case.text)
    mended = mend(case.rule, case.text) if case.mended is None else case.mended
    assert found and not found_by(case.rule, mended)
    with Nginx(on_a_port(case.text)) as nginx:
        assert case.symptom in answer(nginx, case.host)
    with Nginx(on_a_port(mended)) as nginx:
        cured = answer(nginx, case.host)
        assert case.cured in cured and case.symptom not in cured
    if case.warns:
        said = [re.sub(r":\d{5},", ":65000,", line) for line in warnings(case.text)]
        assert [finding.nginx_message for finding in found] == said[: len(found)]
        assert not warnings(mended)


def test_a_second_server_without_a_name_answers_where_it_is_the_default() -> None:
    text = two("server_name '';", "", listen=" default_server")
    (finding,) = found_by("server-name-duplicate", text)
    assert finding.severity.word == "info"
    with Nginx(on_a_port(text)) as nginx:
        assert "second" in answer(nginx, "a.test")
    assert len(warnings(text)) == 1
