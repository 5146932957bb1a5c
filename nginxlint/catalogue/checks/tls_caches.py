"""Caches of TLS sessions and of OCSP answers."""

from __future__ import annotations

from nginxlint.catalogue.checks.faults import fault
from nginxlint.catalogue.checks.zones import SMALLEST, share_memory
from nginxlint.catalogue.numbers import parse_number, parse_size, parse_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from nginxlint.catalogue.checks.faults import Check
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Directive


def _session_cache(directive: Directive, context: Context) -> Iterator[Refusal]:
    for index, text in enumerate(directive.values):
        if text in ("off", "none", "builtin"):
            continue
        if text.startswith("builtin:"):
            if parse_number(text[8:]) is not None:
                continue
        elif text.startswith("shared:"):
            refusals = list(_shared_cache(directive, context, index, text, "session"))
            if not refusals:
                continue
            yield refusals[0]
            return
        yield fault(
            context,
            directive,
            index,
            f'invalid session cache "{text}"',
            f'"{text}" is no session cache',
            "ssl_session_cache shared:TLS:10m;",
            group="tls",
        )
        return


def _shared_cache(directive: Directive, context: Context, index: int, text: str, kind: str) -> Iterator[Refusal]:
    name, colon, size_text = text[7:].partition(":")
    size = parse_size(size_text) if colon else None
    if size is None or not name:
        yield fault(
            context,
            directive,
            index,
            f'invalid {kind} cache "{text}"',
            f'"{text}" is no cache: it needs a name and a size',
            f"{directive.name} shared:{name or 'TLS'}:10m;",
            group="tls",
        )
    elif size < SMALLEST:
        yield fault(
            context,
            directive,
            index,
            f'{kind} cache "{text}" is too small',
            f"{size_text} is too small for a cache: nginx needs at least 32k",
            f"{directive.name} shared:{name}:10m;",
            rule="zone-too-small",
            group="tls",
        )
    else:
        use = f"tls {kind} {context.subsystem}"
        _, refusal = share_memory(context, directive, index, name, size, use)
        if refusal is not None:
            yield refusal


def _ocsp_cache(directive: Directive, context: Context) -> Iterator[Refusal]:
    text = directive.values[0]
    if text == "off":
        return
    if not text.startswith("shared:"):
        yield fault(
            context,
            directive,
            0,
            f'invalid OCSP cache "{text}"',
            f'"{text}" is no cache of OCSP answers',
            "ssl_ocsp_cache shared:OCSP:10m;",
            group="tls",
        )
        return
    yield from _shared_cache(directive, context, 0, text, "OCSP")


def _certificate_cache(directive: Directive, context: Context) -> Iterator[Refusal]:
    maximum = 0
    for index, text in enumerate(directive.values):
        name, _, value = text.partition("=")
        if text == "off":
            maximum = -1
        elif name == "max" and parse_number(value):
            maximum = maximum or 1
        elif name not in ("inactive", "valid") or parse_time(value, seconds=True) is None:
            yield fault(
                context,
                directive,
                index,
                f'invalid parameter "{text}"',
                f'{directive.name} cannot read "{text}"',
                f"{directive.name} max=1000 inactive=20s valid=1m; or {directive.name} off;",
                group="tls",
            )
            return
    if maximum == 0:
        yield fault(
            context,
            directive,
            -1,
            f'"{directive.name}" must have the "max" parameter',
            f"{directive.name} does not say how many certificates it may hold",
            "add max=1000",
            group="tls",
        )


CHECKS: dict[str, Check] = {
    "ssl_session_cache": _session_cache,
    "ssl_ocsp_cache": _ocsp_cache,
    **dict.fromkeys(
        (f"{prefix}ssl_certificate_cache" for prefix in ("", "proxy_", "grpc_", "uwsgi_")), _certificate_cache
    ),
}
PURE = frozenset(name for name in CHECKS if name.endswith("certificate_cache"))
