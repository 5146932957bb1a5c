"""The names nginx looks up while it runs, and the `resolver` it asks for each.

Source: ngx_http_upstream_init_request (a target with variables: a group of that name, an address, else the resolver),
ngx_http_upstream_init_zone (`server … resolve`), documentation of resolver.
"""

from __future__ import annotations

from nginxlint.catalogue.numbers import parse_time
from nginxlint.routing.destinations import destinations
from nginxlint.routing.upstreams import split_authority
from nginxlint.syntax import Directive, Word

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from nginxlint.config import Config

_PORTS = {"http": 80, "https": 443, "$scheme": 80}
_PASSES = ("proxy_pass", "grpc_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass")


class Resolver:
    """A `resolver` line: the DNS servers as (host, port), the families asked for, and for how many seconds an answer
    holds (`valid`; None: as long as the answer itself says)."""

    __slots__ = ("directive", "ipv4", "ipv6", "servers", "valid")

    def __init__(self, directive: Directive) -> None:
        self.directive = directive
        self.servers: list[tuple[str, int]] = []
        self.ipv4 = self.ipv6 = True
        self.valid: int | None = None
        for word in directive.values:
            key, sign, value = word.partition("=")
            if not sign:
                host, port, _ = split_authority(word)
                self.servers.append((host, port or 53))
            elif key == "valid":
                self.valid = parse_time(value, seconds=True)
            elif key == "ipv4":
                self.ipv4 = value != "off"
            elif key == "ipv6":
                self.ipv6 = value != "off"

    @property
    def is_container_dns(self) -> bool:
        """Docker's embedded DNS: it knows the names of containers, and asks the host's servers for all others."""
        return any(host == "127.0.0.11" for host, _ in self.servers)


class Lookup:
    """One name that is looked up at run time. `name` is empty where it hangs on the request; `place` is the argument
    of the pass, or of the `server … resolve`, that needs it; `origins` are the `set`s and map lines it came from."""

    __slots__ = ("kind", "name", "origins", "place", "resolver")

    def __init__(
        self, name: str, place: Word, resolver: Resolver | None, kind: str, origins: tuple[Directive, ...] = ()
    ) -> None:
        self.name = name
        self.place = place
        self.resolver = resolver
        self.kind = kind
        self.origins = origins

    def __repr__(self) -> str:
        return f"Lookup({self.name!r})"


def run_time_lookups(config: Config) -> list[Lookup]:
    """Every name of every pass with variables that is neither a group nor an address, and of every `resolve`."""
    return [*_of_passes(config), *_of_groups(config)]


def _of_passes(config: Config) -> list[Lookup]:
    found: list[Lookup] = []
    at_start: set[tuple[str, str, int | None]] | None = None
    for target in config.passes(*_PASSES):
        if not target.has_variables:
            continue
        place, resolver = target.directive.args[0], _in_effect(config, target.directive)
        ends = destinations(config, target)
        if ends is None:
            found.append(Lookup("", place, resolver, target.kind))
            continue
        at_start = looked_up_at_start(config) if at_start is None else at_start
        seen: set[str] = set()
        for end in ends:
            key = (target.kind, end.host.lower(), end.port or _PORTS.get(end.scheme))
            if end.is_literal or not end.host or end.host in seen or key in at_start:
                continue
            if config.upstream(end.host, target.kind) is None:  # a group with a port is another fault
                seen.add(end.host)
                found.append(Lookup(end.host, place, resolver, target.kind, end.origins))
    return found


def _of_groups(config: Config) -> list[Lookup]:
    found = []
    for group in config.upstreams:
        for peer in group.peers:
            if peer.resolve and peer.unix is None and not _is_address(peer.host):
                resolver = _in_effect(config, group.block)
                found.append(Lookup(peer.host, peer.address, resolver, group.kind))
    return found


def looked_up_at_start(config: Config) -> set[tuple[str, str, int | None]]:
    """(kind, host, port) of the targets without variables: nginx keeps them as groups, which a variable can name with
    their port."""
    return {
        (target.kind, target.host.lower(), target.port or target.default_port)
        for target in config.passes(*_PASSES)
        if not target.has_variables
    }


def _in_effect(config: Config, place: Directive) -> Resolver | None:
    directive = config.scope(place).directive("resolver")
    return Resolver(directive) if directive is not None else None


def _is_address(host: str) -> bool:
    return ":" in host or not host.strip("0123456789.")
