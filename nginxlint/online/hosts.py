"""A hosts file as overrides: what names stand for where nginx will run, as hosts(5) writes it."""

from __future__ import annotations

from nginxlint.error import NginxlintError
from nginxlint.online.literal import as_literal


def overrides_of(text: str, where: str) -> tuple[str, ...]:
    """The lines as `host:*:address[,address]`, the form of --resolve. Raises NginxlintError with the line."""
    found: dict[str, list[str]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        address = as_literal(words[0])
        if address is None or len(words) < 2:
            raise NginxlintError(f"{where}:{number}: write ADDRESS NAME [NAME ...], as in /etc/hosts")
        for name in words[1:]:
            found.setdefault(name.lower().rstrip("."), []).append(address)
    return tuple(f"{name}:*:{','.join(dict.fromkeys(addresses))}" for name, addresses in found.items())
