"""Directives nginx still reads but warns about, or whose documentation says that they will go."""

from __future__ import annotations

from nginxlint.diagnostic import Edit, Fix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.catalogue.variant import Variant
    from nginxlint.syntax import Directive


def deprecation(context: Context, directive: Directive, variant: Variant) -> Iterator[Refusal]:
    """Warn about a deprecated directive."""
    facts = variant.deprecated or {}
    use = facts.get("use", "")
    name = directive.name
    logged = facts.get("logged")
    advice = f', use the "{use}" directive instead' if use else ""
    ignored = bool(facts.get("ignored")) or logged == "obsolete"
    fixes: tuple[Fix, ...] = ()
    if use and " " not in use and not ignored:
        fixes = (Fix(f"write {use}", (Edit(directive.name_span, use),), safe=False),)
    since = f" since {facts['since']}" if facts.get("since") else ""
    yield context.warn(
        "directive-deprecated",
        directive,
        f'"{name}" is ignored{since}' if ignored else f'"{name}" is deprecated{since} and will stop working',
        f'the "{name}" directive is {logged}{advice if not ignored else advice or ", ignored"}' if logged else None,
        group="deprecation",
        span=directive.name_span,
        help=(f"write {use} instead" if use else "remove it",),
        fixes=fixes,
    )
