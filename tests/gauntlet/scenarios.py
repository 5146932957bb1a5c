"""All scenarios of the gauntlet."""

from __future__ import annotations

from tests.gauntlet import (
    certificates,
    cgi,
    groups,
    handshakes,
    http2,
    names,
    plain,
    protocols,
    raw,
    secure,
    sockets,
    stops,
    streams,
    visitors,
)
from tests.gauntlet.scenario import Scenario

ALL: tuple[Scenario, ...] = (
    *plain.HTTP,
    *stops.STOPS,
    *raw.RAW,
    *secure.TLS,
    *certificates.CERTIFICATES,
    *handshakes.HANDSHAKES,
    *sockets.UNIX,
    *protocols.OTHER,
    *cgi.CGI,
    *http2.GRPC,
    *names.DNS,
    *groups.GROUPS,
    *streams.STREAMS,
    *visitors.VISITORS,
)
FAULTS: tuple[Scenario, ...] = tuple(scenario for scenario in ALL if not scenario.healthy)
"""What visitors notice; each of them has a healthy twin."""
