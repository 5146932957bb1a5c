"""Everything a run asks the file system, and whether the answers are still the same.

A run without a network is a function of its command line, its surroundings and what the file system answers. So the
questions are written down where all of them pass, in the functions of `os`: what a rule of tomorrow looks at is among
them, without anybody having to remember. Imports do not pass there; they are the program, not its input.
"""

from __future__ import annotations

import builtins
import io
import marshal
import os
from _blake2 import blake2b
from stat import S_ISDIR, S_ISLNK, S_ISREG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    Result = TypeVar("Result")

# What is answered: bytes (a digest), numbers, or -errno.
Answer = bytes | int
# What tells that nothing happened to a path: what its inode says, up to the size, and both times; of a link, and of what
# is behind it. -errno for what is absent.
Mark = tuple[int, ...]
Questions = dict[str, tuple[Mark, dict[str, Answer]]]
# Questions as they are kept: the paths whose marks answer all questions about them, these marks and these answers, both
# marshalled; and the questions about all other paths.
Kept = tuple[tuple[str, ...], bytes, bytes, Questions]

_WITH_LINKS = b"links "  # begins what a folder with links in it answers

# A change within this time of a mark may leave the times as they are (coarse clocks of file systems).
SETTLED_NS = 2_000_000_000

_lstat, _stat, _open, _read, _close = os.lstat, os.stat, os.open, os.read, os.close
_listdir, _scandir, _readlink, _access, _open_file = os.listdir, os.scandir, os.readlink, os.access, builtins.open

_WATCHED: dict[str, Callable[..., Any]] = {
    "lstat": _lstat, "stat": _stat, "readlink": _readlink, "listdir": _listdir, "scandir": _scandir,
}  # fmt: skip
_WITH_OPEN = (builtins, io)  # pathlib takes the latter
_OPENING: dict[str, Callable[..., Any]] = {"access": _access, "open": _open, "read": _read, "close": _close}


def mark(path: str) -> Mark:
    """The mark of a path."""
    try:
        own = _mark_of(_lstat(path))
        if not S_ISLNK(own[0]):
            return own
    except (OSError, ValueError) as error:
        return (-(getattr(error, "errno", 0) or 0),)
    try:
        return own + _mark_of(_stat(path))
    except OSError as error:
        return (*own, -(error.errno or 0))


def _mark_of(found: os.stat_result) -> Mark:
    return (*found[:7], found.st_mtime_ns, found.st_ctime_ns)


def content_digest(data: bytes) -> bytes:
    """What is kept of a content."""
    return blake2b(data, digest_size=20).digest()


def _status(found: os.stat_result) -> Answer:
    """Of a file's status what anybody looks at; what is in it is a question of its own."""
    return found.st_mode << 32 | found.st_uid


def _names(names: list[str]) -> bytes:
    return content_digest("\0".join(sorted(names)).encode("utf-8", "surrogatepass"))


def _entries(path: str) -> Answer:
    with _scandir(path) as entries:
        found = [(entry.name, entry.is_dir(), entry.is_symlink()) for entry in entries]
    answer = _names([f"{name}/{is_dir}/{is_link}" for name, is_dir, is_link in found])
    return _WITH_LINKS + answer if any(is_link for _, _, is_link in found) else answer


def _content(path: str) -> Answer:
    descriptor = _open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not S_ISREG(os.fstat(descriptor).st_mode):
            return -1
        hash = blake2b(digest_size=20)
        while chunk := _read(descriptor, 1 << 20):
            hash.update(chunk)
        return hash.digest()
    finally:
        _close(descriptor)


def _accessible(mode: int) -> Callable[[str], Answer]:
    return lambda path: int(_access(path, mode))


# How each question is asked.
_ASK: dict[str, Callable[[str], Answer]] = {
    "lstat": lambda path: _status(_lstat(path)),
    "stat": lambda path: _status(_stat(path)),
    "listdir": lambda path: _names(_listdir(path)),
    "scandir": _entries,
    "readlink": lambda path: content_digest(os.fsencode(_readlink(path))),
    "read": _content,
    **{f"access {mode}": _accessible(mode) for mode in range(8)},
}


def _ask(question: str, path: str) -> Answer:
    try:
        return _ASK[question](path)
    except OSError as error:
        return -(error.errno or 1)
    except ValueError:  # a NUL in a path
        return -1


def same(questions: Questions, settled_before: int) -> bool:
    """Would all questions be answered as they were? A mark that is still the same, and was old enough when it was taken
    (`settled_before`, in nanoseconds), answers for all questions about its path."""
    for path, (before, answers) in questions.items():
        if _says_all(before, answers, settled_before) and mark(path) == before:
            continue
        if any(_ask(question, path) != answer for question, answer in answers.items()):
            return False
    return True


def _says_all(mark: Mark, answers: dict[str, Answer], settled_before: int) -> bool:
    if len(mark) > 1 and not S_ISREG(mark[0]):
        entries = answers.get("scandir")
        if isinstance(entries, bytes) and entries.startswith(_WITH_LINKS):
            return False  # what is behind a link in the folder has a mark of its own
        if S_ISDIR(mark[0]) and entries is None and "listdir" not in answers:
            return False  # its mark tells of files that nobody asked for
    return max(mark[7:9] + mark[16:], default=0) < settled_before


def kept(questions: Questions, settled_before: int) -> Kept:
    """Questions as `unmoved` wants them."""
    sure: Questions = {}
    others: Questions = {}
    for path, asked in questions.items():
        (sure if _says_all(*asked, settled_before) else others)[path] = asked
    marks, answers = [before for before, _ in sure.values()], [answers for _, answers in sure.values()]
    return tuple(sure), _together(marks), marshal.dumps(answers), others


