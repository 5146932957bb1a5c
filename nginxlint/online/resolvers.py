"""The DNS servers of `resolver` lines as targets: those that look up names of requests, and no name that we know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nginxlint.online.in_effect import resolver_set
from nginxlint.online.literal import as_literal
from nginxlint.online.types import ResolverSet, Target, Where

if TYPE_CHECKING:
    from nginxlint.config import Config

DIRECTIVE, PROTOCOL = "resolver", "dns"
# ngx_resolver sends a question again, to the next server of the line, after so many seconds.
_NEXT_AFTER = 5.0


def resolver_targets(config: Config, targets: list[Target]) -> list[Target]:
    """A target for every server that has to look up names of requests, and is asked for none of `targets`."""
    asked = {
        server
        for target in targets
        if target.resolution == "runtime" and target.resolver is not None and target.skip is None
        for server in target.resolver.servers
    }
    found: dict[tuple[str, int], tuple[ResolverSet, list[Where]]] = {}
    for lookup in config.lookups:
        if lookup.resolver is None or lookup.name:
            continue  # a name is a target of its own
        line = lookup.resolver.directive
        assert line.parent is not None
        wanted = resolver_set(config.scope(line))
        for word, server in zip(line.args, lookup.resolver.servers, strict=False):
            if wanted is not None and server not in asked and server[0] != "off":
                _, places = found.setdefault(server, (wanted, []))
                where = Where(line, word.span)
                if where not in places:
                    places.append(where)
    first = len(targets) + 1
    return [
        _target(f"t{first + number}", server, wanted, places)
        for number, (server, (wanted, places)) in enumerate(found.items())
    ]


def _target(id: str, server: tuple[str, int], wanted: ResolverSet, places: list[Where]) -> Target:
    host, port = server
    others = len(wanted.servers) > 1 and wanted.timeout > _NEXT_AFTER
    return Target(
        id=id,
        directive=DIRECTIVE,
        protocol=PROTOCOL,
        scheme=PROTOCOL,
        host=host,
        port=port,
        path="",
        host_header=None,
        defined_at=places[0],
        used_at=tuple(places),
        resolution="literal" if as_literal(host) is not None else "startup",
        resolver=ResolverSet((server,)),
        next_upstream=frozenset(("timeout",)) if others else frozenset(),
    )
