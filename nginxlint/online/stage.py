"""The online stage from end to end: targets, names, probes, verdicts, findings."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from nginxlint.config import Config
from nginxlint.diagnostic import Diagnostic
from nginxlint.online.findings import findings
from nginxlint.online.groups import judge_groups, rescue
from nginxlint.online.network import Network, RealNetwork
from nginxlint.online.options import Options
from nginxlint.online.plan import plan_of
from nginxlint.online.policy import Policy, is_loopback
from nginxlint.online.probe import Prober
from nginxlint.online.resolve import Names
from nginxlint.online.rows import Row, row
from nginxlint.online.schedule import Schedule, slots_for
from nginxlint.online.target import targets_of
from nginxlint.online.types import Address, Observation, Phase, Resolution, Target, Verdict
from nginxlint.online.verdict import Circumstances, judge

WORDS = ("ok", "degraded", "failed", "unknown", "not-probed")
# (probes done, probes known, what was just probed)
Progress = Callable[[int, int, str], None]
Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class OnlineResult:
    """What the stage found. `complete` is false where something could not be judged for reasons of ours (budget,
    interruption, local faults); `summary` is a line for people, `counts` the targets by verdict word; `vantage` says
    from where it was seen."""

    diagnostics: list[Diagnostic]
    targets_json: list[Row]
    complete: bool
    summary: str
    counts: dict[str, int]
    interrupted: bool = False
    vantage: str = ""


def run(
    config: Config, options: Options | None = None, network: Network | None = None, progress: Progress | None = None
) -> OnlineResult:
    """Probe every target of a configuration and judge it. Raises nothing for what the network does."""
    options = options or Options()
    targets = targets_of(config)
    if not targets:
        return OnlineResult([], [], True, "", dict.fromkeys(WORDS, 0))
    door = network or RealNetwork()
    work = _Run(config, options, door, targets, progress)
    try:
        asyncio.run(work.all())
    finally:
        if network is None:
            door.close()
    return work.result()


class _Run:
    def __init__(
        self, config: Config, options: Options, network: Network, targets: list[Target], progress: Progress | None
    ) -> None:
        self.config = config
        self.options = options
        self.targets = targets
        self.progress = progress
        self.version = options.nginx_version or config.version
        self.policy = Policy(options.allow, options.deny)
        self.names = Names(network, self.policy, options)
        self.prober = Prober(network, options, self.version)
        self.resolutions: dict[str, Resolution] = {}
        self.keys: dict[str, dict[Address, Key]] = {}
        self.denied: dict[tuple[str, Address], str] = {}
        self.seen: dict[Key, Observation] = {}
        self.known = 0
        self.interrupted = False

    async def all(self) -> None:
        """Within the budget, whatever happens; what is late stays unjudged."""
        begin = time.monotonic()
        work = asyncio.create_task(self._work(begin))
        with self._interruptible(work):
            try:
                await work
            except asyncio.CancelledError:
                if not self.interrupted:
                    raise

    @contextlib.contextmanager
    def _interruptible(self, work: asyncio.Task[None]) -> Iterator[None]:
        """Ctrl-C and SIGTERM end the probing, not the report."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()

        def stop() -> None:
            self.interrupted = True
            work.cancel()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    async def _work(self, begin: float) -> None:
        wanted = [target for target in self.targets if target.skip is None or target.skip[0] == "SKIP_UDP"]
        if wanted:
            await self._resolve(wanted, self.options.budget)
        if self.options.probe_level == "dns":
            return
        schedule = Schedule(slots_for(self.options.concurrency), self.options.per_host)
        for key, followers in self._plan(wanted).items():
            self._enqueue(schedule, key, followers)
        left = self.options.budget - (time.monotonic() - begin)
        if self.known and left > 0:
            await schedule.run(left)

    async def _resolve(self, wanted: list[Target], seconds: float) -> None:
        tasks = {asyncio.create_task(self.names.resolve(target)): target for target in wanted}
        try:
            await asyncio.wait(tasks, timeout=seconds)
        finally:
            self.names.stop()
            for task, target in tasks.items():
                if task.done() and not task.cancelled() and task.exception() is None:
                    self.resolutions[target.id] = task.result()
                task.cancel()
        for task in tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error

    def _plan(self, wanted: list[Target]) -> dict[Key, list[tuple[Key, Target, Address]]]:
        """What to probe: by address and handshake (one leader tells whether the others need be tried), then by
        question. Identical probes are made once."""
        plan: dict[Key, list[tuple[Key, Target, Address]]] = {}
        known: set[Key] = set()
        for target in wanted:
            resolution = self.resolutions.get(target.id)
            if resolution is None or resolution.code or target.skip is not None:
                continue
            if target.role is not None and target.role.down and not self.options.include_down:
                continue
            self.keys[target.id] = {}
            for address in _addresses(target, resolution):
                reason = "" if address.unix else self.policy.address_denied(address.host)
                if reason:
                    self.denied[target.id, address] = reason
                    self.keys[target.id][address] = ()
                    continue
                key = _probe_key(target, address)
                self.keys[target.id][address] = key
                if key not in known:
                    known.add(key)
                    hand = (address, target.tls, target.proxy_protocol, target.timeouts.connect, target.worker_user)
                    plan.setdefault(hand, []).append((key, target, address))
        self.known = len(known)
        return plan

    def _enqueue(self, schedule: Schedule, hand: Key, jobs: list[tuple[Key, Target, Address]]) -> None:
        host = jobs[0][2].unix or jobs[0][2].host
        # The per-host gate is about other people's machines; loopback is told apart by port.
        gate = str(jobs[0][2]) if is_loopback(host) else host

        async def lead() -> None:
            key, target, address = jobs[0]
            seen = await self._probe(key, target, address, alone=len(jobs) == 1)
            failure = seen.failure
            if failure is not None and failure.name in ("tcp", "tls"):
                for other, _, _ in jobs[1:]:
                    self.seen[other] = seen
                return
            for job in jobs[1:]:
                schedule.add(gate, self._follower(job))

        schedule.add(gate, lead)

    def _follower(self, job: tuple[Key, Target, Address]) -> Callable[[], asyncio.Future[None]]:
        async def follow() -> None:
            await self._probe(*job, alone=False)

        return lambda: asyncio.ensure_future(follow())

    async def _probe(self, key: Key, target: Target, address: Address, *, alone: bool) -> Observation:
        if not alone and self.options.jitter:
            await asyncio.sleep(random.random() * self.options.jitter)
        seen = self.seen[key] = await self.prober.probe(target, address)
        if self.progress is not None:
            self.progress(len(self.seen), self.known, target.label)
        return seen

    def result(self) -> OnlineResult:
        """Judge what was seen; pure from here on."""
        self._doubt_our_own_network()
        circumstances = Circumstances(
            self.version, time.time(), self.options.certificate_days, self.policy, self.options.include_down
        )
        verdicts = rescue([self._judge(target, circumstances) for target in self.targets])
        counts = Counter(verdict.word for verdict in verdicts)
        ours = any(verdict.code in ("NOT_CHECKED", "TOOL_FAULT", "DNS_PENDING", "CFG_TLS") for verdict in verdicts)
        return OnlineResult(
            findings(self.config, verdicts, judge_groups(verdicts)),
            [row(verdict) for verdict in verdicts],
            complete=not ours and not self.interrupted,
            summary=_summary(counts),
            counts={word: counts.get(word, 0) for word in WORDS},
            interrupted=self.interrupted,
            vantage=socket.gethostname(),
        )

    def _judge(self, target: Target, circumstances: Circumstances) -> Verdict:
        resolution = self.resolutions.get(target.id)
        if self.options.probe_level == "dns" and resolution is not None and not resolution.code:
            phases = (Phase("dns", resolution.ms, detail=resolution.how),)
            only = {address: Observation(address, phases) for address in _addresses(target, resolution)}
            return judge(target, resolution, only, circumstances)
        late = (
            "NOT_CHECKED:interrupted" if self.interrupted else "NOT_CHECKED:the time budget was spent before its turn"
        )
        observations: dict[Address, Observation | str] = {}
        for address, key in self.keys.get(target.id, {}).items():
            if (reason := self.denied.get((target.id, address))) is not None:
                observations[address] = f"SKIP_POLICY:{reason}"
            else:
                observations[address] = self.seen.get(key, late)
        return judge(target, resolution, observations, circumstances)

    def _doubt_our_own_network(self) -> None:
        """Where every address of a family is unreachable, it is this machine that has no way out."""
        for version in (4, 6):
            family = {
                key: seen
                for key, seen in self.seen.items()
                if not seen.address.unix
                and (":" in seen.address.host) == (version == 6)
                and not is_loopback(seen.address.host)
            }
            failures = [seen.failure for seen in family.values()]
            if failures and all(f is not None and f.detail == "network is unreachable" for f in failures):
                for key, seen in family.items():
                    phase = Phase(
                        "tcp", seen.phases[-1].ms, "TOOL_FAULT", f"this machine has no route for IPv{version}"
                    )
                    self.seen[key] = Observation(seen.address, (phase,))


def _addresses(target: Target, resolution: Resolution) -> list[Address]:
    if target.unix:
        return [Address("", 0, target.unix)]
    return [Address(address, target.port or 0) for address in resolution.addresses]


def _probe_key(target: Target, address: Address) -> Key:
    """Probes with the same key would see the same."""
    return (
        address,
        target.protocol,
        target.directive in ("grpc_pass", "stream"),
        target.tls,
        target.host_header,
        target.path,
        target.headers,
        target.http_version,
        target.buffer_size,
        target.timeouts,
        target.proxy_protocol,
        target.worker_user,
        target.client_url.partition("://")[2].partition("/")[0],
    )


def _summary(counts: Counter[str]) -> str:
    total = counts.total()
    words = ", ".join(f"{counts[word]} {word.replace('-', ' ')}" for word in WORDS if counts[word])
    return f"{total} target{'' if total == 1 else 's'}: {words}"


def plan(config: Config, options: Options | None = None) -> str:
    """What a run would contact and why, as text; nothing is sent (see plan.py for the same as data)."""
    return plan_of(config, options).text()
