"""Fuzz one target guided by coverage, with atheris: python -m tests.fuzz.guided TARGET SECONDS [libFuzzer options]

What raises or hangs is saved in tests/fuzz/found/ as with run.py. Exit code 1 where there was something.
"""

from __future__ import annotations

import os
import sys
import tempfile

import atheris

with atheris.instrument_imports(include=["nginxlint", "nginxlint_rules"]):
    from tests.fuzz.targets import TARGETS

from tests.fuzz.run import keep, problem_of
from tests.fuzz.seeds import seeds_of, words_of

SEEDS = 300


def main(name: str, seconds: int, options: list[str]) -> None:
    """Runs until the time is over; the process ends with libFuzzer's exit code, or 1 for a problem."""

    def one(data: bytes) -> None:
        problem, _ = problem_of(name, data)
        if problem:
            print(f"{name}: {problem}\n  saved as {keep(name, data)}", flush=True)
            os._exit(1)

    with tempfile.TemporaryDirectory() as folder:
        corpus = os.path.join(folder, "corpus")
        os.mkdir(corpus)
        for number, seed in enumerate(seeds_of(name)[:SEEDS]):
            with open(os.path.join(corpus, str(number)), "wb") as file:
                file.write(seed)
        words = os.path.join(folder, "words")
        with open(words, "w", encoding="ascii") as out:
            out.writelines('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n' for word in words_of(name))
        limits = [f"-max_total_time={seconds}", "-max_len=4096", "-rss_limit_mb=2048", f"-dict={words}"]
        atheris.Setup([sys.argv[0], *limits, *options, corpus], one)
        atheris.Fuzz()


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in TARGETS:
        sys.exit(__doc__)
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
