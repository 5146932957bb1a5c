"""What lookups tell besides addresses: resolvers that disagree, answers that turn, IPv6 where there is none. Pure."""

from __future__ import annotations

from dataclasses import replace

from nginxlint.diagnostic import Severity
from nginxlint.online.gather import Evidence, Seen
from nginxlint.online.types import Observation, Resolution, Target, Verdict
from nginxlint.online.verdict import verdict_of_code


def remarks(targets: list[Target], evidence: Evidence) -> dict[str, list[Verdict]]:
    """By target id, a verdict for every remark on its name."""
    found: dict[str, list[Verdict]] = {}
    for target in targets:
        resolution = evidence.resolutions.get(target.id)
        if resolution is None or resolution.code:
            continue
        said = [*resolution.remarks, *_without_ipv6(target, resolution, evidence.observations.get(target.id, {}))]
        if said:
            found[target.id] = [verdict_of_code(target, code, detail) for code, detail in said]
    return found


def degraded(verdict: Verdict, said: list[Verdict]) -> Verdict:
    """The verdict of a target that answers, made worse by the worst remark on its name."""
    worst = next((one for one in said if one.severity is not None and one.severity >= Severity.WARNING), None)
    if verdict.word != "ok" or worst is None:
        return verdict
    return replace(worst, predicted_status=verdict.predicted_status, addresses=verdict.addresses, stages=verdict.stages)


def _without_ipv6(target: Target, resolution: Resolution, seen: Seen) -> list[tuple[str, str]]:
    """nginx asks for AAAA records and uses them, whether its machine has IPv6 or not."""
    if resolution.how != "runtime":
        return []
    tried = {a: one for a, one in seen.items() if isinstance(one, Observation) and not a.unix}
    six = [one.failure for address, one in tried.items() if ":" in address.host]
    four = [one.failure for address, one in tried.items() if ":" not in address.host]
    if not six or any(failure is None or failure.code != "TOOL_FAULT" for failure in six) or all(four):
        return []
    return [("DNS_NOIPV6", f"{len(six)} of {len(tried)} addresses")]
