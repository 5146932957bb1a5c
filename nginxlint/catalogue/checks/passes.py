"""`proxy_pass` and its siblings: what their one argument may be, and what surrounds a pass."""

from __future__ import annotations

from nginxlint.catalogue.addresses import Url, inet6_address, inet_address, parse_network, parse_url
from nginxlint.catalogue.checks.faults import fault, host_bits
from nginxlint.catalogue.checks.groups import (
    FAMILIES,
    OTHER_PASSES,
    PLAIN_PASS,
    SCHEMES,
    add_group,
    all_declared,
    without_scheme,
)
from nginxlint.catalogue.checks.patterns import pattern_fault
from nginxlint.catalogue.checks.upstreams import bad_upstream_address
from nginxlint.catalogue.checks.zones import share_memory
from nginxlint.catalogue.numbers import parse_number, parse_time
from nginxlint.diagnostic import Fix
from nginxlint.edits import delete, insert_line_after

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nginxlint.catalogue.checks.faults import AllFine, BlockEnd, Check
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Block, Directive

_URI_FORBIDDEN = (
    '"proxy_pass" cannot have URI part in location given by regular expression, or inside named location, '
    'or inside "if" statement, or inside "limit_except" block'
)


def _no_port_yet(context: Context) -> list[Directive]:
    waiting = context.state.setdefault(f"passes.no_port.{context.subsystem}", [])
    assert isinstance(waiting, list)
    return waiting


def _proxy_pass(directive: Directive, context: Context) -> Iterable[Refusal]:
    text = directive.values[0]
    if "$" in text:
        return ()
    plain = PLAIN_PASS.match(text)
    if plain is None:
        return _other_target(directive, context)
    scheme, host, port, uri = plain.groups()
    refusal = add_group(
        context, directive, host, int(port or SCHEMES["proxy_pass"][scheme]), no_port=port is None, explicit=False
    )
    if refusal is None and uri and (context.place != "location" or _is_regex_or_named(directive.parent)):
        refusal = _uri_forbidden(context, directive, uri)
    return () if refusal is None else (refusal,)


def _all_proxies_fine(examples: Mapping[tuple[str, ...], Directive], context: Context) -> bool:
    """Are the groups known, and is there no path where none may be?"""
    with_path = {values for values in examples if "$" not in values[0] and "/" in values[0][len("https://") :]}
    if with_path and context.place != "location":
        return False
    passes = context.find("proxy_pass") if with_path else ()
    return all_declared(context) and not any(
        _is_regex_or_named(one.parent) for one in passes if one.values in with_path
    )


def _other_target(directive: Directive, context: Context) -> Iterator[Refusal]:
    """A target that is not written in the commonest way."""
    text = directive.values[0]
    lower = text[:8].lower()
    if lower.startswith("http://"):
        rest, port = text[7:], 80
    elif lower == "https://":
        rest, port = text[8:], 443
    else:
        yield _no_scheme(context, directive, text)
        return
    url = parse_url(rest, uri_part=True, default_port=port)
    if url.error:
        yield bad_upstream_address(context, directive, 0, url, rest)
        return
    refusal = _add_target(context, directive, url)
    if refusal is not None:
        yield refusal
    elif url.uri and (context.place != "location" or _is_regex_or_named(directive.parent)):
        yield _uri_forbidden(context, directive, url.uri)


def _add_target(context: Context, directive: Directive, url: Url) -> Refusal | None:
    return add_group(context, directive, url.host, url.port, no_port=url.no_port, explicit=False)


def _is_regex_or_named(location: Directive | None) -> bool:
    values = location.values if location is not None else ()
    if len(values) == 2:
        return values[0] in ("~", "~*")
    return len(values) == 1 and values[0][:1] in ("~", "@")


