"""A directive as one module defines it, as it was in one version of nginx."""

from __future__ import annotations

from nginxlint.catalogue.table import DIRECTIVES
from nginxlint.catalogue.target import Target, Version

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Variant:
    """One entry of a module's command table.

    `counts` has bit n set where n arguments are accepted (a negative number: no upper limit). `why_absent` tells why
    the target has no such directive: "" (it has), "version", "removed", "plus" or "module".
    """

    __slots__ = (
        "block",
        "contexts",
        "counts",
        "deprecated",
        "duplicate",
        "enters",
        "kind",
        "later",
        "module",
        "name",
        "range",
        "removed",
        "replaced_by",
        "since",
        "value_type",
        "values",
        "variables",
        "why_absent",
    )

    def __init__(self, name: str, row: dict[str, Any], target: Target) -> None:
        version = target.version
        self.name = name
        self.module: str = row["module"]
        self.kind: str = row["kind"]
        self.since: str = row.get("since", "")
        self.removed: str = row.get("removed", "")
        self.why_absent = _absent(row, target)
        for older in row.get("was", ()):
            if version < parse_version(older["until"]):
                row = {**row, **older}
                break
        self.contexts: tuple[str, ...] = tuple(row["contexts"])
        self.counts = count_mask(row["args"])
        self.block: bool = row["block"]
        self.enters: str = row.get("enters", "")
        self.value_type: str = row.get("value_type", "")
        values_since = row.get("values_since", {})
        self.values: tuple[str, ...] = tuple(
            word
            for word in row.get("values", ())
            if word not in values_since or version >= parse_version(values_since[word])
        )
        # values of later versions (lower-case), with the version
        self.later: dict[str, str] = {
            word.lower(): since for word, since in values_since.items() if word not in self.values
        }
        self.duplicate: str = row.get("duplicate", "")
        self.range: tuple[int | None, int | None] = tuple(row.get("range", (None, None)))
        # what is a plain size in an older version has learnt to take variables later
        self.variables: bool = (
            bool(row.get("vars")) and self.value_type not in ("size", "enum")
        ) or self.value_type in ("complex", "complex-size", "predicate")
        self.deprecated: dict[str, Any] | None = None
        self.replaced_by: str = row.get("deprecated", {}).get("use", "")
        if gone := row.get("deprecated"):
            since = gone.get("since")
            if since is None or (since[0].isdigit() and version >= parse_version(since)):
                self.deprecated = gone

    def __repr__(self) -> str:
        return f"Variant({self.name}, {self.module}{', absent: ' + self.why_absent if self.why_absent else ''})"


def variants(name: str, target: Target) -> list[Variant]:
    """All variants of this directive, with those the target lacks."""
    return [Variant(name, row, target) for row in DIRECTIVES.rows(name)]


def changed_in(name: str, target: Target, holds: Callable[[Variant], bool]) -> str:
    """The first version after the target's since which one of the directive's variants is such that `holds`; empty
    where none ever was."""
    for row in DIRECTIVES.rows(name):
        for older in row.get("was", ()):
            version = parse_version(older["until"])
            if version > target.version and holds(Variant(name, row, Target(version))):
                return str(older["until"])
    return ""


def parse_version(text: str) -> Version:
    major, minor, patch = (*(int(part) for part in text.split(".")), 0, 0)[:3]
    return major, minor, patch


def count_mask(args: dict[str, Any]) -> int:
    """Bit n is set where n arguments are accepted; a negative number has all high bits set."""
    if exact := args.get("exact"):
        return sum(1 << count for count in set(exact))
    smallest: int = args["min"]
    if args["max"] is None:
        return -1 << smallest
    return sum(1 << count for count in range(smallest, args["max"] + 1))


def _absent(row: dict[str, Any], target: Target) -> str:
    version = target.version
    if target.plus and (freed := row.get("plus_before")) and version < parse_version(freed):
        return ""
    since = row.get("backported") or row.get("since")
    if since and since[0].isdigit() and version < parse_version(row["since"]) and not _backported(row, version):
        return "version"
    if (removed := row.get("removed")) and version >= parse_version(removed):
        return "removed"
    if row["kind"] == "plus" and not target.plus:
        return "plus"
    if target.modules is not None and row["kind"] != "plus" and row["module"] not in target.modules:
        # among modules the catalogue cannot place, it may be one
        return "" if row["kind"] == "third-party" and target.strangers else "module"
    return ""


def _backported(row: dict[str, Any], version: Version) -> bool:
    """An older stable branch got it too: releases of that branch from then on."""
    first = row.get("backported")
    if not first:
        return False
    began = parse_version(first)
    return version[:2] == began[:2] and version >= began
