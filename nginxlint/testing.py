"""Run the examples of rules: the harness for ours and for everybody's own.

from nginxlint.testing import check_rule

@pytest.mark.parametrize("rule", [MyRule])
def test_examples(rule):
    check_rule(rule)
"""

from __future__ import annotations

import os
import re
from tempfile import TemporaryDirectory

from nginxlint.config import NEWEST, Config, Version
from nginxlint.diagnostic import Diagnostic, Edit
from nginxlint.files import Dump
from nginxlint.includes import load
from nginxlint.inputs import CONTEXTS
from nginxlint.inputs import is_whole as _is_whole
from nginxlint.parser import outline_of
from nginxlint.rule import Bad, Good, Rule

_HERE = re.compile(r"#\s*here\b")


def config_of(text: str, *, context: str | None = None, version: Version | None = None) -> Config:
    """A text as a configuration; a snippet gets the surroundings its first directives need (or `context`)."""
    if context is None:
        context = "main" if _is_whole(text) else guess_context(text)
    files = Dump({"nginx.conf": text.encode("utf-8", "surrogateescape")}, "")
    loaded = load(files, "nginx.conf", text, CONTEXTS[context])
    return Config("nginx.conf", loaded, version=version or NEWEST)


def guess_context(text: str) -> str:
    """The context of an example: a location's content is not guessed, write the location around it."""
    names = outline_of(text).top.keys()
    if names & {"server", "upstream", "map", "geo", "split_clients", "log_format", "limit_req_zone", "types"}:
        return "http"
    return "server"


def run(rule: type[Rule], example: Bad | Good) -> list[Diagnostic]:
    """What the rule says of an example."""
    config = config_of(example.text, context=example.context, version=example.version)
    if example.live:
        config.locate = example_file
    assert not config.broken, f"{rule.id}: the example has a syntax fault:\n{example.text}"
    if not has_something_to_judge(rule, config):
        return []
    return list(rule().check(config))


def example_file(path: str) -> str:
    """Where a file is that a live example names: among the certificates of the demo, or where it says; `open.key` is a
    key that everybody may read, `closed.key` one that nobody else may."""
    name = os.path.basename(path)
    if name in ("open.key", "closed.key"):
        return os.path.join(_keys(), name)
    place = os.path.join(os.path.dirname(__file__), "demo", "certificates", name)
    return place if os.path.exists(place) else path


def _keys() -> str:
    """A folder with both, removed when Python ends."""
    if not _folders:
        _folders.append(TemporaryDirectory(prefix="nginxlint-keys-"))
        os.chmod(_folders[0].name, 0o755)
        for name, mode in (("open.key", 0o644), ("closed.key", 0o600)):
            place = os.path.join(_folders[0].name, name)
            with open(place, "w", encoding="ascii") as file:
                file.write("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n")
            os.chmod(place, mode)
    return _folders[0].name


_folders: list[TemporaryDirectory[str]] = []


def has_something_to_judge(rule: type[Rule], config: Config) -> bool:
    """Is what a rule says it needs (`directives`, `texts`, `judges`) in a configuration? Else it is not even imported."""
    if rule.directives and not config.concerns(rule.directives, rule.texts):
        return False
    return not rule.judges or bool(getattr(config, rule.judges))


def apply(text: str, edits: list[Edit]) -> str:
    """A text with edits made, the last place first. Repeated edits count once."""
    unique = {(edit.span.start, edit.span.end, edit.text) for edit in edits}
    for start, end, new in sorted(unique, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def check_rule(rule: type[Rule]) -> None:
    """Assert that a rule reports exactly the marked lines of its bad examples, that its fixes give the shown text
    and silence it, that its good examples are silent, and that it has a docstring and one of each."""
    assert rule.__doc__, f"{rule.id} has no docstring"
    assert any(isinstance(example, Bad) for example in rule.examples), f"{rule.id} has no bad example"
    assert any(isinstance(example, Good) for example in rule.examples), f"{rule.id} has no good example"
    for example in rule.examples:
        found = run(rule, example)
        lines = sorted({finding.span.line for finding in found})
        wanted = [n for n, line in enumerate(example.text.split("\n"), 1) if _HERE.search(line)]
        assert lines == wanted, f"{rule.id} reports lines {lines}, not {wanted}:\n{example.text}\n{found}"
        if isinstance(example, Good):
            continue
        assert wanted, f"{rule.id}: a bad example marks no line:\n{example.text}"
        assert all(finding.rule == rule.id for finding in found)
        if example.fixed is None:
            continue
        fixed = apply(example.text, [edit for finding in found for fix in finding.fixes[:1] for edit in fix.edits])
        assert fixed == example.fixed, f"{rule.id}: the fix gives\n{fixed}\nnot\n{example.fixed}"
        again = run(rule, Good(fixed, context=example.context, version=example.version, live=example.live))
        assert not again, f"{rule.id} still reports after its fix:\n{fixed}\n{again}"
