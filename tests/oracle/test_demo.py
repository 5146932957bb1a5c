"""The demo's verdicts are true: real nginx in front of the same upstreams does what the report says."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

from nginxlint.config import Config
from nginxlint.demo.main import LoopbackNetwork
from nginxlint.demo.scene import scene
from nginxlint.files import Disk
from nginxlint.includes import load
from nginxlint.online.options import Options
from nginxlint.online.rows import Row
from nginxlint.online.stage import OnlineResult, run
from tests.gauntlet.arena import Observed
from tests.gauntlet.scenario import log_class
from tests.oracle.nginx import PROGRAM, Nginx, free_port

# What the shop's visitors ask for → the location that answers. The regular expression location needs a file name.
PATHS = {r"\.php$": "/index.php"}


class Demo:
    """The rendered demo, the prediction of it and what nginx did with the same files."""

    def __init__(self) -> None:
        port = free_port()
        with scene(port) as place:
            begin = time.monotonic()
            self.result = self._predict(place.folder / "nginx.conf", place.resolver)
            self.seconds = time.monotonic() - begin
            self.locations = _locations(place.folder / "sites-enabled" / "shop.conf")
            self.refusal = ""
            self.observed: dict[str, Observed] = {}
            if PROGRAM:
                self._ask_nginx(place.folder, port)

    def rows(self, pattern: str) -> list[Row]:
        """The targets that this location leads to."""
        first, last = self.locations[pattern]
        return [
            row
            for row in self.result.targets_json
            for used in row["used_at"]
            if used["path"].endswith("shop.conf") and first <= used["line"] <= last
        ]

    @staticmethod
    def _predict(path: Path, resolver: str) -> OnlineResult:
        files = Disk(str(path.parent))
        config = Config(str(path), load(files, str(path), path.read_text(), ()), version=(1, 22, 1))
        network = LoopbackNetwork()
        try:
            return run(config, Options(resolver=resolver), network)
        finally:
            network.close()

    def _ask_nginx(self, folder: Path, port: int) -> None:
        nginx = Nginx.of(folder / "nginx.conf", port)
        # nginx asks the system for the names of the start, which knows nothing of the demo's name server.
        stock = folder / "conf.d" / "upstreams.conf"
        stock.write_text(stock.read_text().replace("stock.demo.test", "127.0.0.1"))
        _, self.refusal = nginx.test()
        (folder / "sites-enabled" / "warehouse.conf").unlink()
        with nginx:
            for pattern in self.locations:
                path = PATHS.get(pattern, pattern)
                reply = nginx.ask(path, limit=4.0, host="shop.demo.test")
                self.observed[pattern] = Observed(reply, nginx.log_of(path) if reply.status != 200 else [])


def _locations(path: Path) -> dict[str, tuple[int, int]]:
    """Pattern → first and last line of each location block of the shop."""
    found: dict[str, tuple[int, int]] = {}
    pattern, first = "", 0
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if opener := re.match(r"    location (?:~ )?(\S+) {", line):
            pattern, first = opener[1], number
        elif line == "    }":
            found[pattern] = (first, number)
    return found


@pytest.fixture(scope="module")
def demo() -> Demo:
    return Demo()


PATTERNS = tuple(
    _locations(
        Path(os.path.dirname(__file__)).parent.parent / "nginxlint" / "demo" / "shop" / "sites-enabled" / "shop.conf"
    )
)


@pytest.mark.skipif(not PROGRAM, reason=f"nginx is not installed: {len(PATTERNS)} demo verdicts not tried")
@pytest.mark.parametrize("pattern", PATTERNS)
def test_nginx_does_what_the_demo_says(pattern: str, demo: Demo) -> None:
    seen = demo.observed[pattern]
    rows = demo.rows(pattern)
    assert rows
    for row in rows:
        assert row["predicted_status"] == seen.status, (row, seen.lines)
        if len(rows) == 1:
            assert log_class([row["predicted_log"] or ""]) == seen.log, (row, seen.lines)
    if seen.status == 200:
        assert any(row["verdict"] in ("ok", "degraded") for row in rows)
    else:
        assert all(row["verdict"] == "failed" for row in rows)


@pytest.mark.skipif(not PROGRAM, reason="nginx is not installed")
def test_nginx_refuses_to_start_over_the_name_the_demo_calls_a_start_blocker(demo: Demo) -> None:
    (row,) = [row for row in demo.result.targets_json if row["predicted_status"] == "blocks-start"]
    assert row["host"] == "warehouse.demo.test"
    assert log_class([demo.refusal]) == log_class([row["predicted_log"]]) == "host-not-found"
    assert 'host not found in upstream "warehouse.demo.test"' in demo.refusal


def test_the_demo_shows_at_least_eight_kinds_of_verdict_and_the_healthy_ones(demo: Demo) -> None:
    codes = {row["code"] for row in demo.result.targets_json}
    assert len(codes) >= 12, codes
    assert {"OK", "L4_REFUSED", "L7_TIMEOUT", "L6_NAME", "L7_TOOBIG", "L7_H2ONLY", "L7_CLOSED", "DNS_NOTFOUND"} <= codes
    assert all(row["verdict"] == "ok" for pattern in ("/", "/stock/", "/reviews/") for row in demo.rows(pattern))


def test_the_demo_is_complete_and_quick(demo: Demo) -> None:
    assert demo.result.complete
    # Nothing in it may wait longer than the shop's own limits of one second (two for names), twice.
    assert demo.seconds < 8
