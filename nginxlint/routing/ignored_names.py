"""The server names that nginx ignores ("conflicting server name"): another one on the same socket is there before."""

from __future__ import annotations

from itertools import chain

from nginxlint.catalogue.target import STREAM_LIKE_HTTP
from nginxlint.routing.names import Names, lower
from nginxlint.routing.servers import Listen, Server, read_listen
from nginxlint.syntax import Block, Directive, Word

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from collections.abc import Iterator

    from nginxlint.config import Config

_UNNAMED = ("",)
_ANY = "?"  # a label that no name has
_Lines = tuple[tuple[str, ...], ...]  # the arguments of all `listen`s of a server
_Socket = tuple[str, str, int]  # http or stream, its address, the last port of a range


class IgnoredNames:
    """The names of `server` that nginx ignores because `other` (perhaps the same server) has them already, on the
    sockets `listens`.

    `words` are these names, None for the empty name of a server without `server_name`. `lost` are the hosts (or forms
    as `*.x`) that no name brings here in their place: a repetition within one server mostly loses nothing. `default`:
    the server answers what has no name there. `dead`: it has no name left there and is not the default.
    """

    __slots__ = ("dead", "default", "listens", "lost", "other", "server", "words")

    def __init__(self, server: Server, other: Server) -> None:
        self.server = server
        self.other = other
        self.listens: list[Listen] = []
        self.words: list[Word | None] = []
        self.lost: dict[str, None] = {}
        self.default = True
        self.dead = True

    def note(self, words: list[Word | None], listens: list[Listen], table: Names, defaults: set[Server]) -> None:
        """Say that the names are ignored on some more sockets, too, which have that table and these default servers."""
        self.listens += listens
        self.words = list(dict.fromkeys((*self.words, *words)))
        self.default = self.default and defaults == {self.server}
        self.dead = self.dead and self.server not in table.named and self.server not in defaults
        for host in _hosts(words):
            found = table.find(host.replace("*", _ANY))
            if found is None:
                lost = self.server is self.other or defaults != {self.server}
            else:
                lost = found[0] is not self.server
            if lost:
                self.lost.setdefault(host)

    @property
    def logged(self) -> Iterator[str]:
        """What nginx says of them."""
        for word in self.words:
            name = "" if word is None else lower(word.text)
            for listen in self.listens:
                yield f'conflicting server name "{name}" on {listen.address_text}, ignored'

    @property
    def includes(self) -> tuple[Directive, Directive] | None:
        """The two `include`s that read the same server twice, if it is for that that its names are ignored."""
        first, second = self.other.block, self.server.block
        one, two = first.source.included_at, second.source.included_at
        if one is None or two is None or one is two:
            return None
        if first.source.path != second.source.path and _text(first) != _text(second):
            return None
        while (one.source.path, one.start) == (two.source.path, two.start):  # the file around was read twice
            one, two = one.source.included_at, two.source.included_at
            if one is None or two is None:
                return None
        return one, two

    def __repr__(self) -> str:
        return f"<ignored {self.words} of {self.server!r}>"


def _text(block: Block) -> str:
    return block.source.text[block.start : block.close]


def ignored_names(config: Config) -> list[IgnoredNames]:
    """Every name of a server that nginx does not use, because it is there already on a socket of that server."""
    listens, group_of = _groups(config)
    said = _names_of_groups(config, len(listens), group_of)
    # most names are in lower case, and stand for themselves only
    plain = "\0." not in config.said("server_name") and not config.has_capitals("server_name")
    found: dict[tuple[Server, Server], IgnoredNames] = {}
    members: list[list[tuple[int, Server]]] = []
    for groups, here in _sockets(listens):
        names = list(chain.from_iterable([said[group] for group in groups]))
        # dicts here and below: a set of ten thousand has four times the size
        if plain and len(dict.fromkeys(chain.from_iterable(names))) == sum(map(len, names)):
            continue
        if not members:
            members = [[] for _ in said]
            for index, server in enumerate(config.servers):
                members[group_of.get(server.block, -1)].append((index, server))
        servers = [server for _, server in sorted(chain.from_iterable([members[group] for group in groups]))]
        if len(servers) < 2:
            continue  # names are looked up where servers share a socket
        table, ignored = _table(servers)
        first = {config.listeners.at(servers[0], one).default for one in here}
        for (server, other), words in ignored.items():
            entry = found.get((server, other))
            if entry is None:
                entry = found[server, other] = IgnoredNames(server, other)
            entry.note(words, here, table, first)
    return list(found.values())


