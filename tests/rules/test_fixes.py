"""Every fix of every rule, on every bad example: it mends what was found, brings nothing new, nginx takes the result, and
one that is called safe leaves every request where it went."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from nginxlint.catalogue import check as refusals
from nginxlint.catalogue.target import Target
from nginxlint.config import NEWEST, Config
from nginxlint.diagnostic import Confidence, Fix
from nginxlint.inputs import CONTEXTS
from nginxlint.inputs import is_whole as whole_text
from nginxlint.registry import all_rules
from nginxlint.routing.request import Request
from nginxlint.routing.router import Router
from nginxlint.rule import Bad
from nginxlint.testing import apply, config_of, guess_context
from tests.catalogue.nginx import CACHES, NGINX, PRELUDE, Verdict, installed
from tests.oracle.nginx import VERSION

RULES = {id: entry for id, entry in all_rules().items() if entry.origin.startswith("the built-in")}
INSTALLED = VERSION
# With the right scheme a target has the port of its scheme, which the default rewriting of redirects stumbles over; a
# WebSocket that works can be cut.
REVEALED = {
    ("websocket-incomplete", "websocket-idle-timeout"),
    ("proxy-scheme-missing", "proxy-redirect-inactive"),
    ("proxy-scheme-port-mismatch", "proxy-redirect-inactive"),
    ("listen-443-plain", "hsts-missing-or-weak"),
}


@dataclass(frozen=True)
class Mended:
    """A bad example and what one fix (or the first of every finding together) makes of it."""

    rule: str
    example: Bad
    text: str
    fixes: tuple[Fix, ...]
    refused: bool

    @property
    def safe(self) -> bool:
        return all(fix.safe for fix in self.fixes)

    def config(self, text: str) -> Config:
        return config_of(text, context=self.example.context, version=self.example.version)


def mended(id: str) -> Iterator[Mended]:
    rule = RULES[id].load()
    for example in rule.examples:
        if not isinstance(example, Bad):
            continue
        found = list(rule().check(config_of(example.text, context=example.context, version=example.version)))
        if len(found) > 1 and (first := tuple(finding.fixes[0] for finding in found if finding.fixes)):
            yield Mended(
                id,
                example,
                apply(example.text, [edit for fix in first for edit in fix.edits]),
                first,
                found[0].blocks_start,
            )
        for finding in found:
            for fix in finding.fixes:
                yield Mended(id, example, apply(example.text, list(fix.edits)), (fix,), finding.blocks_start)


def counted(config: Config, id: str) -> Counter[str]:
    """How often the rule, what is shown by default of the others, and each refusal of nginx's, is found."""
    asked = [entry for name, entry in RULES.items() if name == id or not entry.opt_in]
    found = Counter(
        finding.rule
        for entry in asked
        for finding in entry.load()().check(config)
        if finding.confidence > Confidence.LOW or finding.rule == id
    )
    found.update(one.rule for one in refusals(config.main, Target(config.version), complete=not config.snippet))
    return found


def title(case: Mended) -> str:
    return f"{case.rule}: {' and '.join(fix.title for fix in case.fixes)}\n{case.example.text}\n---\n{case.text}"


@pytest.mark.parametrize("id", sorted(RULES))
def test_a_fix_mends_what_was_found_and_brings_nothing_new(id: str) -> None:
    for case in mended(id):
        config = case.config(case.text)
        assert not config.broken, title(case)
        before, after = counted(case.config(case.example.text), id), counted(config, id)
        assert after[id] < before[id], f"still found\n{title(case)}"
        new = {rule for rule in after - before if (id, rule) not in REVEALED}
        assert not new, f"new: {new}\n{title(case)}"


def surrounded(case: Mended, text: str) -> str:
    """The example as a whole configuration."""
    if case.example.context is None and whole_text(text):
        return text if "events" in text else f"events {{ }}\n{text}"
    blocks = CONTEXTS[case.example.context or guess_context(text)]
    opening = "".join(
        f"{name} {'/ ' if name == 'location' else 'u ' if name == 'upstream' else ''}{{ " for name in blocks
    )
    # the cache zone that examples name, for the first family that does
    family = next((one for one in ("proxy", "fastcgi", "uwsgi", "scgi") if f"{one}_cache z;" in text), "")
    if family:
        opening = opening.replace("http { ", f"http {{ {family}_cache_path z keys_zone=z:1m; ", 1)
    return f"events {{ }} {opening}\n{text}\n{'}' * len(blocks)}\n"


