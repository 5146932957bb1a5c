"""`listen` in http, stream and mail: address, parameters, and what two of them may not share."""

from __future__ import annotations

from nginxlint.catalogue.addresses import parse_url, print_address
from nginxlint.catalogue.checks.faults import fault
from nginxlint.catalogue.numbers import parse_number, parse_size, parse_time
from nginxlint.catalogue.refusal import Refusal
from nginxlint.catalogue.target import STREAM_LIKE_HTTP
from nginxlint.diagnostic import Note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nginxlint.catalogue.addresses import Url
    from nginxlint.catalogue.checks.faults import AllFine, BlockEnd, Check
    from nginxlint.catalogue.context import Context
    from nginxlint.syntax import Block, Directive

_FOREVER = (99, 0, 0)
_OLD = (0, 0, 0)
_Known = dict[str, tuple[tuple[int, int, int], tuple[int, int, int]]]  # subsystem -> since, until
_ALL: _Known = {"http": (_OLD, _FOREVER), "stream": (_OLD, _FOREVER), "mail": (_OLD, _FOREVER)}
_NET: _Known = {"http": (_OLD, _FOREVER), "stream": (_OLD, _FOREVER)}

# Parameter words -> where, since and until which version. Source: ngx_*_core_listen() of the three subsystems.
_WORDS: dict[str, _Known] = {
    "bind": _ALL,
    "ssl": _ALL,
    "default_server": {"http": (_OLD, _FOREVER), "stream": ((1, 25, 5), _FOREVER)},
    "default": {"http": (_OLD, _FOREVER)},
    "deferred": {"http": (_OLD, _FOREVER), "stream": ((1, 25, 5), _FOREVER)},
    "reuseport": _NET,
    "http2": {"http": (_OLD, _FOREVER)},
    "quic": {"http": ((1, 25, 0), _FOREVER)},
    "spdy": {"http": ((1, 3, 15), (1, 9, 5))},
    "udp": {"stream": (_OLD, _FOREVER)},
    "proxy_protocol": {"http": (_OLD, _FOREVER), "stream": ((1, 11, 4), _FOREVER), "mail": ((1, 19, 8), _FOREVER)},
    "multipath": {
        "http": ((1, 29, 7), _FOREVER),
        "stream": ((1, 29, 7), _FOREVER),
        "mail": ((1, 29, 7), _FOREVER),
    },
}
_VALUED: dict[str, _Known] = {
    "fastopen": {"http": (_OLD, _FOREVER), "stream": ((1, 21, 0), _FOREVER)},
    "backlog": _ALL,
    "rcvbuf": _ALL,
    "sndbuf": _ALL,
    "so_keepalive": _ALL,
    "accept_filter": {"http": (_OLD, _FOREVER), "stream": ((1, 25, 5), _FOREVER)},
}
_SOCKET_OPTIONS = frozenset(
    "bind deferred reuseport multipath fastopen backlog rcvbuf sndbuf ipv6only so_keepalive accept_filter".split()
)
_PLATFORM = {"setfib": "only FreeBSD has it", "accept_filter": "only FreeBSD and NetBSD have it"}
_UDP_FORBIDS: tuple[str, ...] = ("backlog", "ssl", "so_keepalive", "proxy_protocol", "fastopen")
_QUIC_FORBIDS: tuple[str, ...] = (
    "fastopen",
    "accept_filter",
    "deferred",
    "ssl",
    "http2",
    "so_keepalive",
    "proxy_protocol",
)


# Is it for datagrams, its port, its address (a path where it is a unix socket).
_Key = tuple[bool, int, "bytes | str"]
# The sockets of one `listen`, its address, and the names of its parameters.
_Understood = tuple[list[_Key], "Url", set[str]]


class Socket:
    """One address that servers listen on: who opened it, who set its options, who is its default."""

    __slots__ = ("default", "first", "options", "servers")

    def __init__(self, first: Directive) -> None:
        self.first = first
        self.servers: dict[int, Directive] = {}
        self.options: Directive | None = None
        self.default: Directive | None = None


