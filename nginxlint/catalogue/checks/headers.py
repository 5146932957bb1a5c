"""Small directives of http with parsers of their own: headers, access, referers, cookies, types of files."""

from __future__ import annotations

from nginxlint.catalogue.addresses import parse_network, parse_url
from nginxlint.catalogue.checks.faults import fault
from nginxlint.catalogue.checks.patterns import pattern_fault
from nginxlint.catalogue.checks.tls_lists import effective
from nginxlint.catalogue.context import closing
from nginxlint.catalogue.numbers import parse_number, parse_offset, parse_size, parse_time
from nginxlint.diagnostic import Note, Severity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from nginxlint.catalogue.checks.faults import BlockEnd, Check
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Block, Directive

_BROWSERS = frozenset(("msie", "gecko", "opera", "safari", "konqueror"))
_DAY = 24 * 60 * 60


def _add_header(directive: Directive, context: Context) -> Iterator[Refusal]:
    values = directive.values
    if len(values) == 3 and values[2] != "always":
        yield fault(
            context,
            directive,
            2,
            f'invalid parameter "{values[2]}"',
            f'the third argument of {directive.name} can only be always, not "{values[2]}"',
            "quote a value with blanks",
        )


def _expires(directive: Directive, context: Context) -> Iterator[Refusal]:
    values = directive.values
    modified = len(values) == 2
    text = values[-1]
    error = ""
    if modified and values[0] != "modified":
        error = "invalid value"
    elif "$" in text or (not modified and text in ("epoch", "max", "off")):
        return
    else:
        daily = text[:1] == "@"
        time = parse_time(text[1:] if text[:1] in ("@", "+", "-") else text, seconds=True)
        if daily and modified:
            error = 'daily time cannot be used with "modified" parameter'
        elif time is None:
            error = "invalid value"
        elif daily and time > _DAY:
            error = "daily time value must be less than 24 hours"
    if error:
        yield fault(
            context,
            directive,
            len(values) - 1,
            f'"expires" directive {error}',
            f'"{" ".join(values)}" is no time for expires: {error}',
            "write for example 30d, -1, @15h30m, epoch, max or off",
        )


def _access(directive: Directive, context: Context) -> Iterator[Refusal]:
    text = directive.values[0]
    if text in ("all", "unix:"):
        return
    network = parse_network(text)
    if network is None:
        yield fault(
            context,
            directive,
            0,
            f'invalid parameter "{text}"',
            f'"{text}" is no address, no network and not all: {directive.name} knows no host names',
            f"{directive.name} 192.0.2.0/24;",
            rule="network-invalid",
            group="security",
        )
    elif network.host_bits:
        yield _host_bits(context, directive)


def _host_bits(context: Context, directive: Directive) -> Refusal:
    text = directive.values[0]
    return context.refuse(
        "cidr-host-bits",
        directive,
        f'"{text}" has bits set that its mask makes meaningless',
        f"low address bits of {text} are meaningless",
        word=directive.args[0],
        severity=Severity.INFO,
        blocks_start=False,
    )


def _real_ip(directive: Directive, context: Context) -> Iterator[Refusal]:
    text = directive.values[0]
    if text == "unix:":
        return
    network = parse_network(text)
    if network is not None:
        if network.host_bits:
            yield _host_bits(context, directive)
        return
    # What is no address is a host name to nginx; one with a slash or a blank cannot be looked up.
    if "/" in text or not text or parse_url(text).error:
        yield fault(
            context,
            directive,
            0,
            f'host not found in set_real_ip_from "{text}"',
            f'"{text}" is no address and no network',
            "set_real_ip_from 192.0.2.0/24;",
            rule="network-invalid",
            group="security",
        )


def _resolver(directive: Directive, context: Context) -> Iterator[Refusal]:
    servers = 0
    ipv4 = ipv6 = True
    if context.subsystem == "mail" and directive.values == ("off",):
        return
    for index, text in enumerate(directive.values):
        name, equals, value = text.partition("=")
        if name == "valid" and equals:
            if parse_time(value, seconds=True) is not None:
                continue
        elif equals and (name == "ipv6" or (name == "ipv4" and (context.version >= (1, 23, 1) or context.target.plus))):
            if value in ("on", "off"):
                ipv4 = value == "on" if name == "ipv4" else ipv4
                ipv6 = value == "on" if name == "ipv6" else ipv6
                continue
        elif name == "status_zone" and equals and context.target.plus:
            continue
        else:
            url = parse_url(text, default_port=53)
            if not url.error and not equals:
                servers += 1
                continue
            error = url.error or "host not found"
            since = " before nginx 1.23.1" if name == "ipv4" else ""
            yield fault(
                context,
                directive,
                index,
                f'{error} in resolver "{text}"',
                f'"{text}" is no address of a name server'
                if not equals
                else f'resolver has no parameter "{text}"{since}: nginx takes it for a host name',
                "put an IPv6 address in brackets" if text.count(":") > 1 and text[:1] != "[" else "resolver 127.0.0.1;",
                group="proxy",
            )
            return
        yield fault(
            context,
            directive,
            index,
            f"invalid parameter: {text}",
            f'"{value}" is no value of {name}',
            "valid=30s" if name == "valid" else f"{name}=on or {name}=off",
            group="proxy",
        )
        return
    if not ipv4 and not ipv6:
        yield fault(
            context,
            directive,
            -1,
            '"ipv4" and "ipv6" cannot both be "off"',
            "with ipv4=off and ipv6=off no address could ever be found",
            "remove one of them",
            group="proxy",
        )
    elif not servers:
        yield fault(
            context,
            directive,
            -1,
            "no name servers defined",
            "resolver names no name server",
            "resolver 127.0.0.1 valid=30s;",
            group="proxy",
        )


