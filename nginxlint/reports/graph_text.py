"""The routing graph as Mermaid and as Graphviz dot."""

from __future__ import annotations

from nginxlint.reports.text import visible
from nginxlint.routing.picture import KINDS, Graph, Node

COLOURS = {"ok": "#2e7d32", "degraded": "#b26a00", "failed": "#c62828", "unknown": "#757575"}


def mermaid(graph: Graph) -> str:
    """A flowchart; GitHub and GitLab draw it in Markdown."""
    shapes = {"listen": ('(["', '"])'), "group": ('{{"', '"}}'), "address": ('[("', '")]')}
    lines = ["flowchart LR"]
    for node in graph.nodes:
        left, right = shapes.get(node.kind, ('["', '"]'))
        lines.append(f"  {node.id}{left}{'<br>'.join(_for_mermaid(line) for line in node.lines)}{right}")
    lines += [f"  {left} --> {right}" for left, right in graph.edges]
    for verdict, colour in COLOURS.items():
        ids = [node.id for node in graph.nodes if node.verdict == verdict]
        if ids:
            lines.append(f"  classDef {verdict} stroke:{colour},stroke-width:3px")
            lines.append(f"  class {','.join(ids)} {verdict}")
    return "\n".join(lines) + "\n"


def dot(graph: Graph) -> str:
    """A digraph, one rank for each kind."""
    lines = ["digraph routing {", "  rankdir=LR;", '  node [shape=box, fontname="sans-serif", fontsize=10];']
    for kind in KINDS:
        nodes = [node for node in graph.nodes if node.kind == kind]
        if nodes:
            lines.append("  { rank=same; " + " ".join(f"{node.id};" for node in nodes) + " }")
    lines += [f"  {node.id} [label={_for_dot(node)}{_colour(node)}];" for node in graph.nodes]
    lines += [f"  {left} -> {right};" for left, right in graph.edges]
    return "\n".join([*lines, "}", ""])


def _for_mermaid(text: str) -> str:
    """Every character that Mermaid or HTML would read as its own becomes an entity."""
    return "".join(c if c.isalnum() or c in " ./:-_*~,→" else f"#{ord(c)};" for c in visible(text))


def _for_dot(node: Node) -> str:
    lines = [visible(line).replace("\\", "\\\\").replace('"', '\\"') for line in node.lines]
    return '"' + "\\n".join(lines) + '"'


def _colour(node: Node) -> str:
    return f', color="{COLOURS[node.verdict]}", penwidth=3' if node.verdict in COLOURS else ""
