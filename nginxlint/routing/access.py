"""The access phase: `allow` and `deny`, `auth_basic`, `auth_request`, joined by `satisfy`."""

from __future__ import annotations

from nginxlint.catalogue.addresses import in_network
from nginxlint.routing.evaluate import expand, header
from nginxlint.routing.visit import Unsure, Visit
from nginxlint.syntax import Directive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from nginxlint.config import Config
    from nginxlint.routing.answer import Answer
    from nginxlint.routing.scope import Scope

    Subrequest = Callable[[str, str, Directive], Answer]


def denied(config: Config, visit: Visit, subrequest: Subrequest) -> int | None:
    """The status of a refusal, or None where the request may go on (ngx_http_core_access_phase): the checks run in
    this order, and the first that decides ends it. Subrequests have no access phase.

    `subrequest` answers one of a kind (`auth_request`) to a URI.
    """
    if visit.is_subrequest:
        return None
    assert visit.block is not None
    scope = config.scope(visit.block)
    any_will_do = scope.value("satisfy").lower() == "any"
    checks: tuple[Callable[[], int | None], ...] = (
        lambda: _by_address(visit, scope),
        lambda: _by_password(config, visit, scope),
        lambda: _by_request(visit, scope, subrequest),
    )
    for check in checks:
        status = check()
        if status is None:
            continue
        if status == 0 and any_will_do:
            visit.say("satisfy any: one of the checks lets the request pass")
            visit.refusal = None
            return None
        if status and (not any_will_do or status not in (401, 403)):
            return status
        if status and visit.refusal != 401:
            visit.refusal = status
    # One that was kept by `satisfy any` and overtaken by another status comes back after an internal redirect.
    refusal, visit.refusal = visit.refusal, None
    return refusal


def _by_address(visit: Visit, scope: Scope) -> int | None:
    """0: allowed, 403: denied, None: no rule matches (ngx_http_access_module: the first that matches decides)."""
    holder: Scope | None = scope
    while holder is not None and not holder.own("allow") and not holder.own("deny"):
        holder = holder.outer
    if holder is None:
        return None
    client = visit.connection.client
    for rule in holder.block.body:
        if rule.name not in ("allow", "deny") or not rule.values:
            continue
        whom = rule.values[0]
        if isinstance(client, Unsure) and whom != "all":
            matches = visit.ask(f"whether the client is in {whom}: {client.why}", rule, rule.name == "allow")
        else:
            matches = whom == "all" or in_network(client, whom)
        if matches:
            visit.say(f"{rule.name} {whom}", rule)
            return 403 if rule.name == "deny" else 0
    return None


def _by_password(config: Config, visit: Visit, scope: Scope) -> int | None:
    place = scope.directive("auth_basic")
    if place is None or not place.values or expand(config, visit, place.values[0]) == "off":
        return None
    users = scope.directive("auth_basic_user_file")
    if users is None or not users.values:
        return None  # nginx asks for no password then
    given = header(visit, "authorization")
    if not given and not isinstance(given, Unsure):
        visit.say("auth_basic: no Authorization header is sent: 401", place)
        return 401
    file = expand(config, visit, users.values[0])
    known = visit.kind_of(file)
    if not (visit.ask(f"whether {file} can be read", users, True) if known is None else known):
        visit.say(f"{file} cannot be read: 403", users)
        return 403
    return 0 if visit.ask("whether the password is right", place, True) else 401


def _by_request(visit: Visit, scope: Scope, subrequest: Subrequest) -> int | None:
    """ngx_http_auth_request_handler: 2xx passes, 401 and 403 are passed on, anything else is 500."""
    place: Directive | None = scope.directive("auth_request")
    if place is None or not place.values or place.values[0] == "off":
        return None
    uri = place.values[0]
    answer = subrequest("auth_request", uri, place)
    if answer.upstream is not None or answer.status is None:
        if visit.ask(f"whether auth_request {uri} lets it pass", place, True):
            return 0
        if visit.ask(f"whether auth_request {uri} refuses with 403", place, True):
            return 403
        return 401 if visit.ask(f"whether auth_request {uri} refuses with 401", place, True) else 500
    visit.say(f"auth_request {uri} is answered with {answer.status}", place)
    if 200 <= answer.status < 300:
        return 0
    return answer.status if answer.status in (401, 403, 444) else 500
