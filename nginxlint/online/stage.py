"""The online stage from end to end: targets, evidence (from the network or a recording), verdicts, findings."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from nginxlint.config import Config
from nginxlint.diagnostic import Diagnostic
from nginxlint.online.attempts import rescue
from nginxlint.online.drift import drifts
from nginxlint.online.earlier_answers import EarlierAnswers
from nginxlint.online.elsewhere import judged_from
from nginxlint.online.expect import Expectation, judged_as_expected, targets_asked
from nginxlint.online.findings import findings
from nginxlint.online.gather import Evidence, Progress, gather
from nginxlint.online.groups import judge_groups
from nginxlint.online.load import capacities, explained, limits_of
from nginxlint.online.memory import Memory
from nginxlint.online.network import Network, RealNetwork
from nginxlint.online.options import Options
from nginxlint.online.policy import Policy
from nginxlint.online.remarks import degraded, remarks
from nginxlint.online.rows import Rows
from nginxlint.online.running import Usage
from nginxlint.online.types import SERVER, Target
from nginxlint.online.unreached import as_reached
from nginxlint.online.vantage import vantage
from nginxlint.online.verdict import Circumstances, judge
from nginxlint.online.visitors import seen_by_visitors

WORDS = ("ok", "degraded", "failed", "unknown", "not-probed")
_OURS = ("NOT_CHECKED", "TOOL_FAULT", "DNS_PENDING", "CFG_TLS")


@dataclass(frozen=True, slots=True)
class OnlineResult:
    """What the stage found. `complete` is false where something could not be judged for reasons of ours (budget,
    interruption, local faults); `summary` is a line for people, `counts` the targets by verdict word; `vantage` says
    from where it was seen."""

    diagnostics: list[Diagnostic]
    targets_json: Rows
    complete: bool
    summary: str
    counts: dict[str, int]
    interrupted: bool = False
    vantage: str = ""


def run(
    config: Config,
    options: Options | None = None,
    network: Network | None = None,
    progress: Progress | None = None,
    recorded: Callable[[list[Target]], Evidence] | None = None,
    memory: Memory | None = None,
    earlier: EarlierAnswers | None = None,
    held: frozenset[tuple[str, int]] = frozenset(),
    used: list[Usage] | None = None,
) -> OnlineResult:
    """Probe every target of a configuration and judge it. `recorded` gives the evidence instead of the network.
    `memory` knows what names resolved to before, `earlier` the answers of earlier runs, `held` whom the running nginx is
    connected to, `used` what its workers have in use.
    Raises nothing for what the network does."""
    options = options or Options()
    targets, wanted = targets_asked(config, options)
    if not targets:
        return OnlineResult([], Rows(()), True, "", dict.fromkeys(WORDS, 0))
    version = options.nginx_version or config.version
    if recorded is not None:
        evidence = recorded(targets)
    else:
        door = network or RealNetwork()
        try:
            evidence = gather(targets, options, door, version, progress, memory, earlier)
            evidence.held, evidence.used = held, used or []
            dialled = {address for seen in evidence.observations.values() for address in seen}
            limited = any(target.role is not None and target.role.max_conns for target in targets)
            evidence.machine = door.machine(dialled, count=limited)
            explained(evidence)
        finally:
            if network is None:
                door.close()
    here = recorded is None and options.vantage == SERVER
    return _judged(config, targets, wanted, evidence, options, version, here=here)


def _judged(
    config: Config,
    targets: list[Target],
    wanted: dict[str, Expectation],
    evidence: Evidence,
    options: Options,
    version: tuple[int, int, int],
    *,
    here: bool,
) -> OnlineResult:
    """Judge what was seen; pure but for the clock. `here`: this is the machine nginx runs on."""
    policy = Policy(options.allow, options.deny)
    circumstances = Circumstances(version, time.time(), options.certificate_days, policy, options.include_down)
    resolutions = evidence.resolutions
    verdicts = [
        judge(target, resolutions.get(target.id), evidence.observations.get(target.id, {}), circumstances)
        for target in targets
    ]
    own = bool(options.resolver)
    verdicts = [
        judged_from(options.vantage, verdict, resolutions.get(verdict.target.id), own_resolver=own)
        for verdict in verdicts
    ]
    verdicts = seen_by_visitors(config, rescue(verdicts), here=here)
    if "return" in config.names:
        verdicts = [as_reached(verdict) for verdict in verdicts]
    said = remarks(targets, evidence, options.vantage)
    verdicts = [degraded(verdict, said.get(verdict.target.id, [])) for verdict in verdicts]
    verdicts = [
        judged_as_expected(verdict, wanted[verdict.target.id]) if verdict.target.id in wanted else verdict
        for verdict in verdicts
    ]
    # a remark is a finding of its own where the verdict speaks of something else
    more = [one for verdict in verdicts for one in said.get(verdict.target.id, ()) if one.code != verdict.code]
    facts = capacities(config, targets)
    if options.vantage == SERVER:
        facts += limits_of(config, evidence.used)
    counts = Counter(verdict.word for verdict in verdicts)
    return OnlineResult(
        findings(config, [*verdicts, *more], judge_groups(verdicts), drifts(targets, evidence), facts),
        Rows(verdicts),
        complete=not evidence.interrupted and not any(verdict.code in _OURS for verdict in verdicts),
        summary=_summary(counts, evidence.reused),
        counts={word: counts.get(word, 0) for word in WORDS},
        interrupted=evidence.interrupted,
        vantage=evidence.vantage or vantage(),
    )


def _summary(counts: Counter[str], reused: int) -> str:
    total = counts.total()
    words = ", ".join(f"{counts[word]} {word.replace('-', ' ')}" for word in WORDS if counts[word])
    old = f"; {reused} answer{'' if reused == 1 else 's'} of earlier runs" if reused else ""
    return f"{total} target{'' if total == 1 else 's'}: {words}{old}"


def plan(config: Config, options: Options | None = None) -> str:
    """What a run would contact and why, as text; nothing is sent (see plan.py for the same as data)."""
    from nginxlint.online.plan import plan_of

    return plan_of(config, options).text()
