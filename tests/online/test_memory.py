"""What names resolved to before, and what that says of the nginx that runs."""

from __future__ import annotations

import json
import os
import socket
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nginxlint.demo.upstreams import World
from nginxlint.online import running
from nginxlint.online.memory import Memory
from nginxlint.online.options import Options
from nginxlint.online.stage import OnlineResult, run
from nginxlint.testing import config_of
from tests.online.fake import FakeNetwork, answers
from tests.oracle.nginx import PROGRAM, WRAPPED, Nginx

NOW = 1_800_000_000.0
DAY = 86_400.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def remembered(path: Path, sightings: list[tuple[str, float]], started: float | None = None) -> Memory:
    """A memory of app.test: (address, when) in order, judged at NOW."""
    for address, when in sightings:
        memory = Memory(str(path), when)
        memory.remember("app.test", tuple(address.split()))
        memory.save()
    return Memory(str(path), NOW, started)


def check(
    memory: Memory, *addresses: str, held: frozenset[tuple[str, int]] = frozenset(), http: str = ""
) -> OnlineResult:
    turns = iter(addresses * 5)

    class Turning(FakeNetwork):
        async def lookup(self, host: str) -> list[str]:
            return next(turns).split()

    network = Turning({f"10.0.0.{n}:81": answers(OK) for n in range(9)})
    http = http or "server { location / { proxy_pass http://app.test:81; } }"
    return run(config_of(f"events {{}} http {{ {http} }}"), Options(jitter=0.0), network, memory=memory, held=held)


@pytest.mark.parametrize(
    ("sightings", "started", "now", "code", "severity"),
    [
        ([("10.0.0.1", NOW - 9 * DAY), ("10.0.0.1", NOW - DAY)], NOW - 5 * DAY, "10.0.0.2", "DNS_STALE", "warning"),
        # it moved before nginx started
        ([("10.0.0.1", NOW - 9 * DAY), ("10.0.0.2", NOW - 8 * DAY)], NOW - 5 * DAY, "10.0.0.2", "OK", ""),
        # nginx may have started after it moved: nobody saw
        ([("10.0.0.1", NOW - 9 * DAY)], NOW - 5 * DAY, "10.0.0.2", "OK", ""),
        ([("10.0.0.1", NOW - DAY)], None, "10.0.0.2", "OK", "info"),
        ([("10.0.0.1 10.0.0.2", NOW - DAY)], None, "10.0.0.2", "OK", ""),
        ([("10.0.0.2", NOW - DAY)], None, "10.0.0.2", "OK", ""),
        ([], NOW - DAY, "10.0.0.2", "OK", ""),
    ],
)
def test_a_name_that_moved_since_nginx_started_needs_a_reload(
    tmp_path: Path, sightings: list[tuple[str, float]], started: float | None, now: str, code: str, severity: str
) -> None:
    result = check(remembered(tmp_path / "names.json", sightings, started), now)
    assert result.targets_json[0]["code"] == code
    assert [finding.severity.word for finding in result.diagnostics] == ([severity] if severity else [])
    assert all("nginx -s reload" in finding.help[0] for finding in result.diagnostics)


def test_the_old_address_is_still_known_at_the_next_run(tmp_path: Path) -> None:
    sightings = [("10.0.0.1", NOW - 9 * DAY), ("10.0.0.1", NOW - 2 * DAY), ("10.0.0.2", NOW - DAY)]
    result = check(remembered(tmp_path / "names.json", sightings, NOW - 5 * DAY), "10.0.0.2")
    assert result.targets_json[0]["code"] == "DNS_STALE"


def test_answers_that_turn_are_no_move(tmp_path: Path) -> None:
    memory = remembered(tmp_path / "names.json", [("10.0.0.1", NOW - 9 * DAY), ("10.0.0.1", NOW - DAY)], NOW - 5 * DAY)
    assert check(memory, "10.0.0.2", "10.0.0.3", "10.0.0.1").diagnostics == []


