"""The routes of one configuration: a request, run through the simulator once for every set of answers to what is unknown."""

from __future__ import annotations

from nginxlint.routing.answer import Answer
from nginxlint.routing.match import Locations, Sockets
from nginxlint.routing.simulate import Run
from nginxlint.routing.visit import Visit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from nginxlint.config import Config
    from nginxlint.routing.match import Socket
    from nginxlint.routing.request import Request
    from nginxlint.routing.servers import Server
    from nginxlint.syntax import Block

MAX_RUNS = 48


class Router:
    """The routes of one configuration, compiled once.

    `look` tells what a path of the file system is: "file", "folder" or "" for nothing; None: nobody knows. `refusal`
    is why nginx would not start with it, empty where it would: then the answers are only what it might do.
    """

    def __init__(self, config: Config, look: Callable[[str], str] | None = None, refusal: str = "") -> None:
        self.config = config
        self.sockets = Sockets(config)
        self.look = look
        self._refusal = refusal
        self._partial = config.partial
        self._locations: dict[Server, Locations] = {}

    def locations(self, server: Server) -> Locations:
        known = self._locations.get(server)
        if known is None:
            known = self._locations[server] = Locations(server)
        return known

    def route(self, request: Request) -> Answer:
        """What a request comes to, with every outcome the unknowns allow."""
        sockets = self.sockets.at(request.port, request.address)
        if not sockets:
            first = self._nobody(request)
        else:
            first = self._on(sockets[0], request)
        for socket in sockets[1:]:
            other = self._on(socket, request)
            first.open = first.open or other.open
            if other.key != first.key or not other.certain:
                first.certain = False
                why = f"the connection arrives at {socket.text} and not at {sockets[0].text} (--on)"
                first.doubts.append(why)
                first.alternatives += [(why, other), *((f"{why}; {more}", one) for more, one in other.alternatives)]
        if self._partial:
            first.certain, first.open = False, True
            first.doubts.append("only a part of the configuration was read, or it has faults: the rest may decide")
        elif self._refusal:
            first.certain, first.open = False, True
            first.doubts.append(f"nginx refuses this configuration: {self._refusal}")
        return first

    def after(self, block: Block, status: int, request: Request) -> Answer:
        """What the visitor gets where the handler of a block ended with this status: what `error_page` says, or the
        status itself. Files that nobody can look at are taken to be there; `status` of the answer is None where
        another upstream decides. Source: ngx_http_special_response_handler."""
        run, server = self._within(block, request)
        if run is None:
            answer = Answer()
            answer.status = status
            return answer
        return run.end_in(server, block, status)

    def asked(self, block: Block, uri: str, request: Request) -> Answer:
        """What the subrequest comes to that an `auth_request` of this block makes."""
        run, server = self._within(block, request)
        return run.ask_in(server, block, uri) if run is not None else Answer()

    def _within(self, block: Block, request: Request) -> tuple[Run | None, Server]:
        """A run for a visitor of this block; None where nothing listens on the port of the request."""
        server = self.config.server(block)
        assert server is not None
        socket = next((one for one in self.sockets.at(request.port) if server in one.servers), None)
        return (Run(self, socket, request, ()) if socket is not None else None), server

    def _nobody(self, request: Request) -> Answer:
        answer = Answer()
        answer.action = "error"
        visit = Visit(request, ())
        ports = ", ".join(map(str, self.sockets.ports)) or "none"
        visit.say(f"nothing listens on port {request.port} (ports: {ports}): the connection is refused")
        answer.steps = visit.steps
        return answer

    def _on(self, socket: Socket, request: Request) -> Answer:
        """Every outcome on one socket: the first run takes unknowns as absent, the others answer otherwise."""
        pending: list[tuple[bool, ...]] = [()]
        primary: Answer | None = None
        runs = 0
        while pending and runs < MAX_RUNS:
            decisions = pending.pop()
            runs += 1
            run = Run(self, socket, request, decisions)
            answer = run.go()
            asked = run.visit.asked
            if primary is None:
                primary = answer
                primary.certain = not answer.doubts
                primary.open = bool(answer.doubts)
            elif answer.key != primary.key or answer.doubts:
                why = "; ".join(
                    f"{question}: {'yes' if said else 'no'}"
                    for number, (question, said) in enumerate(asked)
                    if number < len(decisions)
                )
                primary.certain = False
                primary.open = primary.open or bool(answer.doubts)
                primary.doubts.append(why)
                if all(other.key != answer.key for _, other in primary.alternatives):
                    primary.alternatives.append((why, answer))
            for number in range(len(asked) - 1, len(decisions) - 1, -1):
                before = tuple(said for _, said in asked[:number])
                pending.append((*before, not asked[number][1]))
        assert primary is not None
        if pending:
            primary.certain, primary.open = False, True
            primary.doubts.append("the outcome hangs on more unknowns than are followed here")
        return primary
