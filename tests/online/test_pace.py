"""How fast probes follow one another: the rate, and chance between those of one address."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from nginxlint.online import gather, schedule
from nginxlint.online.options import Options
from tests.online.fake import FakeNetwork, answers
from tests.online.test_stage import OK, check


def test_probes_that_leave_this_machine_keep_to_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    begun: list[float] = []

    async def sleep(seconds: float) -> None:
        clock[0] += seconds

    time_of_loop = SimpleNamespace(time=lambda: clock[0])
    monkeypatch.setattr(schedule, "asyncio", SimpleNamespace(get_running_loop=lambda: time_of_loop, sleep=sleep))

    async def five() -> None:
        pace = schedule.Pace(10)
        for _ in range(5):
            await pace.turn()
            begun.append(clock[0])

    asyncio.run(five())
    assert begun == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])


def test_the_rate_counts_for_other_machines_only(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = []

    async def turn(_pace: schedule.Pace) -> None:
        turns.append(1)

    monkeypatch.setattr(schedule.Pace, "turn", turn)
    network = FakeNetwork({f"10.0.0.{n}:81": answers(OK) for n in range(3)} | {"127.0.0.1:81": answers(OK)})
    places = " ".join(f"location /{n} {{ proxy_pass http://10.0.0.{n}:81; }}" for n in range(3))
    check(f"server {{ {places} location /l {{ proxy_pass http://127.0.0.1:81; }} }}", network)
    assert len(turns) == 3


def test_several_probes_of_one_address_come_at_no_fixed_times(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(gather, "asyncio", SimpleNamespace(**{**vars(asyncio), "sleep": sleep}))
    monkeypatch.setattr(gather, "random", SimpleNamespace(random=lambda: 0.5))
    network = FakeNetwork({f"{address}:81": answers(OK) for address in ("10.0.0.1", "10.0.0.2", "127.0.0.1")})
    places = "location /once { proxy_pass http://10.0.0.2:81; }" + "".join(
        f"location /{address}/{n} {{ proxy_set_header Host {n}.test; proxy_pass http://{address}:81; }}"
        for address in ("10.0.0.1", "127.0.0.1")
        for n in range(3)
    )
    check(f"server {{ {places} }}", network, Options(jitter=0.04, rate=0))
    assert waits == [0.02] * 3
