"""What the numbers of this machine say of targets: ports that run out, queues that fill up, limits nearly reached. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nginxlint.catalogue.numbers import number_or
from nginxlint.online.gather import Evidence, Seen
from nginxlint.online.machine import NEAR, Machine
from nginxlint.online.types import Observation, Target

if TYPE_CHECKING:
    from nginxlint.config import Config
    from nginxlint.online.running import Usage
    from nginxlint.syntax import Directive

NEAR_LIMIT = 0.8
# Many services ask for a queue of 128; half of that is a service that does not keep up.
LONG_QUEUE = 64
_WORKER_CONNECTIONS = 512  # ngx_event_core_init_conf


def load_remarks(target: Target, seen: Seen, machine: Machine) -> list[tuple[str, str]]:
    """Codes with details of what is measured towards the addresses of a target."""
    found = []
    for address in seen:
        used = machine.towards.get(address, 0)
        if machine.ports and used > machine.ports * NEAR:
            found.append(("LOAD_PORTS", f"{used} of {machine.ports} local ports are in use towards {address}"))
        waiting = machine.waiting(address) or 0
        if waiting >= min(LONG_QUEUE, machine.longest_queue or LONG_QUEUE):
            found.append(("LOAD_QUEUE", f"{waiting} connections wait to be accepted"))
        most = target.role.max_conns if target.role is not None else 0
        now = machine.open.get(address, 0)
        if most and now >= most * NEAR_LIMIT:
            found.append(("LOAD_MAX_CONNS", f"{now} of {most} connections are open"))
    return found


def limits_of(config: Config, used: list[Usage]) -> list[tuple[str, str, Directive]]:
    """What the workers of this configuration are close to or can never have: a code, a detail, and the line to change."""
    connections = next(config.find("worker_connections"), None)
    place = connections or next(config.find("events"), None)
    if place is None or (connections is None and config.partial):
        return []
    files = next(config.find("worker_rlimit_nofile"), None)
    most = _number(connections, _WORKER_CONNECTIONS)
    allowed = _number(files, next((one.limit for one in used), 0))
    found: list[tuple[str, str, Directive]] = []
    if allowed and most > allowed:
        found.append(("LOAD_FEW_FILES", f"{most} connections, {allowed} files", files or place))
    for one in used:
        if one.limit and one.files >= one.limit * NEAR_LIMIT:
            found.append(("LOAD_FILES", f"worker {one.pid} has {one.files} of {one.limit} files open", files or place))
        elif one.sockets >= most * NEAR_LIMIT:
            found.append(("LOAD_CONNECTIONS", f"worker {one.pid} has {one.sockets} of {most} open", place))
    return list({code: (code, detail, place) for code, detail, place in reversed(found)}.values())


def capacities(config: Config, targets: list[Target]) -> list[tuple[str, str, Directive]]:
    """Groups whose `max_conns` allow less than a single worker may have of connections, two for each request."""
    line = next(config.find("worker_connections"), None)
    if line is None and config.partial:
        return []
    half = _number(line, _WORKER_CONNECTIONS) // 2
    found: list[tuple[str, str, Directive]] = []
    for kind, name in dict.fromkeys((one.role.kind, one.role.group) for one in targets if one.role is not None):
        group = config.upstream(name, kind)
        peers = [] if group is None else [peer for peer in group.peers if not peer.down]
        limits = [number_or(peer.option("max_conns"), 0) for peer in peers]
        if group is not None and limits and all(limits) and sum(limits) < half:
            whose = "" if group.block.child("zone") is not None else " per worker, for it has no zone"
            found.append(
                ("GRP_MAX_CONNS", f"{sum(limits)} at a time{whose}, {half} by worker_connections", group.block)
            )
    return found


def _number(line: Directive | None, default: int) -> int:
    text = line.values[0] if line is not None and line.values else ""
    return int(text) if text.isdecimal() and len(text) < 10 else default


def explained(evidence: Evidence) -> None:
    """Why connecting to this machine failed, as hints: another address listens, or the queue is full."""
    machine = evidence.machine
    if machine is None:
        return
    for observations in evidence.observations.values():
        for address, seen in observations.items():
            if isinstance(seen, Observation) and (hint := _hint(seen, machine)):
                observations[address] = replace(seen, hints=(*seen.hints, hint))


def _hint(seen: Observation, machine: Machine) -> str:
    code = seen.failure.code if seen.failure is not None else ""
    address = seen.address
    if code == "L4_REFUSED" and (others := machine.elsewhere(address)):
        shown = ", ".join(f"[{host}]" if ":" in host else host for host in others[:3])
        return f"port {address.port} is open on {shown} and not on {address.host}: name that address, or let it listen here"
    if code == "L4_TIMEOUT" and (waiting := machine.waiting(address)):
        return f"its accept queue is full: {waiting} connections wait, the service does not accept them fast enough"
    return ""
