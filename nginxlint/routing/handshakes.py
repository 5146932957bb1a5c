"""Which locations hand WebSocket handshakes on: the sets of request headers that hold Upgrade and Connection."""

from __future__ import annotations

from nginxlint.expressions import compiled
from nginxlint.routing.variables import definitions_of, fold, references

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from nginxlint.config import Config
    from nginxlint.routing.passes import Pass
    from nginxlint.syntax import Block, Directive


_NAMED = r"(^|[/.])(wss?|websockets?|socket\.io|sockjs(-node)?|cable|signalr)(/|$)"


def named_for_websockets(pattern: str) -> bool:
    """Is a location of this pattern called as those of WebSockets are?"""
    return compiled(_NAMED).search(pattern) is not None


class Handshake:
    """One set of `proxy_set_header` lines of a `block` in which at least one half of a handshake is sent: `upgrade` and
    `connection` are the lines (None where there is none), `upgrades` says of the latter that it can ask for an upgrade;
    `complete` that the backend gets both halves. `passes` are the targets it holds for."""

    __slots__ = ("_places", "block", "complete", "passes", "upgrades")

    def __init__(self, block: Block, places: dict[str, int], *, complete: bool, upgrades: bool) -> None:
        """`places` are those of the two lines among all of the block."""
        self._places = places
        self.block = block
        self.complete = complete
        self.upgrades = upgrades
        self.passes: list[Pass] = []

    @property
    def upgrade(self) -> Directive | None:
        return self._line("upgrade")

    @property
    def connection(self) -> Directive | None:
        return self._line("connection")

    def _line(self, header: str) -> Directive | None:
        at = self._places.get(header)
        return None if at is None else self.block.named("proxy_set_header")[at]

    def __repr__(self) -> str:
        return f"<handshake {self.block!r}>"


def handshakes(config: Config) -> list[Handshake]:
    """Every such set (nginx drops both headers unless they are set)."""
    decided: dict[str, bool] = {}
    found: dict[Block | None, Handshake] = {}
    sets = config.sets("proxy_set_header")
    for lines in sets:
        places = {values[0].lower(): at for at, values in enumerate(lines) if len(values) == 2}
        said = {name: lines[places[name]][1] for name in ("upgrade", "connection") if name in places}
        if not any(said.values()):
            continue
        asks, text = said.get("upgrade", "") != "", said.get("connection", "")
        for block in sets.members(lines):
            upgrades = decided.get(text)
            if upgrades is None:
                upgrades = text != "" and _can_upgrade(
                    config, block.named("proxy_set_header")[places["connection"]], decided
                )
            if asks or upgrades:
                found[block] = Handshake(block, places, complete=asks and upgrades, upgrades=upgrades)
    for target in config.passes() if found else ():
        setter = target.directive.parent
        if setter not in found:
            setter = config.setter("proxy_set_header", target.directive)
        if setter in found:
            found[setter].passes.append(target)
    return list(found.values())


def _can_upgrade(config: Config, connection: Directive, decided: dict[str, bool]) -> bool:
    """Can the Connection line ask for an upgrade? A value that hangs on the request may. `decided` holds the answers for
    texts that mean the same everywhere."""
    text = connection.values[1]
    values = fold(config, connection, text)
    answer = values is None or any("upgrade" in value.text.lower() for value in values)
    if not any(one.name == "set" for name in references(text) for one in definitions_of(config, name)):
        decided[text] = answer
    return answer
