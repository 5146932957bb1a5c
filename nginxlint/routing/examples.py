"""Requests made up from names and patterns: a host that selects a server, paths that select a location."""

from __future__ import annotations

from nginxlint.pattern import shapes
from nginxlint.routing.request import Request
from nginxlint.routing.servers import Location, Server

MAX_EXAMPLES = 8


def example_hosts(server: Server) -> list[str]:
    """Host names that select a server, as far as its own can be imitated; never none."""
    hosts = []
    for name in (word.text for word in server.names):
        if name.startswith("~"):
            hosts += [shape.example for shape in shapes(name[1:]) or () if shape.example][:1]
        elif name not in ("", "_"):
            hosts.append(name.replace("*", "example").removeprefix("."))
    return list(dict.fromkeys(hosts)) or ["example.test"]


def example_uris(location: Location) -> list[str]:
    """Paths that may select a location; for a regular expression some that its shapes suggest."""
    if location.modifier == "@":
        return []
    if not location.is_regex:
        return [location.pattern] if location.modifier == "=" else [location.pattern + "x", location.pattern]
    return paths_of(location.pattern)


def paths_of(pattern: str, below: str = "/") -> list[str]:
    """Paths that a regular expression may match, as its shapes suggest; `below`: what they had better begin with."""
    base = below.rstrip("/")
    found = []
    for shape in shapes(pattern) or ():
        text = shape.example
        if not (shape.start and shape.runs[0]) and not text.startswith(below):
            text = f"{base}{text}" if text.startswith("/") else f"{base}/x{text}"
        found.append(text)
    return [text for text in dict.fromkeys((*found[: MAX_EXAMPLES - 1], f"{base}/x")) if text.startswith("/")]


def example_request(server: Server, uri: str, host: str = "") -> Request:
    """A visitor's request for a path of a server, on the first of its sockets; by the first of its names, or `host`."""
    listen = next((one for one in server.listens if not one.udp), server.listens[0])
    return Request(
        uri,
        host=host or example_hosts(server)[0],
        scheme="https" if listen.ssl else "http",
        port=listen.port,
        address=listen.address,
        client="192.0.2.1",
    )
