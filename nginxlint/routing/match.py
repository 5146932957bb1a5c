"""Compiled matchers: which socket a connection meets, which server a name, which location a URI. No linear scans."""

from __future__ import annotations

from nginxlint.regex import Regex, RegexMatch, compile_regex
from nginxlint.routing.listeners import Listener
from nginxlint.routing.names import Names
from nginxlint.routing.servers import Location, Server
from nginxlint.syntax import Block, Directive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from nginxlint.config import Config

# The directives that set a content handler for which `/x` is redirected to a location `/x/`.
PASSES = ("proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass")

# Directives that set a content handler whose answer we cannot know.
_OTHER_HANDLERS = frozenset(
    ("content_by_lua", "content_by_lua_block", "content_by_lua_file", "js_content", "perl")
    + ("mp4", "flv", "hls", "f4f", "dav_methods", "random_index", "api", "tunnel_pass", "status", "access_by_lua_block")
    + ("access_by_lua", "access_by_lua_file", "echo", "rtmp_stat", "redis_pass", "postgres_pass", "drizzle_pass")
    + ("upload_pass", "passenger_enabled", "js_access", "auth_jwt", "oidc")
)
_MOST_PORTS = 200_000
_KNOWN = frozenset((*PASSES, "empty_gif", "stub_status"))


def own_handler(block: Block) -> Directive | None:
    """The directive in a block whose content handler answers: the last one that sets it."""
    sure = [place for place in block.body if place.name in _KNOWN and place.values != ("off",)]
    if sure:
        return sure[-1]
    unsure = [place for place in block.body if place.name in _OTHER_HANDLERS and place.values != ("off",)]
    return unsure[-1] if unsure else None


class Socket:
    """One listen socket: its servers by name, and the default one."""

    __slots__ = ("_names", "_regexes", "address", "default", "port", "proxy_protocol", "servers", "ssl", "text")

    def __init__(self, listener: Listener, port: int) -> None:
        self.address = listener.address
        self.port = port
        self.text = self.address if self.address.startswith("unix:") else f"{self.address}:{port}"
        self.servers = listener.servers
        self.default = listener.default
        self.ssl = listener.ssl is not None
        self.proxy_protocol = listener.proxy_protocol is not None
        self._names = Names()
        self._regexes: list[tuple[Regex, Server]] = []
        for server in listener.servers:
            for name in [word.text for word in server.names] or [""]:
                if not name.startswith("~"):
                    self._names.add(name, server)
                elif isinstance(compiled := compile_regex(name[1:], caseless=True), Regex):
                    self._regexes.append((compiled, server))

    @property
    def keeps_names(self) -> bool:
        """Does nginx look up names here at all? Not where there is one server without captures in its name."""
        return len(self.servers) > 1 or any(regex.captures for regex, _ in self._regexes)

    def find(self, host: str) -> tuple[Server, str, RegexMatch | None]:
        """The server for a host, how it was found, and what its regular expression captured. May raise RegexLimit."""
        named = self.named(host)
        return named or (
            self.default, f'no server_name is "{host}": the default server of {self.text} answers', None,
        )  # fmt: skip

    def named(self, host: str) -> tuple[Server, str, RegexMatch | None] | None:
        """The same; None where no server has the name."""
        found_name = self._names.find(host)
        if found_name is not None:
            return *found_name, None
        if host:
            for regex, server in self._regexes:
                found = regex.search(host)
                if found is not None:
                    return server, f'server_name "~{regex.pattern}" is the first regex that matches', found
        return None

    def knows(self, host: str) -> bool:
        """Has one of its servers this name? (Else its default server answers.)"""
        return self.named(host) is not None


class Sockets:
    """The listen sockets of a configuration."""

    __slots__ = ("_by_port", "unix")

    def __init__(self, config: Config) -> None:
        self._by_port: dict[int, list[Socket]] = {}
        self.unix: list[Socket] = []
        for listener, port in _by_port(config):
            socket = Socket(listener, port)
            if socket.address.startswith("unix:"):
                self.unix.append(socket)
            else:
                self._by_port.setdefault(socket.port, []).append(socket)

    def at(self, port: int, address: str = "") -> list[Socket]:
        """The sockets a connection to that port can meet: one where the local address is known (or does not
        matter), the wildcard first where it does."""
        if address.startswith("unix:"):
            return [socket for socket in self.unix if socket.address == address]
        sockets = self._by_port.get(port, [])
        if address:
            own = [socket for socket in sockets if socket.address == address]
            wild = "[::]" if address.startswith("[") else "*"
            return own or [socket for socket in sockets if socket.address == wild]
        return sorted(sockets, key=lambda socket: (socket.address != "*", socket.address != "[::]"))

    @property
    def ports(self) -> list[int]:
        return sorted(self._by_port)


