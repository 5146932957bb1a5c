"""All scenarios of the gauntlet."""

from __future__ import annotations

from tests.gauntlet import names, plain, protocols, secure, sockets
from tests.gauntlet.scenario import Scenario

ALL: tuple[Scenario, ...] = (*plain.HTTP, *secure.TLS, *sockets.UNIX, *protocols.OTHER, *names.DNS)
FAULTS: tuple[Scenario, ...] = tuple(scenario for scenario in ALL if not scenario.healthy)
"""What visitors notice; each of them has a healthy twin."""