def _no_scheme(context: Context, directive: Directive, text: str) -> Refusal:
    scheme, separator, rest = text.partition("://")
    if separator:
        message = f"proxy_pass speaks http:// and https:// only, not {scheme}://"
        help = {
            "ws": f"websockets are proxied as http://{rest}",
            "wss": f"websockets are proxied as https://{rest}",
            "grpc": "use grpc_pass",
            "fastcgi": "use fastcgi_pass",
            "uwsgi": "use uwsgi_pass",
            "tcp": "plain TCP is proxied in stream {}",
        }.get(scheme.lower(), f"write http://{rest}")
    else:
        message = f'"{text}" has no scheme: a pass target begins with http:// or https://'
        help = f"write http://{text}" if not text.startswith("unix:") else f"write http://{text}:/"
    return fault(context, directive, 0, "invalid URL prefix", message, help, rule="proxy-scheme-missing", group="proxy")


def _uri_forbidden(context: Context, directive: Directive, uri: str) -> Refusal:
    where = {
        "if-in-location": "`if`",
        "if-in-server": "`if`",
        "limit_except": "`limit_except`",
    }.get(context.place, "a regular-expression or named location")
    bare = directive.values[0][: -len(uri)]
    help = f"write {bare} without the path"
    if uri != "/":
        help += ", and change the path before it with `rewrite … break;`"
    return fault(
        context,
        directive,
        0,
        _URI_FORBIDDEN,
        f'in {where} the target may have no path, and "{uri}" is one: nginx does not know what it would replace',
        help,
        rule="proxy-uri-forbidden",
        group="proxy",
    )


def _other_pass(directive: Directive, context: Context) -> Iterator[Refusal]:
    """fastcgi, uwsgi, scgi, grpc, memcached, tunnel: an address that needs a port unless a group has the name."""
    if not directive.values:
        return
    text = directive.values[0]
    if "$" in text and directive.name != "memcached_pass":
        return
    yield from _address_or_group(directive, context, without_scheme(directive.name, text))


def _stream_pass(directive: Directive, context: Context) -> Iterator[Refusal]:
    text = directive.values[0]
    if "$" not in text:
        yield from _address_or_group(directive, context, text)


def _address_or_group(directive: Directive, context: Context, text: str) -> Iterator[Refusal]:
    url = parse_url(text)
    if url.error:
        yield bad_upstream_address(context, directive, 0, url, text)
        return
    refusal = _add_target(context, directive, url)
    if refusal is not None:
        yield refusal
    elif url.no_port and url.family != "unix":
        _no_port_yet(context).append(directive)


def _end_of_subsystem(block: Block, context: Context) -> Iterator[Refusal]:
    """Targets without a port are fine only where a group has that name; nginx knows at the end."""
    waiting = _no_port_yet(context)
    if not waiting:
        return
    groups = context.state.get(f"upstreams.{context.subsystem}")
    assert isinstance(groups, dict)
    for directive in waiting:
        text = without_scheme(directive.name, directive.values[0])
        # nginx keeps the first group of that name whose port agrees, and asks only that one.
        first = next((group for group in groups.get(text.lower(), ()) if group.explicit or group.port), None)
        if first is not None or not context.complete:
            continue
        yield context.refuse(
            "upstream-address-invalid",
            directive,
            f'"{text}" has no port, and no upstream group has that name',
            f'no port in upstream "{text}"',
            word=directive.args[0],
            group="upstream",
            help=(f"write {text}:PORT, or define `upstream {text} {{ … }}`",),
        )
    waiting.clear()


def _redirect(directive: Directive, context: Context) -> Iterator[Refusal]:
    values = directive.values
    parent = directive.parent
    if len(values) == 1 and values[0] not in ("off", "default"):
        yield _invalid_one(context, directive, "off or default")
        return
    refusal = _repeated_off(context, directive)
    if refusal is not None:
        yield refusal
        return
    if len(values) == 1 and values[0] == "default" and parent is not None and parent.body is not None:
        passes = [child for child in parent.body if child.name == "proxy_pass" and child.values]
        before = [child for child in passes if _stands_before(child, directive)]
        if before and "$" in before[0].values[0]:
            yield fault(
                context,
                directive,
                0,
                '"proxy_redirect default" cannot be used with "proxy_pass" directive with variables',
                "`proxy_redirect default` needs a proxy_pass without variables",
                "write what to replace: proxy_redirect http://internal:8080/ /;",
                rule="proxy-redirect-default",
                group="proxy",
                fixes=(_below_the_pass(directive, before),),
            )
        elif not before:
            yield fault(
                context,
                directive,
                0,
                '"proxy_redirect default" should be placed after the "proxy_pass" directive',
                "`proxy_redirect default` must stand after the proxy_pass of the same location",
                "move it below proxy_pass" if passes else "remove it: it is the default anyway",
                rule="proxy-redirect-default",
                group="proxy",
                fixes=(_below_the_pass(directive, passes),),
            )
    elif len(values) == 2 and values[0].startswith("~"):
        refusal = _tilde_pattern(context, directive)
        if refusal is not None:
            yield refusal


