"""The online stage against a curl loop and the blackbox exporter, and against its own bounds; on loopback only.

    python benchmarks/online.py            # about two minutes; --rounds 5 for steadier medians

Peers run at the same concurrency against the same targets, in turn (A B C A B C …); ratios are medians of the ratios of
the rounds. The exporter is a service that has started and been told its targets, so against it and against curl counts
the online stage: from the parsed configuration to the judged findings (`--timings`). The same ratios of the whole process
(start-up, reading, all rules, report) are printed as well; CPU and memory are those of the whole process. Every limit of
issue 6 is printed with what was measured; the exit code is 1 where one is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

SLOTS = 100
PLAIN = 1000
FIRST_PORT = 21000
ANY_PORT = 20900
EXPORTER_PORT = 20901
DEAD_SHARE = 10
DEAD_TIMEOUT = 1.0
BUDGET = 2.0
MANY = 10_000


class Cost:
    """One run of a command: wall and CPU seconds, peak resident MiB, peak descriptors, exit code, output."""

    def __init__(self, command: Sequence[str], *, watch: bool = False) -> None:
        self.descriptors = 0
        begin = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        done = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(process.pid, done), daemon=True)
        if watch:
            watcher.start()
        assert process.stdout is not None
        assert process.stderr is not None
        self.out = process.stdout.read().decode(errors="replace")
        errors = process.stderr.read().decode(errors="replace")  # a few lines: they wait in the pipe
        _, status, usage = os.wait4(process.pid, 0)
        self.wall = time.monotonic() - begin
        done.set()
        process.returncode = self.code = os.waitstatus_to_exitcode(status)
        self.cpu = usage.ru_utime + usage.ru_stime
        self.peak = usage.ru_maxrss / 1024
        self.timings = {name: float(ms) / 1000 for ms, name in re.findall(r"([\d.]+) ms  (.+)", errors)}

    @property
    def stage(self) -> float:
        """Wall seconds of the online stage."""
        return self.timings["online"]

    def _watch(self, pid: int, done: threading.Event) -> None:
        while not done.wait(0.003):
            try:
                self.descriptors = max(self.descriptors, len(os.listdir(f"/proc/{pid}/fd")))
            except OSError:
                return


def nginxlint(config: str, *options: str, watch: bool = False) -> Cost:
    words = (
        "check",
        "--no-config",
        "--online",
        "--concurrency",
        str(SLOTS),
        "-o",
        "json",
        "--timings",
        *options,
        config,
    )
    return Cost([sys.executable, "-m", "nginxlint", *words], watch=watch)


@contextmanager
def servers(folder: str) -> Iterator[None]:
    """A real nginx that answers 200 on every plain port, and on one port of every loopback address."""
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    ports = "".join(f"listen 127.0.0.1:{FIRST_PORT + n};" for n in range(PLAIN))
    with open(os.path.join(folder, "server.conf"), "w", encoding="ascii") as file:
        file.write(
            f"daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; worker_rlimit_nofile 20000;"
            f"events {{ worker_connections 8192; }} http {{ access_log off; "
            f"server {{ {ports} listen {ANY_PORT} backlog=4096; location / {{ return 200 ok; }} }} }}"
        )
    with _running([binary, "-p", folder, "-c", f"{folder}/server.conf"], ANY_PORT):
        yield


@contextmanager
def _running(command: list[str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as sock:
                if sock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        else:
            raise SystemExit(f"{command[0]} does not start")
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def black_holes(number: int) -> Iterator[list[int]]:
    """Ports whose accept queue is full: the kernel drops further SYN packets, as a firewall would."""
    with ExitStack() as stack:
        ports = []
        for _ in range(number):
            listener = stack.enter_context(socket.socket())
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            ports.append(listener.getsockname()[1])
            for _ in range(3):
                sock = stack.enter_context(socket.socket())
                sock.setblocking(False)
                sock.connect_ex(listener.getsockname())
        time.sleep(0.2)
        yield ports


def configuration(folder: str, name: str, targets: Sequence[str]) -> str:
    path = os.path.join(folder, name)
    with open(path, "w", encoding="ascii") as file:
        file.write("events {}\nhttp {\nproxy_set_header Host $host;\n")
        for number, target in enumerate(targets):
            head = f"server {{ listen 80; server_name s{number}.test;"
            file.write(f"{head} location / {{ proxy_pass http://{target}; }} }}\n")
        file.write("}\n")
    return path


def curl_loop(targets: Sequence[str]) -> float:
    """Wall seconds of the loop an operator would write."""
    script = "for t in $0 $@; do curl -s -o /dev/null -m 5 http://$t/; done"
    return Cost(["sh", "-c", script, *targets]).wall


async def _exporter(targets: Sequence[str]) -> None:
    """Drive the exporter over kept connections, so that its driver costs next to nothing."""
    waiting = iter(targets)

    async def worker() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", EXPORTER_PORT)
        for target in waiting:
            writer.write(f"GET /probe?module=plain&target=http://{target}/ HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            lower = head.lower()
            if b"content-length:" in lower:
                body = await reader.readexactly(int(lower.split(b"content-length:")[1].split(b"\r\n")[0]))
            else:
                body = b""
                while (size := int((await reader.readline()).strip(), 16)) > 0:
                    body += (await reader.readexactly(size + 2))[:-2]
                await reader.readline()
            if b"probe_success 1" not in body:
                raise SystemExit(f"the exporter does not find {target} up")
        writer.close()

    await asyncio.gather(*(worker() for _ in range(SLOTS)))


def exporter(targets: Sequence[str]) -> float:
    begin = time.monotonic()
    asyncio.run(_exporter(targets))
    return time.monotonic() - begin


MODULES = """modules:
  plain:
    prober: http
    timeout: 5s
    http: {preferred_ip_protocol: ip4, method: HEAD}
