"""What the kernel's own numbers say of upstreams; read, never caused."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

import pytest

from nginxlint.online import running
from nginxlint.online.machine import Machine, look
from nginxlint.online.options import Options
from nginxlint.online.stage import OnlineResult, run
from nginxlint.online.types import Address
from nginxlint.testing import config_of
from tests.online.fake import FakeNetwork, answers

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
APP = Address("10.0.0.1", 81)
HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def proc(folder: Path, rows: list[str], rows6: list[str] | None = None) -> str:
    """A /proc of these sockets: `LOCAL REMOTE STATE QUEUE`."""

    def table(rows: list[str]) -> str:
        lines = []
        for number, row in enumerate(rows):
            local, remote, state, queue = row.split()
            lines.append(f"{number:4}: {local} {remote} {state} 00000000:{int(queue):08X} 00:00000000 0 0 0 1\n")
        return HEAD + "".join(lines)

    for name, text in (
        ("net/tcp", table(rows)),
        ("net/tcp6", table(rows6 or [])),
        ("sys/net/ipv4/ip_local_port_range", "32768\t60999\n"),
        ("sys/net/core/somaxconn", "4096\n"),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return str(folder)


def test_sockets_are_counted_by_where_they_lead_and_by_local_address(tmp_path: Path) -> None:
    rows = ["0200000A:8001 0100000A:0051 01 0", "0200000A:8002 0100000A:0051 06 0", "0300000A:8001 0100000A:0051 01 0",
            "0200000A:8003 0900000A:0051 01 0", "00000000:1F90 00000000:0000 0A 7"]  # fmt: skip
    rows6 = ["0000000000000000FFFF00000200000A:8004 0000000000000000FFFF00000100000A:0051 01 0"]
    seen = look([APP, Address("", 0, "/s")], count=True, proc=proc(tmp_path, rows, rows6))
    assert seen is not None
    assert (seen.towards[APP], seen.open[APP], seen.ports, seen.longest_queue) == (2, 3, 28232, 4096)
    assert seen.waiting(Address("127.0.0.1", 8080)) == 7
    assert seen.waiting(APP) is None


@pytest.mark.parametrize(("waiting", "counted"), [(14_115, 0), (14_116, 20_000)])
def test_many_connections_are_only_read_where_they_are_a_danger(tmp_path: Path, waiting: int, counted: int) -> None:
    rows = [
        "00000000:1F90 00000000:0000 0A 7",
        *["0300000A:8001 0900000A:0051 06 0"] * 20_000,
        *["0200000A:8001 0100000A:0051 06 0"] * 20_000,
    ]
    folder = proc(tmp_path, rows)
    (tmp_path / "net/sockstat").write_text(
        f"sockets: used 9\nTCP: inuse 1 orphan 0 tw {waiting} alloc 1 mem 1\nUDP: inuse 1 mem 1\n"
    )
    seen = look([APP], count=False, proc=folder)
    assert seen is not None
    assert (seen.waiting(Address("127.0.0.1", 8080)), seen.towards.get(APP, 0)) == (7, counted)


def test_where_there_is_no_proc_nothing_is_known(tmp_path: Path) -> None:
    assert look([APP], count=True, proc=str(tmp_path)) is None


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="no /proc/net/tcp here")
@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_the_real_kernel_tells_of_a_listener_and_who_waits(family: socket.AddressFamily, host: str) -> None:
    with socket.socket(family) as listener:
        try:
            listener.bind((host, 0))
        except OSError:
            pytest.skip("no such address family here")
        listener.listen(8)
        address = Address(host, listener.getsockname()[1])
        before = look([address], count=True)  # connections to an earlier owner of the port may linger
        with socket.create_connection((host, address.port)), socket.create_connection((host, address.port)):
            seen = look([address], count=True)
    assert before is not None
    assert seen is not None
    assert (seen.waiting(address), seen.open[address]) == (2, 2)
    assert seen.towards[address] - before.towards.get(address, 0) == 2


def check(machine: Machine, group: str = "", peer: object = None, options: str = "", more: str = "") -> OnlineResult:
    network = FakeNetwork({str(APP): peer or answers(OK), "127.0.0.1:81": peer or answers(OK)})  # type: ignore[dict-item]
    network.kernel = machine
    text = f"{more} events {{}} http {{ upstream app {{ server {group or APP} {options}; zone z 64k; }} "
    text += "server { location / { proxy_pass http://app; } } }"
    return run(config_of(text, version=(1, 22, 1)), Options(timeout=0.1, retry_pause=0.0, jitter=0.0), network)


@pytest.mark.parametrize(
    ("machine", "options", "code"),
    [
        (Machine(towards={APP: 20_000}, ports=28_232), "", "LOAD_PORTS"),
        (Machine(towards={APP: 14_116}, ports=28_232), "", "OK"),
        (Machine(towards={APP: 20_000}), "", "OK"),
        (Machine(open={APP: 800}), "max_conns=1000", "LOAD_MAX_CONNS"),
        (Machine(open={APP: 799}), "max_conns=1000", "OK"),
        (Machine(open={APP: 80}), "", "OK"),
        (Machine({(APP.host, APP.port): 64}, longest_queue=4096), "", "LOAD_QUEUE"),
        (Machine({(APP.host, APP.port): 63}, longest_queue=4096), "", "OK"),
        (Machine({(APP.host, APP.port): 10}, longest_queue=8), "", "LOAD_QUEUE"),
        (Machine({("0.0.0.0", APP.port): 999}), "", "OK"),
    ],
)
def test_what_is_nearly_used_up_is_told_with_the_numbers(machine: Machine, options: str, code: str) -> None:
    result = check(machine, options=options)
    [row] = result.targets_json
    assert (row["code"], row["verdict"], row["predicted_status"]) == (code, "ok" if code == "OK" else "degraded", 200)
    assert [finding.severity.word for finding in result.diagnostics] == ([] if code == "OK" else ["warning"])


@pytest.mark.parametrize(("processes", "told"), [("2", True), ("4", False), ("auto", False)])
def test_without_a_zone_every_worker_has_its_own_max_conns(processes: str, told: bool) -> None:
    network = FakeNetwork({str(APP): answers(OK)})
    network.kernel = Machine(open={APP: 170})
    text = f"worker_processes {processes}; events {{}} http {{ upstream app {{ server {APP} max_conns=100; }} "
    text += "server { location / { proxy_pass http://app; } } }"
    [row] = run(config_of(text, version=(1, 22, 1)), Options(timeout=0.1), network).targets_json
    assert (row["code"] == "LOAD_MAX_CONNS") is told


@pytest.mark.parametrize(
    ("servers", "told"),
    [
        ("server 10.0.0.1:81 max_conns=100; server 10.0.0.2:81 max_conns=100; zone z 64k;", "200 at a time, 256 by"),
        ("server 10.0.0.1:81 max_conns=100;", "100 at a time per worker, for it has no zone, 256 by"),
        ("server 10.0.0.1:81 max_conns=100; server 10.0.0.2:81;", ""),
        ("server 10.0.0.1:81 max_conns=300;", ""),
        ("server 10.0.0.1:81;", ""),
        ("server 10.0.0.1:81 max_conns=100; server 10.0.0.2:81 down;", "100 at a time"),
    ],
)
def test_a_group_that_takes_less_than_nginx_accepts_is_told(servers: str, told: str) -> None:
    network = FakeNetwork({"10.0.0.1:81": answers(OK), "10.0.0.2:81": answers(OK)})
    text = f"events {{}} http {{ upstream app {{ {servers} }} server {{ location / {{ proxy_pass http://app; }} }} }}"
    result = run(config_of(text), Options(timeout=0.1), network)
    said = [one.message for one in result.diagnostics if one.rule == "upstream-limit-reached"]
    assert [told in message for message in said] == ([True] if told else [])


def worker(folder: Path, files: int, sockets: int, limit: str = "1024") -> str:
    """A /proc with one worker of a running nginx."""
    home = folder / "7"
    (home / "fd").mkdir(parents=True)
    (home / "cmdline").write_bytes(b"nginx: worker process\0")
    (home / "stat").write_text("7 (nginx) S 1 " + "0 " * 40)
    (home / "limits").write_text(
        f"Limit  Soft Limit  Hard Limit  Units\nMax open files            {limit}  4096  files\n"
    )
    for number in range(files):
        (home / "fd" / str(number)).symlink_to(f"socket:[{number}]" if number < sockets else "/dev/null")
    return str(folder)


@pytest.mark.parametrize(
    ("main", "files", "sockets", "rules"),
    [
        ("events {}", 20, 10, []),
        ("events {}", 820, 100, ["worker 7 has 820 of 1024 files open"]),
        ("events { worker_connections 100; }", 90, 80, ["worker 7 has 80 of 100 open"]),
        ("events { worker_connections 100; }", 90, 79, []),
        ("events { worker_connections 2048; }", 20, 10, ["2048 connections, 1024 files"]),
        ("worker_rlimit_nofile 512; events { worker_connections 600; }", 20, 10, ["600 connections, 512 files"]),
        ("worker_rlimit_nofile 4096; events { worker_connections 2048; }", 20, 10, []),
    ],
)
def test_workers_close_to_their_limits_are_told(
    main: str, files: int, sockets: int, rules: list[str], tmp_path: Path
) -> None:
    used = running.usage(worker(tmp_path, files, sockets))
    assert [(one.pid, one.files, one.limit, one.sockets) for one in used] == [(7, files, 1024, sockets)]
    text = f"{main} http {{ server {{ location / {{ proxy_pass http://{APP}; }} }} }}"
    result = run(config_of(text), Options(timeout=0.1), FakeNetwork({str(APP): answers(OK)}), used=used)
    said = [one.message for one in result.diagnostics if one.rule == "nginx-limits-reached"]
    assert [part in message for part, message in zip(rules, said, strict=True)] == [True] * len(rules)


def test_what_other_users_may_not_read_is_not_known(tmp_path: Path) -> None:
    assert running.usage(str(tmp_path)) == []
    assert running.usage(worker(tmp_path, 3, 3, "unlimited"))[0].limit == 0


REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")


@pytest.mark.parametrize(
    ("machine", "peer", "hint"),
    [
        (
            Machine({("10.0.0.7", 81): 0, ("::1", 81): 0}),
            REFUSED,
            "port 81 is open on 10.0.0.7, [::1] and not on 127.0.0.1",
        ),
        (Machine({("10.0.0.7", 82): 0}), REFUSED, ""),
        (Machine({("127.0.0.1", 81): 5}), TimeoutError(errno.ETIMEDOUT, "x"), "5 connections wait"),
        (Machine({("127.0.0.1", 81): 0}), TimeoutError(errno.ETIMEDOUT, "x"), ""),
    ],
)
def test_why_this_machine_does_not_answer_itself_is_a_hint(machine: Machine, peer: OSError, hint: str) -> None:
    result = check(machine, "127.0.0.1:81", peer)
    said = " ".join(line for finding in result.diagnostics for line in finding.help)
    assert hint in said
    assert bool(hint) == ("open on" in said or "accept queue is full" in said)


def test_numbers_of_another_machine_say_nothing() -> None:
    network = FakeNetwork({str(APP): answers(OK)})
    network.kernel = Machine(towards={APP: 20_000}, ports=28_232)
    text = f"events {{}} http {{ server {{ location / {{ proxy_pass http://{APP}; }} }} }}"
    [row] = run(config_of(text), Options(timeout=0.1, vantage="elsewhere"), network).targets_json
    assert row["code"] == "OK"
