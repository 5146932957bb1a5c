"""Every directive that has a check of its own, with arguments that make no sense, and every directive at all, in forms it
does not have: nobody trips over them.

What is asked at once of a dozen directives is not what is asked of two (`nginxlint.catalogue.namesakes`), so each form
stands twice and thirteen times. All forms of all directives take minutes: `NGINXLINT_FULL=1`; else each directive has one.
"""

from __future__ import annotations

import os
from zlib import crc32

import pytest

from nginxlint.catalogue import check
from nginxlint.catalogue.checks.owners import FAMILY_OF
from nginxlint.catalogue.table import DIRECTIVES
from nginxlint.catalogue.target import Target
from nginxlint.files import Disk
from nginxlint.includes import load
from tests.catalogue.samples import TEMPLATES
from tests.fuzz.targets import checked

WORDS = (
    "",
    "''",
    "$",
    "$a",
    "0",
    "off",
    "a=",
    "=",
    ":",
    "[",
    "~",
    "~(",
    "unix:",
    "a b",
    "/ 1 2",
    "$a $b c=d",
    "* * * *",
)
NAMES = sorted({key.rpartition(":")[2] for key in FAMILY_OF})
FORMS = (
    "{name};", "{name} a;", "{name} a b;", "{name} a b c d;", "{name} '';", "{name} $a;", "{name} 1;", "{name} on off;",
    "{name} a={i};", "{name} a{i} b{i};", "{name} ~ (;", "{name} http://;", "{name} :{i};", "{name} zone=a:1m size=;",
    "{name} {{ }}", "{name} a {{ }}", "{name} a b {{ x y; }}", "{name} $a $b {{ a b; }}", "{name} '' '' {{ '' ''; }}",
    "{name} {{ a; b c; }}", "{name} 'a b' {{ }}", "{name} / {{ }}",
)  # fmt: skip
EVERYWHERE = """{body}
events {{ {body} }}
http {{
    {body}
    upstream u {{ server a; {body} }}
    map $a $b {{ {body} }}
    geo $x {{ {body} }}
    types {{ {body} }}
    server {{
        listen 80;
        {body}
        location / {{ {body} if ($a) {{ {body} }} limit_except GET {{ {body} }} }}
    }}
}}
stream {{ {body} server {{ listen 1; {body} }} upstream v {{ server a:1; {body} }} }}
mail {{ {body} server {{ listen 2; {body} }} }}
"""
FULL = bool(os.environ.get("NGINXLINT_FULL"))


@pytest.mark.parametrize("place", TEMPLATES)
def test_no_argument_trips_a_check(place: str) -> None:
    for name in NAMES:
        if not any(place in row["contexts"] for row in DIRECTIVES.rows(name)):
            continue
        for words in WORDS:
            for end in (";", " {}"):
                text = TEMPLATES[place] % f"{name} {words}{end}"
                loaded = load(Disk("/nonexistent"), "nginx.conf", text)
                try:
                    check(loaded.main, Target())
                except Exception as error:
                    raise AssertionError(f"{name} {words}{end} in {place}") from error


@pytest.mark.parametrize("count", [2, 13])
def test_every_directive_is_judged_in_every_form(count: int) -> None:
    assert len(DIRECTIVES.names()) > 1000
    for name in DIRECTIVES.names():
        forms = FORMS if FULL else (FORMS[crc32(f"{name} {count}".encode()) % len(FORMS)],)
        for form in forms:
            body = "\n".join(form.format(name=name, i=i) for i in range(count))
            checked(EVERYWHERE.format(body=body).encode())
