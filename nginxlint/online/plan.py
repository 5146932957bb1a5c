"""`--dry-run`: who would be contacted, how, and why. Sends nothing, looks nothing up."""

from __future__ import annotations

from dataclasses import dataclass

from nginxlint.config import Config
from nginxlint.online.expect import targets_asked
from nginxlint.online.literal import as_literal
from nginxlint.online.options import Options
from nginxlint.online.outcomes import OUTCOMES
from nginxlint.online.policy import TCP_ONLY_PORTS, Policy
from nginxlint.online.rows import Row, location
from nginxlint.online.schedule import slots_for
from nginxlint.online.types import Target
from nginxlint.online.untrusted import clean

# GET, one retry or two more where it is slow, and at most five looks to explain a failure.
MOST_PER_ADDRESS = 8
_QUESTIONS = {
    "grpc": "the HTTP/2 preface and a health check",
    "fastcgi": "a FastCGI management record, and a request that runs no script",
    "uwsgi": "a uwsgi ping and a GET",
    "scgi": "nothing (SCGI knows no ping)",
    "memcached": "version",
    "dns": "one question for localhost",
    "tcp": "nothing",
    "udp": "nothing",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do."""

    rows: tuple[Row, ...]
    most_connections: int
    slots: int
    budget: float
    worst_case: float

    def text(self) -> str:
        """For a person."""
        lines = [f"{len(self.rows)} targets; at most {self.most_connections} connections, {self.slots} at once, "
                 f"{self.budget:g} s in all; nothing has been sent"]  # fmt: skip
        for row in self.rows:
            where = row["used_at"][0] if row["used_at"] else None
            place = f"  {where['path']}:{where['line']}" if where else ""
            lines.append(f"{row['id']:>5}  {row['target']}: {row['what']}{place}")
        if self.worst_case > self.budget:
            lines.append(
                f"if every target stayed silent this would take {self.worst_case:.0f} s: raise the budget or the "
                "number of slots, or lower the timeout"
            )
        return "\n".join(lines)

    def json(self) -> Row:
        """The same for a program."""
        return {
            "targets": list(self.rows),
            "most_connections": self.most_connections,
            "slots": self.slots,
            "budget": self.budget,
            "worst_case": round(self.worst_case, 1),
        }


def plan_of(config: Config, options: Options | None = None) -> Plan:
    """The plan of a run with these options."""
    options = options or Options()
    policy = Policy(options.allow, options.deny)
    targets, _ = targets_asked(config, options)
    rows = tuple(_row(target, options, policy) for target in targets)
    probed = [row for row in rows if row["probed"]]
    slots = slots_for(options.concurrency)
    silent = len(probed) / slots * (options.connect_limit + options.read_limit)
    return Plan(rows, len(probed) * MOST_PER_ADDRESS, slots, options.budget, silent)


def _row(target: Target, options: Options, policy: Policy) -> Row:
    why_not = _why_not(target, options, policy)
    level = options.probe_level
    if why_not:
        what = f"not contacted: {why_not}"
    elif target.protocol == "dns" and level != "dns":
        what = f"send {_QUESTIONS['dns']}"
    elif level != "http" or target.protocol in ("tcp", "udp") or target.port in TCP_ONLY_PORTS:
        what = {"dns": "look the name up"}.get(level, "connect" + (", TLS" if target.tls and level != "tcp" else ""))
    else:
        asked = _QUESTIONS.get(target.protocol, target.method or "GET")
        what = "connect" + (", TLS" if target.tls else "") + f", send {asked}"
        if target.protocol == "http":
            what += f" ({target.path}, Host {clean(target.host_header or 'absent')}), cut off soon after the header"
    return {
        "id": target.id,
        "target": clean(f"{target.scheme}://{target.label}"),
        "lookup": target.resolution,
        "what": what,
        "probed": not why_not,
        "sni": target.tls.server_name if target.tls else None,
        "upstream": target.upstream or None,
        "used_at": [location(where.span) for where in target.used_at[:20]],
    }


def _why_not(target: Target, options: Options, policy: Policy) -> str:
    if target.skip is not None:
        return target.skip[1] or OUTCOMES[target.skip[0]].message
    if target.role is not None and target.role.down and not options.include_down:
        return "marked down"
    if target.unix:
        return ""
    if (literal := as_literal(target.host)) is not None:
        return policy.address_denied(literal)
    return policy.name_denied(target.host)
