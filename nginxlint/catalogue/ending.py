"""What nginx finds after it has read everything: no events block, zones nobody declared."""

from __future__ import annotations

from nginxlint.catalogue.nearest import nearest
from nginxlint.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Directive


def after_all(context: Context) -> Iterator[Refusal]:
    """The refusals of `ngx_init_cycle()` once the files are read."""
    yield from _no_events(context)
    yield from _undeclared_zones(context)


def _no_events(context: Context) -> Iterator[Refusal]:
    root = context.root
    if any(child.name == "events" for child in root.body):
        return
    first: Directive = root.body[0] if root.body else root
    yield context.refuse(
        "events-missing",
        first,
        "the configuration has no events block: nginx does not start without one",
        'no "events" section in configuration',
        span=Span(root.source, 0, 0),
        nginx_at=None,
        help=("add `events { }` at the top level",),
    )


def _undeclared_zones(context: Context) -> Iterator[Refusal]:
    """Zones that are used and never declared: they have no size."""
    zones = context.state.get("zones", {})
    declared = [zone.name for zone in zones.values() if zone.size]
    for zone in zones.values():
        if zone.size:
            continue
        directive = zone.declared_at
        word = next((word for word in directive.args if zone.name in word.text), None)
        close = nearest(zone.name, declared)
        yield context.refuse(
            "zone-undefined",
            directive,
            f'the zone "{zone.name}" is used here and declared nowhere',
            f'zero size shared memory zone "{zone.name}"',
            word=word,
            nginx_at=None,
            help=(f'did you mean "{close}"?' if close else f"declare it, for example: {_example(directive, zone.name)}",),
        )


def _example(directive: Directive, zone: str) -> str:
    if directive.name == "limit_conn":
        return f"limit_conn_zone $binary_remote_addr zone={zone}:10m;"
    if directive.name == "limit_req":
        return f"limit_req_zone $binary_remote_addr zone={zone}:10m rate=10r/s;"
    if directive.name.endswith("_cache"):
        return f"{directive.name}_path /var/cache/nginx keys_zone={zone}:10m;"
    return f"a size after its name: {zone}:10m"