def _below_the_pass(directive: Directive, passes: list[Directive]) -> Fix:
    """Without a pass that it can be derived from, `default` says no more than nothing does."""
    if not passes or passes[0].source is not directive.source or "$" in passes[0].values[0]:
        return Fix("remove it", (delete(directive),), safe=not passes)
    return Fix(
        "move it below proxy_pass", (delete(directive), insert_line_after(passes[0], directive.span.text)), safe=True
    )


def _stands_before(first: Directive, second: Directive) -> bool:
    body = first.parent.body if first.parent is not None else None
    for child in body or ():
        if child is first:
            return True
        if child is second:
            return False
    return False


def _tilde_pattern(context: Context, directive: Directive) -> Refusal | None:
    text = directive.values[0]
    if directive.name in ("proxy_cookie_domain", "proxy_cookie_flags"):  # caseless without a star
        return pattern_fault(context, directive, 0, text[1:], caseless=True)
    if text.startswith("~*"):
        return pattern_fault(context, directive, 0, text[2:], caseless=True)
    return pattern_fault(context, directive, 0, text[1:])


def _invalid_one(context: Context, directive: Directive, words: str) -> Refusal:
    text = directive.values[0]
    return fault(
        context,
        directive,
        0,
        f'invalid parameter "{text}"',
        f'with one argument {directive.name} takes {words} only, not "{text}"',
        "write both what to replace and the replacement",
        group="proxy",
    )


def _repeated_off(context: Context, directive: Directive) -> Refusal | None:
    """`off` may not stand beside another line of the same directive."""
    parent = directive.parent
    siblings = [child for child in (parent.body or ()) if child.name == directive.name] if parent is not None else []
    before = []
    for child in siblings:
        if child is directive:
            break
        before.append(child)
    if not before or not (directive.values == ("off",) or any(child.values == ("off",) for child in before)):
        return None
    return context.refuse(
        "directive-repeat",
        directive,
        f"`{directive.name} off` cannot stand beside another {directive.name}",
        f'"{directive.name}" directive is duplicate',
        help=("remove one of them",),
        group="proxy",
    )


def _cookie(directive: Directive, context: Context) -> Iterator[Refusal]:
    if len(directive.values) == 1 and directive.values[0] != "off":
        yield _invalid_one(context, directive, "off")
        return
    refusal = _repeated_off(context, directive)
    if refusal is None and len(directive.values) > 1 and directive.values[0].startswith("~"):
        refusal = _tilde_pattern(context, directive)
    if refusal is not None:
        yield refusal


def _bind(directive: Directive, context: Context) -> Iterator[Refusal]:
    values = directive.values
    if values == ("off",):
        return
    if "$" not in values[0]:
        # nginx reads the whole first (an unbracketed IPv6 address has colons), then an address with a port.
        url = parse_url(values[0])
        plain = inet_address(values[0]) is not None or inet6_address(values[0]) is not None
        # ngx_parse_addr_port
        bracketed = values[0].startswith("[") and url.no_port and context.version < (1, 27, 3)
        if not plain and (url.error or url.literal is None or url.family == "unix" or bracketed):
            yield fault(
                context,
                directive,
                0,
                f'invalid address "{values[0]}"',
                f'"{values[0]}" is not an IP address of this machine',
                f"{directive.name} 192.0.2.1; or {directive.name} off;",
                group="proxy",
            )
            return
    if len(values) > 1 and values[1] != "transparent":
        yield fault(
            context,
            directive,
            1,
            f'invalid parameter "{values[1]}"',
            f'the second argument can only be transparent, not "{values[1]}"',
            group="proxy",
        )


