"""Which of our own listeners a pass leads to: the addresses it connects to, held against every `listen`."""

from __future__ import annotations

from nginxlint.routing.destinations import Destination, destinations
from nginxlint.routing.passes import Pass
from nginxlint.routing.servers import Listen, Server, canonical_address
from nginxlint.syntax import Directive

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from collections.abc import Iterator

    from nginxlint.config import Config

_PORTS = {"http": 80, "https": 443}
_MAY_BE_OURS = ("127.", "localhost", "0.0.0.0", "[", "::")  # how addresses of this machine begin, and all of IPv6
_PEER_PORT = 80  # of a group's `server` line without one, whatever the protocol (ngx_http_upstream_server)


# The parameters of one `listen` that hold for all servers of its socket.
PROTOCOLS = frozenset(("ssl", "http2", "proxy_protocol"))


class Endpoint:
    """One address a pass connects to: `host` (no brackets, lower-case) and `port`, or the path `unix`.

    `directive` says it: the pass, or a `server` line of its group. `scheme` is the one spoken there (empty where the
    pass has none). `udp` where a stream proxy passes datagrams on.
    """

    __slots__ = ("directive", "host", "port", "scheme", "udp", "unix")

    def __init__(
        self, directive: Directive, scheme: str, host: str, port: int | None, unix: str | None, *, udp: bool = False
    ) -> None:
        self.directive = directive
        self.scheme = scheme
        self.host = host.lower()
        self.port = port
        self.unix = unix
        self.udp = udp

    def __repr__(self) -> str:
        return f"Endpoint({self.unix or f'{self.host}:{self.port}'})"


def endpoints(config: Config, target: Pass) -> list[Endpoint]:
    """Every address the configuration says a pass connects to: variables followed, groups taken apart into the peers
    that are not `down`. Names are not looked up; what hangs on the request is left out. Found once for all who ask."""
    key = target.directive, target.text
    known = config.known_endpoints.get(key)
    if known is None:
        known = config.known_endpoints[key] = _endpoints(config, target)
    return known


def _endpoints(config: Config, target: Pass) -> list[Endpoint]:
    udp = target.kind == "stream" and _passes_datagrams(config, target.directive)
    found: list[Endpoint] = []
    for end in destinations(config, target) or ():
        group = None if end.unix is not None or end.port is not None else config.upstream(end.authority, target.kind)
        if group is None:
            found.extend(_of_destination(target, end, udp))
            continue
        for peer in group.peers:
            if not peer.down and not peer.option("service"):
                port = None if peer.unix is not None else peer.port or _PEER_PORT
                found.append(Endpoint(peer.directive, end.scheme, peer.host, port, peer.unix, udp=udp))
    return found


def _of_destination(target: Pass, end: Destination, udp: bool) -> list[Endpoint]:
    if end.unix is not None:
        return [Endpoint(target.directive, end.scheme, "", None, end.unix, udp=udp)]
    if not end.host or "$" in end.host:
        return []
    schemes = ("http", "https") if end.scheme == "$scheme" else (end.scheme,)
    ports = [(scheme, end.port or _PORTS.get(scheme)) for scheme in schemes]
    return [Endpoint(target.directive, scheme, end.host, port, None, udp=udp) for scheme, port in ports if port]


def _passes_datagrams(config: Config, directive: Directive) -> bool:
    server = config.server(directive)
    return server is not None and any(listen.udp for listen in server.listens)


def inward_passes(config: Config, *names: str) -> list[Pass]:
    """The passes that may lead to one of our own listeners: by an address of this machine or one that a `listen` names,
    directly or in a group; those with variables count. A quick look, to be asked before `behind`."""
    named = {word.partition(":")[0].lower() for word in config.listen_addresses} - {"*", "", "["}
    ours = (*_MAY_BE_OURS, *named)
    peers = config.saying(lambda values: "".join(values[:1]).lower().startswith(ours), "server")
    groups = {
        peer.parent.values[0].lower()
        for peer in (peers if config.concerns(("server",), [f"\0{word}" for word in ours]) else ())
        if peer.parent is not None and peer.parent.values
    }
    if not groups and not config.concerns(names, ("$", *ours)):
        return []
    return [
        target
        for target in config.passes(*names)
        if (to := target.authority.lower()) in groups or to.startswith(ours) or target.has_variables
    ]


