"""A configuration as it was at a commit: files of the repository come from git, all others from the disk."""

from __future__ import annotations

import contextlib
import errno
import fnmatch
import os
import subprocess

from nginxlint.error import NginxlintError
from nginxlint.files import Disk
from nginxlint.inputs import Root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LINK = b"120000"
_MOST_LINKS = 8


class Commit:
    """The files of one commit. `git cat-file` runs while it is open."""

    def __init__(self, folder: str, ref: str) -> None:
        self.top = os.path.realpath(
            _git(folder, "rev-parse", "--show-toplevel").decode(errors="surrogateescape").rstrip("\n")
        )
        # --verify with the type: a ref is never taken for an option or a path
        self.id = (
            _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}").decode().strip()
        )
        self.modes: dict[str, bytes] = {}
        for entry in _git(self.top, "ls-tree", "-r", "-z", self.id).split(b"\0"):
            head, _, name = entry.partition(b"\t")
            if name:
                self.modes[os.fsdecode(name)] = head.split(b" ")[0]
        self._reader = subprocess.Popen(
            ["git", "-C", self.top, "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def inside(self, path: str) -> str | None:
        """The name a path has in the repository; None for a path outside of it."""
        absolute = os.path.abspath(path)
        for full in (os.path.join(os.path.realpath(os.path.dirname(absolute)), os.path.basename(absolute)), absolute):
            if full.startswith(self.top + os.sep):
                return full[len(self.top) + 1 :]
        return None

    def read(self, name: str) -> bytes:
        """The bytes of a file, links followed within the commit. Raises FileNotFoundError."""
        for _ in range(_MOST_LINKS):
            if name not in self.modes or "\n" in name:
                break
            data = self._blob(name)
            if self.modes[name] != _LINK:
                return data
            name = os.path.normpath(os.path.join(os.path.dirname(name), os.fsdecode(data)))
        raise FileNotFoundError(errno.ENOENT, "not in that commit", name)

    def _blob(self, name: str) -> bytes:
        assert self._reader.stdin is not None
        assert self._reader.stdout is not None
        self._reader.stdin.write(os.fsencode(f"{self.id}:{name}\n"))
        self._reader.stdin.flush()
        header = self._reader.stdout.readline().split()
        if len(header) != 3:
            raise FileNotFoundError(errno.ENOENT, "not in that commit", name)
        data = self._reader.stdout.read(int(header[2]))
        self._reader.stdout.read(1)
        return data

    def close(self) -> None:
        for stream in (self._reader.stdin, self._reader.stdout):
            if stream is not None:
                stream.close()
        self._reader.wait()


class EarlierFiles(Disk):
    """The files of a root as they were; paths stay what they are today."""

    def __init__(self, today: Disk, commit: Commit) -> None:
        super().__init__(today.conf_folder, root=today.root, maps=today.maps)
        self._commit = commit

    def find(self, pattern: str) -> list[str]:
        candidates = self._candidates(pattern)
        if not any(character in pattern for character in "*?["):
            return [next((path for path in candidates if self._exists(path)), candidates[0])]
        for candidate in candidates:
            name = self._commit.inside(candidate)
            if name is None:
                if found := super().find(candidate):
                    return found
                continue
            if found := [os.path.join(self._commit.top, one) for one in self._commit.modes if _matches(one, name)]:
                return sorted(found, key=os.fsencode)
        return []

    def _exists(self, path: str) -> bool:
        name = self._commit.inside(path)
        return os.path.lexists(path) if name is None else name in self._commit.modes

    def read(self, path: str) -> bytes:
        name = self._commit.inside(path)
        return super().read(path) if name is None else self._commit.read(name)

    def altered(self, path: str) -> bool:
        """Did this file of the repository hold something else then than it does today?"""
        return self._commit.inside(path) is not None and _content(self.read, path) != _content(super().read, path)


def _content(read: Callable[[str], bytes], path: str) -> bytes | None:
    try:
        return read(path)
    except OSError:
        return None


def _matches(name: str, pattern: str) -> bool:
    """As glob(3): part by part, and hidden files only where the pattern says so."""
    parts, wanted = name.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(
        fnmatch.fnmatchcase(part, one) and (one.startswith(".") or not part.startswith("."))
        for part, one in zip(parts, wanted, strict=True)
    )


@contextlib.contextmanager
def earlier_roots(roots: list[Root], ref: str) -> Iterator[list[Root]]:
    """The roots as they were at `ref`, to be read while it lasts; those that were not there then are left out. Raises
    NginxlintError where there is no such commit, or no repository."""
    commits: dict[str, Commit] = {}
    try:
        yield _earlier(roots, ref, commits)
    finally:
        for commit in commits.values():
            commit.close()


def _earlier(roots: list[Root], ref: str, commits: dict[str, Commit]) -> list[Root]:
    found = []
    for root in roots:
        if not isinstance(root.files, Disk):
            raise NginxlintError(f"--changed-since: {root.path} is a dump, and has no history")
        folder = os.path.dirname(os.path.abspath(root.path))
        commit = commits.get(folder) or commits.setdefault(folder, Commit(folder, ref))
        name = commit.inside(root.path)
        try:
            if name is None:
                raise NginxlintError(f"--changed-since: {root.path} is not in the repository {commit.top}")
            text = commit.read(name).decode("utf-8", "surrogateescape")
        except FileNotFoundError:
            continue
        files = EarlierFiles(root.files, commit)
        found.append(Root(root.given, root.path, text, files, root.context, guessed=root.guessed, live=root.live))
    return found


def _git(folder: str, *words: str) -> bytes:
    try:
        done = subprocess.run(["git", "-C", folder, *words], capture_output=True, check=False, stdin=subprocess.DEVNULL)
    except OSError as error:
        raise NginxlintError("--changed-since needs git, and there is none here") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().split("\n")[0]
        raise NginxlintError(f"--changed-since: git {words[0]} fails: {said or 'there is no such commit'}")
    return done.stdout
