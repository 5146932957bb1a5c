"""What a `*_pass` directive points at: scheme, authority, URI part, and the upstream group if it names one."""

from __future__ import annotations

from sys import intern

from nginxlint.routing.upstreams import Upstream, split_authority
from nginxlint.syntax import Directive

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from typing import Literal

    from nginxlint.config import Config

# Scheme and default port of every pass directive; an empty scheme: the directive takes none.
_SCHEMES: dict[str, dict[str, int | None]] = {
    "proxy_pass": {"http": 80, "https": 443},
    "grpc_pass": {"grpc": None, "grpcs": None},
    "uwsgi_pass": {"uwsgi": None, "suwsgi": None},
    "fastcgi_pass": {},
    "scgi_pass": {},
    "memcached_pass": {},
}


_FAMILIES = {name: name.removesuffix("_pass") for name in _SCHEMES}
TLS_SCHEMES = ("https", "grpcs", "suwsgi")


def failure(kind: str) -> str:
    """What clients see where a pass (of `http` or `stream`) reaches no server."""
    return "connections are closed" if kind == "stream" else "requests get 502"


class Pass:
    """A pass target as written (variables not expanded). `Config.passes` hands the same ones to every rule.

    `scheme` is lower-case and empty where none is written; `authority` is `host[:port]` or `unix:PATH`; `uri` is the
    URI part, None where there is none (`""` cannot occur); `port` is the one written, else None. `has_variables`
    is about the whole argument. `family` is what its settings begin with: `fastcgi` for `fastcgi_pass`. `kind` is
    `stream` or `http`: which groups it can name.
    """

    __slots__ = (
        "_group", "authority", "directive", "family", "has_variables", "host", "kind", "port", "scheme", "text", "unix",
        "uri",
    )  # fmt: skip

    def __init__(self, directive: Directive, text: str | None = None, *, kind: str | None = None) -> None:
        """`text` is what the argument becomes, where variables were followed; `kind` where it is known."""
        self.directive = directive
        self.family = _FAMILIES.get(directive.name, directive.name)
        self.kind = kind or _kind_of(directive)
        self._group: Upstream | Literal[False] | None = False  # not asked yet
        self.text = text if text is not None else directive.values[0] if directive.values else ""
        self.has_variables = "$" in self.text
        self.scheme, self.authority, self.uri = split_target(self.text)
        self.host, self.port, self.unix = split_authority(self.authority)

    @property
    def is_address(self) -> bool:
        """Is the host a literal IPv4 or IPv6 address? (As nginx tells them: no names of digits and dots only.)"""
        return ":" in self.host or (self.host.count(".") == 3 and self.host.replace(".", "").isdigit())

    @property
    def tls(self) -> bool:
        return self.scheme in TLS_SCHEMES

    @property
    def default_port(self) -> int | None:
        """The port nginx takes where none is written (http and https only)."""
        return _SCHEMES.get(self.directive.name, {}).get(self.scheme)

    def group(self, config: Config) -> Upstream | None:
        """The upstream group it names, also by variables that lead to one group and nowhere else. A name with a port
        never names a group."""
        if "$" in self.authority:
            return self._followed(config)
        if self.unix is not None or self.port is not None:
            return None
        if self._group is False:
            self._group = config.upstream(self.authority, self.kind)
        return self._group

    def _followed(self, config: Config) -> Upstream | None:
        if not config.upstreams:
            return None
        from nginxlint.routing.destinations import destinations

        groups = {
            config.upstream(end.authority, self.kind) if end.port is None and end.unix is None else None
            for end in destinations(config, self) or ()
        }
        return groups.pop() if len(groups) == 1 else None


def _kind_of(directive: Directive) -> str:
    around = directive.enclosing("stream", "http", "mail")
    return "stream" if around is not None and around.name == "stream" else "http"


def split_target(text: str) -> tuple[str, str, str | None]:
    """Scheme, authority and URI part of a pass target (ngx_http_proxy_pass, ngx_parse_url)."""
    scheme, mark, rest = text.partition("://")
    if mark and scheme and scheme != "unix" and "$" not in scheme:  # unix:///path is an address
        scheme = intern(scheme.lower())
    else:
        scheme, rest = "", text
    if rest.startswith("unix:"):
        path, _, uri = rest[5:].partition(":")
        return scheme, f"unix:{path}", uri or None
    if "/" not in rest and "?" not in rest and "#" not in rest:
        return scheme, rest, None
    end = min(end for mark in "/?#" if (end := rest.find(mark)) >= 0)
    return scheme, rest[:end], rest[end:]
