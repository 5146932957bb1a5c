"""A test that docs/rule-evidence.tsv names for a row shows the fault and the cure, and not one of them only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.evidence import evidence
from tests.oracle.nginx import Nginx, Reply
from tests.rules.mending import SAID


@pytest.fixture(autouse=True)
def fault_and_cure(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the rule of the row found has to be gone from a second text, and nginx to have run on two of them."""
    configurations: set[str] = set()
    exchange, test = Nginx.exchange, Nginx.test

    def exchanged(self: Nginx, request: bytes, *, port: int = 0, limit: float = 8.0) -> Reply:
        configurations.add(self.config.read_text())
        return exchange(self, request, port=port, limit=limit)

    def tested(self: Nginx) -> tuple[bool, str]:
        configurations.add(self.config.read_text())
        return test(self)

    monkeypatch.setattr(Nginx, "exchange", exchanged)
    monkeypatch.setattr(Nginx, "test", tested)
    SAID.clear()
    yield
    name = f"{request.node.path.name}::{request.node.originalname}"
    for row, _, page, witness in evidence():
        if witness == name and True in SAID.get(page, ()):
            assert False in SAID[page], f"row {row}: {page} is not asked about a mended text"
            assert len(configurations) > 1, f"row {row}: nginx ran {len(configurations)} configuration(s)"
