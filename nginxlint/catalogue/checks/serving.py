"""How files and requests are served: name servers, keep-alive, links, AIO, indexes, mirrors."""

from __future__ import annotations

from nginxlint.catalogue.addresses import parse_url
from nginxlint.catalogue.checks.faults import fault, invalid_value
from nginxlint.catalogue.checks.patterns import pattern_fault
from nginxlint.catalogue.numbers import parse_number, parse_offset, parse_size, parse_time
from nginxlint.diagnostic import Fix, Note
from nginxlint.edits import delete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from nginxlint.catalogue.checks.faults import Check
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Directive
_WINDOWS = ("512", "1k", "2k", "4k", "8k", "16k", "32k")


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
        elif name == "local" and equals and any(one.startswith("lua_") or "_by_lua" in one for one in context.index):
            servers += 1  # those of /etc/resolv.conf, by a patch of OpenResty
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


def _keepalive_timeout(directive: Directive, context: Context) -> Iterator[Refusal]:
    values = directive.values
    # 1.31.2 adds "min=" forms nowhere documented yet for older versions: both arguments are times.
    if parse_time(values[0]) is None:
        yield invalid_value(context, directive, "a time such as 65s")
    elif len(values) > 1 and parse_time(values[1], seconds=True) is None:
        yield invalid_value(context, directive, "whole seconds as its second argument", 1)


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
        yield invalid_value(context, directive, "a size such as 4m, or off")


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
    yield invalid_value(context, directive, "on, off or threads[=pool]")


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
        named = directive.values[0] if context.version <= (1, 26, 3) else ""
        yield fault(
            context,
            directive,
            directive.values.index(""),
            f'index "{named}" in "index" directive is invalid',
            "an index file needs a name",
        )
        return
    for index, name in enumerate(directive.values[:-1]):
        if name[:1] == "/":
            yield context.warn(
                "index-unreachable",
                directive,
                f'the names behind "{name}" are never tried: an index with a slash in front always redirects',
                'only the last index in "index" directive should be absolute',
                word=directive.args[index],
                help=("write it last",),
            )


def _send_lowat(directive: Directive, context: Context) -> Iterator[Refusal]:
    """`ngx_http_core_lowat_check` and its siblings: Linux has no SO_SNDLOWAT that could be set."""
    if context.of_bsd:
        return
    yield context.warn(
        "directive-ignored",
        directive,
        f"{directive.name} has no effect on Linux",
        f'"{directive.name}" is not supported, ignored',
        span=directive.name_span,
        help=("remove it: only FreeBSD has it",),
        fixes=(Fix("remove it", (delete(directive),), safe=True),),
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
    if number is not None and (not number or number & (number - 1)):
        yield fault(
            context,
            directive,
            0,
            f'"{directive.name}" directive must be a power of two',
            f"{directive.name} must be a power of two",
        )


def _image_filter(directive: Directive, context: Context) -> Iterator[Refusal]:
    values = directive.values
    wrong = -1
    if len(values) == 1:
        wrong = -1 if values[0] in ("off", "test", "size") else 0
    elif len(values) == 2 and values[0] == "rotate":
        wrong = -1 if "$" in values[1] or values[1] in ("90", "180", "270") else 1
    elif len(values) == 3 and values[0] in ("resize", "crop"):
        bad = [
            index
            for index in (1, 2)
            if not (values[index] == "-" or "$" in values[index] or parse_number(values[index]))
        ]
        wrong = bad[0] if bad else -1
    else:
        wrong = 0
    if wrong >= 0:
        yield fault(
            context,
            directive,
            wrong,
            f'invalid parameter "{values[wrong]}"',
            f'image_filter cannot read "{" ".join(values)}"',
            "off, test, size, rotate 90|180|270, resize WIDTH HEIGHT or crop WIDTH HEIGHT",
        )


def _image_quality(directive: Directive, context: Context) -> Iterator[Refusal]:
    """`ngx_http_image_filter_jpeg_quality` and its sibling."""
    text = directive.values[0]
    if "$" not in text and not parse_number(text):
        yield fault(
            context, directive, 0, f'invalid value "{text}"', f'"{text}" is no quality', "a number from 1 to 100"
        )


def _gzip_memory(directive: Directive, context: Context) -> Iterator[Refusal]:
    """`ngx_http_gzip_window` and `ngx_http_gzip_hash`: powers of two."""
    sizes = _WINDOWS if directive.name == "gzip_window" else (*_WINDOWS, "64k", "128k")
    if parse_size(directive.values[0]) not in {parse_size(size) for size in sizes}:
        wanted = f"{', '.join(sizes[:-1])}, or {sizes[-1]}"
        yield fault(
            context,
            directive,
            0,
            f'"{directive.name}" directive must be {wanted}',
            f"{directive.name} takes one of a few sizes, not {directive.values[0]}",
            wanted,
        )


def _http2_push(directive: Directive, context: Context) -> Iterator[Refusal]:
    """`ngx_http_v2_push`, while it was there: `off` stands alone."""
    if context.version >= (1, 25, 1) or directive.parent is None:
        return
    above: set[bool] = set()
    for line in directive.parent.named("http2_push"):
        if line is directive:
            break
        above.add(line.values == ("off",))
    off = directive.values[0] == "off"
    if off in above and off:
        said = "is duplicate"
    elif off and above:
        said = '"off" parameter cannot be used with URI'
    elif not off and True in above:
        said = 'URI cannot be used with "off" parameter'
    else:
        return
    yield fault(
        context, directive, 0, f'"http2_push" directive {said}', "off stands alone among the lines of http2_push"
    )


CHECKS: dict[str, Check] = {
    "http2_push": _http2_push,
    "gzip_hash": _gzip_memory,
    "gzip_window": _gzip_memory,
    "image_filter_jpeg_quality": _image_quality,
    "image_filter_webp_quality": _image_quality,
    "image_filter": _image_filter,
    "resolver": _resolver,
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
    **{f"{family}send_lowat": _send_lowat for family in ("", "proxy_", "fastcgi_")},
    "http2_chunk_size": _chunk_size,
    "http2_recv_buffer_size": _receive_buffer,
    "http2_streams_index_size": _power_of_two,
}
PURE = frozenset(CHECKS) - {"aio", "mirror", "http2_push"}