def _valid_referers(directive: Directive, context: Context) -> Iterator[Refusal]:
    keys = context.state.setdefault("referers", {})
    assert isinstance(keys, dict)
    seen: set[str] = keys.setdefault(id(directive.parent), set())
    yield from _judged_late(directive, context)
    for index, text in enumerate(directive.values):
        if text in ("none", "blocked", "server_names"):
            continue
        nginx_message = ""
        if not text:
            nginx_message = 'invalid referer ""'
        elif text == "~":
            nginx_message = 'empty regex in "~"'
        elif text[0] == "~":
            refusal = pattern_fault(context, directive, index, text[1:], caseless=True)
            if refusal is not None:
                yield refusal
                return
            continue
        key = text.lower().partition("/")[0]
        if not nginx_message and not _referer(key):
            nginx_message = f'invalid hostname or wildcard "{key}"'
        elif not nginx_message and key in seen:
            nginx_message = f'conflicting parameter "{key}"'
        if nginx_message:
            yield fault(
                context,
                directive,
                index,
                nginx_message,
                f'"{text}" stands twice in valid_referers'
                if "conflicting" in nginx_message
                else f'"{text}" is no host of a referer',
                "write hosts without scheme, such as example.com, *.example.com or ~regex",
            )
            return
        seen.add(key)


def _referer(key: str) -> bool:
    if ".." in key or key.count("*") > 1:
        return False
    return "*" not in key or key[0] == "." or (len(key) > 2 and (key.startswith("*.") or key.endswith(".*")))


def _referers_alone(block: Block, context: Context) -> Iterator[Refusal]:
    lines = block.children("valid_referers")
    words = [word for line in lines for word in line.values]
    if words and all(word in ("none", "blocked") for word in words):
        yield context.refuse(
            "referers-missing",
            lines[0],
            "valid_referers names no referer: none and blocked alone are refused",
            'the "none" or "blocked" referers are specified in the "valid_referers" directive without any valid referer',
            nginx_at=None,
            help=("add server_names, or the hosts that may link here",),
        )


def _sub_filter(directive: Directive, context: Context) -> Iterator[Refusal]:
    if not directive.values[0]:
        yield fault(context, directive, 0, "empty search pattern", "sub_filter has nothing to search for")


def _secure_link(block: Block, context: Context) -> Iterator[Refusal]:
    secret = block.child("secure_link_secret")
    if secret is None:
        return
    other = block.child("secure_link", "secure_link_md5")
    if other is not None:
        yield context.refuse(
            "directive-conflict",
            secret,
            "secure_link_secret is the old form and excludes secure_link and secure_link_md5",
            '"secure_link_secret" cannot be mixed with "secure_link" and "secure_link_md5"',
            nginx_at=None,
            related=(Note(other.head_span, "the new form"),),
            help=("keep one of the two forms",),
        )


def _userid_expires(directive: Directive, context: Context) -> Iterator[Refusal]:
    text = directive.values[0]
    if text not in ("max", "off") and parse_time(text, seconds=True) is None:
        yield _invalid_value(context, directive, "a time such as 365d, max or off")


def _invalid_value(context: Context, directive: Directive, wanted: str, index: int = 0) -> Refusal:
    text = directive.values[index]
    return fault(
        context,
        directive,
        index,
        f'"{directive.name}" directive invalid value',
        f'{directive.name} takes {wanted}, not "{text}"',
    )


def _userid_mark(directive: Directive, context: Context) -> Iterator[Refusal]:
    text = directive.values[0]
    if text != "off" and not (len(text) == 1 and text.isascii() and (text.isalnum() or text == "=")):
        yield fault(
            context,
            directive,
            0,
            '"userid_mark" directive value must be "off" or a single letter, digit or "="',
            "userid_mark is off or one letter, digit or equals sign",
        )


