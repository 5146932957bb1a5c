"""Redirects followed by the simulator as a browser would."""

from __future__ import annotations

from nginxlint.error import NginxlintError
from nginxlint.routing.examples import MAX_EXAMPLES, example_hosts, example_request, example_uris, paths_of
from nginxlint.routing.request import Request, request_of_url, split_port
from nginxlint.syntax import Directive

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from nginxlint.config import Config
    from nginxlint.routing.redirects import Redirect

MAX_HOPS = 10
MAX_HOSTS = 8  # so many names of a server are tried


def circle(config: Config, redirect: Redirect) -> str | None:
    """The URL at which a redirect closes a circle; None where it certainly closes none, or nobody can tell."""
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
