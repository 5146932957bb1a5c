"""Redirects that lead back to themselves, followed by the simulator as a browser would."""

from __future__ import annotations

from nginxlint.error import NginxlintError
from nginxlint.routing.examples import MAX_EXAMPLES, example_hosts, example_request, example_uris, paths_of
from nginxlint.routing.request import Request, request_of_url, split_port
from nginxlint.syntax import Block, Directive, Word

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from collections.abc import Iterable

    from nginxlint.config import Config

MAX_HOPS = 10
MAX_HOSTS = 8  # so many names of a server are tried
_CODES = ("301", "302", "303", "307", "308")
_PORTS = {"http": 80, "https": 443}


class Redirect:
    """A `return` or `rewrite` that sends the visitor somewhere: `text` is the address as written, `port` the one it
    leads to where it says so (else None: the visitor's own); `server` the block it stands in."""

    __slots__ = ("directive", "index", "port", "server", "text")

    def __init__(self, directive: Directive, index: int, server: Block) -> None:
        self.directive = directive
        self.index = index
        self.server = server
        self.text = directive.values[index]
        scheme, separator, rest = self.text.partition("://")
        self.port = _PORTS.get(scheme) if separator else None
        if ":" in rest and (written := split_port(rest.partition("/")[0])[1]).isdecimal():
            self.port = int(written)

    @property
    def word(self) -> Word:
        return self.directive.args[self.index]


def redirects(config: Config) -> list[Redirect]:
    """Every redirect written in the http servers of a configuration."""
    found = []
    for name in ("return", "rewrite"):
        for values, repeated in config.alike(name).items():
            index = _address(name, values)
            for directive in repeated if index is not None else ():
                server = config.server(directive)
                if index is not None and server is not None and server.kind == "http" and not server.block.synthetic:
                    found.append(Redirect(directive, index, server.block))
    return found


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


def redirect_circles(config: Config) -> Iterable[tuple[Redirect, str]]:
    """The redirects that certainly lead back to themselves, with a URL that shows it."""
    found = [(redirect, _listens(redirect.server)) for redirect in redirects(config)]
    ports = {
        listens: frozenset(map(_port, listens)) or frozenset((80,)) for listens in {listens for _, listens in found}
    }
    ways = {(ports[listens], redirect.port) for redirect, listens in found}
    round_trips = {(own, port) for own, port in ways if _may_come_back(port, own, ways)}
    for redirect, listens in found:
        if (ports[listens], redirect.port) in round_trips and not _is_guarded(redirect):
            url = _circle(config, redirect)
            if url is not None:
                yield redirect, url


def _listens(server: Block) -> tuple[tuple[str, ...], ...]:
    return tuple([child.values[:1] for child in server.body if child.name == "listen"])


def _port(listen: tuple[str, ...]) -> int:
    text = listen[0].rpartition(":")[2] if listen else ""
    return int(text) if text.isdecimal() else 80


def _may_come_back(port: int | None, own: frozenset[int], ways: set[tuple[frozenset[int], int | None]]) -> bool:
    """Do the ports allow it? Either it leads to a port of its own, or to one whose redirects lead to one of its own."""
    if port is None or port in own:
        return True
    return any(port in ports and (back is None or back in own) for ports, back in ways)


def _is_guarded(redirect: Redirect) -> bool:
    """Does an `if` around it keep out what has been redirected? The usual forms, told without a simulation."""
    around = redirect.directive.parent
    if around is None or around.name != "if" or len(around.values) != 3:
        return False
    variable, operator, value = around.values[0].lstrip("("), around.values[1], around.values[2].rstrip(")")
    if variable == "$scheme":
        return (operator == "=") == (value == "http") and redirect.text.startswith("https://")
    host = split_port(redirect.text.partition("://")[2].partition("/")[0])[0]
    if "$" in host:
        return False  # who keeps his host meets the condition again
    return variable in ("$host", "$http_host") and operator in ("=", "!=") and (operator == "=") != (host == value)


def _circle(config: Config, redirect: Redirect) -> str | None:
    location, server = config.location(redirect.directive), config.server(redirect.directive)
    if server is None:
        return None
    uris = ["/x"] if location is None else example_uris(location)
    if redirect.directive.name == "rewrite":
        below = "/" if location is None or location.is_regex else location.pattern
        uris = paths_of(redirect.directive.values[0], below) or uris
    hosts = example_hosts(server)[:MAX_HOSTS]
    requests = (example_request(server, uri, host) for host in hosts for uri in uris[:MAX_EXAMPLES])
    urls = (_follow(config, redirect.directive, request) for request in requests)
    return next((url for url in urls if url is not None), None)


def _follow(config: Config, directive: Directive, request: Request) -> str | None:
    """The URL at which the circle is closed; None where the visitor arrives somewhere, or nobody can tell."""
    seen: set[str] = set()
    through = False
    for _ in range(MAX_HOPS):
        answer = config.router.route(request)
        target = answer.redirect_to
        if target is None or not answer.certain:
            return None
        here = any(step.directive is directive for step in answer.steps)
        if request.url in seen:
            return request.url if here else None
        through = through or here
        seen.add(request.url)
        onward = _onward(config, request, target)
        if onward is None:
            return None
        request = onward
    return request.url if through and here else None


def _onward(config: Config, request: Request, target: str) -> Request | None:
    """The request a browser makes of a redirect; None where it leads to somebody else."""
    if target.startswith("/") and not target.startswith("//"):
        target = f"{request.url.partition('://')[0]}://{request.url.partition('://')[2].partition('/')[0]}{target}"
    try:
        following = request_of_url(target, client=request.client)
    except NginxlintError:
        return None
    host = split_port(following.host)[0].lower()
    sockets = config.router.sockets.at(following.port)
    if host != split_port(request.host)[0].lower() and not any(socket.knows(host) for socket in sockets):
        return None
    return following
