"""Which family checks which directive. Written by tools/catalogue/list_checks.py; do not edit."""

from __future__ import annotations

# key of CHECKS -> family
FAMILY_OF: dict[str, str] = {
    "listen": "listen",
}

# context name -> families with a BLOCK_END for it, in calling order
BLOCK_ENDS: dict[str, tuple[str, ...]] = {
    "mail-server": ("listen",),
    "stream-server": ("listen",),
}
