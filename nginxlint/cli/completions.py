"""`nginxlint completions SHELL`: what a shell has to read to complete our command line. The scripts are shipped ready
made (see nginxlint/shells.py), because a shell asks for them whenever it starts."""

from __future__ import annotations

import os
from collections.abc import Sequence

from nginxlint.cli.output import write_out
from nginxlint.error import NginxlintError

SHELLS = ("bash", "fish", "zsh")
FOLDER = os.path.join(os.path.dirname(__file__), "shells")
_HELP = """usage: nginxlint completions bash|fish|zsh

Print a completion script:

  bash   source <(nginxlint completions bash)                 in ~/.bashrc
  fish   nginxlint completions fish | source                  in ~/.config/fish/config.fish
  zsh    nginxlint completions zsh > "${fpath[1]}/_nginxlint"   once
"""


def run(argv: Sequence[str]) -> int:
    if {"-h", "--help"} & set(argv):
        write_out(_HELP)
        return 0
    if len(argv) != 1 or argv[0] not in SHELLS:
        raise NginxlintError(f"name one shell of {', '.join(SHELLS)}\nTry: nginxlint completions --help")
    with open(os.path.join(FOLDER, argv[0]), encoding="utf-8") as file:
        write_out(file.read())
    return 0
