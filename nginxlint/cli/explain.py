"""`nginxlint explain RULE`: its page, from the same text and examples that are tested."""

from __future__ import annotations

from collections.abc import Sequence

from nginxlint.cli.arguments import Parser
from nginxlint.cli.output import write_out
from nginxlint.error import NginxlintError
from nginxlint.pages import all_pages
from nginxlint.registry import all_rules


def run(argv: Sequence[str]) -> int:
    args = parser().parse_args(list(argv))
    pages = all_pages(all_rules(args.rules))
    wanted = list(pages) if args.all else args.rule
    if not wanted:
        parser().error("name a rule, or --all; nginxlint rules lists them")
    for id in wanted:
        if id not in pages:
            from difflib import get_close_matches

            near = get_close_matches(id.lower().replace("_", "-"), pages, 1)
            hint = f' - did you mean "{near[0]}"?' if near else "; nginxlint rules lists them"
            raise NginxlintError(f'there is no rule "{id}"{hint}')
    write_out("\n".join(pages[id].text(markdown=args.format == "markdown") for id in wanted))
    return 0


def parser() -> Parser:
    """The options of `nginxlint explain`."""
    made = Parser(prog="nginxlint explain", description="The page of a rule: what, why, examples, the cure.")
    made.add_argument("rule", nargs="*", metavar="RULE")
    made.add_argument("--all", action="store_true", help="every page")
    made.add_argument("--format", choices=("text", "markdown"), default="text")
    made.add_argument("--rules", action="append", default=[], metavar="DIR", help="a folder of rules of your own")
    return made
