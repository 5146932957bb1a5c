"""The directives' own parsers against the installed nginx: every line of cases/*.txt is one statement in one place.

Compared are the verdict, nginx's words and its line. What only the machine can say (files, hosts, users) is skipped.
"""

from __future__ import annotations

import os
import re

import pytest

from nginxlint.catalogue import check
from nginxlint.catalogue.refusal import Refusal
from nginxlint.catalogue.target import Target
from nginxlint.files import Disk
from nginxlint.includes import load
from tests.catalogue.nginx import PRELUDE, installed, judge_all
from tests.catalogue.test_against_nginx import ours, target

CASES = os.path.join(os.path.dirname(__file__), "cases")
FAMILIES = sorted(name.removesuffix(".txt") for name in os.listdir(CASES))
AROUND = {
    "main": "%s\nevents {}",
    "events": "events { %s\n}",
    "http": "events {}\nhttp { %s\n}",
    "server": "events {}\nhttp { server { %s\n} }",
    "location": "events {}\nhttp { server { location /a/ { %s\n} } }",
    "upstream": "events {}\nhttp { upstream u { %s\n server 127.0.0.1:1; } }",
    "upstream0": "events {}\nhttp { upstream u { %s\n } }",
    "stream": "events {}\nstream { %s\n}",
    "stream-server": "events {}\nstream { server { %s\n} }",
    "ss": "events {}\nstream { server { listen 127.0.0.1:9; %s\n} }",
    "su": "events {}\nstream { upstream u { %s\n} }",
    "mail": "events {}\nmail { auth_http 127.0.0.1:1/; %s\n}",
    "ms": "events {}\nmail { auth_http 127.0.0.1:1/; server { %s\n} }",
}
MACHINE = re.compile(r"host not found|failed \((2|13|98|99):|No such file|cannot load|getpwnam|getgrnam|ENGINE|dlopen")
# OpenSSL and PCRE print what depends on their version, or the path of the file.
LOOSE = re.compile(
    r" \(SSL: .*|used in .*|in \S+:\d+ (?:has|to be in).*|(?<=closing parenthesis in ).*|(?<=repeatable item in ).*",
    re.S,
)


def cases(family: str) -> list[tuple[str, str]]:
    found = []
    with open(os.path.join(CASES, f"{family}.txt"), encoding="utf-8") as lines:
        for line in lines:
            place, bar, text = line.rstrip("\n").partition("|")
            assert bar and place in AROUND, line
            found.append((line.strip(), PRELUDE + AROUND[place] % text))
    return found


@pytest.mark.skipif(not installed(), reason="nginx is not installed, or no stream and mail")
@pytest.mark.parametrize("family", FAMILIES)
def test_every_case_is_judged_in_the_words_of_nginx(family: str) -> None:
    installed_nginx = target()
    texts = cases(family)
    verdicts = judge_all([text.removeprefix(PRELUDE) for _, text in texts])
    wrong = []
    compared = 0
    for (name, text), verdict in zip(texts, verdicts, strict=True):
        if verdict.message is None and not verdict.ok:
            continue  # it crashed
        if verdict.message is not None and MACHINE.search(verdict.message):
            continue
        compared += 1
        message, line = ours(text, installed_nginx)
        said = "" if verdict.ok else verdict.message or ""
        if LOOSE.sub("", message) != LOOSE.sub("", said) or (said and line != verdict.line):
            wrong.append(f"{name}\n    nginx: {said or 'ok'} :{verdict.line}\n    we:    {message or 'ok'} :{line}")
    assert not wrong, f"{len(wrong)} of {compared}\n" + "\n".join(wrong)
    assert compared > len(texts) / 2


def refusals(text: str, version: tuple[int, int, int] = (1, 31, 5)) -> list[Refusal]:
    loaded = load(Disk("/nonexistent"), "nginx.conf", text)
    return check(loaded.main, Target(version))
