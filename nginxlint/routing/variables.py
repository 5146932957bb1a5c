"""What a text with variables can become: `set`, `map`, `geo` and `split_clients` followed where they are finite."""

from __future__ import annotations

from nginxlint.expressions import compiled
from nginxlint.syntax import Block, Directive

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from nginxlint.config import Config

REFERENCE = compiled(r"\$(?:\{(\w+)\}|(\w+))")

MAX_VALUES = 64
MAX_DEPTH = 8
_NOT_ENTRIES = {
    "map": ("hostnames", "volatile", "include"),
    "geo": ("ranges", "proxy", "proxy_recursive", "delete", "include", "volatile"),
    "split_clients": ("include",),
}


class Folded:
    """One text a template can become, and the directives (`set`, a map's line) it came from."""

    __slots__ = ("origins", "text")

    def __init__(self, text: str, origins: tuple[Directive, ...] = ()) -> None:
        self.text = text
        self.origins = origins

    def __repr__(self) -> str:
        return f"Folded({self.text!r})"


def references(text: str) -> list[str]:
    """The names of the variables in a text, lower-cased as nginx keeps them, in order."""
    return [(match[1] or match[2]).lower() for match in REFERENCE.finditer(text)]


def fold(config: Config, place: Directive, text: str, depth: int = 0) -> list[Folded] | None:
    """Everything `text` can become at `place`; None where that depends on the request (or on too much)."""
    if "$" not in text:
        return [Folded(text)]
    if depth > MAX_DEPTH:
        return None
    results = [Folded("")]
    at = 0
    for match in REFERENCE.finditer(text):
        values = values_of(config, place, (match[1] or match[2]).lower(), depth + 1)
        if values is None or len(results) * len(values) > MAX_VALUES:
            return None
        literal = text[at : match.start()]
        results = [
            Folded(head.text + literal + value.text, head.origins + value.origins)
            for head in results
            for value in values
        ]
        at = match.end()
    tail = text[at:]
    return [Folded(result.text + tail, result.origins) for result in results] if tail else results


def values_of(config: Config, place: Directive, name: str, depth: int = 0) -> list[Folded] | None:
    """Everything the variable `name` (without `$`) can be at `place`, or None. An empty list: nothing defines it."""
    found: list[Folded] = []
    definitions = definitions_of(config, name)
    if not definitions:
        return None
    assigned = _reaching(config, place, name)
    if assigned and config.runs_code:
        return None  # ngx.var.NAME = …, r.variables.NAME = …
    for directive in assigned:
        values = fold(config, directive, directive.values[1], depth)
        if values is None:
            return None
        found.extend(Folded(value.text, (directive, *value.origins)) for value in values)
    for directive in config.other_definitions(name):
        if directive.name in _NOT_ENTRIES and isinstance(directive, Block):
            values = _block_values(config, directive, depth)
            if values is None:
                return None
            found.extend(values)
        else:
            return None
    unique = {value.text: value for value in reversed(found)}
    return list(unique.values())[::-1][:MAX_VALUES] if unique else None


def definitions_of(config: Config, name: str) -> list[Directive]:
    """The directives that give the variable `name` a value: `set`, `map`, `geo`, `split_clients` and the like."""
    return config.variable_definitions().get(name, [])


def _reaching(config: Config, place: Directive, name: str) -> list[Directive]:
    """The `set`s that can run before `place`: those of its location and of its server (and in an `if` there; those of
    a location around its own never run for it). An unconditional one of the location hides those of the server. Where
    there are none, those anywhere in its server."""
    own = place if isinstance(place, Block) and place.name in ("location", "server") else None
    location = own if own is not None else place.enclosing("location", "server")
    if location is None:
        return []
    server = location if location.name == "server" else location.enclosing("server")
    assigned = config.assignments(name).get(server, [])
    near = [directive for directive in assigned if _holder(directive) is location]
    if not any(directive.parent is location for directive in near):
        near += [directive for directive in assigned if _holder(directive) is server and directive not in near]
    return near or (assigned if server is not None else [])


def _holder(directive: Directive) -> Block | None:
    """The server or location a `set` belongs to, through the `if` around it."""
    block = directive.parent
    while block is not None and block.name == "if":
        block = block.parent
    return block


def _block_values(config: Config, block: Block, depth: int) -> list[Folded] | None:
    """The results of a map, geo or split_clients block."""
    found: list[Folded] = []
    has_default = block.name == "split_clients"
    for line in block.body:
        if line.name in _NOT_ENTRIES[block.name]:
            if line.name == "include":
                return None
            continue
        has_default = has_default or line.name == "default"
        if len(line.values) != 1:
            continue
        text = line.values[0]
        if "$" in text and (line.name.startswith("~") or compiled(r"\$\d").search(text)):
            return None  # a capture of the map's own regular expression
        values = fold(config, line, text, depth)
        if values is None:
            return None
        found.extend(Folded(value.text, (line, *value.origins)) for value in values)
    if not has_default:
        found.append(Folded("", (block,)))
    return found
