"""What is particular to mail and stream servers: protocols, the authentication server, a handler."""

from __future__ import annotations

from nginxlint.catalogue.addresses import parse_url
from nginxlint.catalogue.checks.faults import fault
from nginxlint.catalogue.checks.merging import effective, is_on
from nginxlint.catalogue.context import terminator
from nginxlint.catalogue.variant import variants
from nginxlint.diagnostic import Severity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from nginxlint.catalogue.checks.faults import BlockEnd, Check
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Block, Directive

_PROTOCOLS = ("pop3", "imap", "smtp")
# Ports from which nginx knows the protocol of a mail server. Source: ngx_mail_*_protocol of the three modules.
_PORTS = frozenset((110, 995, 143, 993, 25, 587, 465))
# What handles a session in stream.
_HANDLERS = frozenset(
    "proxy_pass return pass content_by_lua content_by_lua_block content_by_lua_file echo js_access rtmp".split()
)


def _protocol(directive: Directive, context: Context) -> Iterator[Refusal]:
    text = directive.values[0]
    if text not in _PROTOCOLS:
        yield fault(
            context,
            directive,
            0,
            f'unknown protocol "{text}"',
            f'mail speaks {", ".join(_PROTOCOLS)}, not "{text}"',
        )


def _auth_http(directive: Directive, context: Context) -> Iterator[Refusal]:
    text = directive.values[0]
    rest = text[7:] if text.startswith("http://") else text
    url = parse_url(rest, uri_part=True, default_port=80)
    if url.error:
        # nginx prints what is left of the address, without the scheme
        yield fault(
            context,
            directive,
            0,
            f'{url.error} in auth_http "{rest}"',
            f'"{text}" is no http address',
            "auth_http 127.0.0.1:9000/auth;",
        )


def _end_of_mail(block: Block, context: Context) -> Iterator[Refusal]:
    for server in block.blocks("server"):
        yield from _mail_server(server, context)


def _end_of_stream(block: Block, context: Context) -> Iterator[Refusal]:
    for server in block.blocks("server"):
        yield from _stream_server(server, context)


def _mail_server(block: Block, context: Context) -> Iterator[Refusal]:
    if block.synthetic or block.has_gap or not context.complete:
        return
    if any(child.name == "protocol" for child in block.body):
        return
    listens = [child for child in block.body if child.name == "listen" and child.values]
    if not listens:
        return
    first = listens[0]
    url = parse_url(first.values[0], listen=True)
    if url.error or url.port in _PORTS:
        return
    yield context.refuse(
        "mail-protocol-unknown",
        first,
        f"nginx cannot tell from port {url.port or 0} which protocol this mail server speaks",
        "unknown mail protocol for server",
        nginx_at=terminator(block),
        help=("add `protocol imap;`, pop3 or smtp",),
    )


def _stream_server(block: Block, context: Context) -> Iterator[Refusal]:
    names = {child.name for child in block.body}
    if block.synthetic or block.has_gap or not context.complete or not context.target.has("ngx_stream_core_module"):
        return
    if names & _HANDLERS or not all(_is_stock(name, context) for name in names):
        return
    starts = context.version >= (1, 27, 1)
    if starts and is_on(effective(block, "ssl_reject_handshake")):
        return
    yield context.refuse(
        "handler-missing",
        block,
        f"nothing says what this stream server does with a connection{': it is closed at once' if starts else ''}",
        None if starts else "no handler for server",
        span=block.name_span,
        severity=Severity.WARNING if starts else Severity.ERROR,
        blocks_start=not starts,
        help=("add `proxy_pass ADDRESS;` or `return TEXT;`",),
    )


def _is_stock(name: str, context: Context) -> bool:
    """Is it a directive of nginx itself? All of its handlers are known."""
    here = [one for one in variants(name, context.target) if "stream-server" in one.contexts]
    return bool(here) and all(one.kind in ("core", "stream") for one in here)


CHECKS: dict[str, Check] = {"protocol": _protocol, "auth_http": _auth_http}
BLOCK_END: dict[str, BlockEnd] = {"mail": _end_of_mail, "stream": _end_of_stream}
