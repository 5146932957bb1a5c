"""`sticky cookie`, `sticky route` and `sticky learn` (`ngx_http_upstream_sticky_module`, as nginx 1.30.6 reads them)."""

from __future__ import annotations

from nginxlint.catalogue.checks.faults import fault
from nginxlint.catalogue.checks.zones import SMALLEST
from nginxlint.catalogue.numbers import parse_size, parse_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nginxlint.catalogue.checks.faults import Check
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Directive

_SAME_SITE = ("strict", "lax", "none")


def _sticky(directive: Directive, context: Context) -> Iterator[Refusal]:
    if not directive.values:
        return  # as the module of that name has it that is not nginx's
    kind, *words = directive.values
    if context.target.plus or (kind not in _KINDS and context.target.modules is None):
        return  # (the second: as above)
    if kind not in _KINDS:
        yield _fault(context, directive, 0, f'unknown parameter "{kind}"', "sticky is cookie, route or learn")
        return
    given: set[str] = set()
    for index, text in enumerate(words, 1):
        if kind == "cookie" and index == 1:
            said, why = ("empty cookie name", "the cookie has no name") if not text else ("", "")
        else:
            said, why = _KINDS[kind](text, given)
        if said:
            whole = said if said.startswith(("unknown", "invalid variable")) else f'"sticky" directive {said}'
            yield _fault(context, directive, index, whole, why)
            return
    for name in ("lookup", "create", "zone") if kind == "learn" else ():
        if name not in given:
            wanted = f'"sticky" directive "{name}" parameter is not specified'
            yield _fault(context, directive, 0, wanted, f"sticky learn needs {name}=")
            return


def _fault(context: Context, directive: Directive, index: int, said: str, why: str) -> Refusal:
    return fault(context, directive, index, said, why, group="upstream")


def _cookie(text: str, given: set[str]) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if (name in ("expires", "domain", "path", "samesite") and equals) or text in ("httponly", "secure"):
        if name in given:
            return f'parameter "{name}" is duplicate', f"{name} stands here twice"
        given.add(name)
        if name in ("domain", "path") and not value:
            return f'no value for "{name}"', f"{name}= is empty"
        if name == "expires" and value != "max" and parse_time(value, seconds=True) is None:
            return 'invalid "expires" parameter value', f'expires takes a time or max, not "{value}"'
        if name == "samesite" and value.lower() not in _SAME_SITE and "$" not in value:
            return 'invalid "samesite" parameter value', f'samesite is strict, lax or none, not "{value}"'
        return "", ""
    return f'unknown parameter "{text}"', f'sticky cookie has no parameter "{text}"'


def _route(text: str, given: set[str]) -> tuple[str, str]:
    if len(text) > 1 and text[0] == "$":
        return "", ""
    return f'invalid variable name "{text}"', f'sticky route takes variables, not "{text}"'


def _learn(text: str, given: set[str]) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name in ("create", "lookup", "zone", "timeout") and equals) and text != "header":
        plus = " outside NGINX Plus" if text == "sync" else ""
        return f'unknown parameter "{text}"', f'sticky learn has no parameter "{text}"{plus}'
    if name in ("create", "lookup") and value[:1] != "$":
        return f'missing variable in the "{name}" parameter', f'{name} takes a variable, not "{value}"'
    if name == "timeout" and not parse_time(value, seconds=True):
        return "invalid timeout", f'timeout takes a time, not "{value}"'
    if name == "zone":
        if name in given:
            return "duplicate zone", "zone stands here twice"
        zone, colon, size_text = value.partition(":")
        size = parse_size(size_text) if colon else None
        if not zone:
            return "zone name is not specified", "the zone has no name"
        if not colon:
            return "zone size is not specified", "the zone has no size: write zone=NAME:1m"
        if size is None:
            return "invalid zone size", f'"{size_text}" is not a size'
        if size < SMALLEST:
            return "zone is too small", f'"{size_text}" is too small for a zone: nginx needs at least 32k'
    given.add(name)
    return "", ""


_KINDS: dict[str, Callable[[str, set[str]], tuple[str, str]]] = {"cookie": _cookie, "route": _route, "learn": _learn}
CHECKS: dict[str, Check] = {"sticky": _sticky}
PURE = frozenset(CHECKS)
