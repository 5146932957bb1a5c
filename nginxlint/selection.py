"""Which rules run and which findings are shown: ids, groups, profiles, confidence."""

from __future__ import annotations

from nginxlint.diagnostic import Confidence, Diagnostic, Severity
from nginxlint.error import NginxlintError
from nginxlint.registry import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

GROUPS = (
    "syntax",
    "proxy",
    "upstream",
    "tls",
    "security",
    "correctness",
    "performance",
    "cache",
    "deprecation",
    "style",
    "online",
)
ALL = "ALL"

# profile → what it shows, in words
PROFILES = {
    "default": "everything but opt-in rules",
    "strict": "opt-in rules too, and warnings fail the run",
    "security": "what opens a door or weakens TLS, and what nginx refuses",
    "gate": "only what keeps nginx from starting or certainly breaks requests",
}
# Groups whose errors mean that requests fail or go astray.
_GATE_GROUPS = frozenset(("syntax", "proxy", "upstream", "correctness", "online"))


class Selection:
    """Which ids are on.

    `select` replaces the profile's choice, `extend_select` adds to it, `ignore` and `extend_ignore` take away; all are
    ids, group names or ALL, and an id beats a group. `entries` are the rules to run. Syntax faults are shown
    whatever is selected, unless ignored: without them the rest would look complete. `place_of` says where a name is
    written: nothing, or what a message begins with.
    """

    def __init__(
        self,
        entries: Iterable[Entry],
        *,
        select: Iterable[str] = (),
        ignore: Iterable[str] = (),
        extend_select: Iterable[str] = (),
        extend_ignore: Iterable[str] = (),
        profile: str = "default",
        min_confidence: Confidence = Confidence.MEDIUM,
        known_elsewhere: Callable[[], Iterable[str]] = lambda: (),
        place_of: Callable[[str], str] = lambda name: "",
    ) -> None:
        self.known: dict[str, Entry] = {entry.id: entry for entry in entries}
        self.select = frozenset(select)
        self.ignore = frozenset((*ignore, *extend_ignore))
        self.extend_select = frozenset(extend_select)
        self.profile = profile
        self.min_confidence = min_confidence
        self._known_elsewhere = known_elsewhere
        self._place_of = place_of
        for name in sorted(self.select | self.ignore | self.extend_select):
            self.demand(name)
        self.entries = [entry for entry in self.known.values() if self.is_on(entry.id, entry.group, entry.opt_in)]

    def is_known(self, name: str) -> bool:
        """Is it ALL, a group, or the id of anything we can find?"""
        return name == ALL or name in GROUPS or name in self.known or name in self._known_elsewhere()

    def nearest(self, name: str) -> str:
        """The id or group that was probably meant, or an empty string."""
        from difflib import get_close_matches

        wanted = name.strip().lower().replace("_", "-")
        names = [*self.known, *self._known_elsewhere(), *GROUPS]
        return (get_close_matches(wanted, names, 1) or [""])[0]

    def demand(self, name: str) -> None:
        """Raises NginxlintError, with the place the name was written at, where it is unknown."""
        if not self.is_known(name):
            near = self.nearest(name)
            hint = f' - did you mean "{near}"?' if near else " - nginxlint rules lists them"
            raise NginxlintError(f'{self._place_of(name)}unknown rule or group "{name}"{hint}')

    def is_on(self, id: str, group: str, opt_in: bool = False) -> bool:
        """Is a finding of this id asked for? The more exact word wins: an id over a group, a group over ALL."""
        for name in (id, group, ALL):
            if name in self.ignore:
                return False
            if name in self.select or name in self.extend_select:
                # ALL and groups do not switch on what is opt-in, unless everything is asked for by --select ALL
                return not (opt_in and name != id and not (name == ALL and name in self.select))
        if self.select:
            return False
        return not opt_in or self.profile == "strict"

    def shows(self, diagnostic: Diagnostic) -> bool:
        """Shall this finding be reported?"""
        entry = self.known.get(diagnostic.rule)
        on = self.is_on(diagnostic.rule, diagnostic.group, entry is not None and entry.opt_in)
        if diagnostic.group == "syntax":
            return on or not self.ignore & {diagnostic.rule, diagnostic.group, ALL}
        named = diagnostic.rule in self.select or diagnostic.rule in self.extend_select
        if not on or (diagnostic.confidence < self.min_confidence and not named):
            return False
        if named or self.select:
            return True
        if self.profile == "gate":
            certain = diagnostic.severity == Severity.ERROR and diagnostic.confidence == Confidence.HIGH
            return diagnostic.blocks_start or (certain and diagnostic.group in _GATE_GROUPS)
        if self.profile == "security":
            return diagnostic.group in ("security", "tls") or diagnostic.blocks_start
        return True
