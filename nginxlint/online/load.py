"""What the numbers of this machine say of targets: ports that run out, queues that fill up, limits nearly reached. Pure."""

from __future__ import annotations

from dataclasses import replace

from nginxlint.online.gather import Evidence, Seen
from nginxlint.online.machine import Machine
from nginxlint.online.types import Observation, Target

NEAR = 0.5
NEAR_LIMIT = 0.8
# Many services ask for a queue of 128; half of that is a service that does not keep up.
LONG_QUEUE = 64


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
