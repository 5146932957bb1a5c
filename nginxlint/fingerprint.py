"""What a finding is recognised by when lines move: the basis of `fingerprint` in machine formats."""

from __future__ import annotations

import hashlib
import os

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
    root = finding.checked.root
    folder = os.path.dirname(os.path.abspath(root.path))
    path = os.path.relpath(os.path.abspath(diagnostic.span.source.path), folder)
    around = [" ".join((block.name, *block.values)) for block in finding.blocks()]
    at = diagnostic.at
    words = diagnostic.message if at is None else " ".join((at.name, *at.values))
    return "\0".join((diagnostic.rule, path, *around, words))
