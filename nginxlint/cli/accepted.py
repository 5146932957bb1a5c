"""The baseline of a check (`--baseline`): what it knows, what of it is found no more, and what becomes of it."""

from __future__ import annotations

import os

from nginxlint.baseline import Entry, accept, entries_of, read, text_of
from nginxlint.cli.output import write_file
from nginxlint.error import NginxlintError
from nginxlint.pages import group_without_class
from nginxlint.reports.text import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from nginxlint.result import Run
    from nginxlint.selection import Selection


class Accepted:
    """The findings that a project has accepted, in the file `path`. Raises NginxlintError where there is none."""

    def __init__(self, args: Namespace, path: str, selection: Selection) -> None:
        if not path:
            raise NginxlintError(
                "--baseline-add and --update-baseline need --baseline FILE, or `baseline` in the settings"
            )
        self._path = path
        self._folder = os.path.dirname(os.path.abspath(path))
        self._add: bool = args.baseline_add
        self._update: bool = args.update_baseline
        self._selection = selection
        self._stale: list[Entry] = []
        self._known: frozenset[Entry] = frozenset()
        if not self._add or os.path.exists(path):
            self._known = read(path)

    def note(self, run: Run) -> None:
        """Take note of what is known."""
        self._stale = accept(run, self._folder, self._known, self._is_on)

    def _is_on(self, id: str) -> bool:
        entry = self._selection.known.get(id)
        group = entry.group if entry is not None else group_without_class(id)
        return group is not None and self._selection.is_on(id, group, entry is not None and entry.opt_in)

    def finish(self, run: Run) -> list[str]:
        """Write what shall be written. Returns what there is to say of it."""
        if not self._add and not self._update:
            if not self._stale:
                return []
            stale = counted(len(self._stale), "entry", "entries")
            return [f"{stale} of {self._path} not found any more: --update-baseline takes them out"]
        added = set(entries_of(run, self._folder)) - self._known if self._add else set()
        gone = set(self._stale) if self._update else set()
        self._known = (self._known | added) - gone
        if added or gone or not os.path.exists(self._path):
            write_file(self._path, text_of(self._known), "the baseline")
        self.note(run)
        return [f"{self._path}: {counted(len(added), 'entry', 'entries')} added, {len(gone)} taken out"]
