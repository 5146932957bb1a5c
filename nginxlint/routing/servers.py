"""Servers, the sockets they listen on, and their locations, for http and stream."""

from __future__ import annotations

from nginxlint.catalogue.addresses import inet6_address, print_address
from nginxlint.catalogue.numbers import number_or
from nginxlint.syntax import Block, Directive, Word

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from nginxlint.config import Config
    from nginxlint.routing.scope import Scope


# How the parameters of a `listen` begin that set options of the socket: it is then bound on its own.
SOCKET_OPTIONS = (
    *("bind", "deferred", "reuseport", "multipath", "backlog=", "rcvbuf=", "sndbuf=", "fastopen=", "setfib="),
    *("accept_filter=", "ipv6only=", "so_keepalive="),
)


class Listen:
    """One `listen` of a server. `address` is normalised: `*` for every IPv4 address, `[::]` for every IPv6 address,
    a literal, a name as written, or `unix:PATH`. `port` is 0 for unix sockets. `directive` is None for the implicit
    `listen 80` of a server without one. `last_port` differs from `port` in a range (`listen 8000-8010`)."""

    __slots__ = ("address", "directive", "last_port", "options", "port")

    def __init__(
        self, address: str, port: int, options: tuple[str, ...], directive: Directive | None, last_port: int = 0
    ) -> None:
        self.address = address
        self.port = port
        self.last_port = max(port, last_port)
        self.options = options
        self.directive = directive

    @property
    def socket(self) -> str:
        """The same text for every way to write the same socket; UDP (quic) sockets are apart from TCP ones."""
        where = self.address if self.address.startswith("unix:") else f"{self.address}:{self.port}"
        return f"udp {where}" if self.udp else where

    @property
    def address_text(self) -> str:
        """As nginx writes it in its messages (ngx_sock_ntop)."""
        if self.address.startswith("unix:"):
            return self.address
        return f"{'0.0.0.0' if self.address == '*' else self.address}:{self.port}"

    @property
    def udp(self) -> bool:
        return "quic" in self.options or "udp" in self.options

    @property
    def default(self) -> bool:
        return "default_server" in self.options or "default" in self.options

    @property
    def ssl(self) -> bool:
        return "ssl" in self.options or "quic" in self.options

    @property
    def sets_socket(self) -> bool:
        """Does it set options of the socket (`backlog=`, `bind`, …)?"""
        return any(option.startswith(SOCKET_OPTIONS) for option in self.options)

    @property
    def local(self) -> bool:
        """Only programs of this machine reach it."""
        return self.address.startswith(("unix:", "127.")) or self.address in ("[::1]", "localhost")


class Location:
    """A location: `modifier` is one of ``""``, ``=``, ``^~``, ``~``, ``~*`` and ``@``; `pattern` what follows it
    (with the `@` for a named location). `outer` is the location around it; `if` and `limit_except` do not count."""

    __slots__ = ("_config", "block", "modifier", "outer", "pattern", "server")

    def __init__(self, block: Block, config: Config, server: Server, outer: Location | None) -> None:
        self._config = config
        self.block = block
        self.server = server
        self.outer = outer
        self.modifier, self.pattern = split_location(block.values)

    @property
    def scope(self) -> Scope:
        """What is in effect in it."""
        return self._config.scope(self.block)

    @property
    def nested(self) -> list[Location]:
        """The locations directly inside it."""
        return self._config.locations_in(self.block)

    @property
    def is_regex(self) -> bool:
        return self.modifier in ("~", "~*")

    @property
    def internal(self) -> Directive | None:
        """The `internal` in effect, by which requests from outside get 404: nested locations inherit it
        (ngx_http_core_merge_loc_conf)."""
        around: Location | None = self
        while around is not None:
            if found := around.scope.own("internal"):
                return found[0]
            around = around.outer
        return None

    @property
    def pattern_word(self) -> Word | None:
        """The argument that holds the pattern (with the modifier where they are written together)."""
        args = self.block.args
        return args[-1] if args else None

    def __repr__(self) -> str:
        return f"<location {' '.join(self.block.values)}>"


