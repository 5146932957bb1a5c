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
            _by_default(visit, place, location)
            if line.values[:1] == ("default",)
            else _mapped(config, visit, line, location)
        )
        if mapped is not None:
            return mapped
    return None if mappings else _by_default(visit, place, location)


def _by_default(visit: Visit, place: Directive, location: str) -> str | None:
    """The URL of `proxy_pass` becomes the prefix of the location; with variables there is no default."""
    written = place.values[0]
    if "$" in written:
        return None
    _, _, rest = written.partition("://")
    has_uri = rest.count(":", 5) > 0 if rest.startswith("unix:") else "/" in rest or "?" in rest
    prefix = written if has_uri else written + "/"
    target = visit.location.pattern if has_uri and visit.location is not None else "/"
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
