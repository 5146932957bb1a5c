"""`nginxlint rules`: everything that can be reported, as a table or JSON."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from nginxlint.cli.arguments import Parser
from nginxlint.cli.output import write_out
from nginxlint.pages import Page, all_pages
from nginxlint.registry import all_rules


def run(argv: Sequence[str]) -> int:
    args = parser().parse_args(list(argv))
    pages = list(all_pages(all_rules(args.rules)).values())
    if args.output == "json":
        import json

        write_out(json.dumps([_row(page) for page in pages], indent=2) + "\n")
    elif sys.stdout.isatty():
        write_out(_table(pages))
    else:
        rows = ("\t".join(_cells(page)) for page in pages)
        write_out("".join(f"{row}\n" for row in rows))
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


def _cells(page: Page) -> tuple[str, ...]:
    return page.id, page.group, page.severity, _fix(page), _state(page), page.summary


def _fix(page: Page) -> str:
    return "fix" if page.fixes else "-"


def _state(page: Page) -> str:
    return "online" if page.group == "online" else "opt-in" if page.opt_in else "on"


def _table(pages: list[Page]) -> str:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("rule", "group", "severity", "fix", "state", "what is wrong"):
        table.add_column(title, no_wrap=title == "rule")
    for page in pages:
        table.add_row(*_cells(page))
    console = Console(markup=False, highlight=False)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def parser() -> Parser:
    """The options of `nginxlint rules`."""
    made = Parser(prog="nginxlint rules", description="All rules: id, group, severity, fix, on or off.")
    made.add_argument("-o", "--output", choices=("full", "json"), default="full")
    made.add_argument("--rules", action="append", default=[], metavar="DIR", help="a folder of rules of your own")
    return made
