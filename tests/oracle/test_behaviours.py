"""Real nginx in front of every upstream of the demo world: what its visitor gets and what it logs."""

from __future__ import annotations

import pytest

from nginxlint.demo.dns import NameServer
from nginxlint.demo.upstreams import World
from tests.oracle.gauntlet import NAMES, Gauntlet, Observed
from tests.oracle.nginx import PROGRAM
from tests.oracle.scenarios import ALL, LOG_CLASSES, Scenario

pytestmark = pytest.mark.skipif(not PROGRAM, reason=f"nginx is not installed: {len(ALL)} scenarios not tried")


@pytest.fixture(scope="module")
def observed() -> dict[str, Observed]:
    with World() as world, NameServer(NAMES) as names:
        gauntlet = Gauntlet(ALL, world, names.port)
        with gauntlet.nginx() as nginx:
            return gauntlet.observe(nginx)


@pytest.mark.parametrize("scenario", ALL, ids=lambda s: s.name)
def test_real_nginx_does_with_this_upstream_what_the_table_says(
    scenario: Scenario, observed: dict[str, Observed]
) -> None:
    seen = observed[scenario.name]
    assert seen.status == scenario.status, seen.lines
    assert seen.log in (scenario.log, *scenario.either), seen.lines


def test_every_scenario_has_its_own_name_and_a_known_log_class() -> None:
    assert len({s.name for s in ALL}) == len(ALL)
    assert {s.log for s in ALL if s.log} <= set(LOG_CLASSES)
