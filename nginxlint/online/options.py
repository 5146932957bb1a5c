"""What a user may say about the online stage, and the overrides written on the command line."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nginxlint.error import NginxlintError
from nginxlint.online.earlier_answers import FORGOTTEN_AFTER
from nginxlint.online.types import SERVER, STAGES, VANTAGES

if TYPE_CHECKING:
    from nginxlint.online.expect import Expectation

# (lower-case name, port or None for any) → addresses, and the port to dial instead (None: the same)
Override = dict[tuple[str, int | None], tuple[tuple[str, ...], int | None]]


@dataclass(frozen=True, slots=True)
class Options:
    """Limits and overrides of one run.

    `timeout` caps connecting and reading alike (None: the limits below). All limits are clipped to what nginx itself
    would wait. `resolve` are `host:port:addr[,addr]` texts (or `host:port:addr:port`, where the service is behind another
    port), `hidden` are (name, why) of hosts that may not be seen from here, `resolver` is `ip[:port]`. `allow` and `deny`
    are addresses, networks or host names (with `*`); `allow` lifts the built-in deny list. `probe_level` is the last
    stage that is entered: dns, tcp, tls or http. `rate` bounds the probes begun per second that leave this machine (0:
    none). `cache_ttl`: answers of earlier runs count for so many seconds (0: not at all). `expectations` are what the
    file `settings` says of single targets. `unchanged` are the questions (by id) that a configuration of the past,
    `since`, asked as well: they are not asked again. `trace`: look for the place where packets are lost. `vantage`: from
    where it is looked (see types.py). `strict`: who asks takes a target that cannot be judged for a failure.
    """

    timeout: float | None = None
    connect_timeout: float = 5.0
    read_timeout: float = 10.0
    dns_timeout: float = 5.0
    budget: float = 60.0
    concurrency: int = 100
    per_host: int = 4
    retries: int = 1
    retry_pause: float = 0.2
    jitter: float = 0.05
    resolve: tuple[str, ...] = ()
    hidden: tuple[tuple[str, str], ...] = ()
    resolver: str = ""
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    probe_level: str = "http"
    nginx_version: tuple[int, int, int] | None = None
    certificate_days: int = 30
    rate: float = 200.0
    cache_ttl: float = 0.0
    expectations: tuple[Expectation, ...] = ()
    settings: str = ""
    unchanged: frozenset[str] = frozenset()
    since: str = ""
    trace: bool = False
    vantage: str = SERVER
    strict: bool = False
    include_down: bool = False

    def __post_init__(self) -> None:
        if self.probe_level not in STAGES:
            raise NginxlintError(f"probe level {self.probe_level!r}: write one of {', '.join(STAGES)}")
        if self.vantage not in VANTAGES:
            raise NginxlintError(f"vantage {self.vantage!r}: write one of {', '.join(VANTAGES)}")
        for name in ("connect_timeout", "read_timeout", "dns_timeout", "budget"):
            if getattr(self, name) <= 0:
                raise NginxlintError(f"{name.replace('_', ' ')} has to be more than 0 seconds")
        if self.timeout is not None and self.timeout <= 0:
            raise NginxlintError("timeout has to be more than 0 seconds")
        if self.rate < 0:
            raise NginxlintError("rate has to be 0 (no limit) or more")
        if not 0 <= self.cache_ttl <= FORGOTTEN_AFTER:
            raise NginxlintError("cache-ttl has to be 0 (nothing is earlier) to 86400 seconds")
        if self.concurrency < 1 or self.per_host < 1:
            raise NginxlintError("concurrency and per-host limit have to be at least 1")
        self.overrides()
        self.resolver_address()

    @property
    def connect_limit(self) -> float:
        return self.connect_timeout if self.timeout is None else self.timeout

    @property
    def read_limit(self) -> float:
        return self.read_timeout if self.timeout is None else self.timeout

    @property
    def dns_limit(self) -> float:
        return self.dns_timeout if self.timeout is None else min(self.timeout, self.dns_timeout)

    def overrides(self) -> Override:
        """`resolve` by name and port."""
        result: Override = {}
        for text in self.resolve:
            host, port, addresses, other = parse_override(text)
            known, _ = result.get((host, port), ((), None))
            # a service behind another port is at one place; the last one written counts
            result[host, port] = (addresses if other else (*known, *addresses), other)
        return result

    def resolver_address(self) -> tuple[str, int] | None:
        return parse_server(self.resolver) if self.resolver else None


def parse_override(text: str) -> tuple[str, int | None, tuple[str, ...], int | None]:
    """Read `host:port:addr[,addr]` or `host:port:addr:port`; `*` is any port, IPv6 addresses may stand in brackets."""
    shape = f"--resolve {text}: write HOST:PORT:ADDRESS[,ADDRESS] or HOST:PORT:ADDRESS:PORT, with * for any port"
    parts = text.split(":", 2)
    if len(parts) != 3 or not parts[0] or not parts[2]:
        raise NginxlintError(shape)
    host, port, rest = parts
    if port != "*" and not _is_port(port):
        raise NginxlintError(f"{shape} ({port!r} is no port)")
    there = _ELSEWHERE.fullmatch(rest)
    if there is not None and not _is_port(there[2]):
        raise NginxlintError(f"{shape} ({there[2]!r} is no port)")
    addresses = []
    for part in (there[1] if there is not None else rest).split(","):
        literal = part.strip().removeprefix("[").removesuffix("]")
        try:
            addresses.append(str(ipaddress.ip_address(literal)))
        except ValueError:
            raise NginxlintError(f"{shape} ({part!r} is no address)") from None
    other = int(there[2]) if there is not None else None
    return host.lower().rstrip("."), None if port == "*" else int(port), tuple(addresses), other


# one address with a port of its own: an IPv6 address then stands in brackets
_ELSEWHERE = re.compile(r"([^:,\[\]]+|\[[^\[\],]+\]):(\d+)")


def _is_port(text: str) -> bool:
    return text.isdecimal() and text.isascii() and len(text) < 6 and 0 < int(text) < 65536


def parse_server(text: str) -> tuple[str, int]:
    """Read `ip[:port]` of a DNS server."""
    host, port = text, "53"
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":") or "53"
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    try:
        literal = str(ipaddress.ip_address(host))
    except ValueError:
        raise NginxlintError(f"--resolver {text}: write the IP address of a DNS server, with :PORT if not 53") from None
    if not _is_port(port):
        raise NginxlintError(f"--resolver {text}: {port!r} is no port")
    return literal, int(port)
