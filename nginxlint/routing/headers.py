"""Which headers an upstream receives: the `*_set_header` in effect, what nginx sends by itself, the client's own.

Source: ngx_http_proxy_init_headers and ngx_http_proxy_create_request (ngx_http_proxy_module.c), the same of grpc.
"""

from __future__ import annotations

from nginxlint.routing.scope import Scope
from nginxlint.syntax import Directive

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from collections.abc import Iterator

    from nginxlint.config import Config

_HTTP_1_1_BY_DEFAULT = (1, 29, 7)
_HOST_IS_ALWAYS_SENT = (1, 31, 4)
_PROXY_CONNECTION_STAYS = (1, 31, 0)

# Headers of the client that are not handed on: nginx frames and connects on its own account.
_KEPT_BACK = frozenset(
    ("host", "connection", "content-length", "transfer-encoding", "te", "keep-alive", "expect", "upgrade")
)
_KEPT_BACK_LATER = _KEPT_BACK | {"proxy-connection"}
# With proxy_cache nginx asks for the whole, unconditionally; the two it sets again are for revalidation.
_KEPT_BACK_BY_CACHE = frozenset(
    ("if-modified-since", "if-unmodified-since", "if-none-match", "if-match", "range", "if-range")
)


def http_version(config: Config, scope: Scope) -> str:
    """The HTTP version `proxy_pass` speaks in a scope: 1.0, 1.1 or 2."""
    return scope.value("proxy_http_version", "1.1" if config.version >= _HTTP_1_1_BY_DEFAULT else "1.0")


class Header:
    """One header line: `value` is a text with variables. `directive` is None where nobody configured it."""

    __slots__ = ("directive", "name", "value")

    def __init__(self, name: str, value: str, directive: Directive | None = None) -> None:
        self.name = name
        self.value = value
        self.directive = directive

    def __repr__(self) -> str:
        return f"Header({self.name}: {self.value})"


_HOST = Header("Host", "$proxy_host")


class RequestHeaders:
    """The headers that a pass of `family` (proxy or grpc) in a scope sends. Content-Length, Transfer-Encoding and TE
    are left to nginx unless configured.

    `configured` are the lines of the configuration by lower-case name, in order; a name written twice is sent twice.
    `host_falls_back`: an empty Host is replaced by `$proxy_host` (nginx 1.31.4, not with HTTP/1.0).
    """

    __slots__ = ("_built_in", "_hands_on", "_kept_back", "configured", "host_falls_back")

    def __init__(self, config: Config, scope: Scope, family: str = "proxy") -> None:
        self.configured: dict[str, list[Header]] = {}
        for line in scope.effective(f"{family}_set_header"):
            if len(line.values) == 2:
                header = Header(line.values[0], line.values[1], line)
                self.configured.setdefault(header.name.lower(), []).append(header)
        self._hands_on = scope.on(f"{family}_pass_request_headers", True)
        self._kept_back = _KEPT_BACK if config.version < _PROXY_CONNECTION_STAYS else _KEPT_BACK_LATER
        if family == "proxy" and scope.value("proxy_cache", "off") != "off":
            self._kept_back |= _KEPT_BACK_BY_CACHE
        self._built_in = {"host": _HOST}
        version = http_version(config, scope) if family == "proxy" else "2"
        if config.version < _HTTP_1_1_BY_DEFAULT and version != "2":
            self._built_in["connection"] = Header("Connection", "close")
        self.host_falls_back = config.version >= _HOST_IS_ALWAYS_SENT and version == "1.1"
        if self.host_falls_back and not any(line.value for line in self.configured.get("host", ())):
            self.configured.pop("host", None)

    def of(self, name: str) -> Header | None:
        """The header of that name the upstream receives; None where it gets none, whatever the client sends.

        One that is the client's own has `$http_NAME` as its value. Of several lines the last one is told.
        """
        key = name.lower()
        lines = self.configured.get(key)
        if lines is not None:
            return next((line for line in reversed(lines) if line.value), None)
        if key in self._built_in:
            return self._built_in[key]
        return Header(name, f"$http_{key.replace('-', '_')}") if self.hands_on(key) else None

    def hands_on(self, name: str) -> bool:
        """Does a header of that name reach the upstream as the client sent it?"""
        key = name.lower()
        return self._hands_on and key not in self.configured and key not in self._kept_back

    def lines(self) -> Iterator[Header]:
        """The lines that do not come from the client, as nginx orders them before 1.31.4: configured ones first."""
        for lines in self.configured.values():
            yield from (line for line in lines if line.value)
        for name, header in self._built_in.items():
            if name not in self.configured:
                yield header


def added_header(scope: Scope, family: str, name: str, value: str) -> list[str]:
    """The statements that send one more header from this scope; with them go those it inherits, which a single line
    of its own would hide. Unlike `add_to_set` it leaves the other users of the inherited ones alone."""
    setter = f"{family}_set_header"
    inherited = [] if scope.own(setter) else scope.effective(setter)
    kept = [
        f"{line.head_span.text};" for line in inherited if line.values[:1] and line.values[0].lower() != name.lower()
    ]
    return [*kept, f"{setter} {name} {value};"]
