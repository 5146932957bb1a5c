"""TLS of listening servers, as nginx merges it: keys without certificates, clients nobody can verify."""

from __future__ import annotations

from nginxlint.catalogue.checks.merging import all_effective, effective, is_on
from nginxlint.catalogue.checks.tls_lists import unusable_lists
from nginxlint.catalogue.context import terminator
from nginxlint.catalogue.target import STREAM_LIKE_HTTP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from nginxlint.catalogue.checks.faults import BlockEnd, Check
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.source import Span
    from nginxlint.syntax import Block, Directive


def _list(context: Context, key: str) -> list[Directive]:
    known = context.state.setdefault(f"tls.{key}", [])
    assert isinstance(known, list)
    return known


def _remember(directive: Directive, context: Context) -> Iterator[Refusal]:
    _list(context, context.subsystem).append(directive)
    yield from ()


def _servers(block: Block, context: Context) -> Iterator[Refusal]:
    if block.synthetic and not block.body:
        return
    marked = _list(context, context.subsystem)
    servers = [child for child in block.body if child.name == "server" and child.body is not None]
    kind = context.subsystem
    if marked or kind != "http":
        for server in servers:
            yield from _own_tls(server, context, kind)  # type: ignore[arg-type]
    marked.clear()


def _own_tls(server: Block, context: Context, kind: str) -> Iterator[Refusal]:
    """The merge of one server's TLS settings (`ngx_http_ssl_merge_srv_conf` and its siblings)."""
    certificates = all_effective(server, "ssl_certificate")
    keys = all_effective(server, "ssl_certificate_key")
    modern_stream = kind == "stream" and context.version >= STREAM_LIKE_HTTP
    if kind == "http" or modern_stream:
        old = effective(server, "ssl") if kind == "http" and context.version < (1, 25, 1) else None
        if is_on(old) and old is not None:
            yield from _incomplete(context, server, certificates, keys, 'the "ssl" directive', old)
            if not certificates or not keys:
                return
        rejects = context.version >= (1, 19, 4) and "ssl_reject_handshake" in context.names
        if not certificates and not (rejects and is_on(effective(server, "ssl_reject_handshake"))):
            return
        refusal = _missing_key(context, certificates, keys, None)
        if refusal is not None:
            yield refusal
            return
    else:
        wanted, at = _why_tls(server, kind)
        if at is None:
            return
        yield from _incomplete(context, server, certificates, keys, wanted, at)
        if not certificates or len(keys) < len(certificates):
            return
    yield from unusable_lists(server, context, "")
    yield from _client_verification(server, context)


def _why_tls(server: Block, kind: str) -> tuple[str, Directive | None]:
    listens = [child for child in server.body if child.name == "listen" and "ssl" in child.values[1:]]
    if listens:
        return 'the "listen ... ssl" directive', listens[-1]
    if kind == "mail":
        old = effective(server, "ssl")
        if is_on(old):
            return 'the "ssl" directive', old
        starttls = effective(server, "starttls")
        if starttls is not None and starttls.values[0].lower() in ("on", "only"):
            return 'the "starttls" directive', starttls
    return "", None


def _incomplete(
    context: Context, server: Block, certificates: list[Directive], keys: list[Directive], wanted: str, at: Directive
) -> Iterator[Refusal]:
    name = ""
    if not certificates:
        name = "ssl_certificate"
    elif not keys:
        name = "ssl_certificate_key"
    elif len(keys) < len(certificates):
        text = certificates[-1].values[0]
        nginx_message = f'no "ssl_certificate_key" is defined for certificate "{text}" and {wanted}'
        yield without(context, certificates[-1], nginx_message, terminator(at), "ssl_certificate_key", at)
        return
    if name:
        yield without(context, at, f'no "{name}" is defined for {wanted}', terminator(at), name, at)


def without(
    context: Context, at: Directive, nginx_message: str, nginx_at: Span | None, name: str, listen: Directive
) -> Refusal:
    del listen
    if name == "ssl_certificate":
        message, rule = "TLS is on, but no certificate is in effect here", "tls-certificate-missing"
        help = "add ssl_certificate and ssl_certificate_key, or remove ssl"
    else:
        message, rule = f'no key belongs to the certificate "{at.values[0] if at.values else ""}"', "tls-key-missing"
        if at.name == "listen":
            message = "TLS is on, but no certificate key is in effect here"
        help = "add ssl_certificate_key next to the certificate"
    return context.refuse(rule, at, message, nginx_message, nginx_at=nginx_at, group="tls", help=(help,))


def _missing_key(
    context: Context, certificates: list[Directive], keys: list[Directive], nginx_at: Span | None
) -> Refusal | None:
    if not certificates or len(keys) >= len(certificates):
        return None
    last = certificates[-1]
    nginx_message = f'no "ssl_certificate_key" is defined for certificate "{last.values[0]}"'
    return without(context, last, nginx_message, nginx_at, "ssl_certificate_key", last)


def _client_verification(server: Block, context: Context) -> Iterator[Refusal]:
    verify = effective(server, "ssl_verify_client") if "ssl_verify_client" in context.names else None
    if verify is None or verify.values[0].lower() not in ("on", "optional"):
        return
    if effective(server, "ssl_client_certificate") is not None:
        return
    wanted = "ssl_client_certificate"
    if context.version >= (1, 27, 2):
        if effective(server, "ssl_trusted_certificate") is not None:
            return
        wanted += " or ssl_trusted_certificate"
    yield context.refuse(
        "tls-client-ca-missing",
        verify,
        "client certificates are asked for, but nothing says which authority signed them",
        f"no {wanted} for ssl_verify_client",
        nginx_at=None,
        group="tls",
        help=("add `ssl_client_certificate CA.pem;`",),
    )


CHECKS: dict[str, Check] = dict.fromkeys(
    ("ssl", "starttls", "ssl_certificate", "ssl_reject_handshake", "ssl_verify_client"), _remember
)
BLOCK_END: dict[str, BlockEnd] = {"http": _servers, "stream": _servers, "mail": _servers}
ENDS_OF_OWN = frozenset(("http",))
