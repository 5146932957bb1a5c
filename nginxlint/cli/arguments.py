"""The parser of a command line, and that of `nginxlint check`."""

from __future__ import annotations

from argparse import ArgumentParser, RawDescriptionHelpFormatter

from nginxlint.cli.options import declare
from nginxlint.error import NginxlintError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_EPILOG = """exit codes:
  0 nothing at or above --fail-on      1 findings at or above it
  2 wrong use                          3 incomplete: something could not be read or probed
  4 internal error                     --gate leaves only 0 and 1
Every long option has an environment twin: NGINXLINT_FAIL_ON=warning, NGINXLINT_ONLINE=1."""


class Parser(ArgumentParser):
    """argparse that raises NginxlintError, with a suggestion for an option that was probably meant."""

    def print_help(self, file: object = None) -> None:
        from nginxlint.cli.output import write_out

        write_out(self.format_help())

    def error(self, message: str) -> NoReturn:
        hint = ""
        if message.startswith("unrecognized arguments: -"):
            from difflib import get_close_matches

            wrong = message.removeprefix("unrecognized arguments: ").split()[0].partition("=")[0]
            known = [option for action in self._actions for option in action.option_strings]
            if near := get_close_matches(wrong.replace("_", "-"), known, 1, 0.5):
                hint = f" - did you mean {near[0]}?"
        raise NginxlintError(f"{message}{hint}\nTry: {self.prog} --help")


def check_parser() -> Parser:
    """The parser of `nginxlint check`."""
    parser = Parser(
        prog="nginxlint check",
        description="Check nginx configurations: nginx.conf, folders, snippets, `nginx -T` dumps, - for standard input.",
        epilog=_EPILOG,
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    declare(parser)
    return parser


class HelpFormatter(RawDescriptionHelpFormatter):
    """Help of one width everywhere, so that its copies in README.md and docs/commands.md can be checked."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=110)
