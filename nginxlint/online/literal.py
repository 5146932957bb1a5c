"""Which hosts are addresses already."""

from __future__ import annotations

import ipaddress
from functools import lru_cache


@lru_cache(4096)
def as_literal(host: str) -> str | None:
    """The address a host is already, None for a name."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None