class Server:
    """A server block. `kind` is http or stream. What stands in it is read when it is asked for: most rules ask about
    few of the servers."""

    __slots__ = ("_config", "_listens", "_names", "block", "kind")

    def __init__(self, block: Block, config: Config, kind: str) -> None:
        self._config = config
        self.block = block
        self.kind = kind
        self._names: list[Word] | None = None
        self._listens: list[Listen] | None = None

    @property
    def scope(self) -> Scope:
        """What is in effect in it."""
        return self._config.scope(self.block)

    @property
    def names(self) -> list[Word]:
        """The `server_name` arguments as words."""
        if self._names is None:
            self._names = [word for directive in self.block.children("server_name") for word in directive.args]
        return self._names

    @property
    def listens(self) -> list[Listen]:
        """Its sockets; `listen 80` where an http server names none."""
        if self._listens is None:
            self._listens = [parse_listen(directive) for directive in self.block.children("listen")]
            if not self._listens and self.kind == "http":
                self._listens = [Listen("*", 80, (), None)]
        return self._listens

    @property
    def is_local(self) -> bool:
        """Only programs of this machine reach it: visitors come through one of them."""
        return bool(self.listens) and all(listen.local for listen in self.listens)

    @property
    def locations(self) -> list[Location]:
        """The locations directly inside it."""
        return self._config.locations_in(self.block)

    def all_locations(self) -> list[Location]:
        """Every location of the server, nested ones after the one around them."""
        result: list[Location] = []
        stack = self.locations[::-1]
        while stack:
            location = stack.pop()
            result.append(location)
            stack.extend(location.nested[::-1])
        return result

    def levels(self) -> list[list[Location]]:
        """The locations by level: nginx searches those of the server, then those nested in the one it chose."""
        levels: list[list[Location]] = []
        stack = [self.locations]
        while stack:
            level = stack.pop()
            levels.append(level)
            stack.extend(nested for location in level if (nested := location.nested))
        return levels

    @property
    def is_whole(self) -> bool:
        """Is all of it here? False in a snippet, and where a file or a pattern it includes was not found: locations,
        names and settings that seem absent may then stand elsewhere."""
        return not self.block.synthetic and self.block not in self._config.gaps

    @property
    def first_name(self) -> str:
        """The first `server_name`, as nginx shows it in logs and falls back to for `$host`."""
        for directive in self.block.body:
            if directive.name == "server_name" and directive.values:
                return directive.values[0]
        return ""

    def __repr__(self) -> str:
        return f"<server {self.first_name}>"


def split_location(values: tuple[str, ...]) -> tuple[str, str]:
    """Modifier and pattern of a location's arguments (ngx_http_core_location): they may be written together."""
    if len(values) >= 2:
        return values[0], values[1]
    text = values[0] if values else ""
    for modifier in ("~*", "^~", "~", "="):
        if text.startswith(modifier):
            return modifier, text[len(modifier) :]
    return ("@", text) if text.startswith("@") else ("", text)


def split_condition(values: tuple[str, ...]) -> list[str]:
    """The words of an `if` without its parentheses, which may be words of their own: a quote is closed before `)`."""
    words = list(values)
    if words:
        words[0] = words[0].removeprefix("(")
        words[-1] = words[-1].removesuffix(")")
    return [word for at, word in enumerate(words) if word or 0 < at < len(words) - 1]


def parse_listen(directive: Directive) -> Listen:
    """Read a `listen` (ngx_parse_url with default port 80). What nginx would refuse is read as well as it goes."""
    return read_listen(directive.values, directive)


def read_listen(values: tuple[str, ...], directive: Directive | None = None) -> Listen:
    """The same of its arguments."""
    address, port, last_port = _address(values[0] if values else "80")
    return Listen(address, port, values[1:], directive, last_port)


def _address(where: str) -> tuple[str, int, int]:
    """Address, port and last port of a socket."""
    if where.startswith("unix:"):
        return where, 0, 0
    if where.startswith("["):
        host, _, port = where.partition("]")
        address, port = canonical_address(host[1:]), port.removeprefix(":")
    elif where[:1].isdigit() and not where.strip("0123456789-"):
        address, port = "*", where
    else:
        address, _, port = where.partition(":")
    if address in ("0.0.0.0", "", "*"):
        address = "*"
    first, _, last = port.partition("-")
    return address.lower(), number_or(first, 80), number_or(last, 0)


def canonical_address(host: str) -> str:
    """The same text for every way to write a host (without brackets): lower-case, IPv6 shortened and in brackets."""
    if ":" not in host:
        return host.lower()
    address = inet6_address(host)
    return f"[{host}]" if address is None else f"[{print_address(address)}]"
