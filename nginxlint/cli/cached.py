"""`nginxlint check`: what was said last time, where nothing has changed; else a check.

A hit prints the reports of the run it repeats and imports none of the engine. Where something has changed, the
configuration it belongs to is judged again, and no other one (`known_roots.py`). Within a configuration everything is:
rules look across files, and what one file's change may leave standing is not worth being wrong about once.
"""

from __future__ import annotations

import os
import sys
import time

from nginxlint import __version__
from nginxlint.cli.environment import BINARIES, speaks, with_environment
from nginxlint.cli.main import say
from nginxlint.cli.options import declare
from nginxlint.cli.quick import Quick

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence
    from typing import Any

    from nginxlint.cli.watch import Mark
    from nginxlint.online.network import Network

# What of the environment a report hangs on.
SURROUNDINGS = (
    "TERM", "NO_COLOR", "FORCE_COLOR", "TERM_PROGRAM", "VTE_VERSION", "KITTY_WINDOW_ID", "WT_SESSION",
    "KONSOLE_VERSION", "COLUMNS", "GITHUB_ACTIONS", "GITHUB_WORKSPACE", "CI_PROJECT_DIR", "SUDO_UID", "HOME", "TZ",
    "LC_ALL", "LC_CTYPE", "LANG", "PYTHONUTF8", "PYTHONIOENCODING",
)  # fmt: skip

# Stands for the seconds a run took until it is printed: the one thing that is never the same.
UNKNOWN_SECONDS = 1234567.8
_TEXT, _JSON = f" in {UNKNOWN_SECONDS:.1f} s", f'"duration_ms": {round(UNKNOWN_SECONDS * 1000)}'


def run(argv: Sequence[str], network: Network | None = None) -> int:
    """Run `nginxlint check`. Returns the exit code of design.md; `network` replaces the real one (the demo, tests)."""
    begin = time.perf_counter()
    args = parse(argv)
    if not args.no_cache and _repeats(args):
        from nginxlint.cli.cache import folder

        if where := folder():
            return _run(args, argv, where, begin)
    from nginxlint.cli.check import judge
    from nginxlint.cli.output import deliver

    outcome = judge(args, argv, network)
    if isinstance(outcome, int):
        return outcome
    deliver(outcome.render())
    return outcome.finish()


def _run(args: Namespace, argv: Sequence[str], where: str, begin: float) -> int:
    """A check that asks the cache in the folder `where` first, and tells it what was found."""
    from nginxlint.cli.cache import Cache, digest
    from nginxlint.cli.watch import SETTLED_NS, Watch, kept, marks_of, unmoved

    cache = Cache(where, (os.getcwd(), args.paths))
    key = digest(_facts(argv))
    before = None if args.verbose else cache.find(key)
    settled, roots = 0, None
    settled_now = time.time_ns() - SETTLED_NS
    marks: dict[str, Mark] = {}
    if before is not None:
        settled, questions, texts, code, roots = before
        marks = marks_of(questions)
        if unmoved(questions, marks):
            from nginxlint.cli.output import deliver

            deliver([(path, _timed(text, time.perf_counter() - begin)) for path, text in texts])
            return int(code)
    from nginxlint.cli.check import judge
    from nginxlint.cli.known_roots import KnownRoots
    from nginxlint.cli.output import deliver

    with Watch(marks) as watch:
        memory = KnownRoots(watch, roots, settled)
        outcome = judge(args, argv, memory=memory)
    if isinstance(outcome, int):
        return outcome
    seconds, outcome.run.seconds = outcome.run.seconds, UNKNOWN_SECONDS
    texts = outcome.render()
    if outcome.repeats and watch.complete and all(text.count(_TEXT) + text.count(_JSON) < 2 for _, text in texts):
        questions = kept(watch.questions, settled_now)
        cache.store(key, (settled_now, questions, texts, outcome.run.final_code, memory.stored()))
    if args.verbose:
        for note in dict.fromkeys(cache.notes):
            say(f"cache: {note}")
    deliver([(path, _timed(text, seconds)) for path, text in texts])
    return outcome.finish()


def _timed(text: str, seconds: float) -> str:
    return text.replace(_TEXT, f" in {seconds:.1f} s").replace(_JSON, f'"duration_ms": {round(seconds * 1000)}')


def _repeats(args: Namespace) -> bool:
    """Does this command line say the same whenever the files are the same? (What goes to standard error is not kept.)"""
    return "-" not in args.paths and not (
        args.online or args.judge or args.dry_run or args.export_plan or args.run_plan
        or args.timings or args.statistics or args.fix or args.diff
        or args.baseline_add or args.update_baseline
    )  # fmt: skip


def _facts(argv: Sequence[str]) -> tuple[object, ...]:
    """All that a run hangs on besides the answers of the file system."""
    out = sys.stdout
    columns = 0
    if out is not None and out.isatty():
        try:
            columns = os.get_terminal_size(out.fileno()).columns
        except (OSError, ValueError):
            columns = -1
    from nginxlint.cli.watch import mark

    own = sorted(item for item in os.environ.items() if item[0].startswith("NGINXLINT_"))
    return (
        (__version__, sys.version, _program(), sys.path, [mark(path) for path in (*sys.path, *BINARIES)]),
        (list(argv), own, [os.environ.get(name) for name in SURROUNDINGS], os.getcwd(), os.geteuid()),
        (columns, out is not None and out.isatty(), getattr(out, "encoding", None), time.strftime("%Y-%m-%d")),
    )


def _program() -> list[object]:
    """Our own files with size and time: an edited rule is another program, whatever its version says."""
    folders = [os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]
    try:
        folders += __import__("nginxlint_rules").__path__
    except ImportError:
        return folders  # type: ignore[return-value]  # the check will say so
    found: list[object] = []
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.name.endswith((".py", ".tsv")):
                    status = entry.stat()
                    found.append((entry.path, status.st_size, status.st_mtime_ns))
                elif entry.is_dir() and entry.name not in ("__pycache__", "demo"):
                    folders.append(entry.path)
    return sorted(found, key=repr)


def parse(argv: Sequence[str]) -> Namespace:
    """The arguments of `check`, those of the environment included."""
    quick = Quick()
    declare(quick)
    if not speaks() and (values := quick.parse(argv)) is not None:
        plain: Any = _Plain(values)
        namespace: Namespace = plain
        return namespace
    from nginxlint.cli.arguments import check_parser

    parser = check_parser()
    return parser.parse_args(with_environment(parser, argv))


class _Plain:
    """Stands in for argparse's Namespace, which would cost the import of argparse."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__ = values
