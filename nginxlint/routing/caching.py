"""Which passes have their answers cached, and by what key."""

from __future__ import annotations

from nginxlint.routing.passes import Pass
from nginxlint.routing.scope import Scope
from nginxlint.routing.variables import definitions_of, references
from nginxlint.syntax import Block, Directive

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from nginxlint.config import Config

CACHING = ("proxy", "fastcgi", "uwsgi", "scgi")
_PROXY_KEY = "$scheme$proxy_host$request_uri"  # ngx_http_proxy_merge_loc_conf; the others have no default


class CachedPass:
    """A pass with a `*_cache` in effect: `cache` is that directive, `family` what its settings begin with."""

    __slots__ = ("cache", "family", "scope", "target")

    def __init__(self, target: Pass, scope: Scope, family: str, cache: Directive) -> None:
        self.target = target
        self.scope = scope
        self.family = family
        self.cache = cache

    @property
    def zone(self) -> str:
        return self.cache.values[0]

    @property
    def key(self) -> str:
        """The text of the key in effect; empty where a family without a default has none."""
        return cache_key(self.scope, self.family)

    def directive(self, name: str) -> Directive | None:
        """A setting of its family in effect, `key` for `proxy_cache_key` being written `cache_key`."""
        return self.scope.directive(f"{self.family}_{name}")

    def words(self, name: str) -> list[str]:
        """All arguments of a setting of its family in effect."""
        return [word for line in self.scope.effective(f"{self.family}_{name}") for word in line.values]

    @property
    def settings_known(self) -> bool:
        """Is all that is in effect here known? False in a snippet, or below a file that is not here."""
        block: Block | None = self.scope.block
        while block is not None and block.parent is not None:
            if block.synthetic or block.has_gap:
                return False
            block = block.parent
        return True


def cache_of(scope: Scope, family: str) -> Directive | None:
    """The `*_cache` line that caches here; None where nothing is."""
    cache = scope.directive(f"{family}_cache")
    return cache if cache is not None and cache.values and cache.values[0] != "off" else None


def cache_key(scope: Scope, family: str) -> str:
    """The text of the key in effect; empty where a family without a default has none."""
    return scope.value(f"{family}_cache_key", _PROXY_KEY if family == "proxy" else "")


def cached_passes(config: Config) -> list[CachedPass]:
    """Every pass of http whose answers may be stored: without buffering nothing is (ngx_http_upstream_send_response)."""
    found = []
    for family in CACHING:
        if f"{family}_cache" not in config.names:
            continue
        for target in config.passes(f"{family}_pass"):
            scope = config.scope(target.directive)
            cache = cache_of(scope, family)
            if cache is not None and target.kind == "http" and scope.on(f"{family}_buffering", True):
                found.append(CachedPass(target, scope, family, cache))
    return found


def made_of(config: Config, text: str) -> set[str]:
    """The variables a text hangs on: those in it, and what `set`, `map` and the like, and an `if` around them, make
    them of."""
    found: set[str] = set()
    pending = references(text)
    while pending:
        name = pending.pop()
        if name in found:
            continue
        found.add(name)
        for definition in definitions_of(config, name):
            pending += [one for value in definition.values for one in references(value)]
            around = definition.parent
            if around is not None and around.name == "if":
                pending += [one for value in around.values for one in references(value)]
            for line in definition.body or ():
                pending += [one for value in line.values for one in references(value)]
    return found


def users_in(config: Config, text: str) -> set[str]:
    """Those of the variables a text hangs on that tell one user from another: credentials, cookies, and what a
    subrequest of `auth_request` said of the user."""
    return {
        name
        for name in made_of(config, text)
        if name in ("http_authorization", "http_cookie", "remote_user", "http_x_api_key", "ssl_client_s_dn")
        or name.startswith("cookie_")
        or any(one.name == "auth_request_set" and _tells_of_a_user(one) for one in definitions_of(config, name))
    }


def _tells_of_a_user(answer: Directive) -> bool:
    said = " ".join(answer.values).lower()
    return any(word in said for word in ("user", "email", "token", "authorization", "subject", "group", "role"))
