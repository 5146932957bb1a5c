"""`upstream` groups in http and stream: names, servers and their parameters, balancing methods, zones."""

from __future__ import annotations

from nginxlint.catalogue.addresses import Url, parse_url
from nginxlint.catalogue.checks.faults import fault
from nginxlint.catalogue.checks.groups import add_group, all_declared
from nginxlint.catalogue.checks.zones import SMALLEST, Zone, known_zones, share_memory, shared_elsewhere
from nginxlint.catalogue.context import terminator
from nginxlint.catalogue.numbers import parse_number, parse_size, parse_time
from nginxlint.diagnostic import Edit, Fix, Note
from nginxlint.edits import insert_line_after
from nginxlint.expressions import compiled
from nginxlint.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nginxlint.catalogue.checks.faults import AllEndWell, AllFine, BlockEnd, Check
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Block, Directive

_Version = tuple[int, int, int]
_NEVER = (99, 0, 0)

# Parameters of `server`: since which open source version (NGINX Plus has them all).
_SERVER_SINCE: dict[str, _Version] = {
    "weight": (0, 0, 0),
    "max_conns": (1, 11, 5),
    "max_fails": (0, 0, 0),
    "fail_timeout": (0, 0, 0),
    "backup": (0, 0, 0),
    "down": (0, 0, 0),
    "resolve": (1, 27, 3),
    "service": (1, 27, 3),
    "route": (1, 29, 6),
    "drain": (1, 29, 6),
    "slow_start": _NEVER,
}
_STICKY_SINCE = (1, 29, 6)
_SERVER_FLAGS = frozenset(("backup", "down", "resolve", "drain"))

# Methods whose groups take no `backup` servers (their flags lack NGX_HTTP_UPSTREAM_BACKUP).
_WITHOUT_BACKUP = frozenset(("hash", "ip_hash", "random"))
_WITH_BACKUP = frozenset(("least_conn", "least_time"))


# A host and a port that `ngx_parse_url` takes at a glance.
_PLAIN_PEER = compiled(r"[A-Za-z0-9_.-]+(?::[1-9][0-9]{0,3})?")


def _upstream(block: Directive, context: Context) -> Iterable[Refusal]:
    refusal = add_group(context, block, block.values[0], 0, no_port=True, explicit=True)
    return () if refusal is None else (refusal,)


def _methods(context: Context) -> dict[int, str]:
    known = context.state.setdefault("upstreams.method", {})
    assert isinstance(known, dict)
    return known


def _server(directive: Directive, context: Context) -> Iterable[Refusal]:
    values = directive.values
    fine = context.state.setdefault("upstreams.fine", {()})
    if values[1:] in fine and _PLAIN_PEER.fullmatch(values[0]) and (":" in values[0] or context.subsystem == "http"):
        return ()
    return _look_at_server(directive, context, fine)


def _all_servers_fine(examples: Mapping[tuple[str, ...], Directive], context: Context) -> bool:
    """Are all parameters right in every group, and the addresses plain?"""
    fine = context.state.setdefault("upstreams.fine", {()})
    parameters = {values[1:]: server for values, server in examples.items() if len(values) > 1}
    if (
        any(list(_look_at_server(server, context, fine)) for server in parameters.values())
        or not parameters.keys() <= fine
    ):
        return False
    peers = {values[0] for values in examples}
    return all(map(_PLAIN_PEER.fullmatch, peers)) and (context.subsystem == "http" or all(":" in one for one in peers))


