"""The nginx that runs on this machine (Linux): when its workers began, whom they are connected to, what they use up.
Reads /proc."""

from __future__ import annotations

import ipaddress
import os
import sys

_WORKER = b"nginx: worker process"
_LEAVING = b"is shutting down"
_ESTABLISHED, _LISTENING = "01", "0A"


def workers(proc: str = "/proc") -> list[int]:
    """The workers that take requests; empty where there are none, or those of several nginx, which cannot be told
    apart."""
    found: dict[int, list[int]] = {}
    for name in _listed(proc):
        if not name.isdecimal():
            continue
        command = _bytes(f"{proc}/{name}/cmdline").rstrip(b"\0 ")
        if command.startswith(_WORKER) and not command.endswith(_LEAVING):
            parent = _status(proc, int(name), 1)
            found.setdefault(parent, []).append(int(name))
    return next(iter(found.values())) if len(found) == 1 else []


def started(proc: str = "/proc") -> float | None:
    """When the oldest of the workers began: nginx read its configuration just before. None where it does not run."""
    boot = next((line.split()[1] for line in _bytes(f"{proc}/stat").splitlines() if line.startswith(b"btime ")), b"")
    ticks = [_status(proc, pid, 19) for pid in workers(proc)]
    if not boot.isdigit() or not ticks or min(ticks) <= 0:
        return None
    return int(boot) + min(ticks) / os.sysconf("SC_CLK_TCK")


class Usage:
    """What one worker has in use: `files` of the `limit` it may open (0: unknown), `sockets` among them."""

    __slots__ = ("files", "limit", "pid", "sockets")

    def __init__(self, pid: int, files: int, limit: int, sockets: int) -> None:
        self.pid = pid
        self.files = files
        self.limit = limit
        self.sockets = sockets


def usage(proc: str = "/proc") -> list[Usage]:
    """What the workers use; those of other users only root can see."""
    found = []
    for pid in workers(proc):
        names = _listed(f"{proc}/{pid}/fd")
        rows = [line.split() for line in _bytes(f"{proc}/{pid}/limits").decode("ascii", "replace").splitlines()]
        limit = next((row[3] for row in rows if row[:3] == ["Max", "open", "files"]), "")
        sockets = sum(_target(f"{proc}/{pid}/fd/{name}").startswith("socket:") for name in names)
        if names:
            found.append(Usage(pid, len(names), int(limit) if limit.isdecimal() else 0, sockets))
    return found


def peers(proc: str = "/proc") -> frozenset[tuple[str, int]]:
    """The upstream ends of the workers' established connections, as (address, port). Other users' workers need root."""
    found: set[tuple[str, int]] = set()
    for pid in workers(proc):
        inodes = {_target(f"{proc}/{pid}/fd/{descriptor}") for descriptor in _listed(f"{proc}/{pid}/fd")}
        rows = [line.split() for table in ("tcp", "tcp6") for line in _lines(f"{proc}/{pid}/net/{table}")]
        # a connection on a port that is listened on is a client's
        own = {row[1].rpartition(":")[2] for row in rows if row[3] == _LISTENING}
        for row in rows:
            if row[3] == _ESTABLISHED and row[1].rpartition(":")[2] not in own and f"socket:[{row[9]}]" in inodes:
                found.add(_endpoint(row[2]))
    return frozenset(found)


def _endpoint(text: str) -> tuple[str, int]:
    """An address as /proc/net/tcp writes it: words in the byte order of the machine."""
    host, _, port = text.partition(":")
    words = (bytes.fromhex(host[at : at + 8]) for at in range(0, len(host), 8))
    data = b"".join(word[::-1] if sys.byteorder == "little" else word for word in words)
    address = ipaddress.ip_address(data)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address), int(port, 16)


def _status(proc: str, pid: int, field: int) -> int:
    """A field of /proc/PID/stat, counted after the name (which may hold anything)."""
    words = _bytes(f"{proc}/{pid}/stat").rpartition(b")")[2].split()
    return int(words[field]) if len(words) > field else 0


def _lines(path: str) -> list[str]:
    return _bytes(path).decode("ascii", "replace").splitlines()[1:]


def _target(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _listed(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except OSError:
        return []


def _bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
