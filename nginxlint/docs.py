"""Write what is generated: the index of the rules, their pages, the help in the README, the homes of exported names, the completion
scripts. `--check`: fail where it differs.

python -m nginxlint.docs [--check]
"""

from __future__ import annotations

import os
import sys

from nginxlint.compiling import table
from nginxlint.pages import Page, all_pages
from nginxlint.registry import BUILT_IN, all_rules, build_index
from nginxlint.shells import scripts

_TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_BEGIN, _END = "<!-- help:begin -->\n", "<!-- help:end -->\n"


def generated() -> dict[str, str]:
    """Path (from the top of the repository) → text of every generated file."""
    files = {"rules/_index.py": _index()}
    entries = {id: entry for id, entry in all_rules().items() if entry.origin.startswith("the built-in")}
    pages = all_pages(entries)
    for page in pages.values():
        files[f"docs/rules/{page.id}.md"] = page.text(markdown=True)
    files["docs/rules/README.md"] = _overview(pages)
    files["README.md"] = _readme()
    files["docs/commands.md"] = _commands()
    files["nginxlint/_homes.py"] = _homes()
    if (expressions := table()) is not None:
        files["nginxlint/_expressions.py"] = expressions
    files |= {f"nginxlint/cli/shells/{shell}": text for shell, text in scripts().items()}
    return files


def _index() -> str:
    rows = "".join(
        f"    {module!r}: ({id!r}, {group!r}, {opt_in!r}, {directives!r}, {texts!r}, {judges!r}),\n"
        for module, (id, group, opt_in, directives, texts, judges) in sorted(build_index().items())
    )
    head = '"""Which rules there are, and what has to occur for them to fire. Generated: make docs."""\n\n'
    head += "from __future__ import annotations\n\n"
    row = "tuple[str, str, bool, tuple[str, ...], tuple[str, ...], str]"
    text = f"{head}RULES: dict[str, {row}] = {{\n{rows}}}  # fmt: skip\n"
    return text.replace("'", '"')


def _homes() -> str:
    """Where the names that nginxlint/exports.py imports are at home."""
    import ast

    with open(os.path.join(_TOP, "nginxlint", "exports.py"), encoding="utf-8") as file:
        tree = ast.parse(file.read())
    homes = {name.name: node.module for node in tree.body if isinstance(node, ast.ImportFrom) for name in node.names}
    rows = "".join(f'    "{name}": "{homes[name]}",\n' for name in sorted(homes) if name != "annotations")
    head = '"""The modules of the names that nginxlint exports. Generated from exports.py: make docs."""\n\n'
    return f"{head}from __future__ import annotations\n\nHOMES = {{\n{rows}}}\n"


def _overview(pages: dict[str, Page]) -> str:
    lines = ["# Rules", "", "Generated from the rules themselves by `make docs`.", ""]
    for group in sorted({page.group for page in pages.values()}):
        lines += [f"## {group}", "", "| rule | severity | fix | what is wrong |", "|---|---|---|---|"]
        for page in pages.values():
            if page.group == group:
                state = " (opt-in)" if page.opt_in else ""
                fix = "yes" if page.fixes else ""
                summary = page.summary.replace("|", "\\|")
                lines.append(f"| [{page.id}]({page.id}.md) | {page.severity}{state} | {fix} | {summary} |")
        lines.append("")
    return "\n".join([*lines, *_researched()])


def _researched() -> list[str]:
    """What became of every row of the rule research (docs/rule-rows.tsv)."""
    lines = [
        "## What was researched",
        "",
        "Every row of our rule research on proxying, upstream groups, headers, buffers and caches, and what became of it.",
        "",
        "| row | researched as | page | remark |",
        "|---|---|---|---|",
    ]
    for row, name, page, reason in researched_rows():
        link = "not built" if page == "-" else f"[{page}]({page}.md)"
        lines.append(f"| {row} | {name} | {link} | {reason} |")
    return [*lines, ""]


def researched_rows() -> list[tuple[str, str, str, str]]:
    """(row, name, page or `-`, remark), numbered rows last, in their order."""
    with open(os.path.join(_TOP, "docs", "rule-rows.tsv"), encoding="utf-8") as file:
        cells = [(line.rstrip("\n") + "\t\t\t").split("\t")[:4] for line in file if line.strip()]
    rows = [(row, name, page, reason) for row, name, page, reason in cells]
    return sorted(rows, key=lambda row: (row[0].isdigit(), int(row[0]) if row[0].isdigit() else 0, row[1]))


def _readme() -> str:
    from nginxlint.cli.arguments import check_parser

    with open(os.path.join(_TOP, "README.md"), encoding="utf-8") as file:
        text = file.read()
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}```\n{check_parser().format_help()}```\n{_END}{after}"


def _commands() -> str:
    """The help of the commands that ask the routing model; that of `check` is in the README."""
    from nginxlint.cli import graph, route, targets, test

    lines = ["# Commands that ask the routing model", "", "Generated from their help by `make docs`.", ""]
    for command in (route, test, targets, graph):
        made = command.parser()
        lines += [f"## {made.prog}", "", "```", made.format_help().rstrip("\n"), "```", ""]
    return "\n".join(lines)


def main(argv: list[str]) -> int:
    if BUILT_IN not in sys.modules and not os.path.isdir(os.path.join(_TOP, "rules")):
        print("run this in a checkout", file=sys.stderr)
        return 2
    differing = []
    files = generated()
    folder = os.path.join(_TOP, "docs", "rules")
    stale = [
        f"docs/rules/{name}"
        for name in (os.listdir(folder) if os.path.isdir(folder) else ())
        if f"docs/rules/{name}" not in files
    ]
    for path, text in files.items():
        full = os.path.join(_TOP, path)
        try:
            with open(full, encoding="utf-8") as file:
                same = file.read() == text
        except FileNotFoundError:
            same = False
        if same:
            continue
        differing.append(path)
        if "--check" not in argv:
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as file:
                file.write(text)
    if "--check" not in argv:
        for path in stale:
            os.remove(os.path.join(_TOP, path))
        return 0
    for path in [*differing, *stale]:
        print(f"{path} is not what `make docs` writes", file=sys.stderr)
    return 1 if differing or stale else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
