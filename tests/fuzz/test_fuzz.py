"""A short run of every fuzz target, what long runs have found, and configurations made by grammar."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz.grammar import configurations
from tests.fuzz.run import FOUND, TARGETS, problem_of

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KEPT = sorted(os.listdir(FOUND)) if os.path.isdir(FOUND) else []
INPUTS = os.environ.get("NGINXLINT_FUZZ_INPUTS", "4000")


def fuzz(hash_seed: str, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-m", "tests.fuzz.run", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=TOP, env=environment, check=False)


def test_mutated_inputs_neither_crash_nor_hang_nor_give_two_answers() -> None:
    done = fuzz("0", "--inputs", INPUTS)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_the_output_does_not_hang_on_the_order_of_hashes() -> None:
    one, other = (fuzz(seed, "--inputs", "1500", "--seed", "9") for seed in ("1", "2"))
    assert one.returncode == 0, one.stdout[-4000:]
    assert one.stdout.splitlines()[-1] == other.stdout.splitlines()[-1]


@pytest.mark.parametrize("name", KEPT)
def test_what_was_found_stays_mended(name: str) -> None:
    with open(os.path.join(FOUND, name), "rb") as file:
        data = file.read()
    assert problem_of(name.partition("-")[0], data)[0] == ""


@given(configurations)
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_what_the_grammar_makes_is_judged_and_mended(text: str) -> None:
    data = text.encode("utf-8", "surrogateescape")
    for target in ("lexer", "parser", "judge", "fixer"):
        assert problem_of(target, data)[0] == ""


@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is not installed here: 3 guided runs not made")
@pytest.mark.parametrize("target", ["lexer", "judge", "http"])
def test_a_run_guided_by_coverage_finds_nothing(target: str) -> None:
    command = [sys.executable, "-m", "tests.fuzz.guided", target, "6"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=TOP, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "Done " in done.stderr  # libFuzzer's count of runs


def test_every_target_has_a_share_of_the_run() -> None:
    from tests.fuzz.run import SHARES

    assert set(SHARES) == set(TARGETS) and sum(SHARES.values()) == 1000
