"""`nginxlint targets`: what a configuration makes nginx talk to, and how."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from nginxlint.cli.arguments import HelpFormatter, Parser
from nginxlint.cli.configuration import add_input_options, read_configurations
from nginxlint.cli.output import write_out
from nginxlint.online.inventory import inventory
from nginxlint.reports.text import encodable_document, visible

INCOMPLETE = 3


def run(argv: Sequence[str]) -> int:
    """0: listed; 2: wrong use; 3: listed, but a part of the configuration could not be read."""
    args = parser().parse_args(list(argv))
    found = read_configurations(args, args.path)
    rows: list[dict[str, Any]] = []
    for number, (_, config) in enumerate(found, 1):
        rows += inventory(config, f"{number}." if len(found) > 1 else "")
    write_out(
        json.dumps(encodable_document({"targets": rows}), indent=2) + "\n" if args.output == "json" else _table(rows)
    )
    return INCOMPLETE if any(config.partial and not config.snippet for _, config in found) else 0


def _table(rows: list[dict[str, Any]]) -> str:
    head = ("DIRECTIVE", "TARGET", "GROUP", "RESOLVED", "TLS", "HOST", "TIMEOUTS", "USED AT")
    cells = [head, *(tuple(visible(cell) for cell in _cells(row)) for row in rows)]
    widths = [min(max(len(line[column]) for line in cells), 48) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    lines.append("1 target" if len(rows) == 1 else f"{len(rows)} targets")
    return "\n".join(lines) + "\n"


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    host = f"[{row['host']}]" if ":" in row["host"] and not row["host"].startswith("unix:") else row["host"]
    target = f"{row['scheme']}://{host}" + (f":{row['port']}" if row["port"] is not None else "") + row["path"]
    role = row["role"] or {}
    marks = " ".join(mark for mark in ("backup", "down") if role.get(mark))
    tls = row["tls"]
    shown = "-" if tls is None else f"sni {tls['sni'] or 'none'}, {'verified' if tls['verify'] else 'not verified'}"
    limits = row["timeouts"]
    uses = [f"{place['path']}:{place['line']}" for place in row["used_at"]]
    chain = "".join(f" by {step['by']}" for step in row["reached_by"])
    note = f" ({row['note']})" if row["note"] else ""
    resolved = row["resolution"] + (f" by {', '.join(row['resolver'])}" if row["resolver"] else "")
    return (
        row["directive"],
        target,
        f"{row['upstream'] or '-'} {marks}".strip(),
        resolved,
        shown,
        row["host_header"] or "-",
        "-" if limits is None else f"{limits['connect']:g}s/{limits['read']:g}s",
        ", ".join(uses[:2]) + (f" and {len(uses) - 2} more" if len(uses) > 2 else "") + chain + note,
    )


def parser() -> Parser:
    made = Parser(
        prog="nginxlint targets",
        description="List what nginx would talk to: every *_pass target and peer, resolvers, mail's auth_http. Sends nothing.",
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("path", nargs="?", default="", metavar="PATH", help="the configuration (default: /etc/nginx)")
    made.add_argument("-o", "--output", choices=("table", "json"), default="table")
    add_input_options(made)
    return made
