"""Plain HTTP upstreams that stop at every place of an answer, and heads at the edge of every buffer size."""

from __future__ import annotations

from tests.gauntlet.behaviours import BAD, BODY_PLACES, ENDINGS, PLACES, SIZES
from tests.gauntlet.scenario import Scenario

_LOGS = {"closes": (502, "closed"), "resets": (502, "reset"), "stalls": (504, "header-timeout")}
_BODY_LOGS = {"closes": "short-body", "resets": "reset-body", "stalls": "body-timeout"}
_BUFFERS = "proxy_buffers 8 16k; proxy_busy_buffers_size 32k; proxy_pass http://127.0.0.1:{port};"


def _sized(size: int, buffer: int, extra: str = "") -> Scenario:
    name = f"head-of-{size}"
    settings = f"proxy_buffer_size {buffer}; {extra}{_BUFFERS}"
    status, log = (
        (200, "")
        if size < buffer or (size == buffer and extra)
        else (200, "short-body")
        if size == buffer
        else (502, "too-big")
    )
    return Scenario(f"{name}-in-{buffer}{'-unbuffered' if extra else ''}", name, status, log, settings)


def _cached(size: int) -> Scenario:
    """proxy_cache leaves 4096 − 343 − 10 bytes of the buffer for a head."""
    status, log = (200, "") if size < 3743 else (200, "short-body") if size == 3743 else (502, "too-big")
    settings = "proxy_cache gauntlet; proxy_cache_key 0123456789; proxy_pass http://127.0.0.1:{port};"
    return Scenario(f"head-of-{size}-cached", f"head-of-{size}", status, log, settings)


STOPS: tuple[Scenario, ...] = (
    *(Scenario(f"{e}-{place}", f"{e}-{place}", *_LOGS[e]) for place in PLACES for e in ENDINGS),
    *(Scenario(f"{e}-{place}", f"{e}-{place}", 200, _BODY_LOGS[e]) for place in BODY_PLACES for e in ENDINGS),
    *(_sized(size, buffer) for size in SIZES for buffer in (1024, 2048, 4096, 8192, 16384) if abs(size - buffer) < 2),
    *(_sized(size, size, "proxy_buffering off; ") for size in (2048, 8192)),
    *(Scenario(f"only-head-{kind}", f"only-head-{kind}", 200) for kind in BAD),
    *(Scenario(f"only-get-{kind}", f"only-get-{kind}", status, log) for kind, (_, status, log) in BAD.items()),
    *(_cached(size) for size in (3700, *range(3740, 3746))),
    Scenario("slow-pieces", "slow-pieces", 200),
    Scenario("answers-unasked", "answers-unasked", 200),
    Scenario("resets-at-once", "resets-at-once", 502, "reset", either=("closed", "connect-reset")),
    Scenario("two-answers", "two-answers", 200),
)
"""What happens when an answer does not come whole, and when it is just too long."""
