"""Upstreams behind unix sockets."""

from __future__ import annotations

from tests.gauntlet.scenario import Scenario


def _unix(name: str, status: int | None, log: str = "") -> Scenario:
    return Scenario(name, name, status, log, "proxy_pass http://unix:{path}:;")


UNIX: tuple[Scenario, ...] = (
    _unix("unix-healthy", 200),
    _unix("unix-missing", 502, "connect-missing"),
    _unix("unix-forbidden", 502, "connect-forbidden"),
    _unix("unix-stale", 502, "connect-refused"),
    _unix("unix-regular-file", 502, "connect-refused"),
)
"""Unix sockets."""
