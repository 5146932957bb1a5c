"""Who may be asked when: a bounded number of probes at once, fewer at the same host, nothing after the deadline."""

from __future__ import annotations

import asyncio
import os
import resource
from collections import deque
from collections.abc import Awaitable, Callable

Work = Callable[[], Awaitable[None]]
# Descriptors the process may come to need besides those it has, and what one probe may (its connection, one to spare).
RESERVED = 48
PER_PROBE = 2


def slots_for(wanted: int) -> int:
    """As many as wanted, as few as the limit on open files allows."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    return max(1, min(wanted, (soft - _open_now() - RESERVED) // PER_PROBE))


def _open_now() -> int:
    try:
        return len(os.listdir("/proc/self/fd"))
    except OSError:
        return RESERVED  # not Linux


class Pace:
    """At most `rate` turns a second; 0 is no limit."""

    def __init__(self, rate: float) -> None:
        self._between = 1 / rate if rate else 0.0
        self._next = 0.0

    async def turn(self) -> None:
        """Wait until it is the caller's turn."""
        now = asyncio.get_running_loop().time()
        at = max(now, self._next)
        self._next = at + self._between
        if at > now:
            await asyncio.sleep(at - now)


class Schedule:
    """Work by host. A host at its limit waits without holding a slot, so one slow host cannot take them all."""

    def __init__(self, slots: int, per_host: int) -> None:
        self._slots = slots
        self._per_host = per_host
        self._waiting: dict[str, deque[Work]] = {}
        self._at_host: dict[str, int] = {}
        self._ready: deque[str] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._idle: asyncio.Future[None] | None = None
        self._stopped = False

    def add(self, host: str, work: Work) -> None:
        queue = self._waiting.setdefault(host, deque())
        queue.append(work)
        if len(queue) == 1 and self._at_host.get(host, 0) < self._per_host:
            self._ready.append(host)
        if self._idle is not None:
            self._pump()

    async def run(self, seconds: float) -> bool:
        """Do all of it, including what is added on the way. False: the time ran out and some was not done."""
        self._idle = asyncio.get_running_loop().create_future()
        self._pump()
        try:
            async with asyncio.timeout(seconds):
                await asyncio.shield(self._idle)
            return True
        except TimeoutError:
            return False
        finally:
            self._stopped = True
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    def _pump(self) -> None:
        while self._ready and len(self._running) < self._slots and not self._stopped:
            host = self._ready.popleft()
            queue = self._waiting.get(host)
            if not queue or self._at_host.get(host, 0) >= self._per_host:
                continue
            work = queue.popleft()
            self._at_host[host] = self._at_host.get(host, 0) + 1
            if queue:
                if self._at_host[host] < self._per_host:
                    self._ready.append(host)
            else:
                del self._waiting[host]
            task = asyncio.ensure_future(work())
            assert isinstance(task, asyncio.Task)
            self._running.add(task)
            task.add_done_callback(lambda done, host=host: self._finished(done, host))  # type: ignore[misc]
        if not self._running and not self._waiting and self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    def _finished(self, task: asyncio.Task[None], host: str) -> None:
        self._running.discard(task)
        self._at_host[host] -= 1
        if self._at_host[host] == 0:
            del self._at_host[host]
        if self._waiting.get(host):
            self._ready.append(host)
        if not task.cancelled() and (error := task.exception()) is not None and self._idle is not None:
            if not self._idle.done():
                self._idle.set_exception(error)  # a bug of ours: let it be seen
            return
        self._pump()
