"""The routing of a configuration as a graph: listen → server → location → upstream group → address.

What leads to the same place is one node, so that the picture stays readable however many locations there are.
"""

from __future__ import annotations

from nginxlint.routing.destinations import Destination, destinations
from nginxlint.routing.match import PASSES, own_handler
from nginxlint.routing.passes import Pass
from nginxlint.routing.servers import Location, Server
from nginxlint.syntax import Block, Directive

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from collections.abc import Iterator

    from nginxlint.config import Config

KINDS = ("listen", "server", "location", "group", "address")
SHOWN = 3  # lines of a node that stands for many
MAX_LOCATIONS = 40  # nodes for the locations of one server
_PORTS = {"http": 80, "https": 443, "$scheme": 80}


class Node:
    """A box: `lines` is what it says, `whole` everything it stands for; `verdict` is what probing found (ok, degraded,
    failed, unknown), empty where nothing was probed."""

    __slots__ = ("id", "kind", "lines", "verdict", "whole")

    def __init__(self, id: str, kind: str, lines: list[str]) -> None:
        self.id = id
        self.kind = kind
        self.whole = lines
        more = len(lines) - SHOWN
        self.lines = lines if more <= 1 else [*lines[:SHOWN], f"and {more} more"]
        self.verdict = ""


class Graph:
    """Nodes in the order they are met, and edges between their ids."""

    __slots__ = ("_by_key", "_edges", "nodes")

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._by_key: dict[tuple[object, ...], Node] = {}
        self._edges: dict[tuple[str, str], None] = {}

    @property
    def edges(self) -> list[tuple[str, str]]:
        return list(self._edges)

    def node(self, kind: str, key: object, lines: list[str]) -> Node:
        """The node of that kind and key; made where it is new."""
        known = self._by_key.get((kind, key))
        if known is None:
            known = self._by_key[kind, key] = Node(f"n{len(self.nodes) + 1}", kind, lines)
            self.nodes.append(known)
        return known

    def join(self, left: Node, right: Node) -> None:
        self._edges.setdefault((left.id, right.id))

    def colour(self, verdicts: dict[str, str]) -> None:
        """Note what probing found, by `host:port` or `unix:PATH`."""
        for node in self.nodes:
            if node.kind == "address":
                node.verdict = verdicts.get(node.whole[0], "")


def picture(config: Config, max_locations: int = MAX_LOCATIONS) -> Graph:
    """The graph of all servers, http and stream."""
    graph = Graph()
    drawn = _Drawing(config, graph, max_locations)
    for server in config.servers:
        drawn.server(server)
    return graph


class _Drawing:
    def __init__(self, config: Config, graph: Graph, max_locations: int) -> None:
        self.config = config
        self.graph = graph
        self.max_locations = max_locations

    def server(self, server: Server) -> None:
        names = [word.text for word in server.names] or [f"{server.kind} server, no name"]
        box = self.graph.node("server", server, names)
        for listen in server.listens:
            text = f"{listen.socket} ssl" if listen.ssl and not listen.socket.startswith("udp") else listen.socket
            self.graph.join(self.graph.node("listen", listen.socket, [text]), box)
        if server.kind == "stream":
            for end in self._ends(server.block):
                self.graph.join(box, end)
            return
        self._locations(server, box)

    def _locations(self, server: Server, box: Node) -> None:
        """Locations that lead to the same places are one node; beyond the limit all others are one."""
        alike: dict[tuple[str, ...], list[str]] = {}
        ends: dict[tuple[str, ...], list[Node]] = {}
        for location in server.all_locations():
            found = self._ends(location.block)
            said = [] if found else [_answer(location)]
            key = (*(end.id for end in found), *said)
            alike.setdefault(key, []).append(" ".join(location.block.values))
            ends.setdefault(key, found)
        keys = list(alike)
        for number, key in enumerate(keys):
            crowd = number >= self.max_locations - 1 and len(keys) > self.max_locations
            if crowd:
                rest = [pattern for other in keys[number:] for pattern in alike[other]]
                node = self.graph.node("location", (server, "rest"), [f"{len(rest)} more locations", *rest][:1])
                node.whole = rest
            else:
                lines = alike[key] if ends[key] else [f"{pattern} → {key[-1]}" for pattern in alike[key]]
                node = self.graph.node("location", (server, key), lines)
            self.graph.join(box, node)
            for other in keys[number:] if crowd else [key]:
                for end in ends[other]:
                    self.graph.join(node, end)
            if crowd:
                return

    def _ends(self, block: Block) -> list[Node]:
        """The nodes that the passes of a block lead to; those in its `if` and `limit_except` count."""
        result: dict[str, Node] = {}
        for directive in _passes(block):
            target = Pass(directive)
            found = destinations(self.config, target)
            if found is None:
                node = self.graph.node("address", target.text, [target.text, "depends on the request"])
                result.setdefault(node.id, node)
            for end in found or ():
                node = self._end(target, end)
                result.setdefault(node.id, node)
        return list(result.values())

    def _end(self, target: Pass, end: Destination) -> Node:
        group = self.config.upstream(end.host, target.kind) if end.port is None and end.unix is None else None
        if group is None:
            return self._address(end.host, end.port or _PORTS.get(end.scheme), end.unix)
        node = self.graph.node("group", group, [group.name])
        for peer in group.peers:
            self.graph.join(node, self._address(peer.host, peer.port or 80, peer.unix))
        return node

    def _address(self, host: str, port: int | None, unix: str | None) -> Node:
        shown = f"[{host}]" if ":" in host else host
        label = f"unix:{unix}" if unix is not None else shown if port is None else f"{shown}:{port}"
        return self.graph.node("address", label, [label])


def _passes(block: Block) -> Iterator[Directive]:
    own = own_handler(block)
    if own is not None and own.name in PASSES and own.values:
        yield own
    for inner in block.blocks("if", "limit_except"):
        yield from _passes(inner)


def _answer(location: Location) -> str:
    """What a location without a pass does, in one or two words."""
    block = location.block
    returned = block.child("return")
    if returned is not None:
        return " ".join(("return", *returned.values[:1]))
    own = own_handler(block)
    if own is not None:
        return own.name
    for name in ("try_files", "rewrite", "alias"):
        if block.child(name) is not None:
            return name
    return "files"
