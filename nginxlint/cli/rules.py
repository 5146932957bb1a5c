"""`nginxlint rules`: everything that can be reported, as a table or JSON."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from nginxlint.cli.arguments import Parser
from nginxlint.pages import Page, all_pages
from nginxlint.registry import all_rules


def run(argv: Sequence[str]) -> int:
    args = parser().parse_args(list(argv))
    pages = list(all_pages(all_rules(args.rules)).values())
    if args.output == "json":
        import json

        print(json.dumps([_row(page) for page in pages], indent=2))
    elif sys.stdout.isatty():
        _table(pages)
    else:
        for page in pages:
            print("\t".join((page.id, page.group, page.severity, _fix(page), _state(page), page.summary)))
    return 0


def _row(page: Page) -> dict[str, object]:
    return {
        "id": page.id,
        "group": page.group,
        "severity": page.severity,
        "default": not page.opt_in,
        "fix": page.fixes,
        "summary": page.summary,
        "options": page.options,
    }


def _fix(page: Page) -> str:
    return "fix" if page.fixes else "-"


def _state(page: Page) -> str:
    return "online" if page.group == "online" else "opt-in" if page.opt_in else "on"


def _table(pages: list[Page]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("rule", "group", "severity", "fix", "state", "what is wrong"):
        table.add_column(title, no_wrap=title == "rule")
    for page in pages:
        table.add_row(page.id, page.group, page.severity, _fix(page), _state(page), page.summary)
    Console(markup=False, highlight=False).print(table)


def parser() -> Parser:
    """The options of `nginxlint rules`."""
    made = Parser(prog="nginxlint rules", description="All rules: id, group, severity, fix, on or off.")
    made.add_argument("-o", "--output", choices=("full", "json"), default="full")
    made.add_argument("--rules", action="append", default=[], metavar="DIR", help="a folder of rules of your own")
    return made
