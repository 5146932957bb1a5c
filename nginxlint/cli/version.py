"""`nginxlint version`: of the tool, its data, and the nginx of this machine."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from nginxlint import __version__
from nginxlint.cli.arguments import Parser
from nginxlint.cli.environment import live_version
from nginxlint.cli.output import write_out
from nginxlint.config import NEWEST


def run(argv: Sequence[str]) -> int:
    args = parser().parse_args(list(argv))
    live = live_version()
    facts = {
        "nginxlint": __version__,
        "catalogue": ".".join(map(str, NEWEST)),
        "nginx": ".".join(map(str, live)) if live else None,
        "python": sys.version.split()[0],
    }
    if args.json:
        import json

        write_out(json.dumps(facts) + "\n")
    else:
        write_out(
            f"nginxlint {facts['nginxlint']} (knows nginx up to {facts['catalogue']})\n"
            f"nginx {facts['nginx'] or 'not found here'}, Python {facts['python']}\n"
        )
    return 0


def parser() -> Parser:
    """The options of `nginxlint version`."""
    made = Parser(prog="nginxlint version", description="Versions of nginxlint, its data, and the nginx found here.")
    made.add_argument("--json", action="store_true", help="for programs")
    return made
