"""Everything a configuration makes nginx talk to: the targets of passes and of mail's auth_http, resolvers, and which
subrequests lead there. Pure: the network is not asked."""

from __future__ import annotations

from typing import Any

from nginxlint.config import Config
from nginxlint.online.literal import as_literal
from nginxlint.online.rows import Row, location
from nginxlint.online.target import targets_of
from nginxlint.online.types import Target
from nginxlint.online.untrusted import clean
from nginxlint.regex import RegexLimit
from nginxlint.routing.match import Locations
from nginxlint.routing.servers import Server
from nginxlint.routing.upstreams import split_authority
from nginxlint.syntax import Block, Directive


def inventory(config: Config, prefix: str = "") -> list[Row]:
    """One row for each thing nginx talks to, with the fields of `targets` in the JSON contract and what is in effect
    there: TLS, Host, timeouts. `prefix` goes before the ids."""
    chains = _chains(config)
    rows = [_target_row(target, chains) for target in targets_of(config)]
    rows += _resolver_rows(config)
    for number, row in enumerate(rows, 1):
        row["id"] = f"{prefix}t{number}"
    return rows


def _row(directive: str, scheme: str, host: str, port: int | None, resolution: str, used_at: list[Row]) -> Row:
    literal = as_literal(host.strip("[]"))
    return {
        "id": "",
        "directive": directive,
        "scheme": scheme,
        "host": clean(host),
        "port": port,
        "path": "",
        "upstream": None,
        "used_at": used_at,
        "resolution": resolution,
        "addresses": [literal] if literal is not None else [],
        "verdict": "not-probed",
        "code": None,
        "host_header": None,
        "note": None,
        "tls": None,
        "timeouts": None,
        "resolver": [],
        "role": None,
        "reached_by": [],
    }


def _target_row(target: Target, chains: dict[Block, list[Row]]) -> Row:
    used_at = [location(where.span) for where in target.used_at]
    host = f"unix:{target.unix}" if target.unix else target.host
    row = _row(target.directive, target.scheme, host, target.port, target.resolution, used_at)
    row.update(
        path=clean(target.path, 2000),
        upstream=clean(target.upstream) or None,
        host_header=None if target.host_header is None else clean(target.host_header),
    )
    if target.skip is not None:
        row["code"], row["note"] = target.skip[0], clean(target.skip[1])
    if target.tls is not None:
        tls = target.tls
        row["tls"] = {
            "sni": clean(tls.server_name) or None,
            "verify": tls.verify,
            "name": clean(tls.name),
            "protocols": list(tls.protocols),
            "client_certificate": clean(tls.certificate) or None,
        }
    row["timeouts"] = {"connect": target.timeouts.connect, "read": target.timeouts.read}
    if target.resolver is not None:
        row["resolver"] = [f"{server}:{port}" for server, port in target.resolver.servers]
    if target.role is not None:
        role = target.role
        row["role"] = {"weight": role.weight, "backup": role.backup, "down": role.down, "max_fails": role.max_fails}
    seen: dict[str, Row] = {}
    for where in target.used_at:
        block: Block | None = where.directive.parent
        while block is not None and block.name in ("if", "limit_except"):
            block = block.parent
        for chain in chains.get(block, ()) if block is not None else ():
            seen.setdefault(f"{chain['by']} {chain['location']}", chain)
    row["reached_by"] = list(seen.values())
    return row


def _chains(config: Config) -> dict[Block, list[Row]]:
    """The subrequests that lead to each location: `auth_request` and `mirror`, in every server they hold for."""
    found: dict[Block, list[Row]] = {}
    compiled: dict[Server, Locations] = {}
    for directive in config.find("auth_request", "mirror"):
        if not directive.values or directive.values[0] == "off":
            continue
        own = config.server(directive)
        for server in [own] if own is not None else config.http_servers():
            locations = compiled.setdefault(server, Locations(server))
            try:
                answer = locations.find(directive.values[0]).location
            except RegexLimit:
                continue
            if answer is not None:
                step = {"by": f"{directive.name} {clean(directive.values[0])}", "location": _place(directive)}
                if step not in found.setdefault(answer.block, []):
                    found[answer.block].append(step)
    return found


def _resolver_rows(config: Config) -> list[Row]:
    rows: dict[str, Row] = {}
    for directive in config.find("resolver"):
        for word in directive.values:
            if "=" in word or word == "off":
                continue
            host, port, _ = split_authority(word)
            label = f"{host}:{port or 53}"
            known = rows.get(label)
            if known is None:
                resolution = "literal" if as_literal(host) is not None else "startup"
                known = rows[label] = _row("resolver", "dns", host, port or 53, resolution, [])
            known["used_at"].append(_place(directive))
    return list(rows.values())


def _place(directive: Directive) -> dict[str, Any]:
    return location(directive.head_span if isinstance(directive, Block) else directive.args[0].span)
