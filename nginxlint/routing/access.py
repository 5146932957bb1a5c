"""The access phase: `allow` and `deny`, `auth_basic`, `auth_request`, joined by `satisfy`."""

from __future__ import annotations

from nginxlint.routing.evaluate import expand, header, remote_address
from nginxlint.routing.visit import Unsure, Visit
from nginxlint.syntax import Directive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nginxlint.config import Config
    from nginxlint.routing.scope import Scope


def denied(config: Config, visit: Visit) -> int | None:
    """The status of a refusal, or None where the request may go on."""
    assert visit.block is not None
    scope = config.scope(visit.block)
    results = [_by_address(visit, scope), _by_password(config, visit, scope), _by_request(visit, scope)]
    asked = [status for status in results if status is not None]
    if not asked:
        return None
    if scope.value("satisfy").lower() == "any" and 0 in asked:
        visit.say("satisfy any: one of the checks lets the request pass")
        return None
    refused = [status for status in asked if status]
    if not refused:
        return None
    return 401 if 401 in refused and scope.value("satisfy").lower() == "any" else refused[0]


def _by_address(visit: Visit, scope: Scope) -> int | None:
    """0: allowed, 403: denied, None: no rules (ngx_http_access_module: the first that matches decides)."""
    holder: Scope | None = scope
    while holder is not None and not holder.own("allow") and not holder.own("deny"):
        holder = holder.outer
    if holder is None:
        return None
    client = remote_address(visit)
    for rule in holder.block.body:
        if rule.name not in ("allow", "deny") or not rule.values:
            continue
        matches = _covers(rule.values[0], client)
        if matches is None:
            matches = visit.ask(f"whether the client is in {rule.values[0]} (--client)", rule, rule.name == "allow")
        if matches:
            visit.say(f"{rule.name} {rule.values[0]}", rule)
            return 403 if rule.name == "deny" else 0
    return 0


def _covers(network: str, client: str) -> bool | None:
    """Is the client in a network? None where that is not known."""
    import ipaddress

    if network == "all":
        return True
    if isinstance(client, Unsure):
        return None
    if network == "unix:":
        return client == "unix:"
    try:
        return ipaddress.ip_address(client.strip("[]")) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _by_password(config: Config, visit: Visit, scope: Scope) -> int | None:
    place = scope.directive("auth_basic")
    if place is None or not place.values or expand(config, visit, place.values[0]) == "off":
        return None
    given = header(visit, "authorization")
    if not given and not isinstance(given, Unsure):
        visit.say("auth_basic: no Authorization header is sent: 401", place)
        return 401
    return 0 if visit.ask("whether the password is right", place, True) else 401


def _by_request(visit: Visit, scope: Scope) -> int | None:
    place: Directive | None = scope.directive("auth_request")
    if place is None or not place.values or place.values[0] == "off":
        return None
    visit.notes.append(f"auth_request: {place.values[0]} is asked first")
    return 0 if visit.ask(f"whether auth_request {place.values[0]} lets it pass", place, True) else 403