def _listen(directive: Directive, context: Context) -> Iterable[Refusal]:
    kind = context.subsystem
    if kind != "http":
        _listening(context).add(id(directive.parent))
    # Most servers listen on the same few sockets: what holds for the arguments alone is found out once.
    understood = context.state.setdefault(f"listen.understood.{kind}", {})
    assert isinstance(understood, dict)
    known = understood.get(directive.values)
    if known is None:
        known = _take_apart(directive, context, kind)
        if isinstance(known, Refusal):
            return (known,)
        understood[directive.values] = known
    return _declare(context, directive, known, kind)


def _all_declared(examples: Mapping[tuple[str, ...], Directive], context: Context) -> bool:
    """Declare what http servers listen on, if none sets options and none listens on a socket twice: then it does not
    matter which comes first."""
    https = context.find("http")
    if len(https) != 1 or any(map(context.occurs, ("stream", "mail"))):
        return False
    understood: dict[tuple[str, ...], _Understood] = context.state.setdefault("listen.understood.http", {})
    sockets: dict[_Key, Socket] = {}
    opened: dict[tuple[str, ...], list[Socket]] = {}
    for values, example in examples.items():
        known = _take_apart(example, context, "http")
        if isinstance(known, Refusal) or "default_server" in known[2] or not _SOCKET_OPTIONS.isdisjoint(known[2]):
            return False
        understood[values] = known
        opened[values] = [sockets.setdefault(key, Socket(example)) for key in known[0]]
    for listen in context.find("listen"):
        server = listen.parent
        if server is None or server.name != "server" or server.parent is not https[0] or listen.values not in opened:
            return False
        for socket in opened[listen.values]:
            if not socket.servers:
                socket.first = listen
            elif id(server) in socket.servers:
                return False
            socket.servers[id(server)] = listen
    context.state["listen.http"] = sockets
    return True


def _take_apart(directive: Directive, context: Context, kind: str) -> _Understood | Refusal:
    values = directive.values
    url = parse_url(values[0], listen=True, default_port=80 if kind == "http" else 0)
    if url.error:
        return _bad_address(context, directive, url)
    if kind != "http" and url.no_port and url.family != "unix":
        # nginx takes port 0 here, which the kernel turns into any free port.
        url.port = 0
    given: set[str] = set()
    for index in range(1, len(values)):
        refusal = _parameter(context, directive, index, kind, given)
        if refusal is not None:
            return refusal
    return _combination(context, directive, kind, given) or (_sockets_of(url, given), url, given)


def _listening(context: Context) -> set[int]:
    known = context.state.setdefault("listen.servers", set())
    assert isinstance(known, set)
    return known


def _bad_address(context: Context, directive: Directive, url: Url) -> Refusal:
    text = directive.values[0]
    nginx_message = f'{url.error} in "{text}" of the "listen" directive'
    message, advice = {
        "invalid port": (f'"{text}" has no valid port: a port is a number from 1 to 65535', "listen 8080;"),
        "invalid port range": (f'the port range in "{text}" ends before it begins', "listen 8000-8010;"),
        "no host": (f'"{text}" names no address', "listen 80; or listen *:80;"),
        "invalid host": (
            f'"{text}" is not an address: listen takes address:port, without scheme or path',
            "listen 80;",
        ),
        "invalid IPv6 address": (f'"{text}" is not a valid IPv6 address', "listen [::]:80;"),
    }.get(url.error, (f'nginx cannot listen on "{text}": {url.error}', "listen unix:/run/site.sock;"))
    return fault(context, directive, 0, nginx_message, message, f"write for example `{advice}`")


def _known(
    table: dict[str, _Known],
    name: str,
    kind: str,
    context: Context,
) -> bool:
    span = table.get(name, {}).get(kind)
    return span is not None and span[0] <= context.version < span[1]


