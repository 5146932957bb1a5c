"""What start-up names resolved to at earlier runs. A running nginx keeps the addresses of its own start, so an answer
that has changed since means a reload is due."""

from __future__ import annotations

import time

from nginxlint.online.literal import as_literal
from nginxlint.online.private_file import CLOCKS_DIFFER, read_private, write_private
from nginxlint.online.records import RecordFault, decode

SCHEMA = 1
MAX_NAMES = 20_000
KEPT = 8  # different answers per name
FORGOTTEN_AFTER = 90 * 86_400.0

# What a name resolved to, from when to when it was seen so.
Sighting = tuple[tuple[str, ...], float, float]


class Memory:
    """The file at `path`, read once. `notes` say why it was passed over; `started` is when the running nginx read its
    configuration, None where that is not known."""

    def __init__(self, path: str, now: float, started: float | None = None) -> None:
        self.path = path
        self.started = started
        self.now = now
        self.notes: list[str] = []
        self._changed = False
        self._ours = True
        try:
            self._names = _read(path, now)
        except FileNotFoundError:
            self._names = {}
        except (OSError, RecordFault) as error:
            self.notes.append(f"{path} is ignored: {getattr(error, 'strerror', None) or error}")
            self._names, self._ours = {}, False

    def moved(self, name: str, addresses: tuple[str, ...]) -> str:
        """What a running nginx may still use instead of `addresses`, as a sentence; empty where nothing is known."""
        sightings = self._names.get(name, [])
        if self.started is None:
            known = sightings[-1:]
        else:
            known = [one for one in sightings if one[1] <= self.started <= one[2] + CLOCKS_DIFFER]
        if not known or set(known[0][0]) & set(addresses):
            return ""  # an address in common: the answers may only turn
        old, when = ", ".join(known[0][0][:3]), known[0][2] if self.started is None else self.started
        date = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(when))
        since = "the running nginx has started" if self.started is not None else "the check ran"
        return f"when {since}, {date}, it was {old}; now it is {', '.join(addresses[:3])}"

    def remember(self, name: str, addresses: tuple[str, ...]) -> None:
        """What the name resolves to now."""
        sightings = self._names.setdefault(name, [])
        self._changed = True
        if sightings and set(sightings[-1][0]) == set(addresses):
            sightings[-1] = (sightings[-1][0], sightings[-1][1], self.now)
        else:
            sightings.append((addresses, self.now, self.now))
            del sightings[:-KEPT]

    def save(self) -> None:
        """Where it cannot be written a note says so, and nothing else is lost."""
        if not self._changed or not self._ours:
            return
        latest = sorted(self._names.items(), key=lambda item: -item[1][-1][2])[:MAX_NAMES]
        fresh = {name: seen for name, seen in latest if self.now - seen[-1][2] < FORGOTTEN_AFTER}
        try:
            write_private(self.path, "names", SCHEMA, self.now, {"names": fresh})
        except OSError as error:
            self.notes.append(f"{self.path} cannot be written: {error.strerror}")


def _read(path: str, now: float) -> dict[str, list[Sighting]]:
    names = read_private(path, "names", SCHEMA, now).get("names")
    if not isinstance(names, dict) or len(names) > MAX_NAMES:
        raise RecordFault("damaged")
    found: dict[str, list[Sighting]] = {}
    for name, entries in names.items():
        sightings = decode(tuple[tuple[tuple[str, ...], float, float], ...], entries, "names")
        if not sightings or any(as_literal(address) is None for one in sightings for address in one[0]):
            raise RecordFault("damaged")
        if any(begin > end or end > now + CLOCKS_DIFFER for _, begin, end in sightings):
            raise RecordFault("from the future")
        found[name] = list(sightings)
    return found
