"""Why a connection timed out (`--trace`): TCP connects with a rising TTL. The routers' ICMP answers reach the socket itself
through its error queue (Linux), so this needs no privileges and sends nothing a firewall would not see anyway."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import ipaddress
import os
import socket
import struct
from dataclasses import dataclass

from nginxlint.online.types import Address

MAX_HOPS = 16
HOP_WAIT = 1.0  # the kernel sends its second SYN after this
# <linux/in.h>, <linux/in6.h>, <linux/errqueue.h>; the socket module does not name them
_IP_RECVERR, _IPV6_RECVERR, _MSG_ERRQUEUE, _SIOCGIFADDR = 11, 25, 0x2000, 0x8915
_FROM_ICMP = (2, 3)
_EXTENDED_ERROR = struct.Struct("IBBBBII")
# Time exceeded: the packet went further than its TTL allowed (ICMP type 11, ICMPv6 type 3).
_PASSED = {socket.AF_INET: 11, socket.AF_INET6: 3}
# Destination unreachable, (type, code) → what a firewall means by it. RFC 792, 1812, 4443.
_PROHIBITED = {
    socket.AF_INET: {(3, 9), (3, 10), (3, 13)},
    socket.AF_INET6: {(1, 1), (1, 5), (1, 6)},
}


@dataclass(frozen=True, slots=True)
class Hop:
    """What came of one TTL: `kind` is passed, prohibited, unreachable, answered or silent; `address` who said so."""

    kind: str
    address: str = ""
    reason: str = ""


async def hop(address: Address, ttl: int, seconds: float) -> Hop:
    """Send one SYN that lives for `ttl` routers."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    loop = asyncio.get_running_loop()
    with socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as sock:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ttl)
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
            sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
        try:
            async with asyncio.timeout(seconds):
                await loop.sock_connect(sock, (address.host, address.port))
            return Hop("answered", address.host)
        except TimeoutError:
            return Hop("silent")
        except ConnectionRefusedError:
            return Hop("answered", address.host)
        except OSError as error:
            return _told(sock, family, error)


def _told(sock: socket.socket, family: socket.AddressFamily, error: OSError) -> Hop:
    """The router that answered, from the error queue of the socket."""
    reason = (error.strerror or str(error)).lower()
    with contextlib.suppress(OSError):
        for _, _, data in sock.recvmsg(512, 512, _MSG_ERRQUEUE)[1]:
            if len(data) < _EXTENDED_ERROR.size + 16:
                continue
            _, origin, kind, code, *_ = _EXTENDED_ERROR.unpack_from(data)
            if origin not in _FROM_ICMP:
                continue
            at, size = (_EXTENDED_ERROR.size + 8, 16) if family == socket.AF_INET6 else (_EXTENDED_ERROR.size + 4, 4)
            who = str(ipaddress.ip_address(data[at : at + size]))
            if kind == _PASSED[family]:
                return Hop("passed", who)
            return Hop("prohibited" if (kind, code) in _PROHIBITED[family] else "unreachable", who, reason)
    # the error came from this machine, or from a router that this kernel does not name
    return Hop("unreachable" if error.errno != errno.EHOSTUNREACH else "silent", "", reason)


async def trace(address: Address) -> str:
    """A sentence on the way to an address that does not answer. At most 16 SYN packets, a second long."""
    hops = await asyncio.gather(*(hop(address, ttl, HOP_WAIT) for ttl in range(1, MAX_HOPS + 1)))
    return f"the way: {departure(address)}; {sentence(hops)}"


def sentence(hops: list[Hop]) -> str:
    """What the hops, in order, tell."""
    end = next((at for at, one in enumerate(hops) if one.kind not in ("passed", "silent")), len(hops))
    passed = list(dict.fromkeys(one.address for one in hops[:end] if one.kind == "passed"))
    way = f"passes {', '.join(passed[-4:])}; " if passed else ""
    if end < len(hops):
        last = hops[end]
        if last.kind == "answered":
            return f"{way}it answers now: the time-out comes and goes"
        who = last.address or "this machine"
        if last.kind == "prohibited":
            return f"{way}{who} forbids it: a firewall there"
        return f"{way}{who} says: {last.reason}"
    if passed:
        return f"{way}nothing answers behind {passed[-1]}: a firewall there, or the host is down"
    return (
        "no router answers, so where packets are lost is unknown (ICMP may be blocked, or the host is on this network)"
    )


def departure(address: Address) -> str:
    """The interface and source address packets would take; sends nothing."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.connect((address.host, address.port))
            source = str(sock.getsockname()[0])
    except OSError as error:
        return f"this machine has no route ({(error.strerror or str(error)).lower()})"
    name = _interface(source)
    return f"from {source}" + (f" by {name}" if name else "")


def _interface(source: str) -> str:
    """The name of the interface that has this address; empty where none tells."""
    if ":" in source:
        wanted = ipaddress.ip_address(source).packed.hex()
        with contextlib.suppress(OSError), open("/proc/net/if_inet6", encoding="ascii") as file:
            return next((line.split()[5] for line in file if line.startswith(wanted)), "")
        return ""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", os.fsencode(name)[:15])
            with contextlib.suppress(OSError):
                if socket.inet_ntoa(fcntl.ioctl(sock.fileno(), _SIOCGIFADDR, request)[20:24]) == source:
                    return name
    return ""
