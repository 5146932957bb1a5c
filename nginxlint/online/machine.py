"""What the kernel of this machine knows of TCP right now (Linux): who listens where, how many connections wait to be
accepted, how many lead to an address. Reads /proc/net and generates no load; where there is none, nothing is known."""

from __future__ import annotations

import ipaddress
import re
import socket
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from nginxlint.online.policy import is_loopback
from nginxlint.online.types import Address

# Number: local end, remote end, state, what waits to be sent and to be taken.
_ROW = r": ([0-9A-F]+:[0-9A-F]{4}) ([0-9A-F]+:[0-9A-F]{4}) ([0-9A-F]{2}) [0-9A-F]{8}:([0-9A-F]{8}) "
_ESTABLISHED, _LISTENING = "01", "0A"
# A machine with more sockets than this is looked at in part.
MOST_BYTES = 64 * 1024 * 1024
PART = 64 * 1024
_LAST_ROWS = 400
NEAR = 0.5
_ANY = ("0.0.0.0", "::")


@dataclass(frozen=True, slots=True)
class Machine:
    """`listening`: by (address, port), the connections that wait to be accepted. `towards`: by address, the local ports
    in use towards it, the most that one local address has; `open`: those of them that are established. `ports`: how
    many there are to use (0: unknown), `longest_queue`: what the system allows a listener (0: unknown)."""

    listening: dict[tuple[str, int], int] = field(default_factory=dict)
    towards: dict[Address, int] = field(default_factory=dict)
    open: dict[Address, int] = field(default_factory=dict)
    ports: int = 0
    longest_queue: int = 0

    def waiting(self, address: Address) -> int | None:
        """How many connections wait at the listener of this address; None where none is here."""
        if not is_loopback(address.host) and (address.host, address.port) not in self.listening:
            return None  # a wildcard listener is here, and the address may be elsewhere
        own = ("::1", "::") if ":" in address.host else (address.host, *_ANY)
        return next(
            (self.listening[host, address.port] for host in own if (host, address.port) in self.listening), None
        )

    def elsewhere(self, address: Address) -> list[str]:
        """Where else this machine listens on the port of a loopback address that nobody listens on."""
        if not is_loopback(address.host) or self.waiting(address) is not None:
            return []
        return sorted(host for host, port in self.listening if port == address.port)


def look(addresses: Iterable[Address], *, count: bool, proc: str = "/proc") -> Machine | None:
    """What is known about these addresses, and about all listeners; None where the system does not tell. `count`: every
    connection is wanted, not only as many as are a danger to the ports."""
    low, high = [*_numbers(f"{proc}/sys/net/ipv4/ip_local_port_range"), 0, 0][:2]
    ports = high - low + 1 if high else 0
    every = count or _sockets(proc) > ports * NEAR
    listening: dict[tuple[str, int], int] = {}
    towards: dict[Address, Counter[str]] = {}
    established: Counter[Address] = Counter()
    tables = [_rows(f"{proc}/net/{table}", every=every) for table in ("tcp", "tcp6")]
    if not any(tables):
        return None
    wanted = {_written(address): address for address in addresses if not address.unix}
    if _MAPPED in tables[1]:  # IPv4 inside a socket of both families
        wanted |= {_MAPPED + text: address for text, address in wanted.items() if ":" not in address.host}
    rows = re.compile(_ROW)
    for local, remote, state, queue in (row for table in tables for row in rows.findall(table)):
        if state == _LISTENING:
            where = _read(local)
            listening[where] = max(listening.get(where, 0), int(queue, 16))
        elif remote in wanted:
            address = wanted[remote]
            towards.setdefault(address, Counter())[local.partition(":")[0]] += 1
            established[address] += state == _ESTABLISHED
    return Machine(
        listening,
        {address: max(counts.values()) for address, counts in towards.items()},
        dict(established),
        ports,
        next(iter(_numbers(f"{proc}/sys/net/core/somaxconn")), 0),
    )


def _words(data: bytes) -> str:
    """Address bytes as the kernel writes them: words of 32 bits in the byte order of the machine."""
    parts = (data[at : at + 4] for at in range(0, len(data), 4))
    return b"".join(part[::-1] if sys.byteorder == "little" else part for part in parts).hex().upper()


def _written(address: Address) -> str:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    return f"{_words(socket.inet_pton(family, address.host))}:{address.port:04X}"


_MAPPED = _words(bytes(10) + bytes((255, 255)))


def _read(text: str) -> tuple[str, int]:
    host, _, port = text.partition(":")
    data = bytes.fromhex(_words(bytes.fromhex(host)))
    address = ipaddress.ip_address(data)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address), int(port, 16)


def _sockets(proc: str) -> int:
    """How many TCP sockets there are, those in TIME_WAIT included."""
    words = _text(f"{proc}/net/sockstat").partition("TCP:")[2].partition("\n")[0].split()
    known = dict(zip(words[::2], words[1::2], strict=False))
    return sum(int(known.get(name, "0")) for name in ("inuse", "tw"))


def _rows(path: str, *, every: bool) -> str:
    """A table of sockets; the listeners come first, and there may be very many connections after them."""
    text = ""
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            while len(text) < MOST_BYTES and (part := file.read(PART)):
                text += part
                if not every and f" {_LISTENING} " not in part[-_LAST_ROWS:]:
                    break
    except OSError:
        return text
    return text


def _numbers(path: str) -> list[int]:
    return [int(word) for word in _text(path).split() if word.isdecimal()]


def _text(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read(65536)
    except OSError:
        return ""
