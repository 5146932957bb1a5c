"""What a finding is recognised by when lines move: the basis of `fingerprint` in machine formats."""

from __future__ import annotations

import hashlib
import os

from nginxlint.inputs import Root
from nginxlint.result import Finding


def fingerprints(findings: list[Finding]) -> list[str]:
    """One for each finding, all different: a hash of the rule, the file within its root's folder, the blocks around,
    the directive, and a number for findings that are alike in all of this."""
    ordinals: dict[str, int] = {}
    result = []
    for finding in findings:
        text = _identity(finding)
        ordinals[text] = ordinals.get(text, 0) + 1
        digest = hashlib.sha256(f"{text}\0{ordinals[text]}".encode("utf-8", "surrogateescape"))
        result.append(f"v1:{digest.hexdigest()[:16]}")
    return result


def _identity(finding: Finding) -> str:
    diagnostic = finding.diagnostic
    path = path_below(finding.checked.root, diagnostic.span.source.path)
    around = [" ".join((block.name, *block.values)) for block in finding.blocks()]
    at = diagnostic.at
    words = diagnostic.message if at is None else " ".join((at.name, *at.values))
    return "\0".join((diagnostic.rule, path, *around, words))


def path_below(root: Root, path: str) -> str:
    """The path of a file as seen from the folder of its root: the same on every machine."""
    return os.path.relpath(os.path.abspath(path), os.path.dirname(os.path.abspath(root.path)))