def _look_at_server(directive: Directive, context: Context, fine: set[tuple[str, ...]]) -> Iterator[Refusal]:
    """`fine` are the parameters that are right whatever address and group they stand with."""
    values = directive.values
    if "backup" in values[1:] or "resolve" in values[1:]:
        context.state.setdefault("upstreams.marked", set()).add(values[1:])
    resolve = False
    service: str | None = None
    for index in range(1, len(values)):
        text = values[index]
        name, equals, value = text.partition("=")
        refusal = _parameter(context, directive, index, name, value, bool(equals))
        if refusal is not None:
            yield refusal
            return
        resolve = resolve or text == "resolve"
        service = value if name == "service" else service
    if service is None and ("backup" not in values or not any(map(context.occurs, _WITHOUT_BACKUP))):
        fine.add(values[1:])
    stream = context.subsystem == "stream"
    url = parse_url(values[0], default_port=0 if stream else 80)
    if url.error:
        yield bad_upstream_address(context, directive, 0, url, values[0])
    elif stream and url.no_port and url.family != "unix" and service is None:
        yield fault(
            context,
            directive,
            0,
            f'no port in upstream "{values[0]}"',
            f'"{values[0]}" has no port, and stream has no default one',
            f"write {values[0]}:PORT",
            group="upstream",
        )
    elif service is not None and not resolve:
        yield fault(
            context,
            directive,
            0,
            f'service upstream "{values[0]}" requires "resolve" parameter',
            "service= is looked up at run time and needs the parameter resolve",
            "add resolve",
            group="upstream",
        )
    elif service is not None and not url.no_port:
        yield fault(
            context,
            directive,
            0,
            f'service upstream "{values[0]}" may not have port',
            "with service= the ports come from the SRV records",
            "remove the port",
            group="upstream",
        )


def _parameter(
    context: Context, directive: Directive, index: int, name: str, value: str, valued: bool
) -> Refusal | None:
    text = directive.values[index]
    since = _SERVER_SINCE.get(name)
    plus = context.target.plus
    if since is None or valued is (name in _SERVER_FLAGS) or not (plus or context.version >= since):
        message = f'an upstream server has no parameter "{text}"'
        if since is not None and valued is not (name in _SERVER_FLAGS):
            message = f'the parameter "{name}" needs ' + (
                "NGINX Plus"
                if since == _NEVER
                else f"nginx {'.'.join(map(str, since))} or NGINX Plus (the target is {context.target.version_text})"
            )
        elif since is not None:
            message = f'"{text}" is not how "{name}" is written: it {"has no" if valued else "needs a"} value'
        return fault(
            context, directive, index, f'invalid parameter "{text}"', message, f"remove {text}", group="upstream"
        )
    method = _methods(context).get(id(directive.parent))
    if name == "backup" and method in _WITHOUT_BACKUP:
        return fault(
            context,
            directive,
            index,
            'balancing method does not support parameter "backup"',
            f"a group balanced by {method} takes no backup servers",
            "remove backup, or balance by least_conn or round robin",
            rule="upstream-backup-unsupported",
            group="upstream",
        )
    faulty = False
    if name == "weight":
        faulty = not parse_number(value)
    elif name in ("max_conns", "max_fails"):
        faulty = parse_number(value) is None
    elif name in ("fail_timeout", "slow_start"):
        faulty = parse_time(value, seconds=True) is None
    if name == "service" and not value:
        return fault(context, directive, index, "service is empty", "service= names no service", group="upstream")
    if not faulty:
        return None
    wanted = "a time in seconds or longer units, such as 30s" if "time" in name or "slow" in name else "a whole number"
    if name == "weight":
        wanted += " from 1"
    return fault(
        context,
        directive,
        index,
        f'invalid parameter "{text}"',
        f'{name} takes {wanted}, not "{value}"',
        group="upstream",
    )


