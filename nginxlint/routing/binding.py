"""The sockets nginx binds when it starts, and those the kernel refuses because of one that is bound already."""

from __future__ import annotations

from nginxlint.routing.servers import Listen, parse_listen
from nginxlint.syntax import Block, Directive

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from collections.abc import Iterator

    from nginxlint.config import Config

_KINDS = ("http", "stream", "mail")
_FEW = 16  # addresses on one port; nobody has more that do not share a wildcard


class Bound:
    """One socket nginx binds: the `listen`s that share it, in http, stream or mail."""

    __slots__ = ("kind", "listens")

    def __init__(self, listen: Listen, kind: str) -> None:
        self.listens = [listen]
        self.kind = kind

    @property
    def listen(self) -> Listen:
        """The first one, which names it."""
        return self.listens[0]

    def says(self, option: str) -> bool:
        return any(option in listen.options for listen in self.listens)

    @property
    def family(self) -> str:
        address = self.listen.address
        return "unix" if address.startswith("unix:") else "6" if address.startswith("[") else "4"

    @property
    def wildcard(self) -> bool:
        return self.listen.address in ("*", "[::]")

    def excludes(self, other: Bound) -> bool:
        """Does the kernel refuse to bind one of them after the other?"""
        if self.says("reuseport") and other.says("reuseport"):
            return False
        if self.family == other.family:
            return self.listen.address == other.listen.address or self.wildcard or other.wildcard
        six, four = (self, other) if self.family == "6" else (other, self)
        return four.family == "4" and six.family == "6" and six.wildcard and six.says("ipv6only=off")


def bind_conflicts(config: Config) -> list[tuple[Bound, Bound]]:
    """The sockets of which a start fails ("Address already in use", which `nginx -t` does not mind), each with the one
    that is bound before it."""
    seen: dict[tuple[bool, int, int], list[Bound]] = {}
    found: list[tuple[Bound, Bound]] = []
    for bound in _in_order(config):
        listen = bound.listen
        before = seen.setdefault((listen.udp, listen.port, listen.last_port), [])
        other = next((one for one in before if bound.excludes(one)), None)
        if other is not None:
            found.append((bound, other))
        elif len(before) < _FEW:
            before.append(bound)
    return found


def _in_order(config: Config) -> Iterator[Bound]:
    """What nginx binds, in its order (ngx_http_optimize_servers): a block with all its ports after the other, on each
    port what is bound on its own first; a wildcard takes the place of the rest."""
    ports: dict[tuple[Block, bool, str, int, int], dict[str, Bound]] = {}
    for directive in _listens(config):
        listen = parse_listen(directive)
        around = directive.parent.parent if directive.parent else None
        if around is None:
            continue
        bound = Bound(listen, around.name)
        key = (around, listen.udp, bound.family, listen.port, listen.last_port)
        if (known := ports.setdefault(key, {}).setdefault(listen.address, bound)) is not bound:
            known.listens.append(listen)
    order = {block: index for index, block in enumerate(config.main.body)}
    for key in sorted(ports, key=lambda key: order.get(key[0], 0)):
        here = list(ports[key].values())
        wildcard = next((one for one in here if one.wildcard), None)
        if wildcard is None:
            yield from here
        else:
            yield from (one for one in here if one is not wildcard and any(of.sets_socket for of in one.listens))
            yield wildcard


def _listens(config: Config) -> Iterator[Directive]:
    for directive in config.find("listen"):
        server = directive.parent
        if server is not None and server.name == "server" and server.parent and server.parent.name in _KINDS:
            yield directive