def _keepalive_timeout(directive: Directive, context: Context) -> Iterator[Refusal]:
    values = directive.values
    # 1.31.2 adds "min=" forms nowhere documented yet for older versions: both arguments are times.
    if parse_time(values[0]) is None:
        yield _invalid_value(context, directive, "a time such as 65s")
    elif len(values) > 1 and parse_time(values[1], seconds=True) is None:
        yield _invalid_value(context, directive, "whole seconds as its second argument", 1)


def _disable_symlinks(directive: Directive, context: Context) -> Iterator[Refusal]:
    mode = ""
    begin = False
    for index, text in enumerate(directive.values):
        if text in ("off", "on", "if_not_owner"):
            mode = text
        elif text.startswith("from="):
            begin = True
        else:
            yield fault(
                context,
                directive,
                index,
                f'invalid parameter "{text}"',
                f'disable_symlinks knows no "{text}"',
                "off, on or if_not_owner, and from=PATH",
            )
            return
    if not mode:
        yield fault(
            context,
            directive,
            -1,
            '"disable_symlinks" must have "off", "on" or "if_not_owner" parameter',
            "disable_symlinks does not say what it disables",
            "write off, on or if_not_owner",
        )
    elif mode == "off" and begin:
        yield fault(
            context,
            directive,
            -1,
            '"from=" cannot be used with "off" parameter',
            "from= has no meaning with off",
            "remove from=",
        )


def _directio(directive: Directive, context: Context) -> Iterator[Refusal]:
    text = directive.values[0]
    if text != "off" and parse_offset(text) is None:
        yield _invalid_value(context, directive, "a size such as 4m, or off")


def _aio(directive: Directive, context: Context) -> Iterator[Refusal]:
    text = directive.values[0]
    if text in ("off", "threads"):
        return
    if text.startswith("threads=") and len(text) > 8:
        if "$" not in text:
            used = context.state.setdefault("thread_pools.used", {})
            assert isinstance(used, dict)
            used.setdefault(text[8:], directive)
        return
    if text == "on":
        # Debian, Ubuntu and the builds of nginx.org lack --with-file-aio on some platforms; -V tells.
        built = context.target.options
        if built and not any(option.startswith("--with-file-aio") for option in built):
            yield fault(
                context,
                directive,
                0,
                '"aio on" is unsupported on this platform',
                "this nginx was built without file AIO",
                "write aio threads;",
            )
        return
    yield _invalid_value(context, directive, "on, off or threads[=pool]")


def _gzip_disable(directive: Directive, context: Context) -> Iterator[Refusal]:
    for index, text in enumerate(directive.values):
        if text == "msie6" or text == "degradation":
            continue
        refusal = pattern_fault(context, directive, index, text, caseless=True)
        if refusal is not None:
            yield refusal
            return


def _split_path_info(directive: Directive, context: Context) -> Iterator[Refusal]:
    from nginxlint.regex import Regex, compile_regex

    pattern = directive.values[0]
    refusal = pattern_fault(context, directive, 0, pattern)
    if refusal is not None:
        yield refusal
        return
    compiled = compile_regex(pattern)
    if isinstance(compiled, Regex) and compiled.captures != 2:
        yield fault(
            context,
            directive,
            0,
            f'pattern "{pattern}" must have 2 captures',
            f"the pattern must capture two parts, script and path; it captures {compiled.captures}",
            r"fastcgi_split_path_info ^(.+\.php)(/.+)$;",
        )


def _mirror(directive: Directive, context: Context) -> Iterator[Refusal]:
    before = []
    for child in (directive.parent.body if directive.parent is not None else None) or ():
        if child is directive:
            break
        if child.name == "mirror" and child.values:
            before.append(child)
    if before and (directive.values[0] == "off" or any(child.values[0] == "off" for child in before)):
        yield context.refuse(
            "directive-repeat",
            directive,
            "`mirror off` cannot stand beside another mirror",
            '"mirror" directive is duplicate',
            related=(Note(before[0].head_span, "the other one"),),
            help=("remove one of them",),
        )


def _index(directive: Directive, context: Context) -> Iterator[Refusal]:
    if "" in directive.values:
        yield fault(
            context,
            directive,
            directive.values.index(""),
            f'index "{directive.values[0]}" in "index" directive is invalid',
            "an index file needs a name",
        )


