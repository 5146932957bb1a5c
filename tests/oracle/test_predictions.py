"""What nginxlint predicts of an upstream is what real nginx then does: the client's status and the log text."""

from __future__ import annotations

import pytest

from nginxlint.config import Config
from nginxlint.demo.dns import NameServer
from nginxlint.demo.main import LoopbackNetwork
from nginxlint.demo.upstreams import World
from nginxlint.online.options import Options
from nginxlint.online.rows import Row
from nginxlint.online.stage import run
from nginxlint.testing import config_of
from tests.oracle.gauntlet import NAMES, Gauntlet, Observed
from tests.oracle.nginx import PROGRAM
from tests.oracle.scenarios import ALL, Scenario, log_class

VERSION = (1, 22, 1)


class Opinions:
    """Both sides of the gauntlet: predictions were made first."""

    def __init__(self) -> None:
        with World() as world, NameServer(NAMES) as names:
            gauntlet = Gauntlet(ALL, world, names.port)
            nginx = gauntlet.nginx()
            text = nginx.config.read_text()
            self.predicted = predictions(config_of(text, version=VERSION), gauntlet.lines(text))
            self.observed: dict[str, Observed] = {}
            if PROGRAM:
                with nginx:
                    self.observed = gauntlet.observe(nginx)
            else:
                nginx.discard()


def predictions(config: Config, scenario_of: dict[int, str]) -> dict[str, Row]:
    """The row of every scenario, found by the line its location stands on."""
    network = LoopbackNetwork()
    try:
        rows = run(config, Options(connect_timeout=2, read_timeout=2), network).targets_json
    finally:
        network.close()
    return {scenario_of[place["line"]]: row for row in rows for place in row["used_at"]}


@pytest.fixture(scope="module")
def opinions() -> Opinions:
    return Opinions()


@pytest.mark.parametrize("scenario", ALL, ids=lambda s: s.name)
def test_the_prediction_comes_true(scenario: Scenario, opinions: Opinions) -> None:
    row = opinions.predicted[scenario.name]
    real = opinions.observed.get(scenario.name)
    status = real.status if real else scenario.status
    log = real.log if real else scenario.log
    assert row["verdict"] not in ("unknown", "not-probed"), row
    if scenario.beyond:
        # A probe that stops at the header cannot see these; what it can see must still be right.
        assert row["predicted_status"] in (status, 200), row
        return
    if row["directive"] in ("proxy_pass", "grpc_pass") or row["verdict"] == "failed":
        assert row["predicted_status"] == status, row
    # Where nginx itself has a race, either outcome may come up on either side.
    accepted = {log, scenario.log, *scenario.either} if scenario.either else {log}
    assert log_class([row["predicted_log"] or ""]) in accepted, row


@pytest.mark.parametrize("scenario", [s for s in ALL if s.healthy], ids=lambda s: s.name)
def test_what_serves_visitors_is_never_called_failed(scenario: Scenario, opinions: Opinions) -> None:
    assert opinions.predicted[scenario.name]["verdict"] in ("ok", "degraded")


@pytest.mark.parametrize("scenario", [s for s in ALL if s.log and not s.beyond], ids=lambda s: s.name)
def test_what_nginx_logs_as_an_error_is_called_failed(scenario: Scenario, opinions: Opinions) -> None:
    assert opinions.predicted[scenario.name]["verdict"] == "failed"


def test_every_scenario_got_exactly_one_prediction(opinions: Opinions) -> None:
    assert set(opinions.predicted) == {s.name for s in ALL}