class Listener:
    """One socket of this nginx and the servers that share it, in file order.

    nginx puts the parameters of all `listen`s of one socket together: `ssl` or `proxy_protocol` in one of them holds
    for every server on it (ngx_http_add_addresses).
    """

    __slots__ = ("_default", "listens", "servers")

    def __init__(self) -> None:
        self.listens: list[Listen] = []
        self.servers: list[Server] = []
        self._default: Server | None = None

    def add(self, server: Server, listen: Listen) -> None:
        """One more `listen` of it."""
        self.listens.append(listen)
        if server not in self.servers[-1:]:
            self.servers.append(server)
        if listen.default and self._default is None:
            self._default = server

    @property
    def default(self) -> Server:
        """The server that answers names nobody has: the one that says `default_server`, else the first."""
        return self._default or self.servers[0]

    @property
    def address(self) -> str:
        return self.listens[0].address

    @property
    def socket(self) -> str:
        return self.listens[0].socket

    @property
    def kind(self) -> str:
        """`http` or `stream`."""
        return self.servers[0].kind

    @property
    def ssl(self) -> Listen | None:
        """The `listen` that makes it speak TLS."""
        return next((listen for listen in self.listens if listen.ssl), None)

    @property
    def proxy_protocol(self) -> Listen | None:
        """The `listen` that makes it expect a PROXY protocol header."""
        return next((listen for listen in self.listens if "proxy_protocol" in listen.options), None)

    def redefined(self) -> list[Listen]:
        """The `listen`s at which nginx says "protocol options redefined" from 1.23.4 on: one may say all options and the
        others none or always the same, as the socket has them all (ngx_http_add_addresses)."""
        found: list[Listen] = []
        before: frozenset[str] | None = None  # what the last ones said
        union = frozenset(PROTOCOLS.intersection(self.listens[0].options))
        options_set, changed = self.listens[0].sets_socket, False
        for listen in self.listens[1:]:
            said = frozenset(PROTOCOLS.intersection(listen.options))
            first = listen.sets_socket
            options_set = options_set or first
            if not said <= union:
                conflict = (options_set and not first) or changed or not said >= union
                before, changed = union, True
            else:
                conflict = (first and (changed or said != union)) or before not in (None, said)
                before, changed = said, changed or said != union
            if conflict:
                found.append(listen)
            union |= said
        return found

    @property
    def takes_ipv4(self) -> bool:
        """Of a socket of `[::]`: does it take IPv4 connections, too? (Not by default from nginx 1.3.4 on.)"""
        return any("ipv6only=off" in listen.options for listen in self.listens)

    def __repr__(self) -> str:
        return f"<listener {self.listens[0].socket}>"


class Listeners:
    """All sockets of http and stream; built once per configuration (`config.listeners`)."""

    __slots__ = ("_addresses", "_by_address", "_by_socket", "_unix")

    def __init__(self, servers: list[Server]) -> None:
        self._by_socket: dict[tuple[str, str, int], Listener] = {}
        self._by_address: dict[tuple[bool, int], dict[str, Listener]] = {}
        self._unix: dict[str, Listener] = {}
        self._addresses = {"127.0.0.1", "[::1]"}
        for server in servers:
            for listen in server.listens:
                self._add(server, listen)

    def _add(self, server: Server, listen: Listen) -> None:
        key = (server.kind, listen.socket, listen.last_port)
        listener = self._by_socket.get(key)
        if listener is None:
            listener = self._by_socket[key] = Listener()
            self._open(listener, listen)
        listener.add(server, listen)

    def at(self, server: Server, listen: Listen) -> Listener:
        """The socket of a `listen` of that server."""
        return self._by_socket[server.kind, listen.socket, listen.last_port]

    def __iter__(self) -> Iterator[Listener]:
        return iter(self._by_socket.values())

    def _open(self, listener: Listener, listen: Listen) -> None:
        if listen.address.startswith("unix:"):
            self._unix[listen.address[5:]] = listener
            return
        addresses = _LOCALHOST if listen.address == "localhost" else (listen.address,)
        self._addresses.update(addresses)
        for port in range(listen.port, listen.last_port + 1):
            here = self._by_address.setdefault((listen.udp, port), {})
            for address in addresses:
                here.setdefault(address, listener)

    def behind(self, endpoint: Endpoint) -> list[Listener]:
        """The sockets of this nginx that take a connection to an endpoint: none, one, or two where `localhost` is an
        IPv4 and an IPv6 address. As in the kernel and in nginx, an exact address goes before a wildcard.

        Loopback and every address some `listen` names are known to be ours; of other addresses and of names nobody
        knows, unless a `listen` is written with the same name.
        """
        if endpoint.unix is not None:
            listener = self._unix.get(endpoint.unix)
            return [] if listener is None else [listener]
        here = self._by_address.get((endpoint.udp, endpoint.port or 0))
        if here is None:
            return []
        host = canonical_address(endpoint.host)
        found = (self._at(address, here) for address in _SAME.get(host, (host,)))
        return list(dict.fromkeys(listener for listener in found if listener is not None))

    def _at(self, address: str, here: dict[str, Listener]) -> Listener | None:
        """The socket that takes connections to an address, of those on its port."""
        if address in here:
            return here[address]
        if address not in self._addresses and not (address.startswith("127.") and address.strip("0123456789.") == ""):
            return None
        both = here.get("[::]")
        if address.startswith("["):
            return both
        return here.get("*") or (both if both is not None and both.takes_ipv4 else None)


_LOCALHOST = ("127.0.0.1", "[::1]")
# What a connection to these reaches; the kernel takes an unspecified address for this host.
_SAME = {"localhost": _LOCALHOST, "0.0.0.0": ("127.0.0.1",), "[::]": ("[::1]",)}
