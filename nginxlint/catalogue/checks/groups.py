"""The groups of servers that nginx keeps by name: made by `upstream`, or by the host of a pass."""

from __future__ import annotations

from nginxlint.catalogue.addresses import parse_url
from nginxlint.catalogue.context import terminator
from nginxlint.diagnostic import Edit, Fix, Note
from nginxlint.expressions import compiled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container

    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.source import Span
    from nginxlint.syntax import Directive

# The port that a pass means where it names none, by scheme; 0: it has to name one.
SCHEMES: dict[str, dict[str, int]] = {
    "proxy_pass": {"http://": 80, "https://": 443},
    "grpc_pass": {"grpc://": 0, "grpcs://": 0},
    "uwsgi_pass": {"uwsgi://": 0, "suwsgi://": 0},
}
FAMILIES = ("proxy", "fastcgi", "uwsgi", "scgi", "grpc", "memcached", "tunnel")
OTHER_PASSES = tuple(f"{family}_pass" for family in FAMILIES[1:])
# The commonest form of a `proxy_pass`, of which `parse_url` would make the same.
PLAIN_PASS = compiled(r"(?s)(https?://)([A-Za-z0-9_.-]+)(?::([1-9][0-9]{0,3}|[1-5][0-9]{4}))?(/.*)?\Z")


class Group:
    """A group as nginx keeps it: explicit (`upstream`) or made by the host of a pass directive."""

    __slots__ = ("declared_at", "explicit", "no_port", "port")

    def __init__(self, declared_at: Directive, explicit: bool, no_port: bool, port: int) -> None:
        self.declared_at = declared_at
        self.explicit = explicit
        self.no_port = no_port
        self.port = port


def add_group(
    context: Context, directive: Directive, host: str, port: int, *, no_port: bool, explicit: bool
) -> Refusal | None:
    """`ngx_http_upstream_add`: remember the group, refuse what clashes with an earlier one of that name."""
    key = "upstreams.stream" if context.subsystem == "stream" else "upstreams.http"
    groups: dict[str, list[Group]] = context.state.get(key) or context.state.setdefault(key, {})
    name = host.lower()
    if name not in groups:
        groups[name] = [Group(directive, explicit, no_port, 0 if explicit else port)]
        return None
    for group in groups[name]:
        if group.declared_at is directive:
            return None  # all were declared at once
        if explicit and group.explicit:
            return context.refuse(
                "upstream-duplicate",
                directive,
                f'there are two upstream groups called "{host}" (case does not count)',
                f'duplicate upstream "{host}"',
                word=directive.args[0],
                group="upstream",
                related=(Note(group.declared_at.head_span, "the first one"),),
                help=("rename one of them, or move its servers into the other",),
            )
        if group.explicit and not no_port:
            return _port_on_group(context, directive, group.declared_at, host, port, terminator(directive))
        if explicit and not group.no_port:
            return _port_on_group(context, group.declared_at, directive, host, group.port, terminator(directive))
        if group.port and port and group.port != port:
            continue
        if explicit:
            group.explicit, group.port, group.declared_at = True, 0, directive
        return None
    groups[name].append(Group(directive, explicit, no_port, 0 if explicit else port))
    return None


def _port_on_group(
    context: Context, used_at: Directive, declared_at: Directive, name: str, port: int, met_at: Span
) -> Refusal:
    place = next((word for word in used_at.args if name.lower() in word.text.lower()), used_at.args[0])
    written = place.text.lower().find(f"{name.lower()}:{port}")
    fixes: tuple[Fix, ...] = ()
    if written >= 0:
        colon = written + len(name)
        fixes = (Fix(f"remove :{port}", (Edit(place.part(colon, colon + len(str(port)) + 1), ""),), safe=False),)
    refusal = context.refuse(
        "upstream-port-on-group",
        used_at,
        f'"{name}" is an upstream group, so it cannot be given port {port}: the ports stand on its servers',
        f'upstream "{name}" may not have port {port}',
        word=place,
        group="upstream",
        related=(Note(declared_at.head_span, "the group"),),
        help=(f"remove :{port} here and write it on the server lines of the group",),
        fixes=fixes,
    )
    refusal.met_at = met_at
    return refusal


def without_scheme(name: str, text: str) -> str:
    """The address in the argument of a pass."""
    for scheme in SCHEMES.get(name, ()):
        if text[: len(scheme)].lower() == scheme:
            return text[len(scheme) :]
    return text


def all_declared(context: Context) -> bool:
    """Declare the groups of http at once, if each is there once and no pass clashes with one: then it does not matter
    which comes first. Their passes need not be declared any more."""
    known: bool | None = context.state.get("upstreams.declared")
    if known is None:
        blocks = context.find("upstream")
        named = {block.values[0].lower(): block for block in blocks if len(block.values) == 1 and _is_in_http(block)}
        known = len(named) == len(blocks) and not context.occurs("stream") and _all_passes_agree(named, context)
        if known:
            groups = {name: [Group(block, explicit=True, no_port=True, port=0)] for name, block in named.items()}
            context.state.setdefault("upstreams.http", {}).update(groups)
        context.state["upstreams.declared"] = known
    return known


def _is_in_http(block: Directive) -> bool:
    return block.body is not None and block.parent is not None and block.parent.name == "http"


def _all_passes_agree(groups: Container[str], context: Context) -> bool:
    """Is every address right, with a port unless it is that of a group, and then with none?"""
    for text in {directive.values[0] for directive in context.find("proxy_pass") if directive.values}:
        if (text.startswith("http://") and text[len("http://") :] in groups) or "$" in text:
            continue
        plain = PLAIN_PASS.match(text)
        if plain is None or (plain[3] and plain[2].lower() in groups):
            return False
    for name in OTHER_PASSES:
        for text in {directive.values[0] for directive in context.find(name) if directive.values}:
            if "$" in text and name != "memcached_pass":
                continue
            url = parse_url(without_scheme(name, text))
            in_group = url.host.lower() in groups
            if url.error or in_group is not (url.no_port and url.family != "unix"):
                return False
    return True
