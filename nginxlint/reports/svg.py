"""The routing graph as a picture of its own: columns from listen to address, drawn through a jinja2 template."""

from __future__ import annotations

import os

from nginxlint.reports.graph_text import COLOURS
from nginxlint.reports.text import visible
from nginxlint.routing.picture import KINDS, Graph, Node

TITLES = {"listen": "listen", "server": "server", "location": "location", "group": "upstream", "address": "address"}
_LETTER = 6.7  # the width of a character of the font, in pixels
_LINE = 15
_PADDING = 8
_BETWEEN = 12  # two boxes of a column
_GAP = 110  # two columns
_LONGEST = 42  # characters of a line
_TOP = 64
_MARGIN = 24
_ROUNDS = 3


class Box:
    """A node with its place."""

    __slots__ = ("colour", "height", "kind", "lines", "title", "width", "x", "y")

    def __init__(self, node: Node) -> None:
        self.kind = node.kind
        self.lines = [_short(visible(line)) for line in node.lines]
        self.title = visible("\n".join([*node.whole, *([node.verdict] if node.verdict else [])])).replace("\\n", "\n")
        self.colour = COLOURS.get(node.verdict, "")
        self.width = 0.0
        self.height = len(self.lines) * _LINE + 2 * _PADDING
        self.x = 0.0
        self.y = 0.0


def render(graph: Graph, title: str) -> str:
    """The picture as SVG; everything in it is escaped by the template."""
    from jinja2 import Environment, FileSystemLoader

    boxes = {node.id: Box(node) for node in graph.nodes}
    columns = [[node.id for node in graph.nodes if node.kind == kind] for kind in KINDS]
    headings = _place(boxes, columns, graph.edges)
    environment = Environment(
        loader=FileSystemLoader(os.path.dirname(os.path.abspath(__file__))),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    right = max((box.x + box.width for box in boxes.values()), default=300.0)
    bottom = max((box.y + box.height for box in boxes.values()), default=float(_TOP))
    used = {node.verdict for node in graph.nodes}
    return environment.get_template("graph.svg.j2").render(
        title=visible(title),
        width=round(right + _MARGIN),
        height=round(bottom + _MARGIN),
        headings=headings,
        boxes=list(boxes.values()),
        curves=[_curve(boxes[left], boxes[right]) for left, right in graph.edges],
        legend=[(word, colour) for word, colour in COLOURS.items() if word in used],
        line=_LINE,
        padding=_PADDING,
    )


def _place(boxes: dict[str, Box], columns: list[list[str]], edges: list[tuple[str, str]]) -> list[tuple[float, str]]:
    """Give every box its place; the headings of the columns that are not empty, with theirs."""
    headings = []
    x = float(_MARGIN)
    for kind, ids in zip(KINDS, columns, strict=True):
        if not ids:
            continue
        width = max(max(len(line) for line in boxes[id].lines) for id in ids) * _LETTER + 2 * _PADDING
        headings.append((x, TITLES[kind]))
        for id in ids:
            boxes[id].x, boxes[id].width = x, width
        x += width + _GAP
    before: dict[str, list[str]] = {id: [] for id in boxes}
    behind: dict[str, list[str]] = {id: [] for id in boxes}
    for left, right in edges:
        behind[left].append(right)
        before[right].append(left)
    listens, servers, locations, groups, addresses = columns
    rank = {id: number for number, id in enumerate(servers)}
    for ids in columns:
        _stack(boxes, ids)
    for _ in range(_ROUNDS):  # locations stay with their server; what they lead to follows them, and they follow it
        locations.sort(key=lambda id: (rank[before[id][0]], _middle(boxes, id, behind[id])))
        _stack(boxes, locations)
        for ids in (groups, addresses):
            middles = {id: _middle(boxes, id, before[id]) for id in ids}
            ids.sort(key=lambda id: middles[id])
            _stack(boxes, ids, middles)
    for ids in (servers, listens):
        middles = {id: _middle(boxes, id, behind[id]) for id in ids}
        ids.sort(key=lambda id: middles[id])
        _stack(boxes, ids, middles)
    top = min((box.y for box in boxes.values()), default=0.0)
    for box in boxes.values():
        box.y += _TOP - top
    return headings


def _middle(boxes: dict[str, Box], id: str, near: list[str]) -> float:
    around = [boxes[other].y + boxes[other].height / 2 for other in near]
    return sum(around) / len(around) if around else boxes[id].y + boxes[id].height / 2


def _stack(boxes: dict[str, Box], ids: list[str], middles: dict[str, float] | None = None) -> None:
    """One below the other, each as near to where it wants to be as those above allow; then back by the mean delay."""
    y = delay = 0.0
    for number, id in enumerate(ids):
        box = boxes[id]
        wanted = middles[id] - box.height / 2 if middles is not None else y
        box.y = wanted if number == 0 else max(y, wanted)
        delay += box.y - wanted
        y = box.y + box.height + _BETWEEN
    for id in ids:
        boxes[id].y -= delay / len(ids)


def _curve(left: Box, right: Box) -> str:
    x1, y1 = left.x + left.width, left.y + left.height / 2
    x2, y2 = right.x, right.y + right.height / 2
    bend = min(_GAP * 0.6, (x2 - x1) / 2)
    return f"M{x1:.1f} {y1:.1f} C{x1 + bend:.1f} {y1:.1f} {x2 - bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
