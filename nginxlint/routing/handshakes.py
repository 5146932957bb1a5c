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
    `connection` are the lines (None where there is none). `passes` are the targets it holds for."""

    __slots__ = ("block", "connection", "passes", "upgrade", "upgrades")

    def __init__(self, block: Block, upgrade: Directive | None, connection: Directive | None, upgrades: bool) -> None:
        self.block = block
        self.upgrade = upgrade
        self.connection = connection
        self.upgrades = upgrades
        self.passes: list[Pass] = []

    @property
    def complete(self) -> bool:
        """Does the backend get both halves? `upgrades` says it of the Connection line."""
        return self.upgrade is not None and bool(self.upgrade.values[1]) and self.upgrades

    def __repr__(self) -> str:
        return f"<handshake {self.block!r}>"


def handshakes(config: Config) -> list[Handshake]:
    """Every such set (nginx drops both headers unless they are set)."""
    decided: dict[str, bool] = {}
    found: dict[Block | None, Handshake] = {}
    for lines, blocks in config.sets("proxy_set_header").groups():
        places = {values[0].lower(): at for at, values in enumerate(lines) if len(values) == 2}
        if not any(lines[at][1] for name, at in places.items() if name in ("upgrade", "connection")):
            continue
        for block in blocks:
            own = block.named("proxy_set_header")
            upgrade = own[places["upgrade"]] if "upgrade" in places else None
            connection = own[places["connection"]] if "connection" in places else None
            upgrades = connection is not None and _can_upgrade(config, connection, decided)
            if upgrades or (upgrade is not None and upgrade.values[1]):
                found[block] = Handshake(block, upgrade, connection, upgrades)
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
    if "$" not in text:
        return "upgrade" in text.lower()
    if text in decided:
        return decided[text]
    values = fold(config, connection, text)
    answer = values is None or any("upgrade" in value.text.lower() for value in values)
    if not any(one.name == "set" for name in references(text) for one in definitions_of(config, name)):
        decided[text] = answer
    return answer
