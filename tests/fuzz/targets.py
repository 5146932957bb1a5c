"""What is fuzzed: functions from any bytes to a text. Raising is a bug; the same bytes have to give the same text."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import re
import selectors
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar
from unittest.mock import patch

from nginxlint.catalogue.contexts import guess
from nginxlint.cli.route import case_of, request_of_case
from nginxlint.diagnostic import Diagnostic
from nginxlint.error import NginxlintError
from nginxlint.files import Dump
from nginxlint.fixer import mend, uses_of
from nginxlint.inputs import InputOptions, Root, find_roots, is_whole
from nginxlint.lexer import read
from nginxlint.linter import check
from nginxlint.online import recording, stage
from nginxlint.online.certificate import read_certificate
from nginxlint.online.classify import EOF, OPEN, RESET, TIMEOUT, classify
from nginxlint.online.dns import ask_servers
from nginxlint.online.failure import Failure
from nginxlint.online.options import Options
from nginxlint.online.pings import fastcgi, http2, memcached, scgi, uwsgi
from nginxlint.online.records import RecordFault
from nginxlint.online.target import targets_of
from nginxlint.online.types import Address
from nginxlint.registry import all_rules
from nginxlint.reports.full import render as full
from nginxlint.reports.json import document
from nginxlint.reports.text import Style
from nginxlint.result import Request, Run
from nginxlint.routing.router import Router
from nginxlint.selection import ALL, Selection
from nginxlint.settings import find_settings
from nginxlint.testing import apply, config_of
from tests.online.fake import FakeNetwork, FakeStream

Result = TypeVar("Result")
PATH = "nginx.conf"
SELECTION = Selection(all_rules().values(), select=[ALL])
VERSIONS = ((1, 22, 1), (1, 31, 5))
ASKING = Options(timeout=0.5, retries=0, jitter=0.0)
# What `plan` and `observations` are about (seeds.py).
PROBED = """
events {} http {
    upstream g { server 10.0.0.1:81; server 10.0.0.2:82 weight=3; server app.test:83 backup; server 10.0.0.9:1 down; }
    server {
        listen 443 ssl; server_name shop.test;
        location / { proxy_pass http://g; proxy_set_header X-Forwarded-Proto $scheme; }
        location /s/ { proxy_pass https://10.0.0.3; proxy_ssl_server_name on; proxy_ssl_verify on; }
        location /f { fastcgi_pass unix:/run/php.sock; } location /u { uwsgi_pass 10.0.0.4:3033; }
        location /g { grpc_pass grpc://10.0.0.5:50053; } location /m { memcached_pass 10.0.0.6:11213; }
        location /v { resolver 10.0.0.53 valid=10s; set $b late.test; proxy_pass http://$b:85; }
    }
}
"""
ENDS = (OPEN, EOF, RESET, TIMEOUT)


class _Statements:
    """What the lexer reads, written down."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.said: list[tuple[object, ...]] = []

    def statement(self, name: str, values: tuple[str, ...], start: int) -> None:
        self.said.append((name, values, start))

    def begin(self, name: str, values: tuple[str, ...], start: int) -> None:
        self.said.append((name, values, start, "{"))

    def end(self, at: int) -> None:
        self.said.append(("}", (), at))


def lexer(data: bytes) -> str:
    """Statements and faults lie in the text."""
    text = data.decode("utf-8", "surrogateescape")
    statements = _Statements()
    remarks = read(text, statements)
    assert all(0 <= said[2] <= len(text) for said in statements.said)
    assert all(0 <= fault.start <= fault.end <= len(text) + 1 for fault in remarks.faults)
    return repr((statements.said, [(fault.kind, fault.start, fault.end, fault.message) for fault in remarks.faults]))


def parser(data: bytes) -> str:
    """Every directive tells its place, and its words are in the text."""
    config = config_of(data.decode("utf-8", "surrogateescape"))
    lines = []
    for directive in config.main.walk():
        if directive is config.main:
            continue
        span = directive.head_span
        assert 0 <= span.start <= span.end <= len(span.source.text)
        lines.append(
            f"{directive.line} {directive.name} {directive.values} {[word.span.text for word in directive.args]}"
        )
    return "\n".join(lines)


def checked(data: bytes, path: str = PATH) -> Run:
    """The whole offline run over one file, every rule on, in the surroundings a loose file would get."""
    text = data.decode("utf-8", "surrogateescape")
    context = None if is_whole(text) else guess(text)
    root = Root(path, path, text, Dump({path: data}, ""), context, guessed=True, live=False)
    run = check([root], [], SELECTION, Request(today="2026-11-25"))
    assert not run.crashes, run.crashes[0][1]
    return run


def judge(data: bytes) -> str:
    """Catalogue check, rules, suppressions and reports."""
    run = checked(data)
    run.seconds = 0.0
    said = document(run)
    return json.dumps(said, sort_keys=True) + full(run, Style(width=100))


def fixer(data: bytes) -> str:
    """Every fix is applied alone, and then all that go together; edits lie in the text, and the results can be read."""
    run = checked(data)
    text = data.decode("utf-8", "surrogateescape")
    results = []
    for finding in run.findings:
        diagnostic: Diagnostic = finding.diagnostic
        for fix in diagnostic.fixes:
            assert all(0 <= edit.span.start <= edit.span.end <= len(text) for edit in fix.edits), fix
            result = apply(text, list(fix.edits))
            assert result != text, f"{fix} changes nothing"
            results.append(repr(config_of(result).main.body))
    together = mend(run.findings, uses_of(run), lambda path: True, unsafe=True)
    results += [repr(config_of(result).main.body) for result in together.texts.values()]
    return "\n".join(results)


def route(data: bytes) -> str:
    """The first line is a request (as in --requests), the rest a configuration."""
    first, _, rest = data.decode("utf-8", "surrogateescape").partition("\n")
    router = Router(config_of(rest))
    try:
        request = request_of_case(case_of(first))
    except NginxlintError as error:
        return str(error)
    return json.dumps(router.route(request).to_json(first))


def targets(data: bytes) -> str:
    """What the online stage would contact."""
    return repr(
        [
            (target.id, target.label, target.skip)
            for target in targets_of(config_of(data.decode("utf-8", "surrogateescape")))
        ]
    )


def dump(data: bytes) -> str:
    """A file of any kind, as `check` takes it from the command line."""
    with tempfile.TemporaryDirectory(dir=_SHM) as folder:
        path = os.path.join(folder, "input")
        with open(path, "wb") as file:
            file.write(data)
        try:
            roots, unreadable = find_roots([path], InputOptions(), lambda text: "http")
        except NginxlintError as error:
            return str(error).replace(folder, "")
        said = [(root.context, root.load().main.source.path.replace(folder, "")) for root in roots]
        return repr((said, [trouble.reason for trouble in unreadable]))


def settings(data: bytes) -> str:
    """A settings file."""
    with tempfile.TemporaryDirectory(dir=_SHM) as folder:
        path = os.path.join(folder, "nginxlint.toml")
        with open(path, "wb") as file:
            file.write(data)
        try:
            return repr(sorted(vars(find_settings(folder, path, False)).items())).replace(folder, "")
        except NginxlintError as error:
            return str(error).replace(folder, "")


def http(data: bytes) -> str:
    """A response head, however the stream ended, for small and large buffers, old and new nginx."""
    return repr([classify(data, end, size, version) for end in ENDS for size in (64, 4096) for version in VERSIONS])


def certificate(data: bytes) -> str:
    return repr(read_certificate(data))


def dns(data: bytes) -> str:
    """What a name server sends back to any question; the first byte says whether the id fits."""

    def answer(server: tuple[str, int], query: bytes, tcp: bool) -> bytes:
        return data[1:] if data[:1] < b"\x40" else query[:2] + data[3:]

    with patch("dns.entropy.random_16", return_value=4711):  # a name in the answer may point at the id of the query
        said = in_no_time(ask_servers(FakeNetwork(dns=answer), (("10.0.0.1", 53),), "app.test", 10.0))
    return repr((said.addresses, said.code, said.error, said.chain, said.ttl))


def pings(data: bytes) -> str:
    """What peers of every protocol send back to a ping."""
    config = config_of(
        "upstream u { server 10.0.0.1:9000; } server { location / { grpc_pass grpc://10.0.0.1:9000; } "
        "location /f { fastcgi_pass u; } location /u { uwsgi_pass u; } location /s { scgi_pass u; } location /m { memcached_pass u; } }"
    )
    kinds = {"grpc": http2, "fastcgi": fastcgi, "uwsgi": uwsgi, "scgi": scgi, "memcached": memcached}
    pieces = (data[:7], data[7:]) if len(data) > 7 else (data,)

    async def all_of_them() -> list[str]:
        heard = []
        for target in targets_of(config):
            try:
                pong = await kinds[target.protocol](FakeStream(pieces), target, VERSIONS[0], 5.0)
                heard.append(repr(replace(pong, first_ms=0.0)))
            except Failure as failure:
                heard.append(f"{failure.stage} {failure.code} {failure.detail}")
        return heard

    return "\n".join(in_no_time(all_of_them()))


class _Crowd(FakeNetwork):
    """Everybody answers at once: by port they refuse, serve, talk nonsense, or hang up."""

    async def connect(self, address: Address) -> FakeStream:
        said = (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"SSH-2.0-x\r\n", b"")[address.port % 4]
        if address.port % 4 == 3:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        return FakeStream((said,) if said else ())

    async def lookup(self, host: str) -> list[str]:
        return ["10.0.0.7", "::1"][: len(host) % 3]

    async def ask(self, server: tuple[str, int], query: bytes, *, tcp: bool) -> bytes:
        return query[:2] + b"\x81\x83" + query[4:]  # no such name

    async def trace(self, address: Address) -> str:
        return "nothing"


def plan(data: bytes) -> str:
    """A plan somebody handed us: it is refused, or what it gives can be read and judged."""
    try:
        said, whole = recording.run_plan(data.decode("utf-8", "replace"), ASKING, _Crowd())
    except RecordFault as fault:
        return str(fault)
    document = json.loads(said)
    recording.recorded(said, tuple(document["nginx_version"]))
    assert whole
    return re.sub(r'"ms":[-+.e\d]+', "", json.dumps(document["answers"], separators=(",", ":")))


def observations(data: bytes) -> str:
    """What somebody says to have seen: it is refused, or judged; nothing of it moves a cursor in the report."""
    try:
        evidence = recording.recorded(data.decode("utf-8", "replace"), VERSIONS[0])
    except RecordFault as fault:
        return str(fault)
    result = stage.run(config_of(PROBED, version=VERSIONS[0]), recorded=evidence)
    texts = [
        text for one in result.diagnostics for text in (one.message, one.label, one.nginx_message or "", *one.help)
    ]
    said = json.dumps([list(result.targets_json), texts, result.summary, result.vantage], ensure_ascii=False)
    assert said.isprintable(), said
    return said


class _Skipping(selectors.SelectSelector):
    """Waits for nothing: where the loop would sleep, its clock goes on instead."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout:
            self.now += timeout
        return ready


def in_no_time(work: Coroutine[Any, Any, Result]) -> Result:
    """Run something that may wait, on a clock of its own: limits of seconds pass at once, the same in every run."""
    clock = _Skipping()
    loop = asyncio.SelectorEventLoop(clock)
    loop.time = lambda: clock.now  # type: ignore[method-assign]
    with contextlib.closing(loop):
        return loop.run_until_complete(work)


TARGETS: dict[str, Callable[[bytes], str]] = {
    "lexer": lexer,
    "parser": parser,
    "judge": judge,
    "fixer": fixer,
    "route": route,
    "targets": targets,
    "dump": dump,
    "settings": settings,
    "http": http,
    "certificate": certificate,
    "dns": dns,
    "pings": pings,
    "plan": plan,
    "observations": observations,
}

_SHM = "/dev/shm" if os.path.isdir("/dev/shm") else None
