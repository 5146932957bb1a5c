"""Requests that go round in circles: passes that lead to our own listeners, followed by the simulator."""

from __future__ import annotations

from nginxlint.routing.listeners import Endpoint, Listener, endpoints
from nginxlint.routing.passes import Pass
from nginxlint.routing.uses import PASSES
from nginxlint.syntax import Directive

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from nginxlint.config import Config
    from nginxlint.routing.answer import Answer

MAX_HOPS = 12  # a request that is still with us after so many passes does not leave any more


class Circle:
    """Passes that hand a request on to ourselves for ever: `passes` in order, the last leads to the first again.
    `url` is a request that starts it ("" for a stream's connections); `certain` is false where something unknowable (a
    file, a header) decides; `partly`: a group on the way has other peers, that let some requests out."""

    __slots__ = ("certain", "listener", "partly", "passes", "url")

    def __init__(self, passes: list[Directive], listener: Listener, url: str, *, certain: bool, partly: bool) -> None:
        self.passes = passes
        self.listener = listener
        self.url = url
        self.certain = certain
        self.partly = partly


def circles(config: Config) -> list[Circle]:
    """All circles of a configuration, each once."""
    found: dict[frozenset[Directive], Circle] = {}
    for target in _candidates(config):
        if any(target.directive in passes for passes in found):
            continue
        circle = _circle_of_stream(config, target) if target.kind == "stream" else _circle_of_http(config, target)
        if circle is not None:
            found.setdefault(frozenset(circle.passes), circle)
    return list(found.values())


def _candidates(config: Config) -> list[Pass]:
    """The passes that lead to one of our own listeners."""
    suspects = (target for target in config.inward_passes if target.family in ("proxy", "grpc"))
    return [target for target in suspects if _own(config, target)]


def _own(config: Config, target: Pass) -> list[tuple[Endpoint, Listener]]:
    """Our listeners that a pass leads to. A PROXY protocol header, which http cannot send, keeps others out."""
    return [
        (end, listener)
        for end in endpoints(config, target)
        for listener in config.listeners.behind(end)
        if (target.kind == "stream" or listener.proxy_protocol is None)
        and not any(server.block.synthetic for server in listener.servers)
    ]


def _has_other_ends(config: Config, target: Pass) -> bool:
    return any(not config.listeners.behind(end) for end in endpoints(config, target))


# --- http ---------------------------------------------------------------------------------------------------------


def _circle_of_http(config: Config, target: Pass) -> Circle | None:
    server = config.server(target.directive)
    location = config.location(target.directive)
    if server is None or location is None or server.kind != "http" or not server.listens:
        return None
    from nginxlint.routing.examples import MAX_EXAMPLES, example_request, example_uris

    starts = [location] if location.modifier != "@" else server.all_locations()
    for uri in [uri for one in starts for uri in example_uris(one)][:MAX_EXAMPLES]:
        request = example_request(server, uri)
        answer = config.router.route(request)
        reached = next((one for one in _outcomes(answer) if _pass_of(one) is target.directive), None)
        circle = None if reached is None else _follow(config, reached, request.url, answer.certain)
        if circle is not None and target.directive in circle.passes:
            return circle
    return None


def _outcomes(answer: Answer) -> list[Answer]:
    return [answer, *(other for _, other in answer.alternatives)]


def _pass_of(answer: Answer) -> Directive | None:
    return answer.upstream.directive if answer.upstream is not None else None


def _follow(config: Config, answer: Answer, url: str, certain: bool) -> Circle | None:
    """Hand the request on as long as it stays with us."""
    from nginxlint.routing.request import Request

    passed: list[Directive] = []
    seen: set[tuple[object, ...]] = set()
    for _ in range(MAX_HOPS):
        upstream = answer.upstream
        if upstream is None:
            return None
        target = Pass(upstream.directive)
        next_hop = _next_http(config, target)
        if next_hop is None:
            return None
        end, listener, secure = next_hop
        passed.append(upstream.directive)
        state = (upstream.directive, upstream.host, upstream.request_uri, listener)
        if state in seen:
            break
        seen.add(state)
        request = Request(
            upstream.request_uri or "/",
            host=upstream.host,
            scheme="https" if secure else "http",
            port=end.port or 0,
            address=listener.address if listener.address != "localhost" else "127.0.0.1",
            method=str(upstream.method) or "GET",
            headers=dict(upstream.headers),
            client="127.0.0.1",
        )
        answer = config.router.route(request)
        certain = certain and answer.certain
    last = passed.pop()
    before = [at for at, one in enumerate(passed) if one is last]
    passes = passed[before[-1] :] if before else [*passed, last]
    partly = any(_has_other_ends(config, Pass(one)) for one in passes)
    return Circle(passes, listener, url, certain=certain, partly=partly)


def _next_http(config: Config, target: Pass) -> tuple[Endpoint, Listener, bool] | None:
    """The http listener of ours that a pass leads to, at which address, and whether TLS is spoken to it; through
    stream servers where they stand between."""
    for end, listener in _own(config, target):
        secure = end.scheme in ("https", "grpcs")
        for _ in range(MAX_HOPS):
            if listener.kind == "http":
                return end, listener, secure
            passes = [Pass(one) for one in listener.servers[0].block.children("proxy_pass")]
            onward = _own(config, passes[0]) if passes else []
            if len(listener.servers) > 1 or listener.ssl or not onward:
                break
            end, listener = onward[0]
    return None


# --- stream -------------------------------------------------------------------------------------------------------


def _circle_of_stream(config: Config, target: Pass) -> Circle | None:
    """A stream server that passes connections on to itself, or to one that passes them back."""
    passed: list[Directive] = []
    while target.directive not in passed and len(passed) < MAX_HOPS:
        passed.append(target.directive)
        onward = [listener for _, listener in _own(config, target) if listener.kind == "stream"]
        if not onward or len(onward[0].servers) > 1:
            return None
        listener = onward[0]
        passes = listener.servers[0].block.children(*PASSES)
        if not passes or not passes[0].values:
            return None
        target = Pass(passes[0])
    circle = passed[passed.index(target.directive) :] if target.directive in passed else passed
    partly = any(_has_other_ends(config, Pass(one)) for one in circle)
    return Circle(circle, listener, "", certain=True, partly=partly)
