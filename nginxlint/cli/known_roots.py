"""The roots of a run that has several: what each of them asked the file system, and what was found of it.

Roots have nothing to do with each other. So where one of a hundred configurations has changed, only that one is judged
again; the findings of the others are those of the run that saw them last.
"""

from __future__ import annotations

from nginxlint.cli.cache import digest
from nginxlint.cli.watch import Questions, Watch, content_digest, same
from nginxlint.error import NginxlintError
from nginxlint.result import Memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from nginxlint.config import Version
    from nginxlint.inputs import Root
    from nginxlint.result import Finding, Judged, Kept

    Result = TypeVar("Result")
    # By a digest of the root: the questions its findings hang on, and the findings.
    Stored = dict[bytes, tuple[Questions, tuple[Any, ...]]]

# Which roots there are is found out in every run anew, and is no question of any of them.
_WHICH = "which roots"


class KnownRoots(Memory):
    """The roots an earlier run has stored, and those this run will."""

    def __init__(self, watch: Watch, stored: tuple[Questions, Stored] | None, settled_before: int) -> None:
        self._watch = watch
        self._settled_before = settled_before
        # what was asked for all of them (settings, rules) has to be the same as well
        self._known: Stored = stored[1] if stored is not None and same(stored[0], settled_before) else {}
        self._now: Stored = {}

    def stored(self) -> tuple[Questions, Stored] | None:
        """What the next run may know."""
        return (self._watch.asked_in(None), self._now) if self._now else None

    def recall(self, root: Root, version: Version) -> Kept | None:
        key = _key(root, version) if self._known else b""
        if key not in self._known or not same(self._known[key][0], self._settled_before):
            return None
        from nginxlint.keeping import unpack

        questions, stored = self._known[key]

        def text_of(path: str) -> str:
            if path == root.path:
                return root.text
            data = root.files.read(path)
            if questions[path][1]["read"] != content_digest(data):
                raise NginxlintError(f"{path} changes while it is read")
            return data.decode("utf-8", "surrogateescape")

        try:
            kept = self.of(root, unpack, root, stored, text_of)
        except (OSError, NginxlintError):
            return None
        self._watch.take_over(questions)
        self._now[key] = questions, stored
        return kept

    def of(self, root: Root | None, work: Callable[..., Result], *args: object) -> Result:
        return self._watch.part(_WHICH if root is None else _name(root), work, *args)

    def keep(self, judged: list[Judged], findings: list[Finding]) -> None:
        if len(judged) + len(self._now) < 2:
            return  # it would only be stored twice: a run of one root is repeated as a whole, or not at all
        from nginxlint.keeping import pack

        found: dict[object, list[Finding]] = {checked: [] for checked in judged}
        for finding in findings:
            if finding.checked in found:
                found[finding.checked].append(finding)
        for checked in judged:
            if checked.root.is_dump:
                continue  # of which files it has come is not known
            key = self.of(None, _key, checked.root, checked.config.version)
            self._now[key] = self._watch.asked_in(_name(checked.root)), pack(checked, found[checked])


def _name(root: Root) -> tuple[str, str]:
    return root.given, root.path


def _key(root: Root, version: Version) -> bytes:
    files = root.files
    own = root.given, root.path, files.identity(root.path), root.text, root.context, root.guessed, root.live, version
    return digest((own, files.conf_folder, getattr(files, "root", None), getattr(files, "maps", None)))
