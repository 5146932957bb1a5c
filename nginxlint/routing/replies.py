"""What nginx makes of headers an upstream answers with: X-Accel-Redirect, and Location through `proxy_redirect`."""

from __future__ import annotations

from nginxlint.regex import Regex, compile_regex
from nginxlint.routing.evaluate import expand
from nginxlint.routing.visit import Visit
from nginxlint.syntax import Directive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nginxlint.config import Config
    from nginxlint.routing.scope import Scope


def accel_target(scope: Scope, place: Directive, reply: dict[str, str]) -> str | None:
    """The URI of an X-Accel-Redirect that the block does not ignore (ngx_http_upstream_process_headers)."""
    target = reply.get("x-accel-redirect")
    family = place.name.removesuffix("_pass")
    ignored = {value.lower() for line in scope.effective(f"{family}_ignore_headers") for value in line.values}
    return None if "x-accel-redirect" in ignored else target


def redirect_of(config: Config, visit: Visit, place: Directive, location: str) -> str | None:
    """What `proxy_redirect` makes of a Location (ngx_http_proxy_rewrite_redirect); None where nothing maps it: it is
    then passed on as it is, also without scheme and host."""
    if place.name != "proxy_pass" or visit.block is None:
        return None
    scope = config.scope(visit.block)
    mappings = scope.effective("proxy_redirect")
    if any(line.values[:1] == ("off",) for line in mappings):
        return None
    for line in mappings:
        mapped = (
            _by_default(config, line.parent.child("proxy_pass") if line.parent is not None else None, location)
            if line.values[:1] == ("default",)
            else _mapped(config, visit, line, location)
        )
        if mapped is not None:
            return mapped
    if mappings:
        return None
    # A default is inherited like any other mapping: the outermost block that has a URL makes it.
    made = [
        one for holder in _outwards(scope) if (one := holder.block.child("proxy_pass")) and "$" not in one.values[0]
    ]
    return _by_default(config, made[-1] if made else None, location)


def _outwards(scope: Scope) -> list[Scope]:
    found = [scope]
    while (outer := found[-1].outer) is not None:
        found.append(outer)
    return found


def _by_default(config: Config, place: Directive | None, location: str) -> str | None:
    """The URL of `proxy_pass` becomes the prefix of its location; with variables there is no default."""
    if place is None or "$" in place.values[0]:
        return None
    written = place.values[0]
    _, _, rest = written.partition("://")
    has_uri = rest.count(":", 5) > 0 if rest.startswith("unix:") else "/" in rest or "?" in rest
    prefix = written if has_uri else written + "/"
    around = config.location(place) if has_uri else None
    target = around.pattern if around is not None else "/"
    return target + location[len(prefix) :] if location.startswith(prefix) else None


def _mapped(config: Config, visit: Visit, line: Directive, location: str) -> str | None:
    pattern, replacement = (*line.values, "")[:2]
    if pattern.startswith("~"):
        caseless = pattern.startswith("~*")
        regex = compile_regex(pattern[2:] if caseless else pattern[1:], caseless=caseless)
        match = regex.search(location) if isinstance(regex, Regex) else None
        if match is None or not isinstance(regex, Regex):
            return None
        visit.remember(regex, match, location)
        return expand(config, visit, replacement)
    prefix = expand(config, visit, pattern)
    if not location.startswith(prefix):
        return None
    return expand(config, visit, replacement) + location[len(prefix) :]
