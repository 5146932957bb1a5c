"""Servers of one group that do not answer alike: another status, another software, another certificate. Pure."""

from __future__ import annotations

import time
from dataclasses import dataclass

from nginxlint.online.attempts import asked_alike
from nginxlint.online.gather import Evidence
from nginxlint.online.types import Observation, Target
from nginxlint.online.untrusted import clean

_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Drift:
    """Who of a group differs from the others, as a sentence."""

    group: str
    kind: str
    detail: str


def drifts(targets: list[Target], evidence: Evidence) -> list[Drift]:
    """What differs between the primary servers of each group that answer to the same question, each aspect once."""
    alike: dict[tuple[object, ...], list[tuple[Target, Observation]]] = {}
    for target in targets:
        if target.role is None or target.role.backup or target.role.down:
            continue
        for seen in evidence.observations.get(target.id, {}).values():
            if isinstance(seen, Observation) and seen.failure is None:
                alike.setdefault(asked_alike(target), []).append((target, seen))
    found: dict[tuple[str, str, str], Drift] = {}
    for peers in alike.values():
        role = peers[0][0].role
        assert role is not None
        for aspect, say in _ASPECTS.items():
            values: dict[str, list[str]] = {}
            for target, seen in peers:
                if value := say(target, seen):
                    values.setdefault(value, []).append(str(seen.address))
            if len(values) > 1:
                drift = Drift(role.group, role.kind, _sentence(values))
                found.setdefault((role.kind, role.group, aspect), drift)
    return list(found.values())


def _sentence(values: dict[str, list[str]]) -> str:
    usual = max(values, key=lambda value: len(values[value]))
    others = [
        f"{', '.join(who[:_SHOWN])}{' …' if len(who) > _SHOWN else ''} {value}"
        for value, who in values.items()
        if value != usual
    ]
    who = values[usual]
    return f"{'; '.join(others)}; {who[0] if len(who) == 1 else f'{len(who)} others'} {usual}"


def _status(target: Target, seen: Observation) -> str:
    return f"→ {seen.status}" if seen.status is not None and seen.certainty == "observed" else ""


def _server(target: Target, seen: Observation) -> str:
    if target.protocol != "http" or seen.status is None or seen.certainty != "observed":
        return ""
    return f"→ Server: {clean(seen.server, 80)}" if seen.server else "→ no Server header"


def _names(target: Target, seen: Observation) -> str:
    # machines that are told no name may well show their own
    if seen.certificate is None or target.tls is None or not target.tls.server_name:
        return ""
    names = seen.certificate.dns_names or seen.certificate.common_names
    return f"shows a certificate for {clean(', '.join(sorted(names)[:_SHOWN]), 120)}"


def _expiry(target: Target, seen: Observation) -> str:
    if seen.certificate is None or not _names(target, seen):
        return ""
    return f"shows a certificate until {time.strftime('%Y-%m-%d', time.gmtime(min(seen.certificate.not_after, 253402300799)))}"


_ASPECTS = {"status": _status, "server": _server, "names": _names, "expiry": _expiry}