def _by_port(config: Config) -> Iterable[tuple[Listener, int]]:
    """The TCP listeners of http, each with its port; those of a range of ports are one for each of them, unless there are
    more than anybody can mean."""
    plain = [one for one in config.listeners if one.kind == "http" and not one.listens[0].udp]
    beyond = sum((one.listens[0].last_port - one.listens[0].port) * len(one.listens) for one in plain)
    if not 0 < beyond <= _MOST_PORTS:
        return [(one, one.listens[0].port) for one in plain]
    found: dict[tuple[str, int], Listener] = {}
    for server in config.http_servers():
        for listen in server.listens:
            for port in range(listen.port, listen.last_port + 1) if not listen.udp else ():
                found.setdefault((listen.address, port), Listener()).add(server, listen)
    return [(listener, port) for (_, port), listener in found.items()]


class Level:
    """The locations of one level: those of a server, or those nested in a location."""

    __slots__ = ("exact", "lengths", "prefixes", "regexes", "slashed")

    def __init__(self, locations: list[Location]) -> None:
        self.exact: dict[str, Location] = {}
        self.prefixes: dict[str, Location] = {}
        self.regexes: list[tuple[Regex, Location]] = []
        self.slashed: dict[str, Location] = {}
        for location in locations:
            if location.is_regex:
                compiled = compile_regex(location.pattern, caseless=location.modifier == "~*")
                if isinstance(compiled, Regex):
                    self.regexes.append((compiled, location))
                continue
            if location.modifier == "@":
                continue
            (self.exact if location.modifier == "=" else self.prefixes).setdefault(location.pattern, location)
        for name, location in (*self.prefixes.items(), *self.exact.items()):
            if name.endswith("/") and location.block.child(*PASSES) is not None:
                self.slashed[name] = self.exact.get(name, location)  # as in one node of nginx's tree
        self.lengths = sorted({len(prefix) for prefix in self.prefixes}, reverse=True)

    def longest(self, uri: str) -> Location | None:
        """The location with the longest prefix of the URI."""
        size = len(uri)
        for length in self.lengths:
            if length <= size:
                found = self.prefixes.get(uri[:length])
                if found is not None:
                    return found
        return None


class Found:
    """What the search came to: the location (None: the server itself answers), whether the answer is the redirect
    to it with a slash, what a regex captured, and the story of it."""

    __slots__ = ("captured", "location", "redirect", "steps")

    def __init__(self) -> None:
        self.location: Location | None = None
        self.redirect = False
        self.captured: list[tuple[Regex, RegexMatch]] = []
        self.steps: list[tuple[str, Location | None]] = []


class Locations:
    """The locations of one server, compiled once."""

    __slots__ = ("_levels", "_server", "named")

    def __init__(self, server: Server) -> None:
        self._server = server
        self._levels: dict[Location | None, Level] = {}
        self.named = {location.pattern: location for location in server.locations if location.modifier == "@"}

    def level(self, location: Location | None) -> Level:
        level = self._levels.get(location)
        if level is None:
            inside = self._server.locations if location is None else location.nested
            level = self._levels[location] = Level(inside)
        return level

    def find(self, uri: str) -> Found:
        """ngx_http_core_find_location. May raise RegexLimit."""
        found = Found()
        self._find(None, uri, found)
        return found

    def _find(self, around: Location | None, uri: str, found: Found) -> str:
        level = self.level(around)
        exact = level.exact.get(uri)
        if exact is not None:
            found.location = exact
            found.steps.append((f'exact "= {uri}": chosen', exact))
            return "ok"
        protected = False
        code = "declined"
        prefix = level.prefixes.get(uri)
        if prefix is None and uri + "/" in level.slashed:
            found.location = level.slashed[uri + "/"]
            found.redirect = True
            found.steps.append((f'"{uri}/" is a proxied location: redirected to it', found.location))
            return "done"
        if prefix is None:
            prefix = level.longest(uri)
        if prefix is not None:
            found.location = prefix
            protected = prefix.modifier == "^~"
            sort = "prefix ^~" if protected else "prefix"
            found.steps.append((f'{sort} "{prefix.pattern}" is the longest: remembered', prefix))
            code = self._find(prefix, uri, found) if prefix.nested else "declined"
        if code in ("ok", "done"):
            return code
        if protected:
            if level.regexes:
                found.steps.append(("^~: the regexes of this level are not tried", None))
            return code
        total = len(level.regexes)
        for number, (regex, location) in enumerate(level.regexes, 1):
            match = regex.search(uri)
            if match is None:
                found.steps.append((f"regex {number} of {total} {location.pattern}: no match", location))
                continue
            found.steps.append((f"regex {number} of {total} {location.pattern}: matches, chosen", location))
            found.captured.append((regex, match))
            found.location = location
            found.redirect = False
            if location.nested:
                self._find(location, uri, found)
                found.redirect = False  # nginx forgets the redirect inside a regex location
            return "ok"
        return code