def _parameter(context: Context, directive: Directive, index: int, kind: str, given: set[str]) -> Refusal | None:
    text = directive.values[index]
    if text in _WORDS and _known(_WORDS, text, kind, context):
        given.add("default_server" if text == "default" else text)
        return None
    if kind == "stream" and context.target.plus and text == "default_server":
        given.add(text)
        return None
    name, equals, value = text.partition("=")
    if name == "ipv6only" and value[:1] == "o":
        given.add(name)
        if value in ("on", "off"):
            return None
        return fault(
            context, directive, index, f'invalid ipv6only flags "{value}"', f'ipv6only is on or off, not "{value}"'
        )
    if equals and name in _VALUED and _known(_VALUED, name, kind, context):
        given.add(name)
        return _valued(context, directive, index, name, value)
    modern = kind == "http" or context.version >= (1, 25, 5)
    shape = f'invalid parameter "{text}"' if modern else f'the invalid "{text}" parameter'
    message = f'listen has no parameter "{text}"'
    if text in _WORDS:
        since = _WORDS[text].get(kind)
        if since is None:
            message += f" in {kind} servers"
        elif context.version < since[0]:
            message += f" before nginx {'.'.join(map(str, since[0]))} (the target is {context.target.version_text})"
        else:
            message += f" since nginx {'.'.join(map(str, since[1]))}"
    elif name in _PLATFORM:
        if context.of_bsd:
            return None
        message += f" on Linux: {_PLATFORM[name]}"
    return fault(context, directive, index, shape, message)


def _valued(context: Context, directive: Directive, index: int, name: str, value: str) -> Refusal | None:
    text = directive.values[index]
    if name in ("rcvbuf", "sndbuf"):
        size = parse_size(value)
        if size is None or size < 0:
            return fault(
                context, directive, index, f'invalid {name} "{text}"', f'"{value}" is not a size', f"{name}=64k"
            )
    elif name == "backlog":
        number = parse_number(value)
        if not number:
            return fault(
                context,
                directive,
                index,
                f'invalid backlog "{text}"',
                f'backlog is a number of waiting connections, at least 1, not "{value}"',
            )
    elif name == "fastopen":
        if parse_number(value) is None:
            return fault(
                context, directive, index, f'invalid fastopen "{text}"', f'fastopen is a queue length, not "{value}"'
            )
    elif name == "so_keepalive" and value not in ("on", "off") and not _keepalive(value):
        return fault(
            context,
            directive,
            index,
            f'invalid so_keepalive value: "{value}"',
            f'so_keepalive is on, off or idle:interval:count, not "{value}"',
            "so_keepalive=30m::10",
        )
    return None


def _keepalive(value: str) -> bool:
    parts = value.split(":", 2)
    numbers = [
        parse_number(part) if position == 2 else parse_time(part, seconds=True)
        for position, part in enumerate(parts)
        if part
    ]
    return None not in numbers and any(numbers)


def _combination(context: Context, directive: Directive, kind: str, given: set[str]) -> Refusal | None:
    forbidden: tuple[str, ...]
    if "udp" in given:
        base, forbidden = "udp", _UDP_FORBIDS
    elif "quic" in given:
        base, forbidden = "quic", _QUIC_FORBIDS
    else:
        return None
    for name in forbidden:
        if name == "proxy_protocol" and base == "udp" and context.version >= (1, 31, 4):
            continue
        if name in given:
            return fault(
                context,
                directive,
                next(i for i, text in enumerate(directive.values) if text.partition("=")[0] == name),
                f'"listen" directive "{name}" parameter is incompatible with "{base}"',
                f"{name} makes no sense on a {base} socket",
                f"remove {name}",
            )
    return None