"""


class Table:
    """What was measured beside what is allowed."""

    def __init__(self) -> None:
        self.missed = 0

    def row(self, what: str, value: float, limit: float | None, unit: str, *, at_least: bool = False) -> None:
        if limit is None:
            print(f"{what:58} {value:8.2f} {unit}", flush=True)
            return
        good = value >= limit if at_least else value <= limit
        self.missed += not good
        sign = "≥" if at_least else "≤"
        print(f"{what:58} {value:8.2f} {unit:4} {sign} {limit:<7.2f} {'ok' if good else 'MISSED'}", flush=True)


def plain(table: Table, folder: str, rounds: int) -> float:
    """1,000 plain targets against the peers; gives the wall seconds of ours."""
    targets = [f"127.0.0.1:{FIRST_PORT + n}" for n in range(PLAIN)]
    config = configuration(folder, "plain.conf", targets)
    binary = shutil.which("prometheus-blackbox-exporter")
    ours: list[Cost] = []
    curls: list[float] = []
    exporters: list[float] = []
    with ExitStack() as stack:
        if binary:
            with open(f"{folder}/modules.yml", "w", encoding="ascii") as file:
                file.write(MODULES)
            command = [binary, f"--config.file={folder}/modules.yml", f"--web.listen-address=127.0.0.1:{EXPORTER_PORT}"]
            stack.enter_context(_running(command, EXPORTER_PORT))
        for number in range(rounds):
            ours.append(nginxlint(config, watch=True))
            if ours[-1].code != 0:
                raise SystemExit(f"nginxlint ended with {ours[-1].code}: {ours[-1].out[-400:]}")
            if binary:
                exporters.append(exporter(targets))
            if number < 3:
                curls.append(curl_loop(targets))
    wall, stage = (statistics.median(values) for values in ([c.wall for c in ours], [c.stage for c in ours]))
    print(f"{PLAIN} plain targets, {SLOTS} at once, {rounds} rounds: online stage {stage:.2f} s, process {wall:.2f} s")
    curl = statistics.median(curls)
    ratio = statistics.median(other / cost.stage for other, cost in zip(curls, ours, strict=False))
    table.row(f"curl loop ({curl:.1f} s) ÷ online stage", ratio, 20, "×", at_least=True)
    table.row(
        "curl loop ÷ whole process", statistics.median(o / c.wall for o, c in zip(curls, ours, strict=False)), None, "×"
    )
    if exporters:
        other = statistics.median(exporters)
        ratio = statistics.median(cost.stage / one for cost, one in zip(ours, exporters, strict=True))
        table.row(f"online stage ÷ blackbox exporter ({other:.2f} s)", ratio, 1.0, "×")
        ratio = statistics.median(cost.wall / one for cost, one in zip(ours, exporters, strict=True))
        table.row("whole process ÷ blackbox exporter", ratio, None, "×")
    else:
        print("blackbox exporter: not installed (apt-get install prometheus-blackbox-exporter), not compared")
    table.row("CPU", statistics.median(cost.cpu for cost in ours), 1.0, "s")
    table.row("peak descriptors", max(cost.descriptors for cost in ours), SLOTS + 32, "")
    table.row("peak resident", max(cost.peak for cost in ours), 120, "MiB")
    return wall


def dead(table: Table, folder: str, healthy: float) -> None:
    """10 % black holes, then a budget that cannot suffice."""
    number = PLAIN // DEAD_SHARE
    with black_holes(number) as holes:
        targets = [f"127.0.0.1:{FIRST_PORT + n}" for n in range(PLAIN - number)]
        for at, hole in enumerate(holes):
            targets.insert(at * DEAD_SHARE, f"127.0.0.1:{hole}")
        config = configuration(folder, "dead.conf", targets)
        cost = nginxlint(config, "--timeout", str(DEAD_TIMEOUT))
        limit = 1.3 * (number / SLOTS * DEAD_TIMEOUT) + healthy
        table.row(f"{number} black holes among {PLAIN}", cost.wall, limit, "s")
        found = cost.out.count('"code": "L4_TIMEOUT"')
        table.row("black holes found", found, number, "", at_least=True)
        holes_only = configuration(folder, "holes.conf", [f"127.0.0.1:{hole}" for hole in holes])
        cost = nginxlint(holes_only, "--timeout", "30", "--budget", str(BUDGET))
        table.row(f"{number} black holes, timeout 30 s, budget {BUDGET:g} s", cost.wall, BUDGET + 1, "s")


def many(table: Table, folder: str) -> None:
    targets = [f"127.1.{n // 250}.{n % 250 + 1}:{ANY_PORT}" for n in range(MANY)]
    cost = nginxlint(configuration(folder, "many.conf", targets), watch=True)
    if cost.code != 0:
        raise SystemExit(f"nginxlint ended with {cost.code}: {cost.out[-400:]}")
    print(f"{MANY} targets on as many addresses: {cost.wall:.1f} s, {cost.cpu:.1f} s CPU")
    table.row("peak resident", cost.peak, 120, "MiB")
    table.row("peak descriptors", cost.descriptors, SLOTS + 32, "")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384) if hard > 0 else 16384, hard))
    table = Table()
    with tempfile.TemporaryDirectory(prefix="nginxlint-bench-") as folder:
        os.chmod(folder, 0o755)
        with servers(folder):
            healthy = plain(table, folder, rounds)
            dead(table, folder, healthy)
            many(table, folder)
    return 1 if table.missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