def bad_upstream_address(context: Context, directive: Directive, index: int, url: Url, text: str) -> Refusal:
    """The refusal of a target that `ngx_parse_url` cannot read; `text` is the part it was given."""
    help: tuple[str, ...] = ()
    if url.error == "invalid port" and text.count(":") > 1 and "://" not in text:
        message, help = (
            f'"{text}" is read as a host with an invalid port',
            ("put an IPv6 address in brackets: [::1]:80",),
        )
    elif url.error == "invalid port":
        message, help = f'"{text}" has no valid port', ("a port is a number from 1 to 65535",)
    elif "://" in text:
        message = f'"{text}" must be an address without scheme'
    elif url.error == "invalid host":
        message = f'"{text}" is not a host: only address and port may stand here, without a path'
    elif url.error == "no host":
        message = f'"{text}" names no host'
    else:
        message = f'"{text}": {url.error}'
    better = _bare_address(directive.values[index], text)
    fix = Fix(f"write {better}", (Edit(directive.args[index].span, better),), safe=False)
    return fault(
        context,
        directive,
        index,
        f'{url.error} in upstream "{text}"',
        message,
        *((f"write {better}",) if better else help),
        rule="upstream-address-invalid",
        group="upstream",
        fixes=(fix,) if better else (),
    )


def _bare_address(written: str, text: str) -> str:
    """`https://app/path`, the end of what is written, as an address: scheme and path gone, the port of https kept.
    Empty where that is no address."""
    scheme, separator, rest = text.rpartition("://")
    address = rest.partition("/")[0]
    url = parse_url(address, default_port=80)
    if url.error or not address or (not separator and address == text) or not written.endswith(text):
        return ""
    if scheme.lower() == "https" and url.no_port:
        address += ":443"
    return written[: len(written) - len(text)] + address


def _method(directive: Directive, context: Context) -> Iterator[Refusal]:
    _methods(context)[id(directive.parent)] = directive.name
    values = directive.values
    wrong = -1
    if directive.name == "hash" and len(values) > 1 and values[1] != "consistent":
        wrong = 1
    elif directive.name == "random" and values:
        if values[0] != "two":
            wrong = 0
        elif len(values) > 1 and values[1] != "least_conn" and not _least_time(values[1], context):
            wrong = 1
    if wrong >= 0:
        yield fault(
            context,
            directive,
            wrong,
            f'invalid parameter "{values[wrong]}"',
            f'{directive.name} does not know "{values[wrong]}"'
            + (" before nginx 1.31.0" if values[wrong].startswith("least_time") else ""),
            "write consistent or nothing" if directive.name == "hash" else "write `random two least_conn;`",
            group="upstream",
        )


def _least_time(text: str, context: Context) -> bool:
    known = context.target.plus or context.version >= (1, 31, 0)
    return (known and text in ("least_time", "least_time=header", "least_time=last_byte", "least_time=connect")) or (
        known and text == "least_time=first_byte"
    )


def _keepalive(directive: Directive, context: Context) -> Iterator[Refusal]:
    values = directive.values
    number = parse_number(values[0])
    if number is None or (number == 0 and context.version < (1, 29, 7)):
        yield fault(
            context,
            directive,
            0,
            f'invalid value "{values[0]}" in "keepalive" directive',
            f'keepalive takes a number of idle connections, not "{values[0]}"'
            if number is None
            else "keepalive 0 is known since nginx 1.29.7 only; without the directive no connection is kept",
            "keepalive 16;" if number is None else "remove the directive",
            group="upstream",
        )
    elif len(values) > 1 and values[1] != "local":
        yield fault(
            context,
            directive,
            1,
            f'invalid parameter "{values[1]}"',
            f'keepalive does not know "{values[1]}"',
            group="upstream",
        )


def _zone(directive: Directive, context: Context) -> Iterable[Refusal]:
    name, *sizes = directive.values
    size = parse_size(sizes[0]) if sizes else 0
    if not name or size is None or (sizes and size < SMALLEST):
        return (_bad_zone(directive, context, size),)
    _, refusal = share_memory(context, directive, 0, name, size, f"upstream {context.subsystem}")
    return () if refusal is None else (refusal,)


