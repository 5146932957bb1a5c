"""What the rules say of the corpus of real configurations: the table of docs/false-alarms.md, and the hits to read.

python tools/false_alarms.py                             print the table
python tools/false_alarms.py --write                     put it into docs/false-alarms.md
python tools/false_alarms.py --rules a,b --show 30       show up to 30 hits of each of these rules, spread over the files
python tools/false_alarms.py --rules a --why             show them as the full report prints them

Every file is checked in the surroundings its row in the index names, as nginx 1.22.1 (mainline where only that takes
it); what a file includes is not there.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator

from nginxlint.diagnostic import Diagnostic, Severity, Stage
from nginxlint.files import Dump
from nginxlint.inputs import CONTEXTS, Root
from nginxlint.linter import check
from nginxlint.registry import all_rules
from nginxlint.result import Finding, Request
from nginxlint.selection import ALL, Selection

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CORPUS = os.path.join(TOP, "..", "shared", "corpus")
PAGE = os.path.join(TOP, "docs", "false-alarms.md")
BEGIN, END = "<!-- table:begin -->\n", "<!-- table:end -->\n"
LIMIT = 15.0  # per cent of the files a rule of `warning` or above may fire on without a word of why

Hit = tuple[str, Finding]


def hits(only: frozenset[str]) -> Iterator[Hit]:
    """Every finding of a rule in the corpus, with the file's path in it; raises FileNotFoundError without a corpus."""
    entries = [entry for id, entry in all_rules().items() if not only or id in only]
    selection = Selection(entries, select=[ALL])
    with open(os.path.join(CORPUS, "index.jsonl"), encoding="utf-8") as index:
        rows = [json.loads(line) for line in index]
    for row in rows:
        path = row["path"]
        with open(os.path.join(CORPUS, path), "rb") as file:
            data = file.read()
        context = row["context"] if row.get("context") in CONTEXTS else None
        text = data.decode("utf-8", "surrogateescape")
        files = Dump({path: data}, os.path.dirname(path))
        root = Root(path, path, text, files, context, guessed=False, live=False)
        version = (1, 31, 5) if row.get("only") == "mainline" else (1, 22, 1)
        run = check([root], [], selection, Request(version=version))
        assert not run.crashes, f"{path}: {run.crashes[0][1]}"
        yield from ((path, finding) for finding in run.shown() if finding.diagnostic.stage is Stage.RULE)
    yield str(len(rows)), None  # type: ignore[misc]  # the number of files, last


def table(found: list[Hit], files: int) -> str:
    """Rule, severity, hits, files and their share, one line per rule and severity that has a hit."""
    count: Counter[tuple[str, Severity]] = Counter()
    where: dict[tuple[str, Severity], set[str]] = {}
    for path, finding in found:
        key = finding.diagnostic.rule, finding.diagnostic.severity
        count[key] += 1
        where.setdefault(key, set()).add(path)
    lines = [f"{files} files.", "", "| rule | severity | hits | files | share |", "|---|---|---|---|---|"]
    for (rule, severity), number in sorted(count.items(), key=lambda item: (item[0][0], -item[0][1])):
        share = 100 * len(where[rule, severity]) / files
        mark = " **above the limit**" if share > LIMIT and severity >= Severity.WARNING and not opt_in(rule) else ""
        state = " (opt-in)" if opt_in(rule) else ""
        lines.append(
            f"| `{rule}` | {severity.word}{state} | {number} | {len(where[rule, severity])} | {share:.1f} %{mark} |"
        )
    lines += ["", "All other rules: no hit."]
    return "\n".join(lines) + "\n"


def opt_in(rule: str) -> bool:
    return all_rules()[rule].opt_in


def sample(found: list[Hit], limit: int) -> list[Hit]:
    """Up to `limit` hits of each rule, from as many files as there are."""
    by_rule: dict[str, dict[str, list[Hit]]] = {}
    for hit in found:
        by_rule.setdefault(hit[1].diagnostic.rule, {}).setdefault(hit[0], []).append(hit)
    chosen = []
    for files in by_rule.values():
        queues = list(files.values())
        rounds = [queue[n] for n in range(max(map(len, queues))) for queue in queues if n < len(queue)]
        step = max(1, len(rounds) // limit)
        chosen += rounds[::step][:limit]
    return chosen


def shown(path: str, diagnostic: Diagnostic, why: bool) -> str:
    head = f"{path}:{diagnostic.span.line}: {diagnostic.severity.word}[{diagnostic.rule}] {diagnostic.message}"
    first = max(1, diagnostic.span.line - (3 if why else 0))
    last = diagnostic.span.line + (3 if why else 0)
    source = diagnostic.span.source
    return "\n".join([head, *(f"    {n}| {source.line_text(n)}" for n in range(first, last + 1))])


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description="What the rules say of the corpus.")
    parser.add_argument("--rules", default="", help="only these, comma-separated")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="show up to N hits of each rule")
    parser.add_argument("--why", action="store_true", help="with the lines around")
    parser.add_argument("--write", action="store_true", help="write the table into docs/false-alarms.md")
    args = parser.parse_args(argv)
    only = frozenset(filter(None, args.rules.split(",")))
    if unknown := only - set(all_rules()):
        parser.error(f"no such rule: {', '.join(sorted(unknown))}")
    found = list(hits(only))
    files = int(found.pop()[0])
    if args.show or args.why:
        for path, finding in sample(found, args.show or 30):
            print(shown(path, finding.diagnostic, args.why))
    if not args.write:
        print(table(found, files))
        return 0
    with open(PAGE, encoding="utf-8") as file:
        before, _, rest = file.read().partition(BEGIN)
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(before + BEGIN + table(found, files) + END + rest.partition(END)[2])
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
