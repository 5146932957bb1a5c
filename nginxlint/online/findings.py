"""Verdicts as diagnostics on the lines an operator has to change. Pure."""

from __future__ import annotations

from nginxlint.config import Config
from nginxlint.diagnostic import Confidence, Diagnostic, Note, Severity, Stage
from nginxlint.online.drift import Drift
from nginxlint.online.groups import sentence
from nginxlint.online.outcomes import BLOCKS_START, OUTCOMES
from nginxlint.online.types import GroupVerdict, Target, Verdict, Where
from nginxlint.online.untrusted import clean
from nginxlint.source import Span
from nginxlint.syntax import Block, Directive

GROUP = "online"
MAX_RELATED = 5
_CONFIDENCE = {"observed": Confidence.HIGH, "predicted": Confidence.MEDIUM, "assumed": Confidence.MEDIUM}
# What is wrong with us is said once, not once per target.
_ONCE = frozenset(("TOOL_FAULT", "NOT_CHECKED", "NOT_FROM_HERE"))


def findings(
    config: Config,
    verdicts: list[Verdict],
    groups: list[GroupVerdict],
    drifts: list[Drift],
    facts: list[tuple[str, str, Directive]],
) -> list[Diagnostic]:
    """One diagnostic per fault and place; targets that share both share it. `facts` are codes with details and places
    that are about no single target."""
    merged: dict[tuple[object, ...], list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.severity is not None:
            merged.setdefault(_key(verdict), []).append(verdict)
    found = [_diagnostic(alike) for alike in merged.values()]
    for group in groups:
        diagnostic = _group(config, group)
        if diagnostic is not None:
            found.append(diagnostic)
    found += [_fact(*fact) for fact in facts]
    found += [one for one in (_drift(config, drift) for drift in drifts) if one is not None]
    return found


def _key(verdict: Verdict) -> tuple[object, ...]:
    if verdict.code in _ONCE:
        return (verdict.code, verdict.label)
    target = verdict.target
    rule = OUTCOMES[verdict.code].rule
    peer = id(target.defined_at.directive) if target.role is not None else None
    return (rule, verdict.code, verdict.severity, target.label, target.scheme, peer)


def _diagnostic(alike: list[Verdict]) -> Diagnostic:
    first = alike[0]
    target = first.target
    message = first.message
    assert first.severity is not None
    labels = list(dict.fromkeys(verdict.target.label for verdict in alike))
    if len(labels) > 1:
        message += f" (and {len(labels) - 1} more)"
    blocks = first.predicted_status == BLOCKS_START
    return Diagnostic(
        OUTCOMES[first.code].rule,
        first.severity,
        message,
        target.defined_at.span,
        group=GROUP,
        stage=Stage.ONLINE,
        confidence=_CONFIDENCE[first.certainty],
        label=first.label,
        related=_related(target, alike),
        help=first.help,
        blocks_start=blocks,
        nginx_message=first.predicted_log or None,
        at=target.defined_at.directive,
        target=target.id,
    )


def _related(target: Target, alike: list[Verdict]) -> tuple[Note, ...]:
    """The other places: uses of the peer, other passes that meet the same fault, the group it belongs to."""
    places: dict[tuple[int, int], Where] = {}
    for verdict in alike:
        for where in (verdict.target.defined_at, *verdict.target.used_at):
            places.setdefault((id(where.span.source), where.span.start), where)
    places.pop((id(target.defined_at.span.source), target.defined_at.span.start), None)
    uses = list(places.values())
    notes = [Note(where.span, "used here") for where in uses[:MAX_RELATED]]
    if len(uses) > MAX_RELATED:
        notes[-1] = Note(notes[-1].span, f"used here and at {len(uses) - MAX_RELATED} more places")
    return tuple(notes)


def _drift(config: Config, drift: Drift) -> Diagnostic | None:
    upstream = config.upstream(drift.group, drift.kind)
    return _fact("GRP_DRIFT", drift.detail, upstream.block, drift.group) if upstream is not None else None


def _fact(code: str, detail: str, place: Directive, name: str = "") -> Diagnostic:
    """A finding that is about no single target."""
    outcome = OUTCOMES[code]
    assert outcome.severity is not None
    return Diagnostic(
        outcome.rule,
        outcome.severity,
        clean(outcome.message.format(target=clean(name or " ".join(place.values[:1])), detail=detail), 600),
        place.args[0].span if place.args else place.head_span if isinstance(place, Block) else place.span,
        group=GROUP,
        stage=Stage.ONLINE,
        help=outcome.help,
        at=place,
    )


def _group(config: Config, group: GroupVerdict) -> Diagnostic | None:
    upstream = config.upstream(group.group, group.kind)
    if upstream is None or not group.dead:
        return None
    code = "GRP_NONE_LIVE" if group.none_live else "GRP_PARTIAL"
    if not group.none_live and not group.up and not group.backups_up:
        return None  # the rest could not be judged
    outcome = OUTCOMES[code]
    args = upstream.block.args
    span: Span = args[0].span if args else upstream.block.head_span
    text = outcome.message.format(target=clean(group.group), detail=sentence(group))
    only_backups = not group.lost and not group.none_live
    return Diagnostic(
        outcome.rule,
        Severity.INFO if only_backups else outcome.severity or Severity.WARNING,
        clean(text, 600),
        span,
        group=GROUP,
        stage=Stage.ONLINE,
        label=f"{group.up} of {group.total} up",
        nginx_message=outcome.log or None,
        at=upstream.block,
    )
