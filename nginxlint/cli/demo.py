"""`nginxlint demo`: the check of a sample configuration against upstreams that run on loopback meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

from nginxlint.cli import cached
from nginxlint.cli.output import write_out

_HELP = """usage: nginxlint demo [OPTION ...]

Start faulty and healthy upstreams on loopback ports, check a sample shop against them, and show the report.
Options are those of nginxlint check, for example -o json.
"""


def run(argv: Sequence[str]) -> int:
    if {"-h", "--help"} & set(argv):
        write_out(_HELP)
        return 0
    from nginxlint.demo.main import INTRODUCTION
    from nginxlint.demo.main import run as demo

    write_out(f"{INTRODUCTION}\n" if not any(word.startswith(("-o", "--output")) for word in argv) else "")
    return demo(lambda words, network: cached.run(["--no-config", *words], network), list(argv))
