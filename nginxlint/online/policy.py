"""Whom we may contact and what we may send: the deny list, the ports that get no request, the headers that go along."""

from __future__ import annotations

import fnmatch
import ipaddress
from collections.abc import Iterable
from functools import lru_cache

from nginxlint.error import NginxlintError

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Network → what it is. Sources: RFC 3927, 4291, 5771, 919, and the metadata pages of the cloud providers.
_DENIED: tuple[tuple[str, str], ...] = (
    ("169.254.169.254/32", "the cloud metadata address"),
    ("169.254.0.0/16", "a link-local address"),
    ("100.100.100.200/32", "a cloud metadata address"),
    ("192.0.0.192/32", "a cloud metadata address"),
    ("168.63.129.16/32", "a cloud platform address"),
    ("224.0.0.0/4", "a multicast address"),
    ("255.255.255.255/32", "the broadcast address"),
    ("0.0.0.0/8", "an address of “this network”"),
    ("240.0.0.0/4", "a reserved address"),
    ("fd00:ec2::254/128", "the cloud metadata address"),
    ("fd20:ce::254/128", "a cloud metadata address"),
    ("fe80::/10", "a link-local address"),
    ("fec0::/10", "a site-local address"),
    ("ff00::/8", "a multicast address"),
)
DENIED: tuple[tuple[Network, str], ...] = tuple((ipaddress.ip_network(text), what) for text, what in _DENIED)
DENIED_NAMES = {
    "metadata.google.internal": "the cloud metadata service",
    "metadata.goog": "the cloud metadata service",
    "instance-data": "the cloud metadata service",
    "instance-data.ec2.internal": "the cloud metadata service",
}

# An HTTP request to these could be read as commands, or locks us out; they are connected to and left alone.
TCP_ONLY_PORTS: dict[int, str] = {
    21: "FTP",
    22: "SSH",
    23: "Telnet",
    25: "SMTP",
    53: "DNS",
    110: "POP3",
    111: "rpcbind",
    119: "NNTP",
    135: "RPC",
    139: "NetBIOS",
    143: "IMAP",
    389: "LDAP",
    445: "SMB",
    465: "SMTP",
    514: "syslog",
    587: "SMTP",
    636: "LDAP",
    873: "rsync",
    993: "IMAP",
    995: "POP3",
    1433: "SQL Server",
    1521: "Oracle",
    2049: "NFS",
    3306: "MySQL",
    3389: "RDP",
    5432: "PostgreSQL",
    5672: "AMQP",
    6379: "Redis",
    9042: "Cassandra",
    9092: "Kafka",
    11211: "memcached",
    27017: "MongoDB",
}

# Harmless request headers an application may decide by. Nothing else of proxy_set_header is ever sent.
SENT_HEADERS = ("x-forwarded-proto", "x-forwarded-host", "x-forwarded-port", "x-forwarded-scheme", "x-forwarded-ssl")

# Read-only ones. Nothing else is ever sent.
METHODS = ("HEAD", "GET", "OPTIONS")


class Policy:
    """Allow and deny lists. Entries are addresses, networks, or host names with `*`; allow wins over the built-in
    list, deny wins over everything."""

    def __init__(self, allow: Iterable[str] = (), deny: Iterable[str] = ()) -> None:
        self._allowed, self._allowed_names = _split(allow)
        self._denied, self._denied_names = _split(deny)
        self._known: dict[str, str] = {}

    def name_denied(self, name: str) -> str:
        """Why this host name must not even be looked up; empty where it may."""
        host = name.lower().rstrip(".")
        if any(fnmatch.fnmatchcase(host, pattern) for pattern in self._denied_names):
            return f"{name} is on your deny list"
        if any(fnmatch.fnmatchcase(host, pattern) for pattern in self._allowed_names):
            return ""
        what = DENIED_NAMES.get(host)
        return f"{name} is {what}" if what else ""

    def address_denied(self, literal: str) -> str:
        """Why this address must not be dialled; empty where it may."""
        if literal not in self._known:
            self._known[literal] = self._address_denied(literal)
        return self._known[literal]

    def _address_denied(self, literal: str) -> str:
        try:
            address = ipaddress.ip_address(literal.partition("%")[0])
        except ValueError:
            return f"{literal} is not an address"
        meanings = embedded(address)
        for meaning in meanings:
            if any(meaning in network for network in self._denied if network.version == meaning.version):
                return f"{literal} is on your deny list"
        for meaning in meanings:
            if any(meaning in network for network in self._allowed if network.version == meaning.version):
                return ""
        for meaning in meanings:
            # The kernel takes the unspecified address for this machine, and so does nginx.
            if int(meaning) == 0:
                continue
            for network, what in DENIED:
                if network.version == meaning.version and meaning in network:
                    return f"{literal} is {what}" if meaning is address else f"{literal} stands for {meaning}, {what}"
        return ""


def embedded(address: Ip) -> tuple[Ip, ...]:
    """The address and the IPv4 addresses it carries: v4-mapped, v4-compatible, 6to4, NAT64, Teredo, ISATAP."""
    if isinstance(address, ipaddress.IPv4Address):
        return (address,)
    found: list[Ip] = [address]
    if address.ipv4_mapped is not None:
        found.append(address.ipv4_mapped)
    if address.sixtofour is not None:
        found.append(address.sixtofour)
    if address.teredo is not None:
        found.extend(address.teredo)
    number = int(address)
    if number >> 32 in (0x0064FF9B << 64, 0) and number > 1:
        found.append(ipaddress.IPv4Address(number & 0xFFFFFFFF))
    if (number >> 32) & 0xFFFFFFFF in (0x00005EFE, 0x02005EFE):
        found.append(ipaddress.IPv4Address(number & 0xFFFFFFFF))
    return tuple(found)


@lru_cache(4096)
def is_loopback(literal: str) -> bool:
    """True for addresses that never leave this machine."""
    try:
        meanings = embedded(ipaddress.ip_address(literal))
    except ValueError:
        return False
    return any(meaning.is_loopback or int(meaning) == 0 for meaning in meanings)


def _split(entries: Iterable[str]) -> tuple[list[Network], list[str]]:
    """Raises NginxlintError for what is neither: it would deny nothing, and nobody would know."""
    networks: list[Network] = []
    names: list[str] = []
    for entry in entries:
        try:
            networks.append(ipaddress.ip_network(entry.strip().removeprefix("[").removesuffix("]"), strict=False))
        except ValueError:
            name = entry.strip().lower().rstrip(".")
            if not name or any(mark in name for mark in "/: ") or (name != "*" and not name.strip("0123456789.*")):
                raise NginxlintError(
                    f'allow or deny "{entry}": write an address, a network (10.0.0.0/8), or a host name (*.internal)'
                ) from None
            names.append(name)
    return networks, names