def _all_zones_fine(examples: Mapping[tuple[str, ...], Directive], context: Context) -> bool:
    """Declare all zones of groups, if each has a name of its own that nothing else has: then it does not matter which
    comes first."""
    if context.place != "upstream" or context.occurs("stream") or not all(len(values) == 2 for values in examples):
        return False
    zones = {
        name: directive for (name, _), directive in examples.items() if name and ":" not in name and "=" not in name
    }
    sizes = {size: parse_size(size) or 0 for size in {size for _, size in examples}}
    if (
        len(zones) != len(context.find("zone"))
        or min(sizes.values()) < SMALLEST
        or not shared_elsewhere(context).isdisjoint(zones)
    ):
        return False
    declared = {name: Zone(name, sizes[line.values[1]], "upstream http", line) for name, line in zones.items()}
    known_zones(context).update(declared)
    return True


def _bad_zone(directive: Directive, context: Context, size: int | None) -> Refusal:
    values = directive.values
    if not values[0]:
        return fault(
            context, directive, 0, f'invalid zone name "{values[0]}"', "the zone has no name", group="upstream"
        )
    if size is None:
        return fault(
            context,
            directive,
            1,
            f'invalid zone size "{values[1]}"',
            f'"{values[1]}" is not a size',
            "zone backend 64k;",
            group="upstream",
        )
    return fault(
        context,
        directive,
        1,
        f'zone "{values[0]}" is too small',
        f'"{values[1]}" is too small for a zone: nginx needs at least 32k',
        f"zone {values[0]} 64k;",
        rule="zone-too-small",
        group="upstream",
        fixes=(Fix("write 64k", (Edit(directive.args[1].span, "64k"),), safe=False),),
    )


def _early_sticky(block: Block, context: Context) -> Iterator[Refusal]:
    """`sticky cookie|route|learn` for an nginx that may only have the third-party directive of that name."""
    if context.target.plus or context.target.modules is not None or context.version >= _STICKY_SINCE:
        return
    for sticky in block.children("sticky"):
        if sticky.values[:1] in (("cookie",), ("route",), ("learn",)):
            yield context.refuse(
                "directive-unknown",
                sticky,
                f'nginx {context.target.version_text} knows no directive "sticky {sticky.values[0]}"',
                'unknown directive "sticky"',
                span=sticky.name_span,
                help=(
                    f'"sticky" works on 1.29.6 and later, and in NGINX Plus; you target {context.target.version_text}',
                ),
            )


def _end_of_upstream(block: Block, context: Context) -> Iterable[Refusal]:
    if context.version >= _STICKY_SINCE and block.child("server", "state") is not None:
        return ()  # nearly always
    return _look_at_end(block, context)


def _none_is_empty(context: Context) -> bool:
    """Has every group a server, and none a `sticky` that has to be looked at?"""
    if context.version < _STICKY_SINCE and context.occurs("sticky"):
        return False
    return {server.parent for server in context.index.apart("server")[0]}.issuperset(context.find("upstream"))


def _look_at_end(block: Block, context: Context) -> Iterator[Refusal]:
    if context.version < _STICKY_SINCE:
        yield from _early_sticky(block, context)
    if block.synthetic or block.child("server", "state") is not None:
        return
    if any("_by_lua" in child.name for child in block.body):
        message = "nginx wants at least one server line, also where Lua chooses the server"
    else:
        message = f'the upstream group "{block.values[0] if block.values else ""}" has no servers'
    yield context.refuse(
        "upstream-empty",
        block,
        message,
        "no servers are inside upstream",
        nginx_at="close",
        group="upstream",
        help=("add a line such as `server 127.0.0.1:8080;`",),
    )


def _end_of_subsystem(block: Block, context: Context) -> Iterator[Refusal]:
    """What nginx finds when it sets up the groups, at the end of `http` or `stream`."""
    marked = context.state.get("upstreams.marked", ())
    resolves = any("resolve" in parameters for parameters in marked)
    lines = [one for one in context.index.apart("server")[0] if len(one.values) > 1] if marked else ()
    for group in dict.fromkeys([one.parent for one in lines if one.values[1:] in marked]):
        if (
            group is None
            or group.parent is not block
            or group.name != "upstream"
            or not group.values
            or group.synthetic
        ):
            continue
        servers = [child for child in group.body if child.name == "server" and child.values]
        only_backup = all("backup" in server.values[1:] for server in servers)
        if (not only_backup and not resolves) or any("_by_lua" in child.name for child in group.body):
            continue
        if only_backup:
            yield context.refuse(
                "upstream-only-backup",
                group,
                f'the upstream group "{group.values[0]}" has only backup servers',
                f'no servers in upstream "{group.values[0]}"',
                group="upstream",
                related=tuple(Note(server.head_span, "backup") for server in servers[:3]),
                help=("remove backup from at least one of them",),
                fixes=(Fix("remove backup from the first one", _without(servers[0], "backup"), safe=False),),
            )
            continue
        yield from _run_time_names(group, servers, block, context)