ENVIRONMENT = (
    "host not found",
    "cannot load certificate",
    "BIO_new_file",
    "open() ",
    "no such file",
    "bind() to",
    "mkdir() ",
)


def judge(text: str) -> Verdict:
    """`nginx -t`, with every host name it asks for in a hosts file that only it sees (where we may mount one)."""
    folder = tempfile.mkdtemp(prefix="nginxlint-fix-")
    try:
        hosts, config = os.path.join(folder, "hosts"), os.path.join(folder, "nginx.conf")
        with open(config, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(PRELUDE + text.replace(CACHES, f"{folder}/"))
        names: list[str] = []
        command = [NGINX, "-t", "-c", config, "-p", folder, "-e", "stderr", "-g", f"pid {folder}/pid;"]
        while True:
            with open(hosts, "w", encoding="utf-8") as file:
                file.writelines(f"127.0.0.1 {name}\n" for name in ["localhost", *names])
            inside = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', hosts, *command]
            done = subprocess.run(
                inside if MAY_MOUNT else command, capture_output=True, text=True, timeout=20, check=False
            )
            verdict = Verdict(done.returncode == 0, done.stderr, folder)
            message = verdict.message or ""
            name = message.partition('"')[2].partition('"')[0].partition(":")[0]
            if not MAY_MOUNT or not message.startswith("host not found") or name in names:
                return verdict
            names.append(name)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _may_mount() -> bool:
    probe = ["unshare", "-m", "mount", "--bind", "/etc/hosts", "/etc/hosts"]
    return (
        shutil.which("unshare") is not None and subprocess.run(probe, capture_output=True, check=False).returncode == 0
    )


MAY_MOUNT = _may_mount()


@pytest.mark.skipif(not installed(), reason=f"nginx is not installed: the fixes of {len(RULES)} rules not tried")
@pytest.mark.parametrize("id", sorted(RULES))
def test_nginx_takes_what_a_fix_makes(id: str) -> None:
    for case in mended(id):
        if (case.example.version or NEWEST) < INSTALLED or any(word in case.text for word in NEWER):
            continue
        verdict = judge(surrounded(case, case.text))
        if verdict.ok or any(word in (verdict.message or "") for word in ENVIRONMENT):
            continue
        before = judge(surrounded(case, case.example.text))
        assert before.message == verdict.message, f"{verdict} (before: {before})\n{title(case)}"
        assert any(word in (before.message or "") for word in TOO_OLD), f"{verdict}\n{title(case)}"


# What the installed nginx is too old for, in a fix and in an example.
NEWER = (" resolve", "add_header_inherit", "add_trailer_inherit", "http2 on", "quic", "proxy_http_version 2", " local")
TOO_OLD = ("unknown directive", "invalid parameter", "invalid value", "duplicate")


def answers(config: Config) -> list[tuple[object, ...]]:
    """Where a set of requests goes: every name on every socket, every location with something behind it."""
    router = Router(config)
    found: list[tuple[object, ...]] = []
    for server in config.http_servers():
        names = [word.text.replace("*", "w").lstrip("~^.") for word in server.names]
        hosts = list(dict.fromkeys(names)) or ["nobody.test"]  # a name that is said twice is one host
        paths = ["/", "/a/b.html?x=1", "/%61//b/../c"]
        for location in server.all_locations():
            if location.pattern.startswith("/"):
                paths += [location.pattern, f"{location.pattern.rstrip('/')}/x?y=1", f"{location.pattern}x.php"]
        for listen in server.listens:
            for host in hosts[:3]:
                for path in paths:
                    request = Request(path, host=host, port=listen.port, scheme="https" if listen.ssl else "http")
                    answer = router.route(request)
                    upstream = answer.upstream
                    found.append((
                        path, answer.server and answer.server.first_name, answer.location and answer.location.block.values,
                        answer.action, answer.status, answer.redirect_to, len(answer.alternatives),
                        upstream and (upstream.scheme, upstream.group, upstream.peers, upstream.request_uri, upstream.host),
                    ))  # fmt: skip
    return found


@pytest.mark.parametrize("id", sorted(RULES))
def test_a_safe_fix_leaves_every_request_where_it_went(id: str) -> None:
    for case in mended(id):
        if case.safe and not case.refused:  # what nginx refuses has answered nobody
            before, after = answers(case.config(case.example.text)), answers(case.config(case.text))
            assert before == after, (
                f"{[pair for pair in zip(before, after, strict=False) if pair[0] != pair[1]][:2]}\n{title(case)}"
            )
