"""`nginxlint demo`: check the demo shop as `nginxlint check --online` would, while its upstreams run."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from nginxlint.demo.scene import scene
from nginxlint.online.network import Network, RealNetwork, Stream
from nginxlint.online.policy import is_loopback
from nginxlint.online.types import Address, Target

if TYPE_CHECKING:
    from nginxlint.online.ordinary import Look

Check = Callable[[list[str], Network], int]
"""The command line's own `check`: its arguments (without the word `check`) and the network to use → exit code."""

INTRODUCTION = """\
This shop and every upstream it names run on loopback ports of this machine for the next seconds.
Some are healthy; the others fail in the ways upstreams fail. Nothing leaves this machine.
"""


class LoopbackNetwork(RealNetwork):
    """The real network, cut down to this machine: the demo connects nowhere else and asks no other name server."""

    async def connect(self, address: Address) -> Stream:
        if not address.unix and not is_loopback(address.host):
            raise PermissionError(1, "the demo connects to loopback addresses only")
        return await super().connect(address)

    async def ordinary(self, address: Address, target: Target, limit: float, *, websocket: bool = False) -> Look | None:
        if not address.unix and not is_loopback(address.host):
            return None
        return await super().ordinary(address, target, limit, websocket=websocket)

    async def lookup(self, host: str) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def run(check: Check, extra: Sequence[str] = ()) -> int:
    """Set the scene, check it, clear it away; `extra` are further arguments of `check` (an output format, say)."""
    network = LoopbackNetwork()
    try:
        with scene() as place:
            # all of it, in a CI job too
            words = ["--online", "--vantage", "server", "--probe-level", "http", "--resolver", place.resolver]
            return check([*words, *extra, str(place.folder)], network)
    finally:
        network.close()