def _without(server: Directive, option: str) -> tuple[Edit, ...]:
    """A server line without one of its options, and the space before it."""
    index = server.values.index(option, 1)
    before, word = server.args[index - 1].span, server.args[index].span
    return (Edit(Span(word.source, before.end, word.end), ""),)


def _run_time_names(group: Directive, servers: list[Directive], block: Block, context: Context) -> Iterator[Refusal]:
    resolving = [
        server
        for server in servers
        if "resolve" in server.values[1:] and parse_url(server.values[0], default_port=80).needs_lookup
    ]
    if not resolving or not (context.target.plus or context.version >= (1, 27, 3)):
        return
    names = {child.name for child in group.body or ()}
    where = f'upstream "{group.values[0]}"'
    if "zone" not in names:
        opened = terminator(group)
        yield context.refuse(
            "upstream-resolve-needs",
            resolving[0],
            "resolve works only in a group with a zone",
            f"resolving names at run time requires {where} in {group.source.path}:{opened.line} to be in shared memory",
            word=resolving[0].args[0],
            nginx_at=None,
            group="upstream",
            help=("add `zone NAME 64k;` to the group",),
        )
    elif "resolver" not in names and not any(child.name == "resolver" for child in block.body) and context.complete:
        unseen = next((child for child in block.walk() if child.name == "resolver" and child.parent is not block), None)
        related: tuple[Note, ...] = ()
        fixes: tuple[Fix, ...] = ()
        if unseen is not None:
            line = f"{unseen.head_span.text};"
            related = (Note(unseen.head_span, "the group does not see this one"),)
            fixes = (Fix("give the group a resolver of its own", (insert_line_after(servers[-1], line),), safe=False),)
        yield context.refuse(
            "upstream-resolve-needs",
            resolving[0],
            f"resolve needs a resolver in the group or in {context.subsystem} {{}}: one in a server or location is not seen",
            f"no resolver defined to resolve names at run time in {where}",
            word=resolving[0].args[0],
            nginx_at=terminator(group),
            group="upstream",
            help=(f"add `resolver ADDRESS;` to {context.subsystem} {{}}",),
            related=related,
            fixes=fixes,
        )


CHECKS: dict[str, Check] = {
    "upstream": _upstream,
    "upstream:server": _server,
    "stream-upstream:server": _server,
    "hash": _method,
    "ip_hash": _method,
    "random": _method,
    "least_conn": _method,
    "least_time": _method,
    "upstream:keepalive": _keepalive,
    "upstream:zone": _zone,
    "stream-upstream:zone": _zone,
}
PURE = frozenset(("upstream:keepalive",))
ALL_FINE: dict[str, AllFine] = {
    "upstream": lambda _, context: all_declared(context),
    "upstream:server": _all_servers_fine,
    "stream-upstream:server": _all_servers_fine,
    "upstream:zone": _all_zones_fine,
}
BLOCK_END: dict[str, BlockEnd] = {
    "upstream": _end_of_upstream,
    "stream-upstream": _end_of_upstream,
    "http": _end_of_subsystem,
    "stream": _end_of_subsystem,
}
ALL_END_WELL: dict[str, AllEndWell] = {"upstream": _none_is_empty, "stream-upstream": _none_is_empty}
ENDS_OF_OWN = frozenset(("http", "stream"))