def test_an_address_the_workers_hold_and_no_name_has_is_stale(tmp_path: Path) -> None:
    memory = Memory(str(tmp_path / "names.json"), NOW)
    result = check(memory, "10.0.0.2", held=frozenset({("10.0.0.1", 81)}))
    [finding] = result.diagnostics
    assert finding.rule == "upstream-dns-stale"
    assert "a worker is connected to 10.0.0.1:81; now it is 10.0.0.2" in finding.message


@pytest.mark.parametrize(
    ("held", "http"),
    [
        (("10.0.0.2", 81), ""),
        (("10.0.0.1", 82), ""),
        # it may be the other name's
        (
            ("10.0.0.1", 81),
            "server { location /a { proxy_pass http://app.test:81; } location /b { proxy_pass http://b.test:81; } }",
        ),
        (
            ("10.0.0.1", 81),
            "server { location /a { proxy_pass http://app.test:81; } location /b { proxy_pass http://10.0.0.1:81; } }",
        ),
    ],
)
def test_a_connection_that_can_be_explained_is_no_finding(tmp_path: Path, held: tuple[str, int], http: str) -> None:
    memory = Memory(str(tmp_path / "names.json"), NOW)
    assert check(memory, "10.0.0.2", held=frozenset({held}), http=http).diagnostics == []


def test_the_file_is_private_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "names.json"
    remembered(path, [("10.0.0.1", NOW - DAY)])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert os.listdir(path.parent) == ["names.json"]


def _future(path: Path) -> None:
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "made_at": NOW + DAY}))


def _link(path: Path) -> None:
    path.rename(path.with_suffix(".real"))
    path.symlink_to(path.with_suffix(".real"))


def _stranger(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(path, 12345, 12345)


def _evil(path: Path) -> None:
    document = json.loads(path.read_text())
    document["names"]["app.test"] = [[["<script>"], NOW - DAY, NOW - DAY]]
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.write_text("{"), "damaged"),
        (lambda path: path.write_bytes(b"\xff" * 100), "damaged"),
        (lambda path: path.write_text("[]"), "not of this version"),
        (_evil, "damaged"),
        (_future, "from the future"),
        (_link, "a link"),
        (_stranger, "somebody else"),
        (lambda path: path.chmod(0o666), "somebody else"),
        (lambda path: (path.unlink(), os.mkfifo(path)), "not a file"),
    ],
)
def test_row_71_a_file_that_cannot_be_trusted_is_passed_over_with_a_note(
    tmp_path: Path, spoil: Callable[[Path], object], said: str
) -> None:
    path = tmp_path / "names.json"
    remembered(path, [("10.0.0.1", NOW - DAY)])
    spoil(path)
    memory = Memory(str(path), NOW)
    assert said in memory.notes[0]
    assert check(memory, "10.0.0.2").diagnostics == []
    before = path.lstat()
    memory.save()
    assert path.lstat() == before  # what is not ours is left alone


def test_no_memory_where_nothing_was_seen_is_no_note(tmp_path: Path) -> None:
    assert Memory(str(tmp_path / "none.json"), NOW).notes == []


@pytest.mark.skipif(not PROGRAM or os.geteuid() != 0, reason="needs nginx and root")
@pytest.mark.skipif(WRAPPED, reason="what runs below a wrapper has another name")
def test_a_real_nginx_shows_when_it_started_and_whom_it_is_connected_to() -> None:
    if running.workers():
        pytest.skip("another nginx runs on this machine")
    with World() as world:
        port = world.port("silent")
        before = time.time()
        with (
            Nginx(
                f"server {{ listen 127.0.0.1:{{port}}; location / {{ proxy_pass http://127.0.0.1:{port}; }} }}"
            ) as nginx,
            socket.create_connection(("127.0.0.1", nginx.port)) as client,
        ):
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            deadline = time.monotonic() + 10
            while not running.peers() and time.monotonic() < deadline:
                time.sleep(0.02)
            assert running.peers() == {("127.0.0.1", port)}
            began = running.started()  # by now the worker has its name
        assert began is not None
        assert before - 2 < began < time.time() + 2
    assert running.started() is None or running.workers()


def test_without_proc_nothing_is_known(tmp_path: Path) -> None:
    assert (running.workers(str(tmp_path)), running.started(str(tmp_path)), running.peers(str(tmp_path))) == (
        [],
        None,
        frozenset(),
    )
