"""What a request comes to: the contract of `nginxlint route` as an object, as JSON and as text."""

from __future__ import annotations

from nginxlint.routing.request import lines_of
from nginxlint.routing.servers import Location, Server
from nginxlint.routing.visit import Step
from nginxlint.syntax import Block, Directive


class UpstreamRequest:
    """What is sent where: `group` is the upstream group's name or None, `peers` the addresses it can go to."""

    __slots__ = ("directive", "group", "headers", "host", "method", "peers", "request_uri", "scheme")

    def __init__(self, directive: Directive, scheme: str, group: str | None, peers: list[str]) -> None:
        self.directive = directive
        self.scheme = scheme
        self.group = group
        self.peers = peers
        self.request_uri = ""
        self.method = ""
        self.host = ""
        self.headers: dict[str, str] = {}

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for two that the upstream cannot tell apart."""
        target = (self.scheme, self.group, tuple(self.peers), self.method, self.request_uri)
        return (*target, tuple(self.headers.items()))

    def to_json(self) -> dict[str, object]:
        return {
            "scheme": self.scheme,
            "group": self.group,
            "peers": self.peers,
            "method": self.method,
            "request_uri": self.request_uri,
            "host": self.host,
            "headers": self.headers,
            "location": place_of(self.directive),
        }


class Answer:
    """The answer to one request. `action` is one of proxy, fastcgi, uwsgi, scgi, grpc, memcached, static, return,
    redirect, error and unknown; `certain` is false where something unknowable decides, and `alternatives` are then
    the other outcomes, each with what leads there; `open` is true where still others are possible. `block` is the one
    whose settings hold at the end; `upstreams` are all that were asked (after an X-Accel-Redirect several),
    `subrequests` the answers of those made on the way, each with what makes it (auth_request, mirror), and what
    follows by `post_action`."""

    __slots__ = (
        "action",
        "alternatives",
        "block",
        "certain",
        "doubts",
        "listen",
        "location",
        "notes",
        "open",
        "redirect_to",
        "server",
        "status",
        "steps",
        "subrequests",
        "upstream",
        "upstreams",
    )

    def __init__(self) -> None:
        self.listen = ""
        self.server: Server | None = None
        self.location: Location | None = None
        self.steps: list[Step] = []
        self.action = "unknown"
        self.status: int | None = None
        self.redirect_to: str | None = None
        self.block: Block | None = None
        self.upstream: UpstreamRequest | None = None
        self.upstreams: list[UpstreamRequest] = []
        self.subrequests: list[tuple[str, Answer]] = []
        self.certain = True
        self.open = False
        self.doubts: list[str] = []
        self.notes: list[str] = []
        self.alternatives: list[tuple[str, Answer]] = []

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for two answers that a visitor and an upstream cannot tell apart."""
        upstream = self.upstream
        return (
            self.server,
            self.location,
            self.action,
            self.status,
            self.redirect_to,
            upstream and upstream.key,
            tuple(asked.key for asked in self.upstreams),
            tuple((why, sub.key) for why, sub in self.subrequests),
        )

    def to_json(self, url: str = "") -> dict[str, object]:
        """The contract of design.md 3."""
        server, location = self.server, self.location
        return {
            "url": url,
            "listen": self.listen or None,
            "server": None
            if server is None
            else {"names": [word.text for word in server.names], "location": place_of(server.block)},
            "location": None
            if location is None
            else {"modifier": location.modifier, "pattern": location.pattern, "location": place_of(location.block)},
            "steps": [{"text": step.text, "location": place_of(step.directive)} for step in self.steps],
            "action": self.action,
            "status": self.status,
            "redirect_to": self.redirect_to,
            "upstream": None if self.upstream is None else self.upstream.to_json(),
            "certain": self.certain,
            "cannot_tell": self.doubts,
            "open": self.open,
            "subrequests": [
                {"kind": why, "action": sub.action, "status": sub.status, "summary": sub.summary()}
                for why, sub in self.subrequests
            ],
            "notes": self.notes,
            "alternatives": [
                {"if": why, "action": other.action, "status": other.status, "summary": other.summary()}
                for why, other in self.alternatives
            ],
        }

    def summary(self) -> str:
        """The outcome in one line."""
        if self.upstream is not None:
            target = self.upstream.group or ", ".join(self.upstream.peers)
            shown = f"{self.upstream.scheme}://{target} receives {self.upstream.method} {self.upstream.request_uri}"
            return f"{shown} (status {self.status})" if self.status is not None else shown
        if self.redirect_to is not None:
            return f"{self.status} redirect to {self.redirect_to}"
        if self.status is not None:
            return f"{self.status} ({self.action})"
        return "a file" if self.action == "static" else self.action

    def to_text(self, url: str) -> str:
        """The answer and why, for people."""
        lines = [url]
        if self.server is not None:
            names = " ".join(word.text for word in self.server.names) or "(no server_name)"
            lines.append(f"  server    {names}  {_where(self.server.block)}")
        if self.location is not None:
            shown = " ".join(self.location.block.values)
            lines.append(f"  location  {shown}  {_where(self.location.block)}")
        lines.append(f"  answer    {self.summary()}" + ("" if self.certain else "  (cannot tell for sure)"))
        if self.upstream is not None:
            lines.append(f"  host      {self.upstream.host}")
            for name, value in self.upstream.headers.items():
                lines.extend(f"  sends     {name}: {line}" for line in lines_of(value))
        lines.append("  why")
        lines.extend(
            f"    {step.text}" + (f"  {_where(step.directive)}" if step.directive is not None else "")
            for step in self.steps
        )
        lines.extend(f"  {why:<9} {sub.summary()}" for why, sub in self.subrequests)
        lines.extend(f"  note      {note}" for note in self.notes)
        for why, other in self.alternatives:
            location = " ".join(other.location.block.values) if other.location else "the server itself"
            lines.append(f"  or        {other.summary()} (location {location}), if {why}")
        return "\n".join(lines) + "\n"


def place_of(directive: Directive | None) -> dict[str, object] | None:
    """Where a directive stands; None for one that nobody wrote."""
    if directive is None or (getattr(directive, "synthetic", False)):
        return None
    line, column = directive.line, directive.start - directive.source.text.rfind("\n", 0, directive.start)
    return {"path": directive.source.path, "line": line, "column": column}


def _where(directive: Directive) -> str:
    place = place_of(directive)
    return "" if place is None else f"({place['path']}:{place['line']})"
