"""What lookups tell besides addresses: resolvers that disagree, answers that turn, IPv6 where there is none. Pure."""

from __future__ import annotations

from dataclasses import replace

from nginxlint.diagnostic import Severity
from nginxlint.online.elsewhere import holds_from
from nginxlint.online.gather import Evidence, Seen
from nginxlint.online.load import load_remarks
from nginxlint.online.types import Observation, Resolution, Target, Verdict
from nginxlint.online.verdict import verdict_of_code


def remarks(targets: list[Target], evidence: Evidence, vantage: str) -> dict[str, list[Verdict]]:
    """By target id, a verdict for every remark on its name that holds where nginx runs."""
    found: dict[str, list[Verdict]] = {}
    held = _held(targets, evidence)
    for target in targets:
        resolution = evidence.resolutions.get(target.id)
        if resolution is None or resolution.code:
            continue
        said = [*resolution.remarks]
        if target.port in held and resolution.how == "startup" and not any(code == "DNS_STALE" for code, _ in said):
            now = ", ".join(resolution.addresses[:3])
            said.append(("DNS_STALE", f"a worker is connected to {held[target.port]}; now it is {now}"))
        said += [*_without_ipv6(target, resolution, evidence.observations.get(target.id, {}))]
        if evidence.machine is not None:
            said += load_remarks(target, evidence.observations.get(target.id, {}), evidence.machine)
        said = [(code, detail) for code, detail in said if holds_from(vantage, target, code)]
        if said:
            found[target.id] = [verdict_of_code(target, code, detail) for code, detail in said]
    return found


def _held(targets: list[Target], evidence: Evidence) -> dict[int, str]:
    """By port, an address the running workers are connected to that no name stands for any more. Only where one name
    alone is looked up for that port: else it cannot be told whose address it was."""
    if not evidence.held:
        return {}
    names: dict[int, set[str]] = {}
    current: set[tuple[str, int]] = set()
    for target in targets:
        resolution = evidence.resolutions.get(target.id)
        if target.port is None or resolution is None:
            continue
        current.update((address, target.port) for address in resolution.addresses)
        # a name that could not be looked up, or not wholly, may stand for any address
        whole = not resolution.code and resolution.total == len(resolution.addresses) and resolution.how != "runtime"
        if resolution.how != "literal":
            names.setdefault(target.port, set()).add(target.host.lower() if whole else "")
    return {
        port: f"{address}:{port}"
        for address, port in sorted(evidence.held - current)
        if len(names.get(port, ())) == 1 and "" not in names[port]
    }


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
