"""What a request came to, said of nginx and of the model in the same words."""

from __future__ import annotations

from nginxlint.config import Config
from nginxlint.routing.answer import Answer, UpstreamRequest
from nginxlint.routing.request import lines_of
from tests.routing.echo import Echo
from tests.routing.real import Seen


class Outcome:
    """`status` with the Location behind it, "closed" where nothing came; `mark` names the place that answered; `sent`
    is what the backends received: `up GET /path` and the headers (or parameters), sorted."""

    __slots__ = ("mark", "sent", "status")

    def __init__(self, status: str, mark: str | None, sent: list[tuple[str, list[tuple[str, str]]]]) -> None:
        self.status = status
        self.mark = mark
        self.sent = sorted((line, sorted((name.lower(), value) for name, value in headers)) for line, headers in sent)

    @property
    def text(self) -> str:
        """One line; a 200 is not worth a word where something was sent."""
        lines = [line for line, _ in self.sent]
        return " + ".join(lines + ([] if lines and self.status == "200" else [self.status]))


def seen_outcome(seen: Seen) -> Outcome:
    """What nginx did."""
    status = "closed" if seen.status is None else str(seen.status)
    status = f"{status} {seen.location}" if seen.location else status
    sent = [
        (f"{one.backend} {one.line.removesuffix(' HTTP/1.0').removesuffix(' HTTP/1.1')}", one.headers)
        for one in seen.received
    ]
    return Outcome(status, seen.mark, sent)


def told_outcome(config: Config, answer: Answer, echoes: list[Echo]) -> Outcome:
    """What the model says, given backends that answer 200."""
    added = config.scope(answer.block).effective("add_header") if answer.block is not None else []
    marks = [line.values[1] for line in added if line.values[0] == "X-Mark"]
    sent = [(_line(upstream, echoes), _kept(upstream)) for upstream in _asked(answer)]
    status = answer.status
    if answer.upstream is not None and answer.upstream.scheme == "grpc":
        status = 502  # the backend says nothing
    if status is None:
        if answer.action == "static":
            return Outcome("any", marks[0] if marks else None, sent)
        status = 444 if answer.upstream is None else 200
    location = answer.redirect_to
    shown = "closed" if status == 444 else str(status)
    return Outcome(f"{shown} {location}" if location else shown, marks[0] if marks else None, sent)


def _asked(answer: Answer) -> list[UpstreamRequest]:
    return [one for _, sub in answer.subrequests for one in _asked(sub)] + answer.upstreams


def _kept(upstream: UpstreamRequest) -> list[tuple[str, str]]:
    if upstream.scheme == "grpc":
        return []
    return [(name, line) for name, value in upstream.headers.items() for line in lines_of(value)]


def _line(upstream: UpstreamRequest, echoes: list[Echo]) -> str:
    peers = upstream.peers
    backend = next(
        (e.name for e in echoes if peers and (peers[0].endswith(f":{e.port}") or peers[0] == f"unix:{e.path}")),
        f"nobody at {peers}",
    )
    if upstream.scheme in ("http", "https"):
        return f"{backend} {upstream.method} {upstream.request_uri}"
    return f"{backend} {upstream.request_uri if upstream.scheme == 'memcached' else upstream.scheme}"


def allows(config: Config, answer: Answer, seen: Seen, echoes: list[Echo]) -> bool:
    """Is what nginx did the answer or one of its alternatives? Headers that nobody gave are not compared."""
    return any(
        not difference(config, one, seen, echoes, headers=False)
        for one in (answer, *(other for _, other in answer.alternatives))
    )


def difference(config: Config, answer: Answer, seen: Seen, echoes: list[Echo], *, headers: bool = True) -> str:
    """What the model says otherwise than nginx did; empty where they agree."""
    told, saw = told_outcome(config, answer, echoes), seen_outcome(seen)
    if told.status == "any":
        saw.status = "any"
    if told.text != saw.text:
        return f"{told.text!r}, not {saw.text!r}"
    guessed = any(step.text.startswith("cannot tell") for step in answer.steps)
    if saw.mark is not None and told.mark != saw.mark and not guessed:
        return f"place {told.mark}, not {saw.mark}"
    if not headers:
        return ""
    for (line, ours), (_, theirs) in zip(told.sent, saw.sent, strict=True):
        if ours != theirs:
            extra = [pair for pair in ours if pair not in theirs]
            return f"{line} with {extra}, not {[pair for pair in theirs if pair not in ours]}"
    return ""
