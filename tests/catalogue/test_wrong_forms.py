"""No directive, in whatever form, place and number, ends a check with an internal error.

What is asked at once of a dozen directives is not what is asked of two (`nginxlint.catalogue.namesakes`), so each form
stands twice and thirteen times. All forms of all directives take minutes: `NGINXLINT_FULL=1`; else each directive has one.
"""

from __future__ import annotations

import os
from zlib import crc32

import pytest

from nginxlint.catalogue.table import DIRECTIVES
from tests.fuzz.targets import checked

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
NAMES = DIRECTIVES.names()


@pytest.mark.parametrize("count", [2, 13])
def test_every_directive_is_judged_in_every_form(count: int) -> None:
    assert len(NAMES) > 1000
    for name in NAMES:
        forms = FORMS if FULL else (FORMS[crc32(f"{name} {count}".encode()) % len(FORMS)],)
        for form in forms:
            body = "\n".join(form.format(name=name, i=i) for i in range(count))
            checked(EVERYWHERE.format(body=body).encode())
