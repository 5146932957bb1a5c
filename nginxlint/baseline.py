"""What a project has accepted for now: a file of findings that are known, so that only new ones count.

An entry is a rule, a file, and the fingerprint of a finding, which stays when lines move. Findings of the online stage are
never in it (what does not answer today is no old acquaintance), nor are syntax faults, which hide others.
"""

from __future__ import annotations

import json
import os

from nginxlint.diagnostic import Stage
from nginxlint.error import NginxlintError
from nginxlint.fingerprint import fingerprints, path_below

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nginxlint.inputs import Root
    from nginxlint.result import Finding, Run

# Path, rule, fingerprint: in this order they are sorted.
Entry = tuple[str, str, str]
_KEYS = ("path", "rule", "fingerprint")
_NEVER = (Stage.ONLINE, Stage.SYNTAX)


def read(path: str) -> frozenset[Entry]:
    """The entries of a file. Raises NginxlintError where it is absent or no baseline."""
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        if document["baseline"] != 1:
            raise NginxlintError(f"{path}: made by another version of nginxlint")
        return frozenset((str(one["path"]), str(one["rule"]), str(one["fingerprint"])) for one in document["findings"])
    except FileNotFoundError:
        raise NginxlintError(f"{path}: no such file; --baseline-add makes it of what is found now") from None
    except OSError as error:
        raise NginxlintError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    except (ValueError, KeyError, TypeError, RecursionError):
        raise NginxlintError(f"{path}: this is no baseline") from None


def text_of(entries: Iterable[Entry]) -> str:
    """The file: an entry a line, sorted, so that a change is easy to read."""
    lines = [f"    {json.dumps(dict(zip(_KEYS, entry, strict=True)))}" for entry in sorted(entries)]
    body = ",\n".join(lines)
    return '{\n  "baseline": 1,\n  "findings": [' + (f"\n{body}\n  ]" if lines else "]") + "\n}\n"


def entries_of(run: Run, folder: str) -> dict[Entry, Finding]:
    """The findings of a run that a baseline in this folder may hold, by their entries. Those of one root hang on no other
    one, which may not be there next time."""
    by_root: dict[Root, list[Finding]] = {}
    for one in run.findings:
        if one.suppressed is None and one.diagnostic.stage not in _NEVER:
            by_root.setdefault(one.checked.root, []).append(one)
    return {
        (_place(folder, root, one.diagnostic.span.source.path), one.diagnostic.rule, fingerprint): one
        for root, found in by_root.items()
        for one, fingerprint in zip(found, fingerprints(found), strict=True)
    }


def _place(folder: str, root: Root, path: str) -> str:
    """What a file is called in a baseline: its path from the baseline's folder, which tells the trees of a repository
    apart; that from its root where it is elsewhere, as a copied tree may be."""
    absolute = os.path.abspath(path)
    inside = os.path.join(folder, "")
    return absolute.removeprefix(inside) if absolute.startswith(inside) else path_below(root, path)


def accept(run: Run, folder: str, known: frozenset[Entry], is_on: Callable[[str], bool]) -> list[Entry]:
    """Take note of the findings that are known. Returns the entries that match nothing any more, of the files and rules
    that were looked at; `is_on` says whether a rule was."""
    entries = entries_of(run, folder)
    for entry, finding in entries.items():
        finding.known = entry in known
    lost = known - entries.keys()
    if not lost:
        return []
    files = {_place(folder, checked.root, path) for checked in run.checked for path in checked.paths}
    return sorted(entry for entry in lost if entry[0] in files and is_on(entry[1]))
