"""Look up, dial, speak: everything of a run that needs the network. What comes out is evidence, not yet a verdict."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from nginxlint.online.earlier_answers import EarlierAnswers
from nginxlint.online.machine import Machine
from nginxlint.online.memory import Memory
from nginxlint.online.network import Network
from nginxlint.online.options import Options
from nginxlint.online.policy import Policy, is_loopback
from nginxlint.online.probe import Prober
from nginxlint.online.resolve import Names
from nginxlint.online.running import Usage
from nginxlint.online.schedule import Pace, Schedule, slots_for
from nginxlint.online.types import Address, Observation, Phase, Resolution, Target

# (probes done, probes known, what was just probed)
Progress = Callable[[int, int, str], None]
Key = tuple[object, ...]
LOOKUPS_AT_ONCE = 50
MOST_TRACES = 8
Seen = dict[Address, "Observation | str"]


@dataclass(slots=True)
class Evidence:
    """What is known of each target (by its id): what its name resolves to, and per address what a probe saw, or the
    code why it was not probed. `vantage` says from where. `held`: whom the running nginx is connected to, `machine`: what
    the kernel of this machine knows, `used`: what its workers have in use. `reused` is how many answers are those of
    earlier runs."""

    resolutions: dict[str, Resolution] = field(default_factory=dict)
    observations: dict[str, Seen] = field(default_factory=dict)
    interrupted: bool = False
    vantage: str = ""
    held: frozenset[tuple[str, int]] = frozenset()
    machine: Machine | None = None
    used: list[Usage] = field(default_factory=list)
    reused: int = 0


def gather(
    targets: list[Target],
    options: Options,
    network: Network,
    version: tuple[int, int, int],
    progress: Progress | None = None,
    memory: Memory | None = None,
    earlier: EarlierAnswers | None = None,
) -> Evidence:
    """Ask the network about every target, within the budget, whatever happens. What `earlier` knows is not asked again.
    Raises nothing for what the network does."""
    work = _Gathering(targets, options, network, version, progress, memory, earlier)
    asyncio.run(work.all())
    return work.evidence()


class _Gathering:
    def __init__(
        self,
        targets: list[Target],
        options: Options,
        network: Network,
        version: tuple[int, int, int],
        progress: Progress | None,
        memory: Memory | None,
        earlier: EarlierAnswers | None,
    ) -> None:
        self.options = options
        self.targets = targets
        self.progress = progress
        self.policy = Policy(options.allow, options.deny)
        self.network = network
        self.earlier = earlier
        self.reused = 0
        self.way = version, options.probe_level, options.connect_limit, options.read_limit
        self.names = Names(network, self.policy, options, memory)
        self.prober = Prober(network, options, version)
        self.resolutions: dict[str, Resolution] = {}
        self.keys: dict[str, dict[Address, Key]] = {}
        self.denied: dict[tuple[str, Address], str] = {}
        self.seen: dict[Key, Observation] = {}
        self.pace = Pace(options.rate)
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
        left = self.options.budget - (time.monotonic() - begin)
        if self.options.trace and left > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._trace()

    async def _trace(self) -> None:
        """Where packets to the silent addresses are lost: a hint for each, never a verdict."""
        silent: dict[Address, list[Key]] = {}
        for key, seen in self.seen.items():
            if seen.failure is not None and seen.failure.code == "L4_TIMEOUT" and not is_loopback(seen.address.host):
                silent.setdefault(seen.address, []).append(key)
        addresses = list(silent)[:MOST_TRACES]
        ways = await asyncio.gather(*(self.network.trace(address) for address in addresses))
        for address, way in zip(addresses, ways, strict=True):
            for key in silent[address]:
                self.seen[key] = replace(self.seen[key], hints=(*self.seen[key].hints, way))

    async def _resolve(self, wanted: list[Target], seconds: float) -> None:
        waiting: dict[Key, list[Target]] = {}
        for target in wanted:
            known = self.names.at_once(target)
            if known is not None:
                self.resolutions[target.id] = known
            else:
                waiting.setdefault(self.names.key(target), []).append(target)
        questions = iter(waiting.values())

        async def ask() -> None:
            for alike in questions:
                answer = await self.names.resolve(alike[0])
                self.resolutions.update((target.id, answer) for target in alike)

        # Few at a time: a hanging server must not hold every descriptor.
        tasks = [asyncio.create_task(ask()) for _ in range(min(LOOKUPS_AT_ONCE, len(waiting)))]
        try:
            async with asyncio.timeout(seconds):
                await asyncio.gather(*tasks)
        except TimeoutError:
            pass  # the rest stays unjudged
        finally:
            self.names.stop()
            for task in tasks:
                task.cancel()

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
                if key not in known and not self._asked_before(key, target, address):
                    known.add(key)
                    hand = (address, target.tls, target.proxy_protocol, target.timeouts.connect, target.worker_user)
                    plan.setdefault(hand, []).append((key, target, address))
        self.known = len(known)
        return plan

    def _asked_before(self, key: Key, target: Target, address: Address) -> bool:
        """Is there an answer of an earlier run?"""
        if self.earlier is None or key in self.seen:
            return key in self.seen
        found = self.earlier.find(self._earlier_key(self.earlier, key, target), address)
        if found is not None:
            self.seen[key] = found
            self.reused += 1
        return found is not None

    def _earlier_key(self, earlier: EarlierAnswers, key: Key, target: Target) -> str:
        return earlier.key((key, self.way), target.tls.files if target.tls is not None else ())

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
        if not address.unix and not is_loopback(address.host):  # other people's machines and networks
            await self.pace.turn()
            if not alone and self.options.jitter:
                await asyncio.sleep(random.random() * self.options.jitter)
        seen = self.seen[key] = await self.prober.probe(target, address)
        if self.earlier is not None:
            self.earlier.keep(self._earlier_key(self.earlier, key, target), seen)
        if self.progress is not None:
            self.progress(len(self.seen), self.known, target.label)
        return seen

    def evidence(self) -> Evidence:
        self._doubt_our_own_network()
        found = Evidence(self.resolutions, interrupted=self.interrupted, reused=self.reused)
        why = "interrupted" if self.interrupted else "the time budget was spent before its turn"
        late = f"NOT_CHECKED:{why}"
        for target in self.targets:
            resolution = self.resolutions.setdefault(
                target.id, Resolution(target.host, target.resolution, code="NOT_CHECKED", error=why)
            )
            if self.options.probe_level == "dns" and not resolution.code:
                phases = (Phase("dns", resolution.ms, detail=resolution.how),)
                found.observations[target.id] = {
                    address: Observation(address, phases) for address in _addresses(target, resolution)
                }
                continue
            seen = found.observations[target.id] = {}
            for address, key in self.keys.pop(target.id, {}).items():
                if (reason := self.denied.get((target.id, address))) is not None:
                    seen[address] = f"SKIP_POLICY:{reason}"
                else:
                    seen[address] = self.seen.get(key, late)
        return found

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
    return [Address(address, resolution.port or target.port or 0) for address in resolution.addresses]


def _probe_key(target: Target, address: Address) -> Key:
    """Probes with the same key would see the same."""
    return (
        address,
        target.port,
        target.protocol,
        target.directive in ("grpc_pass", "stream"),
        target.tls,
        target.host_header,
        target.path,
        target.headers,
        target.http_version,
        target.room,
        target.buffering,
        target.timeouts,
        target.proxy_protocol,
        target.keeps,
        target.upgrades,
        target.worker_user,
        target.method,
        target.patience,
        target.client_url.partition("://")[2].partition("/")[0],
    )
