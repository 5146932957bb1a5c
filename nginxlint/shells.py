"""The completion scripts for bash, fish and zsh, written from the parsers of the commands (`make docs`)."""

from __future__ import annotations

from argparse import Action
from collections.abc import Iterator

from nginxlint.cli import explain, graph, route, rules, targets, test, version
from nginxlint.cli.arguments import Parser, check_parser
from nginxlint.cli.completions import SHELLS
from nginxlint.cli.main import COMMANDS


def scripts() -> dict[str, str]:
    """Shell → script."""
    parsers = {
        "check": check_parser(),
        "route": route.parser(),
        "test": test.parser(),
        "targets": targets.parser(),
        "graph": graph.parser(),
        "rules": rules.parser(),
        "explain": explain.parser(),
        "version": version.parser(),
    }
    parsers["demo"] = parsers["check"]
    return {"bash": _bash(parsers), "fish": _fish(parsers), "zsh": _zsh(parsers)}


def _options(parser: Parser) -> Iterator[Action]:
    return (action for action in parser._actions if action.option_strings)


def _words(parsers: dict[str, Parser], command: str) -> str:
    if command == "completions":
        return " ".join(SHELLS)
    return " ".join(name for action in _options(parsers[command]) for name in action.option_strings)


def _bash(parsers: dict[str, Parser]) -> str:
    choices = "".join(
        f"        {command}/{name}) words='{' '.join(map(str, action.choices))}' ;;\n"
        for command, parser in parsers.items()
        for action in _options(parser)
        if action.choices
        for name in action.option_strings
    )
    options = "".join(f"        {command}) words='{_words(parsers, command)}' ;;\n" for command in COMMANDS)
    return f"""# bash completion for nginxlint. Generated: make docs.
_nginxlint() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} command=${{COMP_WORDS[1]}} words=
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W '{" ".join(COMMANDS)}' -- "$current"))
        return
    fi
    if [ "$current" = = ]; then  # --option=value comes as three words
        current=
    elif [ "$before" = = ]; then
        before=${{COMP_WORDS[COMP_CWORD-2]}}
    fi
    case $command/$before in
{choices}    esac
    if [ -z "$words" ] && {{ [[ $current == -* ]] || [ "$command" = completions ]; }}; then
        case $command in
{options}        esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F _nginxlint nginxlint
"""


def _fish(parsers: dict[str, Parser]) -> str:
    lines = ["# fish completion for nginxlint. Generated: make docs."]
    for command, (_, line) in COMMANDS.items():
        lines.append(f"complete -c nginxlint -n __fish_use_subcommand -f -a {command} -d {_quoted(line)}")
    lines.append(
        f"complete -c nginxlint -n '__fish_seen_subcommand_from completions' -f -a {_quoted(' '.join(SHELLS))}"
    )
    for command, parser in parsers.items():
        for action in _options(parser):
            names = "".join(
                f" -l {name[2:]}" if name.startswith("--") else f" -s {name[1:]}" for name in action.option_strings
            )
            takes = f" -x -a {_quoted(' '.join(map(str, action.choices)))}" if action.choices else ""
            takes = takes or (" -r" if action.nargs != 0 else "")
            seen = f"-n '__fish_seen_subcommand_from {command}'"
            lines.append(f"complete -c nginxlint {seen}{names}{takes} -d {_quoted(_help(action))}")
    return "\n".join(lines) + "\n"


def _zsh(parsers: dict[str, Parser]) -> str:
    commands = "\n".join(f"        {_quoted(f'{command}:{line}')}" for command, (_, line) in COMMANDS.items())
    cases = "".join(
        f"    {command})\n        _arguments -s \\\n"
        + "".join(
            f"            {_quoted(_spec(name, action))} \\\n"
            for action in _options(parser)
            for name in action.option_strings
        )
        + "            '*:path:_files'\n        ;;\n"
        for command, parser in parsers.items()
    )
    return f"""#compdef nginxlint
# zsh completion for nginxlint. Generated: make docs.
local -a commands
commands=(
{commands}
)
if (( CURRENT == 2 )); then
    _describe command commands
    return
fi
local command=$words[2]
shift words
(( CURRENT-- ))
case $command in
{cases}    completions) _values shell {" ".join(SHELLS)} ;;
esac
"""


def _spec(name: str, action: Action) -> str:
    """An option as `_arguments` wants it: what it says, what it takes."""
    said = _help(action).replace("[", "(").replace("]", ")").replace(":", " -")
    name += "=" if name.startswith("--") and action.nargs != 0 else ""  # both --option=value and --option value
    if action.choices:
        return f"*{name}[{said}]:{action.dest}:({' '.join(map(str, action.choices))})"
    return f"*{name}[{said}]" + ("" if action.nargs == 0 else f":{action.dest}:_files")


def _help(action: Action) -> str:
    return " ".join((action.help or "").replace("%%", "%").split())


def _quoted(text: str) -> str:
    """Quoted for all three shells: none takes a quote inside single quotes."""
    return "'" + text.replace("'", "’") + "'"
