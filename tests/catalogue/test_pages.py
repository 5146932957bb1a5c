"""Every finding of the catalogue check has a page for `nginxlint explain`."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from nginxlint.catalogue.rules import RULES
from nginxlint.faults import SYNTAX_RULES

CATALOGUE = Path(__file__).parents[2] / "nginxlint" / "catalogue"
# Words of the same shape that are no ids: places, kinds of directives, an OpenSSL name.
OTHERS = frozenset(
    "if-in-server if-in-location stream-server stream-upstream mail-server third-party user-defined complex-size "
    "mime-types nginx-plus wap-wsg".split()
)


def written() -> dict[str, str]:
    """Every word of the shape of an id in the check's sources, and a file it stands in."""
    found = {}
    for path in sorted(CATALOGUE.rglob("*.py")):
        if path.name == "rules.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and re.fullmatch(r"[a-z]+(-[a-z]+)+", text):
                found[text] = path.name
    return found


def test_every_id_that_is_reported_has_a_page() -> None:
    missing = {id: file for id, file in written().items() if id not in {*RULES, *SYNTAX_RULES, *OTHERS}}
    assert missing == {}


def test_every_page_belongs_to_an_id_that_is_reported() -> None:
    assert sorted(set(RULES) - set(written())) == []