def _table(servers: list[Server]) -> tuple[Names, dict[tuple[Server, Server], list[Word | None]]]:
    """The names of the servers of one socket, and those that are ignored: by whose they are, and who has them."""
    table = Names()
    ignored: dict[tuple[Server, Server], list[Word | None]] = {}
    for server in servers:
        if not server.is_whole:
            table.named.add(server)  # there may be a name in what is not here
        for word in server.names or ((None,) if server.is_whole else ()):
            name = "" if word is None else word.text
            if name[:1] == "~" or name.lower() == "$hostname":
                table.named.add(server)
            elif (other := table.add(name, server)) is not None:
                ignored.setdefault((server, other), []).append(word)
    return table, ignored


def _hosts(words: list[Word | None]) -> Iterator[str]:
    """What names stand for: themselves, but for the short form of two."""
    for word in words:
        name = "" if word is None else lower(word.text)
        if name[:1] == "." and len(name) > 1:
            yield name[1:]
            name = f"*{name}"
        yield name


def _names_of_groups(config: Config, count: int, group_of: dict[Block | None, int]) -> list[list[tuple[str, ...]]]:
    """The names that the servers of each group have."""
    said: list[list[tuple[str, ...]]] = [[] for _ in range(count + 1)]  # the last one for those that listen nowhere
    lines = list(config.find("server_name"))
    for line in lines:
        said[group_of.get(line.parent, -1)].append(line.values)
    named = dict.fromkeys([line.parent for line in lines])
    if not group_of.keys() <= named.keys():
        for block, group in group_of.items():
            if block not in named:
                said[group].append(_UNNAMED)
    return said


def _groups(config: Config) -> tuple[list[tuple[str, _Lines]], dict[Block | None, int]]:
    """The servers by what they listen on: http or stream and the arguments of their `listen`s, and which server says
    which of these. Few say something of their own."""
    lines = list(config.find("listen"))
    several = "stream" in config.names or "mail" in config.names
    alone = {values: index for index, values in enumerate(config.alike("listen"))}
    group_of = {line.parent: alone[line.values] for line in lines}
    groups: list[tuple[str, _Lines]] = [("http", (values,)) for values in alone]
    if len(group_of) < len(lines) or several:
        indexes: dict[tuple[str, _Lines], int] = {}
        group_of = {}
        for said, blocks in config.sets("listen").groups():
            for block in blocks:
                kind = block.parent.name if block.parent else ""
                if kind == "http" or (kind == "stream" and config.version >= STREAM_LIKE_HTTP):
                    group_of[block] = indexes.setdefault((kind, said), len(indexes))
        groups = list(indexes)
    if len(config.index.apart("server")[1]) > len(group_of):
        for server in config.servers:
            if server.kind == "http" and server.is_whole and not server.block.child("listen"):
                group_of[server.block] = len(groups)
        groups.append(("http", (("80",),)))
    return groups, group_of


def _sockets(groups: list[tuple[str, _Lines]]) -> Iterator[tuple[list[int], list[Listen]]]:
    """Groups, and the sockets that just these share."""
    read: dict[tuple[str, ...], Listen] = {}
    sockets: dict[_Socket, tuple[Listen, list[int]]] = {}
    for index, (kind, lines) in enumerate(groups):
        for values in lines:
            listen = read.get(values)
            if listen is None:
                listen = read[values] = read_listen(values)
            _, members = sockets.setdefault((kind, listen.socket, listen.last_port), (listen, []))
            if index not in members[-1:]:
                members.append(index)
    together: dict[tuple[str, tuple[int, ...]], list[Listen]] = {}
    for (kind, _, _), (listen, members) in sockets.items():
        together.setdefault((kind, tuple(members)), []).append(listen)
    for (_, these), listens in together.items():
        yield list(these), listens