def _modern_browser(directive: Directive, context: Context) -> Iterator[Refusal]:
    values = directive.values
    if len(values) == 1:
        if values[0] == "unlisted":
            return
    elif values[0] in _BROWSERS:
        parts = values[1].split(".")
        if all(character in "0123456789." for character in values[1]) and all(len(part) < 10 for part in parts):
            return
        yield fault(
            context,
            directive,
            1,
            f'invalid browser version "{values[1]}"',
            f'"{values[1]}" is no version',
        )
        return
    yield fault(
        context,
        directive,
        0,
        f'unknown browser name "{values[0]}"',
        f'modern_browser knows no "{values[0]}"',
        f"{', '.join(sorted(_BROWSERS))} with a version, or unlisted",
    )


def _chunk_size(directive: Directive, context: Context) -> Iterator[Refusal]:
    if parse_size(directive.values[0]) == 0:
        yield fault(context, directive, 0, "the http2 chunk size cannot be zero", "http2_chunk_size must be at least 1")


def _receive_buffer(directive: Directive, context: Context) -> Iterator[Refusal]:
    size = parse_size(directive.values[0])
    if size is not None and size < 32:
        yield fault(
            context,
            directive,
            0,
            '"http2_recv_buffer_size" directive value is too small',
            "the buffer must hold at least 32 bytes",
            "http2_recv_buffer_size 256k;",
        )


def _power_of_two(directive: Directive, context: Context) -> Iterator[Refusal]:
    number = parse_number(directive.values[0])
    if number is not None and number & (number - 1):
        yield fault(
            context,
            directive,
            0,
            f'"{directive.name}" directive must be a power of two',
            f"{directive.name} must be a power of two",
        )


def _charset_pair(block: Block, context: Context) -> None:
    """nginx converts only between charsets with a table; it notices at the end of http."""
    source = effective(block, "source_charset")
    target = effective(block, "charset")
    if source is None or target is None:
        return
    if block.name == "http" and not block.blocks("server"):
        return
    pair = (source.values[0], target.values[0])
    if "off" in pair or "$" in pair[0] + pair[1] or pair[0].lower() == pair[1].lower():
        return
    wanted = context.state.setdefault("charset.wanted", [])
    assert isinstance(wanted, list)
    if not any(known[1:] == pair for known in wanted):
        wanted.append((source, *pair))


def _charset_tables(block: Block, context: Context) -> Iterator[Refusal]:
    del block
    tables = context.state.get("charset_map", set())
    wanted = context.state.pop("charset.wanted", [])
    assert isinstance(tables, set) and isinstance(wanted, list)
    if not context.complete:
        return
    for directive, source, target in wanted:
        if frozenset((source.lower(), target.lower())) not in tables:
            yield context.refuse(
                "charset-map-missing",
                directive,
                f"nginx has no table to convert {source} to {target}",
                f'no "charset_map" between the charsets "{source}" and "{target}"',
                nginx_at=None,
                help=(f"include a charset_map {source} {target} (nginx ships koi-win, koi-utf and win-utf)",),
            )


def _judged_late(directive: Directive, context: Context) -> Iterator[Refusal]:
    """What can be judged only together with its neighbours waits for the end of http."""
    late = context.state.setdefault("headers.late", {})
    assert isinstance(late, dict)
    late[id(directive.parent)] = directive.parent
    yield from ()


def _end_of_http(block: Block, context: Context) -> Iterator[Refusal]:
    late = context.state.pop("headers.late", {})
    assert isinstance(late, dict)
    for location in late.values():
        _charset_pair(location, context)
        yield from _referers_alone(location, context)
        for refusal in _secure_link(location, context):
            refusal.nginx_at = closing(block)
            yield refusal
    yield from _charset_tables(block, context)


CHECKS: dict[str, Check] = {
    "add_header": _add_header,
    "add_trailer": _add_header,
    "expires": _expires,
    "allow": _access,
    "deny": _access,
    "set_real_ip_from": _real_ip,
    "resolver": _resolver,
    "valid_referers": _valid_referers,
    "secure_link_secret": _judged_late,
    "charset": _judged_late,
    "source_charset": _judged_late,
    "sub_filter": _sub_filter,
    "userid_expires": _userid_expires,
    "userid_mark": _userid_mark,
    "server:keepalive_timeout": _keepalive_timeout,
    "http:keepalive_timeout": _keepalive_timeout,
    "location:keepalive_timeout": _keepalive_timeout,
    "disable_symlinks": _disable_symlinks,
    "directio": _directio,
    "aio": _aio,
    "gzip_disable": _gzip_disable,
    "fastcgi_split_path_info": _split_path_info,
    "mirror": _mirror,
    "index": _index,
    "modern_browser": _modern_browser,
    "http2_chunk_size": _chunk_size,
    "http2_recv_buffer_size": _receive_buffer,
    "http2_streams_index_size": _power_of_two,
}
PURE = frozenset(CHECKS) - {"valid_referers", "mirror", "aio", "secure_link_secret", "charset", "source_charset"}
BLOCK_END: dict[str, BlockEnd] = {"http": _end_of_http}
