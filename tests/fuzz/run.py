"""Run the fuzz targets over mutated inputs and write down what happened.

python -m tests.fuzz.run --inputs 1000000 --log fuzz.log      all targets, by their share
python -m tests.fuzz.run --target judge --inputs 5000 --seed 3

An input that raises, takes more than five seconds or gives two different outputs is saved in tests/fuzz/found/, from
where test_found.py runs it for ever. Exit code 1 where there was one. The last line of the output is a digest of all outputs: it has
to be the same for every PYTHONHASHSEED.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import signal
import sys
import time
import traceback
from random import Random
from types import FrameType

from tests.fuzz.mutate import inputs
from tests.fuzz.seeds import seeds_of, words_of
from tests.fuzz.targets import TARGETS

LIMIT = 5.0
FOUND = os.path.join(os.path.dirname(os.path.abspath(__file__)), "found")
# Of a thousand inputs; what is fast and reads strangers' bytes gets more.
SHARES = {
    "lexer": 170, "parser": 130, "judge": 60, "fixer": 20, "route": 60, "targets": 60, "dump": 50, "settings": 40,
    "http": 180, "certificate": 100, "dns": 20, "pings": 60, "plan": 25, "observations": 25,
}  # fmt: skip


class Hang(Exception):
    """An input took longer than the limit."""


def _late(number: int, frame: FrameType | None) -> None:
    raise Hang(f"not done after {LIMIT:.0f} s")


def try_once(name: str, data: bytes) -> str:
    """What a target says of an input, within the limit. Raises whatever is wrong."""
    signal.signal(signal.SIGALRM, _late)
    signal.setitimer(signal.ITIMER_REAL, LIMIT)
    try:
        return TARGETS[name](data)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def problem_of(name: str, data: bytes) -> tuple[str, str]:
    """What is wrong with a target on an input (empty: nothing), and its output."""
    try:
        said = try_once(name, data)
        if try_once(name, data) != said:
            return "nondeterministic", said
    except Hang as hang:
        return f"hang: {hang}", ""
    except Exception:  # noqa: BLE001 - finding them is what this is for
        return f"crash: {traceback.format_exc()}", ""
    return "", said


def keep(name: str, data: bytes) -> str:
    """Save an input; the path."""
    os.makedirs(FOUND, exist_ok=True)
    path = os.path.join(FOUND, f"{name}-{hashlib.sha256(data).hexdigest()[:12]}")
    with open(path, "wb") as file:
        file.write(data)
    return path


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Fuzz nginxlint.")
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--target", choices=sorted(TARGETS), action="append", default=[])
    parser.add_argument("--log", default="", help="append the result here")
    args = parser.parse_args(argv)
    chosen = args.target or list(TARGETS)
    whole = sum(SHARES[name] for name in chosen)
    digest = hashlib.sha256()
    problems, seen, lines = 0, set(), []
    for name in chosen:
        begin, slowest = time.perf_counter(), 0.0
        count = max(1, args.inputs * SHARES[name] // whole)
        source = inputs(Random(f"{args.seed} {name}"), seeds_of(name), words_of(name))
        for _ in range(count):
            data = next(source)
            start = time.perf_counter()
            problem, said = problem_of(name, data)
            slowest = max(slowest, time.perf_counter() - start)
            digest.update(said.encode("utf-8", "surrogatepass"))
            if problem:
                problems += 1
                last = problem.rstrip().rsplit("\n", 1)[-1]
                if (name, last) not in seen:
                    seen.add((name, last))
                    print(f"{name}: {problem}\n  saved as {keep(name, data)}", flush=True)
        seconds = time.perf_counter() - begin
        lines.append(f"{name}: {count} inputs twice in {seconds:.0f} s, slowest {slowest:.2f} s")
        print(lines[-1], flush=True)
    lines.append(f"seed {args.seed}: {problems} problems")
    print(lines[-1])
    if args.log:
        with open(args.log, "a", encoding="utf-8") as file:
            file.write("\n".join([time.strftime("%Y-%m-%d %H:%M"), *lines, ""]) + "\n")
    print(digest.hexdigest())
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
