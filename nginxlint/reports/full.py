"""The report `full`: every finding with its excerpt, marks, related places and what to do, then a summary."""

from __future__ import annotations

import os

from nginxlint.reports.excerpt import Mark, draw
from nginxlint.reports.summary import summary
from nginxlint.reports.text import PLAIN, Style, visible, wrapped
from nginxlint.result import Finding, Run
from nginxlint.source import Span
from nginxlint.syntax import Block

_EXAMPLES = 3


def render(run: Run, style: Style = PLAIN, *, quiet: bool = False) -> str:
    """The whole report; `quiet`: without the summary, unless the analysis is incomplete."""
    parts = [_finding(finding, style) for finding in run.shown()]
    if not quiet or not run.complete:
        parts.append(summary(run, style))
    return style.final("\n".join(parts))


_CRUMBS = 5  # deeper nesting is shown by its ends


def breadcrumb(blocks: list[Block]) -> str:
    """`server app.example.com:80 › location /api/`."""
    shown = [block for block in blocks if block.name != "http"] or blocks
    words = [visible(_crumb(block)) for block in shown]
    if len(words) > _CRUMBS:
        words = [*words[: _CRUMBS - 2], "…", words[-1]]
    return " › ".join(words)


def _crumb(block: Block) -> str:
    if block.name != "server":
        text = " ".join((block.name, *block.values))
        return text if len(text) <= 60 else text[:59] + "…"
    names = [value for directive in block.children("server_name") for value in directive.values]
    listens = [directive.values[0] for directive in block.children("listen") if directive.values]
    name = names[0] if names else ""
    where = listens[0] if listens else "80"
    where = where.rpartition(":")[2] if name and not where.startswith("unix:") else where
    return f"server {name}:{where}" if name else f"server {':' if where.isdigit() else ''}{where}"


def _finding(finding: Finding, style: Style) -> str:
    diagnostic = finding.diagnostic
    span = diagnostic.span
    word = diagnostic.severity.word
    head = style.paint(word, f"{word}[{diagnostic.rule}]")
    lines = [f"{head} {style.paint('bold', visible(diagnostic.message))}"]
    marks = [Mark(span, diagnostic.label, primary=True)]
    marks.extend(Mark(note.span, note.label, primary=False) for note in diagnostic.related)
    gutter = len(str(max(mark.span.end_line for mark in marks)))
    margin = " " * gutter
    place = _place(span, style)
    crumbs = breadcrumb(finding.blocks())
    lines.append(f"{margin}{style.paint('dim', '-->')} {place}{'    ' + crumbs if crumbs else ''}")
    bar = f"{margin} {style.paint('dim', '|')}"
    lines.append(bar)
    for index, group in enumerate(_by_file(marks)):
        if index:
            lines.extend((bar, f"{margin} {style.paint('dim', ':::')} {_place(group[0].span, style)}", bar))
        lines.extend(draw(group, gutter, word, style))
    lines.append(bar)
    for kind, text in _remarks(finding):
        lead = f"{margin} = {kind}: "
        rows = wrapped(text, max(30, style.width - len(lead)))
        painted = f"{margin} {style.paint('dim', '=')} {style.paint('help' if kind == 'help' else 'bold', kind)}: "
        lines.append(painted + visible(rows[0]))
        lines.extend(" " * len(lead) + visible(row) for row in rows[1:])
    return "\n".join(lines) + "\n"


def _place(span: Span, style: Style) -> str:
    text = f"{visible(span.source.path)}:{span.line}:{span.column}"
    if not style.links:
        return text
    path = os.path.abspath(span.source.path).encode("utf-8", "surrogateescape")
    quoted = "".join(
        chr(b) if chr(b).isascii() and (chr(b).isalnum() or chr(b) in "/._-~") else f"%{b:02X}" for b in path
    )
    return style.link(f"file://{quoted}", text)


def _by_file(marks: list[Mark]) -> list[list[Mark]]:
    """The marks by the file they stand in, the primary one's file first."""
    groups: dict[str, list[Mark]] = {}
    for mark in marks:
        groups.setdefault(mark.span.source.path, []).append(mark)
    return list(groups.values())


def _remarks(finding: Finding) -> list[tuple[str, str]]:
    """The lines below the excerpt."""
    diagnostic = finding.diagnostic
    remarks = [("note", text) for text in _notes(finding)]
    remarks.extend(("help", text) for text in diagnostic.help)
    if not diagnostic.help:
        for fix in diagnostic.fixes[:1]:
            remarks.append(("help", fix.title))
    return remarks


def _notes(finding: Finding) -> list[str]:
    diagnostic = finding.diagnostic
    notes = []
    if diagnostic.nginx_message and diagnostic.blocks_start:
        notes.append(f"nginx will not start or reload: {diagnostic.nginx_message}")
    elif diagnostic.blocks_start:
        notes.append("nginx will not start or reload with this")
    servers = finding.servers()
    if len(servers) > 1:
        names = ", ".join(dict.fromkeys(_crumb(block).removeprefix("server ") for block in servers[:_EXAMPLES]))
        notes.append(f"seen in {len(servers)} servers, for example {names}")
    elif len(finding.seen_at) > 1:
        notes.append(f"seen at {len(finding.seen_at)} places that include this file")
    chain = diagnostic.span.source.include_chain()
    if chain:
        where = ", which is included at ".join(f"{include.source.path}:{include.line}" for include in reversed(chain))
        notes.append(f"{diagnostic.span.source.path} is included at {where}")
    return notes
