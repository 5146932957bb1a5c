"""Is a step of a probe close to nginx's time limit? What is only slow once is no news: the middle of three counts."""

from __future__ import annotations

from nginxlint.online.types import Observation, Phase, Target

NEAR_TIMEOUT = 0.5
# Below this a slow answer is no news, however short nginx's limit is.
SLOW_MS = 400.0


def limit_of(target: Target, phase: Phase) -> float:
    """How long nginx waits for this step, in seconds."""
    return target.timeouts.read if phase.name == "http" else target.timeouts.connect


def near_limit(target: Target, phase: Phase) -> bool:
    return phase.ms > max(SLOW_MS, limit_of(target, phase) * NEAR_TIMEOUT * 1000)


def first_byte(seen: Observation) -> Phase | None:
    """The phase that ends with the first byte of a good answer; None where there is none."""
    last = seen.phases[-1] if seen.phases else None
    return last if last is not None and last.name == "http" and last.ok else None


def middle(seen: list[Observation]) -> Observation:
    """The observation whose first byte came neither first nor last. All of them are good answers."""
    return sorted(seen, key=lambda one: one.phases[-1].ms)[len(seen) // 2]
