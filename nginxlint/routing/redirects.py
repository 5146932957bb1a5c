"""Redirects that may lead back to themselves, found by a quick look, and those that do, told by the simulator."""

from __future__ import annotations

from nginxlint.catalogue.addresses import inet_address
from nginxlint.catalogue.numbers import MAX, number_or
from nginxlint.expressions import compiled
from nginxlint.syntax import Block, Directive, Word

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from nginxlint.config import Config

_CODES = ("301", "302", "303", "307", "308")
_WHOLE = ("/", "http://", "https://", "$scheme")
_INCOMPLETE = r"\x0030[12378]\x00(?!https?://|/|\$scheme)"  # among all returns: a quick look
_OUR_HOST = r"(?:[a-z0-9-]+\.)*\$(?:\{(?:host|http_host|server_name)\}|(?:host|http_host|server_name)(?!\w))"
_HOST = r"((?:[a-z0-9-]+\.)+([a-z0-9-]+))(:\d+)?(?=[/?#$]|$)"
# Ends of domains that are no ends of files.
_DOMAINS = frozenset(
    "com net org edu gov biz io dev cloud online site shop xyz eu de fr uk nl be at ch es it pt se no fi dk cz ru ua jp "
    "cn kr in br us ca au local internal test".split()
)
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


def schemeless_redirects(config: Config) -> list[tuple[Redirect, str]]:
    """The redirects whose address begins with a host instead of a scheme, each with the address that was meant. nginx sends
    it as it stands, and browsers take it for a path beside the page they are on (RFC 3986, 5.2)."""
    found = []
    names: set[str] | None = None
    returns = "return" in config.names and compiled(_INCOMPLETE).search(config.said("return"))
    for name in ("return", "rewrite") if returns else ("rewrite",):
        alike = config.alike(name)
        for values in [one for one in alike if one and not one[-1].startswith(_WHOLE)]:
            index = _address(name, values) if len(values) > 1 else None
            if index is None or values[index].startswith(_WHOLE):
                continue
            if names is None:
                names = {word.lower() for line in config.alike("server_name") for word in line}
            if meant := _with_scheme(values[index], names):
                found += [(Redirect(one, index), meant) for one in alike.members(values)]
    return [(one, meant) for one, meant in found if (server := config.server(one.directive)) and server.kind == "http"]


def _with_scheme(text: str, names: set[str]) -> str:
    """The address that was meant; an empty text where it may be a path or hold its scheme in a variable."""
    if compiled(_OUR_HOST).match(text):
        return f"$scheme://{text}"
    lower = text.lower()
    if lower.startswith(("http//", "https//")):
        return text.replace("//", "://", 1)
    found = compiled(_HOST).match(lower)
    if found is None or lower.startswith("index."):  # a page, perhaps in another language
        return ""
    host, domain, port = found[1], found[2], found[3]
    known = host in names or domain in _DOMAINS or host.startswith("www.") or port or inet_address(host)
    return f"$scheme://{text}" if known else ""


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
        return number_or(written, MAX)
    return _PORTS.get(scheme) if separator else None


def _split_port(rest: str) -> tuple[str, str]:
    """Host and port of what follows the scheme."""
    host, colon, port = rest.partition("/")[0].rpartition(":")
    return (host, port) if colon and "]" not in port else (host + colon + port, "")


def _port(listen: tuple[str, ...]) -> int:
    text = listen[0].rpartition(":")[2] if listen else ""
    return number_or(text, 80)


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
