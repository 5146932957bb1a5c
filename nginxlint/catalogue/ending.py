"""What nginx finds after it has read everything: no events block, too few connections, zones nobody declared."""

from __future__ import annotations

from nginxlint.catalogue.context import closing, unread
from nginxlint.catalogue.names import is_merged
from nginxlint.catalogue.nearest import nearest
from nginxlint.catalogue.numbers import parse_number
from nginxlint.diagnostic import Confidence
from nginxlint.source import Span
from nginxlint.syntax import Block

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from nginxlint.catalogue.checks.zones import Zone
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Directive


def after_all(context: Context) -> Iterator[Refusal]:
    """The refusals of `ngx_init_cycle()` once the files are read."""
    yield from _no_events(context)
    yield from _few_connections(context)
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


def _few_connections(context: Context) -> Iterator[Refusal]:
    """`ngx_event_init_conf`: a connection for each listening socket, and one for the channel to the master."""
    if context.version < (1, 15, 2):
        return
    events = next(iter(context.root.blocks("events")), None)
    if events is None:
        return
    asked = events.child("worker_connections")
    connections = parse_number(asked.values[0]) if asked is not None and len(asked.values) == 1 else 512
    # with one for servers that name no socket
    named = 1 + sum(len(context.state.get(f"listen.{subsystem}", ())) for subsystem in ("http", "stream", "mail"))
    if connections is None or connections > named:
        return
    sockets = sum(_opened(context, subsystem) for subsystem in ("http", "stream", "mail"))
    if connections > sockets:
        return
    at = asked or events
    yield context.refuse(
        "arguments-invalid",
        at,
        f"{connections} connections are too few for a worker that listens on {sockets} sockets: it needs one for each, and "
        "one more",
        f"{connections} worker_connections are not enough for {sockets} listening sockets",
        span=at.head_span,
        nginx_at=None,
        help=(f"write at least `worker_connections {max(512, 2 * sockets)};`",),
    )


def _opened(context: Context, subsystem: str) -> int:
    """How many sockets a subsystem opens: what a wildcard listens for has no socket of its own, unless it has options
    (`ngx_http_init_listening`)."""
    sockets = context.state.get(f"listen.{subsystem}", {})
    if subsystem == "http":
        from nginxlint.catalogue.checks.server_names import with_default_port

        for block in context.find("http"):
            if block.body is not None:
                sockets = with_default_port(block, sockets)  # type: ignore[arg-type]
    groups: dict[tuple[object, ...], list[tuple[bool, bool]]] = {}
    for (datagram, port, address), socket in sockets.items():
        family = len(address) if isinstance(address, bytes) else address
        wildcard = isinstance(address, bytes) and not any(address)
        groups.setdefault((datagram, port, family), []).append((wildcard, socket.options is not None))
    count = 0
    for group in groups.values():
        covered = any(wildcard for wildcard, _ in group)
        count += sum(1 for wildcard, own in group if wildcard or own or not covered)
    return count


def unknown_caches(context: Context, block: Block) -> Iterator[Refusal]:
    """Caches that are used and never declared: found when the values of http are merged."""
    zones = context.state.get("zones", {}).values()
    declared = [zone.name for zone in zones if zone.size and zone.use.endswith(" cache")]
    for zone in zones:
        directive = zone.declared_at
        if not zone.size and zone.use.endswith(" cache") and is_merged(directive, block):
            yield _undefined(
                context, zone, declared, f'"{directive.name}" zone "{zone.name}" is unknown', closing(block)
            )


def _undeclared_zones(context: Context) -> Iterator[Refusal]:
    """Zones that are used and never declared: they have no size."""
    zones = context.state.get("zones", {}).values()
    https = [block for block in context.find("http") if isinstance(block, Block)]
    for zone in zones:
        # caches that are merged somewhere have been looked at
        if not zone.size and (
            not zone.use.endswith(" cache") or not any(is_merged(zone.declared_at, block) for block in https)
        ):
            declared = [other.name for other in zones if other.size and other.use == zone.use]
            yield _undefined(context, zone, declared, f'zero size shared memory zone "{zone.name}"', None)


def _undefined(context: Context, zone: Zone, declared: list[str], nginx_message: str, nginx_at: Span | None) -> Refusal:
    directive = zone.declared_at
    word = next((word for word in directive.args if zone.name in word.text), None)
    close = nearest(zone.name, declared) if context.may_guess() else ""
    gap = unread(context)
    advice = f'did you mean "{close}"?' if close else f"declare it, for example: {_example(directive, zone.name)}"
    refusal = context.refuse(
        "zone-undefined",
        directive,
        f'the zone "{zone.name}" is used here and declared nowhere',
        nginx_message,
        word=word,
        nginx_at=nginx_at,
        help=(advice, gap) if gap else (advice,),
    )
    if gap:
        refusal.confidence = Confidence.MEDIUM
    return refusal


def _example(directive: Directive, zone: str) -> str:
    if directive.name == "limit_conn":
        return f"limit_conn_zone $binary_remote_addr zone={zone}:10m;"
    if directive.name == "limit_req":
        return f"limit_req_zone $binary_remote_addr zone={zone}:10m rate=10r/s;"
    if directive.name.endswith("_cache"):
        return f"{directive.name}_path /var/cache/nginx keys_zone={zone}:10m;"
    return f"a size after its name: {zone}:10m"