def marks_of(questions: Kept) -> dict[str, Mark]:
    """The marks that answer questions now, by their paths."""
    return {path: mark(path) for path in questions[0]}


def unmoved(questions: Kept, now: dict[str, Mark]) -> bool:
    """Would all questions be answered as they were? The same as `same`, at a look at all marks together (`marks_of`);
    only what has another one is asked again."""
    paths, marks, answers, others = questions
    if _together([*now.values()]) != marks:
        rows = zip(paths, marshal.loads(marks), marshal.loads(answers), now.values(), strict=True)
        if not same({path: (before, asked) for path, before, asked, here in rows if here != before}, 0):
            return False
    return same(others, 0)


def _together(marks: list[Mark]) -> bytes:
    return marshal.dumps(marks, 2)  # the version without references: equal values are equal bytes


class Watch:
    """Writes down what is asked while it is entered. `complete` is false where a question cannot be asked again.

    `marks` were taken a moment ago. A mark may be older than the answers beside it: where something happened in between,
    the next run sees another mark, and asks.
    """

    def __init__(self, marks: dict[str, Mark] | None = None) -> None:
        self._marks = marks or {}
        self.questions: Questions = {}
        self.complete = True
        self._part: set[tuple[str, str]] = set()  # path and question
        self._parts: dict[object, set[tuple[str, str]]] = {None: self._part}
        self._reading: dict[int, tuple[str, list[bytes]]] = {}  # by descriptor: the path, what was read of it so far

    def _first_asked(self, path: str) -> tuple[Mark, dict[str, Answer]]:
        known = self.questions[path] = self._marks.get(path) or mark(path), {}
        return known

    def _note(self, path: Any, question: str, answer: Callable[[], Answer]) -> None:
        if isinstance(path, int):
            return  # an open file: it was asked for by its name
        name = os.fspath(path)
        if isinstance(name, bytes):
            name = os.fsdecode(name)
        known = self.questions.get(name) or self._first_asked(name)
        self._part.add((name, question))
        if question not in known[1]:
            try:
                known[1][question] = answer()
            except OSError as error:
                known[1][question] = -(error.errno or 1)
            except ValueError:
                known[1][question] = -1

    def part(self, name: object, work: Callable[..., Result], *args: object) -> Result:
        """Do a part of the work, and write down as well what is asked in it."""
        around, self._part = self._part, self._parts.setdefault(name, set())
        try:
            return work(*args)
        finally:
            self._part = around

    def asked_in(self, name: object) -> Questions:
        """The questions of a part (None: of none)."""
        asked: Questions = {}
        for path, question in self._parts[name]:
            before, answers = self.questions[path]
            if question in answers:  # else it is open yet, and this run will not be `complete`
                asked.setdefault(path, (before, {}))[1][question] = answers[question]
        return asked

    def take_over(self, questions: Questions) -> None:
        """Questions of an earlier run, to which the answers are still the same."""
        for path, asked in questions.items():
            known = self.questions.setdefault(path, asked)
            if known is not asked:
                known[1].update(asked[1])

    def __enter__(self) -> Watch:
        watched: dict[str, Callable[..., Any]] = {
            **{name: self._of(name, function) for name, function in _WATCHED.items()},
            "access": self._access,
            "open": self._open,
            "read": self._read,
            "close": self._close,
        }
        for name, function in watched.items():
            setattr(os, name, function)
        for module in _WITH_OPEN:
            module.open = self._open_file  # type: ignore[attr-defined]
        return self

    def __exit__(self, *_: object) -> None:
        for name, function in (*_WATCHED.items(), *_OPENING.items()):
            setattr(os, name, function)
        for module in _WITH_OPEN:
            module.open = _open_file  # type: ignore[attr-defined]
        if self._reading:
            self.complete = False  # a file that was not read to its end

    def _of(self, question: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def asked(path: Any = ".", *args: Any, follow_symlinks: bool = True, **more: Any) -> Any:
            if args or more:
                self.complete = False
            kind = "lstat" if question == "stat" and not follow_symlinks else question
            self._note(path, kind, lambda: _ask(kind, os.fspath(path)))
            return function(path, *args, **more) if follow_symlinks else _lstat(path)

        return asked

    def _access(self, path: Any, mode: int) -> bool:
        self._note(path, f"access {mode}", lambda: int(_access(path, mode)))
        return _access(path, mode)

    def _open(self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR) or dir_fd is not None or not isinstance(path, str):
            self.complete = False
            return _open(path, flags, mode, dir_fd=dir_fd)
        known = self.questions.get(path) or self._first_asked(path)
        self._part.add((path, "read"))
        try:
            descriptor = _open(path, flags)
        except OSError as error:
            known[1].setdefault("read", -(error.errno or 1))
            raise
        self._reading[descriptor] = path, []
        return descriptor

    def _read(self, descriptor: int, size: int) -> bytes:
        data = _read(descriptor, size)
        if descriptor in self._reading:
            self._reading[descriptor][1].append(data)
        return data

    def _close(self, descriptor: int) -> None:
        if descriptor in self._reading:
            path, pieces = self._reading.pop(descriptor)
            before, answers = self.questions[path]
            if "read" not in answers:
                regular = S_ISREG(before[2] if len(before) > 1 else 0) or S_ISREG(os.fstat(descriptor).st_mode)
                answers["read"] = content_digest(b"".join(pieces)) if regular else -1
        _close(descriptor)

    def _open_file(self, path: Any, mode: str = "r", *args: Any, **more: Any) -> Any:
        if set(mode) & set("wax+"):
            self.complete = False
        else:
            self._note(path, "read", lambda: _content(os.fspath(path)))
        return _open_file(path, mode, *args, **more)
