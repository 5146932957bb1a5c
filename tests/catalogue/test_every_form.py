"""Every directive that has a check of its own, with arguments that make no sense: nobody trips over them."""

from __future__ import annotations

import pytest

from nginxlint.catalogue import check
from nginxlint.catalogue.checks.owners import FAMILY_OF
from nginxlint.catalogue.table import DIRECTIVES
from nginxlint.catalogue.target import Target
from nginxlint.files import Disk
from nginxlint.includes import load
from tests.catalogue.samples import TEMPLATES

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
