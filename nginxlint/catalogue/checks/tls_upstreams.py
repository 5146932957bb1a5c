"""TLS towards upstreams: judged only where a target speaks TLS, or may (it has variables)."""

from __future__ import annotations

from nginxlint.catalogue.checks.merging import all_effective, effective, is_on
from nginxlint.catalogue.checks.tls_lists import unusable_lists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from nginxlint.catalogue.checks.faults import BlockEnd, Check
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Block, Directive

_FAMILIES = ("proxy", "grpc", "uwsgi")


def _upstream_setting(directive: Directive, context: Context) -> Iterator[Refusal]:
    settings = context.state.setdefault(f"tls.upstream.{context.subsystem}", set())
    assert isinstance(settings, set)
    settings.add(directive.name.partition("_")[0])
    yield from ()


def _upstreams(block: Block, context: Context) -> Iterator[Refusal]:
    """`ngx_http_*_set_ssl`: only where a target speaks TLS, or may (it has variables)."""
    families = context.state.pop(f"tls.upstream.{context.subsystem}", set())
    assert isinstance(families, set)
    reported: set[tuple[int, str]] = set()
    for family in sorted(families):
        for place in _tls_places(block, family, context.subsystem):
            for refusal in _one_upstream(place, family, context):
                key = (id(refusal.at), str(refusal.nginx_message))
                if key not in reported:
                    reported.add(key)
                    yield refusal


def _tls_places(block: Block, family: str, kind: str) -> Iterator[Block]:
    for directive in block.walk():
        if directive.name != f"{family}_pass" or not directive.values or directive.parent is None:
            continue
        text = directive.values[0].lower()
        if kind == "stream":
            if is_on(effective(directive.parent, "proxy_ssl")):
                yield directive.parent
        elif "$" in text or text.startswith(("https://", "grpcs://", "suwsgi://")):
            yield directive.parent


def _one_upstream(place: Block, family: str, context: Context) -> Iterator[Refusal]:
    certificates = all_effective(place, f"{family}_ssl_certificate")
    if certificates and certificates[0].values[0] and not all_effective(place, f"{family}_ssl_certificate_key"):
        text = certificates[0].values[0]
        yield context.refuse(
            "tls-key-missing",
            certificates[0],
            f'no key belongs to the certificate "{text}"',
            f'no "{family}_ssl_certificate_key" is defined for certificate "{text}"',
            nginx_at=None,
            group="tls",
            help=(f"add {family}_ssl_certificate_key",),
        )
        return
    if is_on(verify := effective(place, f"{family}_ssl_verify")) and verify is not None:
        trusted = effective(place, f"{family}_ssl_trusted_certificate")
        if trusted is None or not trusted.values[0]:
            yield context.refuse(
                "proxy-tls-verify-incomplete",
                verify,
                f"{family}_ssl_verify is on, but nothing says which authorities to trust",
                f"no {family}_ssl_trusted_certificate for {family}_ssl_verify",
                nginx_at=None,
                group="tls",
                help=(f"add `{family}_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;`",),
            )
            return
    yield from unusable_lists(place, context, f"{family}_")


CHECKS: dict[str, Check] = {
    f"{family}_ssl_{name}": _upstream_setting
    for family in _FAMILIES
    for name in ("verify", "certificate", "ciphers", "conf_command")
}
BLOCK_END: dict[str, BlockEnd] = {"http": _upstreams, "stream": _upstreams}
ENDS_OF_OWN = frozenset(("http", "stream"))
