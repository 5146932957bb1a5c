"""Redirects that may lead back to themselves, found by a quick look, and those that do, told by the simulator."""

from __future__ import annotations

from nginxlint.syntax import Block, Directive, Word

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from nginxlint.config import Config

_CODES = ("301", "302", "303", "307", "308")
_PORTS = {"http": 80, "https": 443}


class Redirect:
    """A `return` or `rewrite` that sends the visitor somewhere: `text` is the address as written, in argument `index`."""

    __slots__ = ("directive", "index", "text")

    def __init__(self, directive: Directive, index: int) -> None:
        self.directive = directive
        self.index = index
        self.text = directive.values[index]

    @property
    def word(self) -> Word:
        return self.directive.args[self.index]


def redirect_circles(config: Config) -> list[tuple[Redirect, str]]:
    """The redirects that certainly lead back to themselves, with a URL that shows it."""
    candidates = _candidates(config)
    if not candidates:
        return []
    from nginxlint.routing.browsing import circle

    return [(redirect, url) for redirect in candidates if (url := circle(config, redirect)) is not None]


def _candidates(config: Config) -> list[Redirect]:
    """The redirects of http servers whose ports allow it: they lead to a port of their own, or to one whose redirects
    lead to one of their own."""
    ports = {80, *map(_port, config.alike("listen"))}
    elsewhere = tuple(f"{scheme}://" for scheme, port in _PORTS.items() if port not in ports)
    found: dict[int | None, list[tuple[Block | None, Directive, int]]] = {}
    for name in ("return", "rewrite"):
        alike = config.alike(name)
        for values in alike:
            if values and values[-1].startswith(elsewhere) and values[-1].count(":") == 1:
                continue  # nobody listens there: a quick look, for nearly every server redirects to https
            index = _address(name, values)
            to = _target_port(values[index]) if index is not None else 0
            if index is not None and (to is None or to in ports):
                found.setdefault(to, []).extend(
                    [(one.enclosing("server"), one, index) for one in alike.members(values)]
                )
    if not found:
        return []
    on: dict[int | None, set[Block | None]] = {80: set()}  # the servers by port
    for values, listens in config.alike("listen").groups():
        on.setdefault(_port(values), set()).update([listen.parent for listen in listens])
    starts = {to: {server for server, _, _ in leading} for to, leading in found.items()}
    on[80] |= set().union(*starts.values()).difference(*on.values())  # where a server goes without `listen`
    likely: list[Redirect] = []
    for to, leading in found.items():
        back = {to, *(onward for onward, servers in starts.items() if not servers.isdisjoint(on.get(to, ())))}
        here = set().union(*(on.get(port, ()) for port in back))
        likely += [Redirect(one, index) for server, one, index in leading if None in back or server in here]
    return [one for one in likely if _is_of_a_site(config, one) and not _is_guarded(one)]


def _is_of_a_site(config: Config, redirect: Redirect) -> bool:
    server = config.server(redirect.directive)
    return server is not None and server.kind == "http" and not server.block.synthetic


def _address(name: str, values: tuple[str, ...]) -> int | None:
    """The place of the argument that says where to; None where the directive does not redirect."""
    if name == "return":
        if len(values) == 2:
            return 1 if values[0] in _CODES else None
        return 0 if len(values) == 1 and not values[0].isdecimal() else None
    if len(values) < 2:
        return None
    away = values[1].startswith(("http://", "https://", "$scheme"))
    return 1 if away or values[-1] in ("redirect", "permanent") else None


def _target_port(text: str) -> int | None:
    """The port an address leads to where it says so (else None: the visitor's own)."""
    scheme, separator, rest = text.partition("://")
    if ":" in rest and (written := _split_port(rest)[1]).isdecimal():
        return int(written)
    return _PORTS.get(scheme) if separator else None


def _split_port(rest: str) -> tuple[str, str]:
    """Host and port of what follows the scheme."""
    host, colon, port = rest.partition("/")[0].rpartition(":")
    return (host, port) if colon and "]" not in port else (host + colon + port, "")


def _port(listen: tuple[str, ...]) -> int:
    text = listen[0].rpartition(":")[2] if listen else ""
    return int(text) if text.isdecimal() else 80


def _is_guarded(redirect: Redirect) -> bool:
    """Does an `if` around it keep out what has been redirected? The usual forms, told without a simulation."""
    around = redirect.directive.parent
    if around is None or around.name != "if" or len(around.values) != 3:
        return False
    variable, operator, value = around.values[0].lstrip("("), around.values[1], around.values[2].rstrip(")")
    if variable == "$scheme":
        return (operator == "=") == (value == "http") and redirect.text.startswith("https://")
    host = _split_port(redirect.text.partition("://")[2])[0]
    if "$" in host:
        return False  # who keeps his host meets the condition again
    return variable in ("$host", "$http_host") and operator in ("=", "!=") and (operator == "=") != (host == value)
