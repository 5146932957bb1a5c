"""What earlier runs said, in one file per project in the user's cache folder.

The file holds a few entries, one for each way the project is checked (the hook, CI, by hand). An entry is found by a key of
all that is known before a run; it counts where `nginxlint.cli.watch` finds every question of that run answered as it
was. The file is written beside itself and renamed; one that is damaged, of another version, or of another user is passed
over, and says so with -v.
"""

from __future__ import annotations

import marshal
import os
from _blake2 import blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_MAGIC = b"nginxlint cache 1\n"
_KEY, _SUM, _LENGTH = 16, 16, 8
_KEPT = 4  # entries of a project
_LARGEST = 256 * 1024 * 1024


def folder() -> str:
    """The user's cache folder for us; empty where there is none that is only theirs (sudo keeps HOME)."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    home = os.path.expanduser("~")
    try:
        if not os.path.isabs(base):
            if not os.path.isabs(home) or os.stat(home).st_uid != os.geteuid():
                return ""
            base = os.path.join(home, ".cache")
        elif os.path.exists(base) and os.stat(base).st_uid != os.geteuid():
            return ""
    except OSError:
        return ""
    return os.path.join(base, "nginxlint")


def digest(value: object) -> bytes:
    """A key of anything that `repr` tells apart."""
    return blake2b(repr(value).encode("utf-8", "surrogatepass"), digest_size=_KEY).digest()


class Cache:
    """The entries of one project. `notes` say what was passed over."""

    def __init__(self, folder: str, project: object) -> None:
        self.path = os.path.join(folder, digest(project).hex())
        self.notes: list[str] = []

    def find(self, key: bytes) -> Any:
        """The entry of a key, or None."""
        for name, checksum, data in self._entries():
            if name != key:
                continue
            if blake2b(data, digest_size=_SUM).digest() == checksum:
                try:
                    return marshal.loads(data)
                except (ValueError, EOFError, TypeError):
                    pass
            self.notes.append(f"{self.path}: damaged, so it is ignored")
        return None

    def store(self, key: bytes, entry: Any) -> None:
        """Put an entry first. Where that cannot be written, nothing is lost but time."""
        data = marshal.dumps(entry)
        kept = [(key, blake2b(data, digest_size=_SUM).digest(), data)]
        kept += [other for other in self._entries() if other[0] != key][: _KEPT - 1]
        beside = f"{self.path}.{os.getpid()}.tmp"
        try:
            os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(_MAGIC)
                for name, checksum, content in kept:
                    file.write(name + checksum + len(content).to_bytes(_LENGTH, "big"))
                    file.write(content)
            os.replace(beside, self.path)
        except OSError as error:
            self.notes.append(f"{self.path}: cannot be written: {error.strerror}")
            if os.path.exists(beside):
                os.unlink(beside)

    def _entries(self) -> Iterator[tuple[bytes, bytes, bytes]]:
        """(key, checksum, content) of every entry that is whole."""
        content = self._content()
        at = len(_MAGIC)
        if content and not content.startswith(_MAGIC):
            self.notes.append(f"{self.path}: not of this version, so it is ignored")
            return
        while at < len(content):
            begin = at + _KEY + _SUM + _LENGTH
            end = begin + int.from_bytes(content[begin - _LENGTH : begin], "big")
            if end > len(content):
                self.notes.append(f"{self.path}: damaged, so it is ignored")
                return
            yield content[at : at + _KEY], content[at + _KEY : at + _KEY + _SUM], content[begin:end]
            at = end

    def _content(self) -> bytes:
        """All of the file; empty where it is absent, or anybody else could have written it."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return b""
        try:
            status = os.fstat(descriptor)
            if status.st_uid != os.geteuid() or status.st_mode & 0o022 or status.st_size > _LARGEST:
                self.notes.append(f"{self.path}: belongs to somebody else, so it is ignored")
                return b""
            pieces = []
            while piece := os.read(descriptor, status.st_size + 1):
                pieces.append(piece)
            return b"".join(pieces)
        except OSError:
            return b""
        finally:
            os.close(descriptor)
