"""Probe one address of one target: connect, shake hands, speak, look twice where the first look needs explaining."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from nginxlint.online.body import look
from nginxlint.online.certificate import read_certificate
from nginxlint.online.classify import OPEN, TIMEOUT, accel_redirect, classify
from nginxlint.online.failure import Failure
from nginxlint.online.network import Network, Stream, close_quietly
from nginxlint.online.policy import TCP_ONLY_PORTS
from nginxlint.online.slow import first_byte, middle, near_limit
from nginxlint.online.speak import PROXY_LOCAL, PROXY_UNKNOWN, ask, failure_of, unasked
from nginxlint.online.steps import can_connect_from, connect, exchange, secure, usable
from nginxlint.online.tls import TlsStream
from nginxlint.online.types import STAGES, Address, Certificate, Observation, Phase, Target
from nginxlint.online.untrusted import clean

if TYPE_CHECKING:
    from nginxlint.online.classify import Version
    from nginxlint.online.options import Options

# What may have been bad luck is asked once more before anything is claimed.
_CHANCE = frozenset(("L7_RESET", "L7_CLOSED", "L7_TIMEOUT"))
BANNER_WAIT = 0.3


class Prober:
    """Probes of one run."""

    def __init__(self, network: Network, options: Options, version: Version) -> None:
        self.network = network
        self.options = options
        self.version = version

    async def probe(self, target: Target, address: Address) -> Observation:
        """What nginx would meet at this address. Never raises but for cancellation."""
        if target.protocol == "dns":
            # dnspython takes longer to import than many a run takes without it
            from nginxlint.online.dns import ask_resolver

            return await ask_resolver(self.network, address, self.options.dns_limit)
        # What visitors ask: size of the head, framing and status are only faithful with GET.
        method = target.method or "GET"
        seen = await self.attempt(target, address, method)
        for _ in range(self.options.retries):
            if not _by_chance(target, seen):
                break
            await asyncio.sleep(self.options.retry_pause)
            seen = replace(await self.attempt(target, address, method), tries=seen.tries + 1)
        return await self._explained(target, address, await self._steadied(target, address, seen, method))

    async def _steadied(self, target: Target, address: Address, seen: Observation, method: str) -> Observation:
        """A first byte close to nginx's limit is measured twice more; the middle of the three counts."""
        phase = first_byte(seen)
        if phase is None or target.protocol != "http" or not near_limit(target, phase) or not self.options.retries:
            return seen
        more = [await self.attempt(target, address, method) for _ in range(2)]
        good = [seen, *(other for other in more if first_byte(other) is not None)]
        return replace(middle(good), tries=seen.tries + 2) if len(good) == 3 else seen

    async def _explained(self, target: Target, address: Address, seen: Observation) -> Observation:
        plain = target.protocol == "http" and not (target.keeps or target.upgrades)
        if (plain and seen.failure is None and (seen.status or 200) < 400) or self.options.probe_level != "http":
            return seen
        from nginxlint.online.explain import explain  # with all protocols it knows; most runs need none of it

        return await explain(self, target, address, seen)

    async def attempt(
        self,
        target: Target,
        address: Address,
        method: str,
        *,
        host: str | None = "",
        level: str = "",
        pp: bool | None = None,
    ) -> Observation:
        """One connection from start to end. `host` overrides the Host header (an empty text: as configured), `pp` says
        whether a PROXY protocol header goes first (None: as configured)."""
        level = level or self.options.probe_level
        clock = _Clock()
        phases: list[Phase] = []
        stream: Stream | None = None
        certificate: Certificate | None = None
        version = ""
        limit = min(target.patience or self.options.connect_limit, target.timeouts.connect)
        try:
            if target.tls is not None and STAGES.index(level) >= STAGES.index("tls"):
                usable(target.tls)
            if target.source and not address.unix:
                can_connect_from(target.source, address)
            stream = await connect(
                self.network, address, limit, user=target.worker_user, nginx_limit=target.timeouts.connect
            )
            phases.append(Phase("tcp", clock.lap(), detail=str(address)))
            if STAGES.index(level) < STAGES.index("tls"):
                return Observation(address, tuple(phases))
            if pp or (pp is None and target.proxy_protocol):
                await stream.send(PROXY_LOCAL if pp else PROXY_UNKNOWN)
            if target.tls is not None:
                secured = await secure(stream, target.tls, limit, nginx_limit=target.timeouts.connect)
                stream = secured
                version = secured.shake.version
                certificate = read_certificate(secured.shake.der)
                phases.append(Phase("tls", clock.lap(), detail=version))
            if level == "tls" or target.protocol in ("tcp", "udp"):
                said = ""
                if level == "http" and target.proxy_protocol:
                    said = await unasked(stream, min(BANNER_WAIT, self.options.read_limit))
                phases += [Phase("http", clock.lap(), detail=said)] if said else []
                return Observation(address, tuple(phases), certificate=certificate, tls_version=version)
            seen = await self._speak(stream, target, address, method, host, clock, phases)
            return replace(seen, certificate=certificate, tls_version=version) if target.tls is not None else seen
        except Failure as failure:
            phases.append(Phase(failure.stage, clock.lap(), failure.code, failure.detail))
            return Observation(
                address,
                tuple(phases),
                certificate=certificate,
                tls_version=version,
                log=failure.log,
                predicted_status=failure.status,
                hints=(failure.hint,) if failure.hint else (),
                clipped=failure.clipped,
            )
        except OSError as error:
            phases.append(Phase("tcp", clock.lap(), "L7_RESET", clean(error.strerror or str(error))))
            return Observation(address, tuple(phases), certificate=certificate, tls_version=version)
        finally:
            if stream is not None:
                close_quietly(stream)

    async def _speak(
        self,
        stream: Stream,
        target: Target,
        address: Address,
        method: str,
        host: str | None,
        clock: _Clock,
        phases: list[Phase],
    ) -> Observation:
        limit = target.patience or self.options.read_limit
        # by the port of the configuration too, where it is published as another one
        service = TCP_ONLY_PORTS.get(address.port) or TCP_ONLY_PORTS.get(target.port or 0)
        if service and target.protocol != "memcached" and not isinstance(stream, TlsStream):
            return await self._listen_only(stream, target, address, clock, phases, service)
        if target.protocol != "http":
            from nginxlint.online.pings import PINGS

            pong = await PINGS[target.protocol](stream, target, self.version, limit)
            phases.append(Phase("http", pong.first_ms or clock.lap(), pong.code, pong.detail))
            hints = (pong.hint,) if pong.hint else ()
            return Observation(
                address,
                tuple(phases),
                status=pong.status,
                predicted_status=pong.status,
                log=pong.log,
                hints=hints,
                certainty=pong.certainty,
            )
        wanted = target.host_header if host == "" else host
        reading, heard = await ask(stream, target, method, self.version, limit, host=wanted)
        if reading.code:
            failure = failure_of(reading, heard, target)
            phases.append(Phase(failure.stage, clock.lap(), failure.code, failure.detail))
            return Observation(
                address,
                tuple(phases),
                status=reading.upstream_status,
                header_bytes=reading.head,
                log=failure.log,
                predicted_status=failure.status,
                hints=(failure.hint,) if failure.hint else (),
                clipped=failure.clipped,
            )
        location = reading.header(b"location") or b""
        detail = f"{method} → {reading.status}"
        inner = accel_redirect(reading)
        predicted = reading.status if not inner else None
        phases.append(Phase("http", heard.first_ms, detail=detail))
        body = await look(stream, reading, heard.data[reading.head :], target, limit, method)
        if body is not None and body.unseen:
            predicted = None
        return Observation(
            address,
            tuple(phases),
            log=body.log if body is not None else "",
            body=(body.code, body.detail) if body is not None else None,
            status=reading.status,
            header_bytes=reading.head,
            location=location[:2048].decode("utf-8", "backslashreplace"),
            predicted_status=predicted,
            inner=inner,
            server=(reading.header(b"server") or b"")[:80].decode("latin-1"),
        )

    async def _listen_only(
        self, stream: Stream, target: Target, address: Address, clock: _Clock, phases: list[Phase], service: str
    ) -> Observation:
        """A port of another service: what it says unasked is heard, nothing is sent."""
        wait = min(BANNER_WAIT, self.options.read_limit)
        heard = await exchange(stream, b"", idle=wait, total=wait, room=512, done=bool)
        if not heard.data or (heard.end in (OPEN, TIMEOUT) and heard.data[:5] == b"HTTP/"):
            detail = f"connected; port {target.port or address.port} usually is {service}, so no request was sent"
            phases.append(Phase("http", clock.lap(), detail=detail))
            return Observation(address, tuple(phases), certainty="assumed")
        reading = classify(heard.data, heard.end, target.room, self.version)
        if not reading.code:
            phases.append(Phase("http", clock.lap(), detail=f"{reading.status} without a request"))
            return Observation(address, tuple(phases))
        raise failure_of(reading, heard, target)


class _Clock:
    """Milliseconds since the last lap."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last = time.perf_counter()

    def lap(self) -> float:
        now = time.perf_counter()
        ms, self._last = (now - self._last) * 1000, now
        return ms


def _by_chance(target: Target, seen: Observation) -> bool:
    failure = seen.failure
    if failure is None:
        return False
    if failure.name == "tls":
        return failure.code == "L6_CLOSED" and "reset" in failure.detail
    return target.protocol == "http" and failure.code in _CHANCE
