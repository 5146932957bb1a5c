"""How far the probes are, on a terminal: one line, gone when they are done."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from nginxlint.reports.text import visible

if TYPE_CHECKING:
    from rich.progress import Progress


class Bar:
    """Called with (done, known, what was just probed). Draws nothing where standard error is no terminal."""

    def __init__(self) -> None:
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._bar = _bar()
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, done: int, known: int, label: str) -> None:
        if self._bar is not None:
            [task] = self._bar.task_ids
            self._bar.update(task, completed=done, total=known, description=visible(label)[:40])


def _bar() -> Progress:
    # imported here: an online check without a terminal should not pay for it
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("probing"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    bar = Progress(*columns, console=Console(stderr=True), transient=True, refresh_per_second=8)
    bar.add_task("", total=None)
    return bar
