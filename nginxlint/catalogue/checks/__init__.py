"""Which family module checks which directive, so that a module is imported only when a directive of it occurs.

A family module `checks/<family>.py` has `CHECKS: dict[str, Check]` and, where needed, `BLOCK_END: dict[str, BlockCheck]`.
A key is the directive's name, or `"place:name"` / `"subsystem:name"` ("upstream:server", "stream:proxy_pass") where
the same name means another thing there; the most specific key wins and a plain name holds everywhere else.
`BLOCK_END` is keyed by context name (http, server, location, upstream, stream, …, main) and is called when that block
closes, several families in the order of `BLOCK_ENDS`. A test holds these tables against the modules.
"""

from __future__ import annotations

# family -> the keys of its CHECKS
FAMILIES: dict[str, str] = {}

# context whose end -> families that have a BLOCK_END for it, in calling order
BLOCK_ENDS: dict[str, tuple[str, ...]] = {}

FAMILY_OF: dict[str, str] = {key: family for family, keys in FAMILIES.items() for key in keys.split()}