def _store(directive: Directive, context: Context) -> Iterator[Refusal]:
    path = directive.values[0]
    if path != "off":
        yield from _rivals(directive, context, directive.name.replace("_store", "_cache"))
    if not path and context.version >= (1, 27, 3):
        yield fault(context, directive, 0, "empty path", f"{directive.name} takes a path, on or off", group="cache")


def _cache(directive: Directive, context: Context) -> Iterator[Refusal]:
    name = directive.values[0]
    if name == "off":
        return
    for refusal in _rivals(directive, context, directive.name.replace("_cache", "_store")):
        yield refusal
        return
    if "$" not in name:
        _, conflict = share_memory(context, directive, 0, name, 0, f"{directive.name.partition('_')[0]} cache")
        if conflict is not None:
            yield conflict


def _rivals(directive: Directive, context: Context, rival: str) -> Iterator[Refusal]:
    parent = directive.parent
    for child in (parent.body if parent is not None else None) or ():
        if child is directive:
            return
        if child.name == rival and child.values and child.values[0] != "off":
            yield fault(
                context,
                directive,
                -1,
                f'"{directive.name}" directive is incompatible with "{rival}"',
                f"{directive.name} and {rival} exclude each other",
                "keep one of them",
                rule="directive-conflict",
                group="cache",
            )
            return


def _cache_valid(directive: Directive, context: Context) -> Iterator[Refusal]:
    values = directive.values
    if parse_time(values[-1], seconds=True) is None:
        yield fault(
            context,
            directive,
            len(values) - 1,
            f'invalid time value "{values[-1]}"',
            f'the last argument of {directive.name} is a time, and "{values[-1]}" is none',
            f"{directive.name} 200 302 10m;",
            group="cache",
        )
        return
    for index, text in enumerate(values[:-1]):
        status = parse_number(text)
        if text != "any" and (status is None or not 100 <= status <= 599):
            yield fault(
                context,
                directive,
                index,
                f'invalid status "{text}"',
                f'"{text}" is no HTTP status',
                "write statuses from 100 to 599, or any",
                group="cache",
            )
            return


def _trusted_source(directive: Directive, context: Context) -> Iterator[Refusal]:
    """Kept here for `geoip_proxy`: an address or a network."""
    text = directive.values[0]
    network = parse_network(text)
    if network is None:
        yield fault(
            context,
            directive,
            0,
            f'invalid network "{text}"',
            f'"{text}" is no address and no network',
            f"{directive.name} 192.0.2.0/24;",
        )
    elif network.host_bits:
        yield host_bits(context, directive, text, network, directive.args[0].span)


CHECKS: dict[str, Check] = {
    "location:proxy_pass": _proxy_pass,
    "if-in-location:proxy_pass": _proxy_pass,
    "limit_except:proxy_pass": _proxy_pass,
    "stream-server:proxy_pass": _stream_pass,
    **dict.fromkeys(OTHER_PASSES, _other_pass),
    "proxy_redirect": _redirect,
    "proxy_cookie_domain": _cookie,
    "proxy_cookie_path": _cookie,
    "proxy_cookie_flags": _cookie,
    **{f"{family}_bind": _bind for family in FAMILIES},
    **{f"{family}_store": _store for family in FAMILIES[:4]},
    **{f"{family}_cache": _cache for family in FAMILIES[:4]},
    **{f"{family}_cache_valid": _cache_valid for family in FAMILIES[:4]},
    "geoip_proxy": _trusted_source,
}
PURE = frozenset(name for name in CHECKS if name.endswith(("_bind", "_cache_valid")))
ALL_FINE: dict[str, AllFine] = {
    **{f"{place}:proxy_pass": _all_proxies_fine for place in ("location", "if-in-location", "limit_except")},
    **{name: lambda _, context: all_declared(context) for name in OTHER_PASSES},
}
BLOCK_END: dict[str, BlockEnd] = {"http": _end_of_subsystem, "stream": _end_of_subsystem}
ENDS_OF_OWN = frozenset(("http", "stream"))
