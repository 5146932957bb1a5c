"""Turn the catalogue's JSON files into the tables the package reads.

    python tools/catalogue/ship.py

reads nginxlint/catalogue/data/{directives,variables}.json (made by extract_directives.py, see its docstring) and
writes data/{directives,documentation,variables}.tsv: one line per name, `name TAB json`, sorted, so that a name is
found by bisection and only the lines of the names that occur are decoded. Reading 600 KB of JSON takes 15 ms, this
less than one. The JSON files themselves stay in the repository and are not installed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[2] / "nginxlint" / "catalogue" / "data"
DOCUMENTATION = ("syntax", "default", "doc", "duplicate_note")
VARIABLE_FIELDS = ("context", "module", "kind", "since", "removed", "settable", "prefix")


def line(name: str, value: object) -> str:
    return f"{name}\t{json.dumps(value, separators=(',', ':'), ensure_ascii=False)}\n"


def comment(meta: dict[str, Any]) -> str:
    """The first line: sorts before every name, and says where the facts are from."""
    kept = {key: meta[key] for key in ("nginx", "docs", "licence", "third_party") if key in meta}
    return line("#", kept)


def main() -> None:
    directives = json.loads((DATA / "directives.json").read_text(encoding="utf-8"))
    variables = json.loads((DATA / "variables.json").read_text(encoding="utf-8"))
    rows: dict[str, list[dict[str, Any]]] = {}
    pages: dict[str, list[dict[str, Any]]] = {}
    for entry in directives["directives"]:
        facts = {key: value for key, value in entry.items() if key not in (*DOCUMENTATION, "name")}
        rows.setdefault(entry["name"], []).append(facts)
        page = {key: entry[key] for key in ("module", *DOCUMENTATION) if entry.get(key)}
        if len(page) > 1:
            pages.setdefault(entry["name"], []).append(page)
    names: dict[str, list[dict[str, Any]]] = {}
    for entry in variables["variables"]:
        names.setdefault(entry["name"], []).append({key: entry[key] for key in VARIABLE_FIELDS if entry.get(key)})
    for file, meta, table in (
        ("directives", directives["meta"], rows),
        ("documentation", directives["meta"], pages),
        ("variables", variables["meta"], names),
    ):
        text = comment(meta) + "".join(line(name, value) for name, value in sorted(table.items()))
        (DATA / f"{file}.tsv").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