def _sockets_of(url: Url, given: set[str]) -> list[_Key]:
    """The keys of the sockets one `listen` opens: none where its host is a name."""
    if url.host.lower() == "localhost":
        url.literal = b"\x7f\0\0\1"
    if url.needs_lookup:
        return []
    datagram = "udp" in given or "quic" in given
    if url.family == "unix":
        return [(datagram, 0, url.host)]
    assert url.literal is not None
    return [(datagram, port, url.literal) for port in range(url.port, max(url.port, url.last_port) + 1)]


def _declare(context: Context, directive: Directive, known: _Understood, kind: str) -> tuple[Refusal, ...]:
    keys, _, given = known
    sockets = context.state.setdefault(f"listen.{kind}", {})
    assert isinstance(sockets, dict)
    for key in keys:
        socket = sockets.get(key)
        if socket is None:
            socket = sockets[key] = Socket(directive)
        elif given or kind != "http" or id(directive.parent) in socket.servers:
            refusal = _conflict(context, directive, socket, key, given)
            if refusal is not None:
                return (refusal,)
        socket.servers[id(directive.parent)] = directive
        if given:
            if not _SOCKET_OPTIONS.isdisjoint(given):
                socket.options = directive
            if "default_server" in given:
                socket.default = directive
    return ()


def _conflict(context: Context, directive: Directive, socket: Socket, key: _Key, given: set[str]) -> Refusal | None:
    kind = context.subsystem
    modern = kind == "http" or (kind == "stream" and context.version >= STREAM_LIKE_HTTP)
    same = socket.servers.get(id(directive.parent))
    options_twice = socket.options is not None and not _SOCKET_OPTIONS.isdisjoint(given)
    default_twice = socket.default is not None and "default_server" in given
    if modern and same is None and not options_twice and not default_twice:
        return None
    _, port, where = key
    address = print_address(where, port) if isinstance(where, bytes) else f"unix:{where}"

    def refuse(rule: str, other: Directive, nginx_message: str, message: str, label: str, help: str) -> Refusal:
        return context.refuse(
            rule,
            directive,
            message,
            nginx_message,
            word=directive.args[0],
            related=(Note(other.head_span, label),),
            help=(help,),
        )

    if not modern:
        return refuse(
            "listen-duplicate",
            socket.first,
            f'duplicate "{address}" address and port pair',
            f"{address} is already taken by another listen",
            "first here",
            "give every server its own address and port",
        )
    if same is not None:
        return refuse(
            "listen-duplicate",
            same,
            f"a duplicate listen {address}",
            f"this server already listens on {address}",
            "first here",
            "remove one of the two lines",
        )
    if options_twice and socket.options is not None:
        return refuse(
            "listen-options-conflict",
            socket.options,
            f"duplicate listen options for {address}",
            f"the socket options of {address} are already set by another server",
            "set here",
            "socket options (backlog, reuseport, ipv6only …) may stand in one server only; remove them here",
        )
    if default_twice and socket.default is not None:
        return refuse(
            "default-server-duplicate",
            socket.default,
            f"a duplicate default server for {address}",
            f"{address} has two default servers",
            "the first default server",
            "remove default_server from one of the two",
        )
    return None


def _no_listen(block: Block, context: Context) -> Iterator[Refusal]:
    """stream and mail have no default port: a server without `listen` is refused (where a loose snippet is not)."""
    if (
        id(block) in _listening(context)
        or block.synthetic
        or block.has_gap
        or any(child.name == "listen" for child in block.body)
    ):
        return
    yield context.refuse(
        "listen-missing",
        block,
        f"this {context.subsystem} server listens nowhere",
        'no "listen" is defined for server',
        span=block.name_span,
        help=("add for example `listen 12345;`",),
    )


CHECKS: dict[str, Check] = {"listen": _listen}
ALL_FINE: dict[str, AllFine] = {
    "listen": lambda one, context: context.place == "server" and _all_declared(one, context)
}
BLOCK_END: dict[str, BlockEnd] = {"stream-server": _no_listen, "mail-server": _no_listen}
