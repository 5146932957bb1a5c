"""Shared memory zones: nginx's rules for declaring one name twice (`ngx_shared_memory_add`), for all who declare them."""

from __future__ import annotations

from nginxlint.diagnostic import Note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Directive

# Eight pages: what the slab allocator needs at least.
SMALLEST = 8 * 4096
# The directives that name a zone, besides `zone`.
_SHARING = (
    *("limit_conn_zone", "limit_req_zone", "limit_conn", "limit_req", "ssl_session_cache", "ssl_ocsp_cache"),
    *(f"{family}_cache{path}" for family in ("proxy", "fastcgi", "scgi", "uwsgi") for path in ("", "_path")),
)


class Zone:
    """A zone as declared so far. `size` 0: only used, not declared yet."""

    __slots__ = ("declared_at", "name", "size", "use")

    def __init__(self, name: str, size: int, use: str, declared_at: Directive) -> None:
        self.name = name
        self.size = size
        self.use = use
        self.declared_at = declared_at


def known_zones(context: Context) -> dict[str, Zone]:
    """All zones of the configuration so far, by name."""
    zones = context.state.setdefault("zones", {})
    assert isinstance(zones, dict)
    return zones


def shared_elsewhere(context: Context) -> set[str]:
    """All names that may be those of zones of others than groups."""
    lines = [line for name in _SHARING for line in context.find(name)]
    return {word for line in lines for value in line.values for word in value.replace("=", ":").split(":")}


def share_memory(
    context: Context, directive: Directive, index: int, name: str, size: int, use: str
) -> tuple[Zone | None, Refusal | None]:
    """Declare (or with size 0 only use) the zone; `use` is what it holds: another use of the name is refused."""
    zones = known_zones(context)
    zone = zones.get(name)
    if zone is None:
        zone = zones[name] = Zone(name, size, use, directive)
        return zone, None
    if zone.use != use:
        return None, context.refuse(
            "zone-conflict",
            directive,
            f'the zone "{name}" is already used for something else',
            f'the shared memory zone "{name}" is already declared for a different use',
            word=directive.args[index],
            related=(Note(zone.declared_at.head_span, "first use of the name"),),
            help=("give this zone a name of its own",),
        )
    if zone.size == 0:
        zone.size = size
    elif size and size != zone.size:
        return None, context.refuse(
            "zone-conflict",
            directive,
            f'the zone "{name}" is declared with two sizes: {zone.size} and {size} bytes',
            f'the size {size} of shared memory zone "{name}" conflicts with already declared size {zone.size}',
            word=directive.args[index],
            related=(Note(zone.declared_at.head_span, "declared here first"),),
            help=("write the same size at both places, or give one of them another name",),
        )
    return zone, None
