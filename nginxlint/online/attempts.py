"""Which peers one request tries, one after the other, and what its visitor gets in the end. Pure.

Source: ngx_http_upstream_next (tries, next_upstream and its timeout), the round robin balancer (backups last, `down`
never), and upstream-semantics.md A.1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from nginxlint.diagnostic import Severity
from nginxlint.online.outcomes import BLOCKS_START, OUTCOMES, without_consequence
from nginxlint.online.types import PeerRole, Target, Verdict

_TRIED_AGAIN = frozenset((403, 404, 429, 500, 502, 503, 504))


@dataclass(frozen=True, slots=True)
class _End:
    """How a request ends: with which peer's answer, and what nginx logs first on the way. `known` is false where a
    peer on the way could not be judged."""

    verdict: Verdict
    known: bool
    log: str


def rescue(verdicts: list[Verdict]) -> list[Verdict]:
    """Verdicts of peers, told from the visitor's side: whom the next peer saves, and who fails on all of them."""
    groups: dict[tuple[object, ...], list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.target.role is not None:
            groups.setdefault(asked_alike(verdict.target), []).append(verdict)
    told: dict[str, Verdict] = {}
    for peers in groups.values():
        for before, after in zip(peers, _group(peers), strict=True):
            told[before.target.id] = after
    return [told.get(verdict.target.id, verdict) for verdict in verdicts]


def asked_alike(target: Target) -> tuple[object, ...]:
    """The same for peers of a group that one request may try."""
    return (
        target.directive,
        target.scheme,
        target.path,
        target.host_header,
        target.headers,
        target.upstream.lower(),
        target.role.kind if target.role is not None else "",
        target.tls,
        target.http_version,
        target.room,
        target.timeouts,
        target.proxy_protocol,
        target.next_upstream,
        target.tries,
        target.next_timeout,
        target.surroundings,
        target.source,
    )


def _group(peers: list[Verdict]) -> list[Verdict]:
    order = [peer for peer in peers if not _role(peer).down and peer.predicted_status != BLOCKS_START]
    order.sort(key=lambda peer: _role(peer).backup)
    if not order:
        return [_all_down(peer) for peer in peers]
    first = order[0]
    heaviest = max((peer for peer in order if _role(peer).backup == _role(first).backup), key=_weight)
    first_end = _end_from(heaviest, order)
    hopeless = all(peer.word == "failed" for peer in order)
    told = []
    for peer in peers:
        if peer not in order:
            told.append(peer)
        elif hopeless or _role(peer).backup:
            told.append(_told(peer, first_end, hopeless=hopeless))
        else:
            told.append(_told(peer, _end_from(peer, order), hopeless=hopeless))
    return told


def _all_down(peer: Verdict) -> Verdict:
    """nginx has nobody to ask: 502 at once."""
    if peer.predicted_status == BLOCKS_START:
        return peer
    outcome = OUTCOMES["GRP_NONE_LIVE"]
    return replace(
        peer,
        word="failed",
        code="GRP_NONE_LIVE",
        predicted_status=502,
        predicted_log=outcome.log,
        message=f"every server of upstream {_role(peer).group} is marked down: visitors get 502",
    )


def _end_from(start: Verdict, order: list[Verdict]) -> _End:
    """The request that meets `start` first goes on as round robin does, backups last."""
    at = order.index(start)
    primaries = [peer for peer in order if not _role(peer).backup]
    turn = order if _role(start).backup else [*order[at : len(primaries)], *order[:at], *order[len(primaries) :]]
    tries = start.target.tries or len(turn)
    spent = 0.0
    known = True
    log = ""
    for number, peer in enumerate(turn, 1):
        spent += _seconds(peer)
        log = log or peer.predicted_log
        late = 0 < start.target.next_timeout <= spent
        if peer.word in ("unknown", "not-probed"):
            known = False
        if _next_after(peer) not in start.target.next_upstream or number >= min(tries, len(turn)) or late:
            return _End(peer, known and peer.word not in ("unknown", "not-probed"), log)
    raise AssertionError("the last peer ends every request")


def _next_after(peer: Verdict) -> str:
    """The condition of `*_next_upstream` this peer's behaviour falls under; empty for an answer that is passed on."""
    if peer.word in ("unknown", "not-probed"):
        return "error"  # as long as nobody knows, the next peer may have to help
    retried = OUTCOMES[peer.code].condition(peer.predicted_log) if peer.word == "failed" else ""
    if not retried and peer.observed_status in _TRIED_AGAIN:
        return f"http_{peer.observed_status}"
    return retried


def _seconds(peer: Verdict) -> float:
    """How long nginx waits for this peer before it goes on."""
    limits = peer.target.timeouts
    return {"L4_TIMEOUT": limits.connect, "L6_TIMEOUT": limits.connect, "L7_TIMEOUT": limits.read,
            "L7_SLOWHEADER": limits.read}.get(peer.code, 0.0)  # fmt: skip


def _told(peer: Verdict, end: _End, *, hopeless: bool) -> Verdict:
    """The verdict of a peer with what the visitor gets after all tries."""
    role = _role(peer)
    other = end.verdict is not peer
    if peer.word != "failed":
        if not other:
            return peer
        if not end.known:
            return replace(peer, predicted_status=None)
        return replace(peer, predicted_status=end.verdict.predicted_status, predicted_log=end.log, end=end.verdict)
    if not peer.predicted_log:
        peer = replace(peer, predicted_log=end.log)  # a TLS handshake that times out in a stream leaves no line
    if hopeless:
        if not other:
            return peer
        if end.verdict.predicted_status == peer.predicted_status:
            return replace(peer, end=end.verdict)
        seen = end.verdict.predicted_status
        what = f"get {seen}" if seen is not None else "get what that one sends"
        tail = f": the request ends at {end.verdict.target.label}, which fails as well; visitors {what}"
        return replace(peer, predicted_status=seen, message=without_consequence(peer.message) + tail, end=end.verdict)
    if not other:
        return peer
    tail = (
        f": a backup, so nobody notices until the servers before it fail (upstream {role.group})"
        if role.backup
        else f": nginx tries the next server of upstream {role.group}, and every new failure costs visitors time"
    )
    return replace(
        peer,
        severity=Severity.WARNING,
        predicted_status=end.verdict.predicted_status if end.known else _alive(end),
        message=without_consequence(peer.message) + tail,
        end=end.verdict,
    )


def _alive(end: _End) -> int | str | None:
    return end.verdict.predicted_status if end.verdict.word in ("ok", "degraded") else None


def _role(verdict: Verdict) -> PeerRole:
    assert verdict.target.role is not None
    return verdict.target.role


def _weight(verdict: Verdict) -> int:
    return _role(verdict).weight
