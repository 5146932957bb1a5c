"""Upstream groups and their peers."""

from __future__ import annotations

from nginxlint.catalogue.numbers import number_or, parse_number
from nginxlint.syntax import Block, Directive, Word

DEFAULT_PORT = 80  # of a `server` line, whatever the protocol (ngx_http_upstream_server)
# Since then proxied requests are HTTP/1.1 without a Connection header, and every group keeps connections.
KEPT_BY_DEFAULT = (1, 29, 7)
_METHODS = ("ip_hash", "hash", "least_conn", "least_time", "random")


class Peer:
    """One `server` line of an upstream group. `host` without brackets; `port` None where none is written (nginx then
    takes 80, whatever the protocol); `unix` is the path of a unix socket."""

    __slots__ = ("directive", "host", "port", "unix")

    def __init__(self, directive: Directive) -> None:
        self.directive = directive
        address = directive.values[0] if directive.values else ""
        self.host, self.port, self.unix = split_authority(address)

    @property
    def options(self) -> tuple[str, ...]:
        """What follows the address."""
        return self.directive.values[1:]

    @property
    def address(self) -> Word:
        return self.directive.args[0]

    @property
    def socket(self) -> str:
        """The same text for every way to write the same address: a server without a port is asked on 80."""
        return f"unix:{self.unix}" if self.unix is not None else f"{self.host.lower()}:{self.port or DEFAULT_PORT}"

    @property
    def is_literal(self) -> bool:
        """Is it one address for sure? A host name may resolve to several, each a peer of its own."""
        return self.unix is not None or ":" in self.host or not self.host.strip("0123456789.")

    @property
    def down(self) -> bool:
        return "down" in self.options

    @property
    def backup(self) -> bool:
        return "backup" in self.options

    @property
    def resolve(self) -> bool:
        """Its name is looked up at run time (nginx 1.27.3), not when nginx starts."""
        return "resolve" in self.options

    def option(self, name: str, default: str = "") -> str:
        """The value of `name=value`."""
        prefix = f"{name}="
        return next((text[len(prefix) :] for text in self.options if text.startswith(prefix)), default)

    @property
    def weight(self) -> int:
        return number_or(self.option("weight", "1"), 1)


class Upstream:
    """An `upstream NAME { }`. nginx compares names without regard to case."""

    __slots__ = ("block", "kind", "name", "peers")

    def __init__(self, block: Block, kind: str) -> None:
        self.block = block
        self.kind = kind
        self.name = block.values[0] if block.values else ""
        self.peers = [Peer(one) for one in block.named("server") if one.values]

    @property
    def methods(self) -> list[Directive]:
        """Its balancing methods; only the last one is in effect, and none means round robin."""
        return self.block.children(*_METHODS)

    @property
    def single(self) -> bool:
        """One address for sure: nginx then counts no failures and has nothing to try next
        (ngx_http_upstream_init_round_robin, `peers->single`)."""
        return len(self.peers) == 1 and self.peers[0].is_literal

    @property
    def host(self) -> str:
        """The host name that all its servers share; empty where there is none."""
        hosts = {"" if peer.is_literal else peer.host for peer in self.peers}
        return hosts.pop() if len(hosts) == 1 else ""

    def idle_connections(self, version: tuple[int, int, int]) -> int:
        """How many idle connections a worker keeps to its servers: `keepalive`, by default 32 since nginx 1.29.7."""
        found = self.block.child("keepalive")
        if found is None or not found.values:
            return 32 if version >= KEPT_BY_DEFAULT and self.kind == "http" else 0
        return number_or(found.values[0], 0)

    def __repr__(self) -> str:
        return f"<upstream {self.name}>"


def split_authority(text: str) -> tuple[str, int | None, str | None]:
    """Host (no brackets), port (None if not written or not a number) and unix path of `host[:port]`."""
    host, colon, port = text.partition(":")
    if host.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, _PORTS[rest[1:] if rest.startswith(":") else ""], None
    if not colon:
        return host, None, None
    return ("", None, port) if host == "unix" else (host, _PORTS[port], None)


class _Ports(dict[str, "int | None"]):
    """Port numbers by their texts, which are few: to read one takes longer than all else an address needs."""

    def __missing__(self, text: str) -> int | None:
        port = self[text] = parse_number(text)
        return port


_PORTS = _Ports()
