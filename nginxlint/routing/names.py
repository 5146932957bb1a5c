"""Which server of a socket has a name: the tables nginx keeps server names in."""

from __future__ import annotations

from nginxlint.diagnostic import Severity
from nginxlint.routing.servers import Server

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nginxlint.config import Config
    from nginxlint.syntax import Word


class Names:
    """The names of the servers of one socket, without the regular expressions, as ngx_hash_add_key takes them.

    `.x` is one entry that stands for `x` and `*.x`: nginx takes it or ignores it as a whole. `named` are the servers that
    have a name of their own.
    """

    __slots__ = ("_exact", "_heads", "_tails", "_taken", "named")

    def __init__(self) -> None:
        self.named: set[Server] = set()
        self._exact: dict[str, Server] = {}
        self._heads: dict[str, Server] = {}
        self._tails: dict[str, Server] = {}
        self._taken: dict[str, Server] = {}  # x of every `.x`, that of an ignored one, too

    def add(self, name: str, server: Server) -> Server | None:
        """Put in one more name. If nginx ignores it: the server (perhaps the same) whose name is in its way."""
        other = self._add(lower(name), server)
        if other is None:
            self.named.add(server)
        return other

    def _add(self, name: str, server: Server) -> Server | None:
        if name[:1] == "." and len(name) > 1:
            name = name[1:]
            other = self._exact.get(name) or self._taken.get(name)
            if other is None:
                other = _put(self._heads, name, server)
                self._taken[name] = other or server
                if other is None:
                    self._exact[name] = server
            return other
        if name[:2] == "*." and len(name) > 2:
            return _put(self._heads, name[2:], server)
        if name[-2:] == ".*" and len(name) > 2:
            return _put(self._tails, name[:-2], server)
        return self._taken.get(name) or _put(self._exact, name, server)

    def find(self, host: str) -> tuple[Server, str] | None:
        """The server of a host (lower-case) and how it was found (ngx_hash_find_combined)."""
        server = self._exact.get(host)
        if server is not None:
            return server, f'server_name "{host}" is exactly the host'
        at = host.find(".")
        while at >= 0 and self._heads:
            server = self._heads.get(host[at + 1 :])
            if server is not None:
                return server, f'server_name "*.{host[at + 1 :]}" is the longest leading wildcard'
            at = host.find(".", at + 1)
        at = host.rfind(".")
        while at > 0 and self._tails:
            server = self._tails.get(host[:at])
            if server is not None:
                return server, f'server_name "{host[:at]}.*" is the longest trailing wildcard'
            at = host.rfind(".", 0, at)
        return None


def _put(table: dict[str, Server], name: str, server: Server) -> Server | None:
    """Put it in, unless the name is there: then who has it."""
    other = table.get(name)
    if other is None:
        table[name] = server
    return other


def lower(name: str) -> str:
    """Of letters nginx knows those of ASCII only."""
    return name.lower() if name.isascii() else "".join(c.lower() if c.isascii() else c for c in name)


def wrong_names(config: Config, is_wrong: Callable[[str], bool]) -> Iterator[tuple[Word, Server, Severity]]:
    """The server names that pass a test for those no request can have, with their server, and how bad that is: nothing is
    lost where the server answers all names anyway."""
    for directive in config.saying(lambda values: any(map(is_wrong, values)), "server_name"):
        server = config.server(directive)
        if server is not None:
            severity = Severity.WARNING if config.is_asked_by_name(server) else Severity.INFO
            for word in directive.args:
                if is_wrong(word.text):
                    yield word, server, severity
