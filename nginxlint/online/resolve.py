"""Where a target's addresses come from: overrides, literals, the system for names nginx looks up when it starts, the
configured `resolver` for names it looks up at run time."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING

from nginxlint.online.literal import as_literal
from nginxlint.online.network import Network
from nginxlint.online.options import Options
from nginxlint.online.policy import Policy
from nginxlint.online.types import Answer, Resolution, ResolverSet, Target

if TYPE_CHECKING:
    from nginxlint.online.memory import Memory

MAX_ADDRESSES = 16
MAX_SEARCH = 6
REPEATS = 2
# A `valid` up to this is what people write to ask more seldom; beyond it a moved service is missed for long.
LONG_VALID = 60.0
# RFC 6761: no server on the Internet knows names below these.
NEVER_THERE = frozenset(("invalid", "example", "test"))


class Names:
    """The lookups of one run. Each name is asked once per way of asking, however many targets share it."""

    def __init__(self, network: Network, policy: Policy, options: Options, memory: Memory | None = None) -> None:
        self._memory = memory
        self._network = network
        self._policy = policy
        self._limit = options.dns_limit
        self._overrides = options.overrides()
        self._resolver = options.resolver_address()
        self._hidden = dict(options.hidden)
        self._running: dict[tuple[object, ...], asyncio.Task[Resolution]] = {}

    def at_once(self, target: Target) -> Resolution | None:
        """What is known without asking anybody; None where the name has to be looked up."""
        if target.unix:
            return Resolution(target.unix, "unix", total=1)
        host = target.host
        for port in (target.port, None):
            if found := self._overrides.get((host.lower().rstrip("."), port)):
                addresses, other = found
                return Resolution(host, "override", addresses, total=len(addresses), port=other)
        literal = as_literal(host)
        if literal is not None:
            return Resolution(host, "literal", (literal,), total=1)
        if denied := self._policy.name_denied(host):
            return Resolution(host, target.resolution, code="SKIP_POLICY", error=f"{denied}: not looked up")
        return None

    @staticmethod
    def key(target: Target) -> tuple[object, ...]:
        """The same for targets whose lookup is the same question."""
        return target.resolution, target.host.lower(), target.resolver

    async def resolve(self, target: Target) -> Resolution:
        """Never raises; what went wrong is in the resolution's code."""
        if (known := self.at_once(target)) is not None:
            return known
        key = self.key(target)
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.create_task(self._look_up(target))
        return await asyncio.shield(task)

    def stop(self) -> None:
        for task in self._running.values():
            task.cancel()

    async def _look_up(self, target: Target) -> Resolution:
        begin = time.perf_counter()
        answer = await (self._at_run_time(target) if target.resolution == "runtime" else self._at_start(target))
        ms = (time.perf_counter() - begin) * 1000
        addresses = tuple(dict.fromkeys(answer.addresses))
        if answer.code and (why := self._hidden.get(target.host.lower().rstrip("."))):
            return Resolution(target.host, target.resolution, (), ms, "NOT_FROM_HERE", why)
        return Resolution(
            target.host,
            target.resolution,
            addresses[:MAX_ADDRESSES],
            ms,
            answer.code,
            answer.error,
            answer.ttl,
            tuple(answer.chain),
            len(addresses),
            tuple(answer.failed_families),
            tuple(answer.remarks),
        )

    async def _at_start(self, target: Target) -> Answer:
        """As getaddrinfo does when nginx reads its configuration."""
        if self._resolver is not None:
            answer = await self._ask((self._resolver,), target.host, self._limit, ResolverSet(()))
            if answer.addresses:
                return Answer(answer.addresses, ttl=answer.ttl, chain=answer.chain)
        try:
            async with asyncio.timeout(self._limit):
                answer = Answer(await self._network.lookup(target.host))
                if self._memory is not None:
                    await self._compare(target.host, answer, self._memory)
                return answer
        except TimeoutError:
            return Answer(code="DNS_PENDING", error=f"the system's lookup gave no answer in {self._limit:g} s")
        except UnicodeError as error:
            return Answer(code="CFG_HOST", error=f"it cannot be a host name ({error})")
        except socket.gaierror as error:
            top = target.host.rstrip(".").rpartition(".")[2].lower()
            if error.errno == socket.EAI_AGAIN and top not in NEVER_THERE and self._resolver is None:
                return Answer(code="DNS_PENDING", error="no DNS server of this machine answers")
            return Answer(code="CFG_HOST", error=error.strerror or "not found")
        except OSError as error:
            return Answer(code="TOOL_FAULT", error=f"the system's lookup failed: {error.strerror or error}")

    async def _compare(self, host: str, answer: Answer, memory: Memory) -> None:
        """Has the name moved since nginx looked it up? Answers that turn come back within a few more lookups."""
        addresses = tuple(answer.addresses)
        for _ in range(REPEATS if memory.moved(host, addresses) else 0):
            addresses = tuple(dict.fromkeys([*addresses, *await self._network.lookup(host)]))
        if said := memory.moved(host, addresses):
            answer.remarks.append(("DNS_STALE" if memory.started is not None else "DNS_MOVED", said))
        memory.remember(host, addresses)

    async def _at_run_time(self, target: Target) -> Answer:
        """As nginx's resolver does on the first request."""
        wanted = target.resolver
        if wanted is None or (not wanted.servers and self._resolver is None):
            return Answer(code="DNS_NORESOLVER", error="no resolver is defined")
        servers = (self._resolver,) if self._resolver is not None else await self._servers(wanted.servers)
        denied = [why for server in servers if (why := self._policy.address_denied(server[0]))]
        if denied or not servers:
            reason = denied[0] if denied else "the resolver's own name does not resolve"
            return Answer(code="SKIP_POLICY" if denied else "DNS_TIMEOUT", error=f"{reason}: not asked")
        limit = min(self._limit, wanted.timeout)
        answer = await self._ask(servers, target.host, limit, wanted)
        if answer.code in ("DNS_NOTFOUND", "DNS_NODATA") and not answer.addresses:
            await self._known_otherwise(answer, servers, target.host, wanted)
        elif not answer.code and _outlives(wanted.valid, answer):
            answer.remarks.append(("DNS_VALID", f"TTL {answer.ttl} s, valid={wanted.valid:g}s"))
        return answer

    async def _known_otherwise(
        self, answer: Answer, servers: tuple[tuple[str, int], ...], host: str, wanted: ResolverSet
    ) -> None:
        """A name nginx's resolver does not find: why do people think that it is there?"""
        if "." not in host.rstrip("."):
            for domain in self._network.search_domains()[:MAX_SEARCH]:
                longer = f"{host.rstrip('.')}.{domain}"
                if not (await self._ask(servers, longer, min(1.0, self._limit), wanted)).code:
                    answer.error += f"; it knows {longer}: write the full name, nginx uses no search domains"
                    return
        if await self._system_knows(host):
            answer.code = "DNS_HOSTSONLY"
            answer.error += "; this machine's hosts file or search list knows it, nginx's resolver reads neither"

    async def _ask(self, servers: tuple[tuple[str, int], ...], name: str, limit: float, wanted: ResolverSet) -> Answer:
        # dnspython takes longer to import than many a run takes without it
        from nginxlint.online.dns import ask_servers

        return await ask_servers(
            self._network, servers, name, limit, ipv4=wanted.ipv4, ipv6=wanted.ipv6, patience=wanted.timeout
        )

    async def _servers(self, named: tuple[tuple[str, int], ...]) -> tuple[tuple[str, int], ...]:
        found: list[tuple[str, int]] = []
        for host, port in named:
            if (literal := as_literal(host)) is not None:
                found.append((literal, port))
                continue
            try:
                async with asyncio.timeout(self._limit):
                    found.extend((address, port) for address in await self._network.lookup(host))
            except (OSError, UnicodeError):
                continue
        return tuple(found)

    async def _system_knows(self, host: str) -> bool:
        try:
            async with asyncio.timeout(min(1.0, self._limit)):
                return bool(await self._network.lookup(host))
        except (OSError, UnicodeError):
            return False


def _outlives(valid: float | None, answer: Answer) -> bool:
    """Does nginx keep the address much longer than the record lives?"""
    if valid is None or answer.ttl is None or not answer.authoritative:
        return False  # a server that is not authoritative counts its TTL down
    return valid > max(answer.ttl, LONG_VALID)
