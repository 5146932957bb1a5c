"""Upstream groups: how many peers answer, and what traffic meets a dead one. Pure."""

from __future__ import annotations

from nginxlint.online.types import GroupVerdict, PeerRole, Target, Verdict

_UP, _DEAD, _UNKNOWN, _DOWN = "up", "dead", "unknown", "down"


def judge_groups(verdicts: list[Verdict]) -> list[GroupVerdict]:
    """One verdict per group, in the order the groups are met."""
    groups: dict[tuple[str, str], dict[int, list[Verdict]]] = {}
    for verdict in verdicts:
        role = verdict.target.role
        if role is not None:
            peers = groups.setdefault((role.kind, role.group), {})
            peers.setdefault(id(verdict.target.defined_at.directive), []).append(verdict)
    return [_group(kind, name, list(peers.values())) for (kind, name), peers in groups.items()]


def _group(kind: str, name: str, peers: list[list[Verdict]]) -> GroupVerdict:
    states = [(_state(peer), peer[0].target) for peer in peers]
    primaries = [(state, target) for state, target in states if not _role(target).backup and state != _DOWN]
    backups = [(state, target) for state, target in states if _role(target).backup and state != _DOWN]
    total_weight = sum(_role(target).weight for _, target in primaries) or 1
    dead_weight = sum(_role(target).weight for state, target in primaries if state == _DEAD)
    judged = [pair for pair in (*primaries, *backups) if pair[0] != _UNKNOWN]
    all_states = [state for state, _ in (*primaries, *backups)]
    waits = [
        target.timeouts.connect
        for (state, target), peer in zip(states, peers, strict=True)
        if state == _DEAD and peer[0].code == "L4_TIMEOUT"
    ]
    return GroupVerdict(
        group=name,
        kind=kind,
        up=sum(state == _UP for state, _ in primaries),
        total=len(primaries),
        judged=len(judged),
        backups_up=sum(state == _UP for state, _ in backups),
        backups=len(backups),
        lost=dead_weight / total_weight,
        dead=tuple(target.label for state, target in states if state == _DEAD),
        none_live=bool(all_states) and all(state == _DEAD for state in all_states),
        worst_wait=sum(waits),
    )


def _state(variants: list[Verdict]) -> str:
    """A peer asked in several ways (paths, hosts) is dead where every way failed."""
    if all(_role(verdict.target).down for verdict in variants) and variants[0].code in ("SKIP_DOWN", "GRP_NONE_LIVE"):
        return _DOWN
    words = {verdict.word for verdict in variants}
    if words & {"ok", "degraded"}:
        return _UP
    if words == {"failed"}:
        return _DEAD
    return _UNKNOWN


def _role(target: Target) -> PeerRole:
    assert target.role is not None
    return target.role


def sentence(group: GroupVerdict) -> str:
    """How an operator would say it."""
    text = f"{group.up} of {group.total} servers answer"
    if group.backups:
        text += f", {group.backups_up} of {group.backups} backups"
    if group.lost and not group.none_live:
        text += f"; {group.lost:.0%} of new requests first meet a dead one"
    if group.worst_wait and not group.none_live:
        text += f" and may wait {group.worst_wait:g} s for it"
    if group.dead:
        text += f" (dead: {', '.join(group.dead[:4])}{' …' if len(group.dead) > 4 else ''})"
    return text
