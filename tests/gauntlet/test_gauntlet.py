"""What nginxlint predicts of an upstream is what real nginx then does: the client's status and the log class.

Every fault has a healthy twin, the same configuration without the fault, which must never be called failed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest

from nginxlint.config import Config
from nginxlint.demo.dns import NameServer
from nginxlint.demo.main import LoopbackNetwork
from nginxlint.demo.upstreams import World
from nginxlint.online.options import Options
from nginxlint.online.rows import Row
from nginxlint.online.stage import run
from nginxlint.testing import config_of
from tests.gauntlet.arena import NAMES, Arena, Observed
from tests.gauntlet.behaviours import BEHAVIOURS
from tests.gauntlet.certificates import SERVERS
from tests.gauntlet.scenario import LOG_CLASSES, Scenario, log_class
from tests.gauntlet.scenarios import ALL, FAULTS
from tests.oracle.nginx import PROGRAM, STREAM_MODULE, VERSION

_AFTER_THE_HEAD = ("L7_SHORTBODY", "L7_BADCHUNK", "L7_BADRECORD")  # a visitor got a status; these are warnings
TWINS = tuple(scenario.healthy_twin() for scenario in FAULTS)
BAR = 0.98
FEW = 30


class Opinions:
    """Both sides of the gauntlet: predictions are made first."""

    def __init__(self) -> None:
        self.predicted: dict[str, list[Row]] = {}
        self.observed: dict[str, Observed] = {}
        everyone = (*ALL, *TWINS)
        with World(BEHAVIOURS, SERVERS) as world, NameServer(NAMES) as names:
            self._hear(everyone, world, names.port)
            # Everybody talks at once here, the peers in our own process: on a busy machine a limit of one second ends what
            # is only late. A few that disagree are asked again by themselves; many are no accident.
            late = [scenario for scenario in everyone if self.observed and not self._settled(scenario)]
            if 0 < len(late) <= FEW:
                self._hear(late, world, names.port)

    def _hear(self, scenarios: Sequence[Scenario], world: World, names_port: int) -> None:
        arena = Arena(scenarios, world, names_port)
        nginx = arena.nginx()
        text = nginx.config.read_text()
        self.predicted |= predictions(config_of(text, version=VERSION), arena.lines(text))
        if not PROGRAM:
            nginx.discard()
            return
        with nginx:
            self.observed |= arena.observe(nginx)

    def _settled(self, scenario: Scenario) -> bool:
        """Do nginx, the table and the prediction say the same?"""
        real = self.observed[scenario.name]
        table = real.status == scenario.status and real.log in (scenario.log, *scenario.either)
        return (table or not OF_THE_TABLE) and self.agree(scenario) == (True, True)

    def agree(self, scenario: Scenario) -> tuple[bool, bool]:
        """Is the status the one that was predicted, and the log class?"""
        rows = self.predicted[scenario.name]
        real = self.observed[scenario.name]
        # Where nginx itself has a race, either outcome may come up on either side.
        accepted = {real.log, scenario.log, *scenario.either} if scenario.either else {real.log}
        first = rows[scenario.first]
        if scenario.beyond:
            # A probe that stops at the header cannot see these; what it can see must still be right.
            return first["predicted_status"] in (real.status, 200), True
        return first["predicted_status"] == real.status, log_class([first["predicted_log"] or ""]) in accepted


def predictions(config: Config, scenario_of: dict[int, str]) -> dict[str, list[Row]]:
    """The rows of every scenario, found by the line its location stands on."""
    network = LoopbackNetwork()
    try:
        rows = run(config, Options(connect_timeout=2, read_timeout=2), network).targets_json
    finally:
        network.close()
    found: dict[str, list[Row]] = {name: [] for name in scenario_of.values()}
    for row in rows:
        for name in dict.fromkeys(scenario_of.get(place["line"], "") for place in row["used_at"]):
            if name:  # else it belongs to a location beside
                found[name].append(row)
    return found


@pytest.fixture(scope="module")
def opinions() -> Opinions:
    return Opinions()


# Other versions do otherwise with some upstreams; the prediction has to come true with each.
OF_THE_TABLE = VERSION == (1, 22, 1)
of_the_table = pytest.mark.skipif(not OF_THE_TABLE, reason="the table is that of nginx 1.22.1")
needs_nginx = pytest.mark.skipif(
    not PROGRAM or not os.path.exists(STREAM_MODULE),
    reason=f"no nginx with stream here: {len(ALL)} scenarios not tried",
)


@needs_nginx
@of_the_table
@pytest.mark.parametrize("scenario", (*ALL, *TWINS), ids=lambda s: s.name)
def test_real_nginx_does_with_this_upstream_what_the_table_says(scenario: Scenario, opinions: Opinions) -> None:
    seen = opinions.observed[scenario.name]
    assert seen.status == scenario.status, seen.lines
    assert seen.log in (scenario.log, *scenario.either), seen.lines


@needs_nginx
@pytest.mark.parametrize("scenario", ALL, ids=lambda s: s.name)
def test_the_prediction_comes_true(scenario: Scenario, opinions: Opinions) -> None:
    rows, real = opinions.predicted[scenario.name], opinions.observed[scenario.name]
    assert rows[scenario.first]["verdict"] not in ("unknown", "not-probed"), rows
    assert opinions.agree(scenario) == (True, True), (real.status, real.lines, rows)


@of_the_table
@pytest.mark.parametrize("scenario", [*(s for s in ALL if s.healthy), *TWINS], ids=lambda s: s.name)
def test_what_serves_visitors_is_never_called_failed(scenario: Scenario, opinions: Opinions) -> None:
    rows = opinions.predicted[scenario.name]
    assert rows[scenario.first]["verdict"] in ("ok", "degraded"), rows
    if scenario in TWINS:
        assert "failed" not in {row["verdict"] for row in rows}, rows


def _of_its_own(scenario: Scenario) -> bool:
    """Is the fault that of the scenario's upstream, and not of another one that it leads to?"""
    return not (scenario.beyond or "auth_request" in scenario.passes or scenario.upstream.startswith("accel-"))


@of_the_table
@pytest.mark.parametrize("scenario", [s for s in ALL if s.log and _of_its_own(s)], ids=lambda s: s.name)
def test_what_nginx_logs_as_an_error_is_called_failed(scenario: Scenario, opinions: Opinions) -> None:
    rows = opinions.predicted[scenario.name]
    assert any(row["verdict"] == "failed" or row["code"] in _AFTER_THE_HEAD for row in rows), rows


@needs_nginx
def test_the_bar_of_the_gauntlet_is_held(opinions: Opinions, capsys: pytest.CaptureFixture[str]) -> None:
    judged = [opinions.agree(scenario) for scenario in FAULTS]
    status = sum(right for right, _ in judged)
    log = sum(right for _, right in judged)
    false = [s.name for s in TWINS if any(row["verdict"] == "failed" for row in opinions.predicted[s.name])]
    with capsys.disabled():
        print(
            f"\ngauntlet: {len(ALL)} scenarios, {len(FAULTS)} faults; status equal in {status / len(FAULTS):.1%}, log "
            f"class in {log / len(FAULTS):.1%}; {len(false)} of {len(TWINS)} healthy twins called failed"
        )
    assert len(ALL) >= 120
    assert status >= BAR * len(FAULTS)
    assert log >= BAR * len(FAULTS)
    assert not false


def test_every_scenario_has_its_own_name_and_a_known_log_class() -> None:
    names = [scenario.name for scenario in (*ALL, *TWINS)]
    assert len(set(names)) == len(names)
    assert {s.log for s in ALL if s.log} <= set(LOG_CLASSES)
