"""TLS sockets whose default server has no certificate: nginx looks at them last of all."""

from __future__ import annotations

from nginxlint.catalogue.checks.merging import effective, is_on
from nginxlint.catalogue.context import terminator
from nginxlint.catalogue.target import STREAM_LIKE_HTTP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from nginxlint.catalogue.checks.faults import BlockEnd, Check
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Block


def _default_servers(block: Block, context: Context) -> Iterator[Refusal]:
    """`ngx_http_ssl_init`: the default server of a TLS socket needs a certificate, or has to reject handshakes."""
    del block
    kind = context.subsystem
    if kind == "stream" and context.version < STREAM_LIKE_HTTP:
        return
    sockets = context.state.get(f"listen.{kind}")
    if not isinstance(sockets, dict) or not context.complete:
        return
    reported: set[int] = set()
    for socket in sockets.values():
        listens = list(socket.servers.values())
        # mostly a thousand servers say the same
        if not any("ssl" in values or "quic" in values for values in {listen.values for listen in listens}):
            continue
        default = socket.default or socket.first
        server = default.parent
        if server is None or server.body is None or default.name != "listen":
            continue
        if _has_certificate(server):
            continue
        reject = context.version >= (1, 19, 4)
        if reject and is_on(effective(server, "ssl_reject_handshake")):
            candidates = [listen for listen in listens if listen.name == "listen" and listen.parent is not None]
        else:
            candidates = [default]
        for listen in candidates:
            owner = listen.parent
            if owner is None or _has_certificate(owner):
                continue
            if reject and is_on(effective(owner, "ssl_reject_handshake")):
                continue
            if id(owner) in reported:
                break
            reported.add(id(owner))
            own = next((one for one in owner.body if one is listen), listen)
            wanted = 'no "ssl_certificate" is defined for the "listen ... ssl" directive'
            if "quic" in own.values[1:]:
                wanted = 'no "ssl_certificate" is defined for the "listen ... quic" directive'
            from nginxlint.catalogue.checks.tls_servers import without

            yield without(context, own, wanted, terminator(owner), "ssl_certificate", own)
            break


def _has_certificate(server: Block) -> bool:
    """Is there one, or may there be one in a file that could not be read?"""
    around: Block | None = server
    while around is not None:
        if around.has_gap:
            return True
        around = around.parent
    return effective(server, "ssl_certificate") is not None


CHECKS: dict[str, Check] = {}
BLOCK_END: dict[str, BlockEnd] = {"http": _default_servers, "stream": _default_servers}
