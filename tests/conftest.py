"""Where the shared corpus is, and what tests do without it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

CORPUS = os.path.join(os.path.dirname(__file__), "..", "..", "shared", "corpus")


@pytest.fixture(autouse=True)
def not_a_ci_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said online hangs on where one stands; tests stand where nginx runs, unless they say otherwise."""
    monkeypatch.delenv("CI", raising=False)


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test is answered from what another one, or the developer, ran before."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def corpus_rows() -> list[dict[str, object]]:
    """The rows of the corpus index; an empty list where the corpus is not there."""
    try:
        with open(os.path.join(CORPUS, "index.jsonl"), encoding="utf-8") as file:
            return [json.loads(line) for line in file]
    except FileNotFoundError:
        return []


def corpus_mutants() -> list[dict[str, object]]:
    """The rows of the corpus's mutants; an empty list where the corpus is not there."""
    try:
        with open(os.path.join(CORPUS, "mutants", "mutants.jsonl"), encoding="utf-8") as file:
            return [json.loads(line) for line in file]
    except FileNotFoundError:
        return []


@pytest.fixture(scope="session")
def corpus() -> Iterator[list[tuple[dict[str, object], str]]]:
    """(row, text) of every corpus file; skips the test where the corpus is absent."""
    rows = corpus_rows()
    if not rows:
        pytest.skip("the shared corpus is not here: about 1,338 files not tried")
    found = []
    for row in rows:
        with open(os.path.join(CORPUS, str(row["path"])), "rb") as file:
            found.append((row, file.read().decode("utf-8", "surrogateescape")))
    yield found


def accepted(row: dict[str, object]) -> bool:
    """Does real nginx accept it, once what only the machine lacks is supplied?"""
    relaxed = row.get("relaxed")
    return isinstance(relaxed, dict) and relaxed.get("verdict") == "ok"
