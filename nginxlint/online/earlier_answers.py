"""Good answers of earlier runs, so that a check on every commit need not ask each upstream again.

Kept is what was seen, not what was judged of it. A failure is never kept, and names are always looked up anew. An answer
counts for the same question, asked in the same way from the same place; it says how old it is.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from nginxlint.online.private_file import CLOCKS_DIFFER, read_private, write_private
from nginxlint.online.records import RecordFault, decode, encode
from nginxlint.online.types import CERTAINTIES, STAGES, Address, Observation

SCHEMA = 1
MAX_ANSWERS = 20_000
FORGOTTEN_AFTER = 86_400.0
_FIRST_ERROR = 400


class EarlierAnswers:
    """The file at `path`, read once; answers younger than `seconds` count. `notes` say why it was passed over."""

    def __init__(self, path: str, now: float, seconds: float) -> None:
        self.path = path
        self.notes: list[str] = []
        self._now = now
        self._seconds = seconds
        self._place = _place()
        self._files: dict[str, str] = {}
        self._fresh: dict[str, tuple[float, Observation]] = {}
        self._changed = False
        self._ours = True
        self._answers: dict[str, Any] = {}
        try:
            answers = read_private(path, "answers", SCHEMA, now).get("answers")
            if not isinstance(answers, dict) or len(answers) > MAX_ANSWERS:
                raise RecordFault("damaged")
            self._answers = answers
        except FileNotFoundError:
            pass
        except (OSError, RecordFault) as error:
            self.notes.append(f"{path} is ignored: {getattr(error, 'strerror', None) or error}")
            self._ours = False

    def key(self, question: object, files: Iterable[str]) -> str:
        """The name of a question (anything that `repr` tells apart), with the files it is asked with."""
        contents = [self._files.get(path) or self._files.setdefault(path, _content(path)) for path in files]
        return hashlib.sha256(repr((question, contents, self._place)).encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def find(self, key: str, address: Address) -> Observation | None:
        """What was seen at this address, where that is young enough."""
        entry = self._answers.get(key)
        if entry is None:
            return None
        seen: Observation
        try:
            when, seen = decode(tuple[float, Observation], entry, "answers")
        except RecordFault:
            return None
        age = self._now - when
        if not -CLOCKS_DIFFER < age < self._seconds or seen.address != address or not _good(seen):
            return None
        last = seen.phases[-1]
        told = replace(last, detail=f"{last.detail}, {max(0, round(age))} s ago")
        return replace(seen, phases=(*seen.phases[:-1], told))

    def keep(self, key: str, seen: Observation) -> None:
        """Keep it where it is good; else forget what was known."""
        self._changed |= self._answers.pop(key, None) is not None or _good(seen)
        if _good(seen):
            self._fresh[key] = self._now, seen

    def save(self) -> None:
        """Where it cannot be written a note says so, and nothing else is lost."""
        if not self._changed or not self._ours:
            return
        old = {key: entry for key, entry in self._answers.items() if self._now - _when(entry) < FORGOTTEN_AFTER}
        new = {key: [when, encode(seen)] for key, (when, seen) in self._fresh.items()}
        answers = dict([*new.items(), *(item for item in old.items() if item[0] not in new)][:MAX_ANSWERS])
        try:
            write_private(self.path, "answers", SCHEMA, self._now, {"answers": answers})
        except OSError as error:
            self.notes.append(f"{self.path} cannot be written: {error.strerror}")


def _good(seen: Observation) -> bool:
    """Did all go well? Nothing that might mend itself, or get worse, is kept."""
    fine = seen.failure is None and seen.body is None and not any(seen.further) and not seen.hints and not seen.clipped
    known = seen.certainty in CERTAINTIES and all(phase.name in STAGES for phase in seen.phases)
    status = seen.status or 200
    return fine and known and bool(seen.phases) and status < _FIRST_ERROR and not seen.address.unix


def _when(entry: Any) -> float:
    return entry[0] if isinstance(entry, list) and entry and isinstance(entry[0], float) else 0.0


def _content(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read(1 << 24)).hexdigest()
    except OSError as error:
        return str(error.errno)


def _place() -> tuple[str, ...]:
    """What tells one place in the network from another, as far as it shows here."""
    found = [socket.gethostname(), *map(_content, ("/etc/resolv.conf", "/etc/hosts", "/proc/net/route"))]
    with contextlib.suppress(OSError):  # not Linux
        found.append(os.readlink("/proc/self/ns/net"))
    return tuple(found)
