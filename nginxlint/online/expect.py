"""What a user says about single targets: `[online.targets."https://billing.internal:8443"]` in nginxlint.toml."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nginxlint.diagnostic import Severity
from nginxlint.error import NginxlintError
from nginxlint.online.policy import METHODS, TCP_ONLY_PORTS
from nginxlint.online.question import question_id
from nginxlint.online.request import one_line, safe_target
from nginxlint.online.resolvers import resolver_targets
from nginxlint.online.target import targets_of
from nginxlint.online.types import Target, Verdict
from nginxlint.online.verdict import verdict_of_code

if TYPE_CHECKING:
    from nginxlint.config import Config
    from nginxlint.online.options import Options

_TEXTS = ("path", "host", "sni", "ca", "method", "skip", "severity", "note")
KEYS = (*_TEXTS, "expect-status", "timeout")
# Verdicts about the status alone: an expected status takes them back.
_OF_THE_STATUS = frozenset(("OK", "L7_STATUS_5XX", "L7_STATUS_4XX", "L7_OVERLOAD", "L7_LOOP"))


@dataclass(frozen=True, slots=True)
class Expectation:
    """One table. `name` is `scheme://host[:port]` or `unix:/path`, with `*` where it is meant for several; `statuses`
    are ranges, both ends included; `skip` is the reason not to contact it at all."""

    name: str
    path: str = ""
    host: str = ""
    sni: str = ""
    ca: str = ""
    method: str = ""
    timeout: float | None = None
    statuses: tuple[tuple[int, int], ...] = ()
    skip: str = ""
    severity: str = ""
    note: str = ""

    def means(self, target: Target) -> bool:
        """Is it about this target? A port may be left out."""
        label = f"unix:{target.unix}" if target.unix else f"{target.scheme}://{target.label}"
        bare = label.removesuffix(f":{target.port}") if target.port is not None else label
        return any(fnmatch.fnmatchcase(text.lower(), self.name.lower()) for text in (label, bare))


def read_expectations(tables: Mapping[str, Any], where: str) -> tuple[Expectation, ...]:
    """The tables of a settings file. Raises NginxlintError for what cannot be meant."""
    return tuple(_expectation(name, table, where) for name, table in tables.items())


def _expectation(name: str, table: Any, where: str) -> Expectation:
    place = f'{where}: [online.targets."{name}"]'
    if not isinstance(table, dict):
        raise NginxlintError(f"{place}: write a table")
    for key, value in table.items():
        if key not in KEYS:
            raise NginxlintError(f'{place}: unknown key "{key}" (known: {", ".join(KEYS)})')
        if key in _TEXTS and not isinstance(value, str):
            raise NginxlintError(f'{place}: "{key}" has to be a text in quotes')
    if not ("://" in name or name.startswith(("unix:", "*"))):
        raise NginxlintError(f"{place}: name the target as it is reported, http://app:8080 or unix:/run/app.sock")
    method = table.get("method", "").upper()
    if method and method not in METHODS:
        raise NginxlintError(f"{place}: only {', '.join(METHODS)} are ever sent, not {method}")
    if (severity := table.get("severity", "")) and severity not in ("error", "warning", "info"):
        raise NginxlintError(f"{place}: severity is error, warning or info, not {severity}")
    if (path := table.get("path", "")) and not path.startswith("/"):
        raise NginxlintError(f"{place}: a path begins with /")
    ca = os.path.join(os.path.dirname(where), ca) if (ca := table.get("ca", "")) else ""
    return Expectation(
        name,
        path=safe_target(path) if path else "",
        host=one_line(table.get("host", "")),
        sni=one_line(table.get("sni", "")),
        ca=ca,
        method=method,
        timeout=_seconds(table["timeout"], place) if "timeout" in table else None,
        statuses=_statuses(table.get("expect-status", []), place),
        skip=table.get("skip", ""),
        severity=severity,
        note=table.get("note", ""),
    )


def _seconds(value: object, place: str) -> float:
    text = str(value).strip().removesuffix("s").strip()
    try:
        found = float(text.removesuffix("m")) * (0.001 if text.endswith("m") else 1)
    except ValueError:
        found = 0.0
    if not 0 < found <= 600:
        raise NginxlintError(f"{place}: timeout {value}: write seconds, for example 3s or 500ms")
    return found


def _statuses(value: object, place: str) -> tuple[tuple[int, int], ...]:
    """`204`, `"2xx"`, `"200-299"`, or a list of these."""
    found = []
    for item in value if isinstance(value, list) else [value]:
        text = str(item).lower()
        low, dash, high = text.partition("-")
        if text.endswith("xx") and text[:-2] in "12345" and len(text) == 3:
            low, high = f"{text[0]}00", f"{text[0]}99"
        elif not dash:
            high = low
        if not (low.isdecimal() and high.isdecimal() and len(text) < 8 and 100 <= int(low) <= int(high) <= 599):
            raise NginxlintError(f'{place}: expect-status {item!r}: write 204, "2xx" or "200-299", or a list of these')
        found.append((int(low), int(high)))
    return tuple(found)


def targets_asked(config: Config, options: Options) -> tuple[list[Target], dict[str, Expectation]]:
    """The targets of a configuration as the user wants them asked, and by their ids what is expected of them."""
    targets: list[Target] = []
    wanted: dict[str, Expectation] = {}
    passes = targets_of(config)
    # where the user names another DNS server, those of the configuration are not asked
    resolvers = [] if options.resolver else resolver_targets(config, passes)
    for target in (*passes, *resolvers):
        # the last table about a target counts
        table = next((one for one in reversed(options.expectations) if one.means(target)), None)
        if table is not None:
            wanted[target.id] = table
            target = _asked_as_expected(target, table, options.settings)
        if options.unchanged and target.skip is None and identity(target) in options.unchanged:
            target = replace(target, skip=("SKIP_UNCHANGED", f"the same as in {options.since}"))
        targets.append(target)
    return targets, wanted


def identity(target: Target) -> str:
    """What is asked of a target; one that is marked `down` is only looked up."""
    return question_id(target) + (":down" if target.role is not None and target.role.down else "")


def _asked_as_expected(target: Target, wanted: Expectation, where: str) -> Target:
    """The target with what the user wants asked instead."""
    if wanted.skip:
        return target if target.skip else replace(target, skip=("SKIP_ASKED", f"{where} says: {wanted.skip}"))
    tls = target.tls
    if tls is not None:
        tls = replace(tls, server_name=wanted.sni or tls.server_name, ca=wanted.ca or tls.ca)
    http = target.protocol == "http" and target.port not in TCP_ONLY_PORTS
    return replace(
        target,
        tls=tls,
        path=(wanted.path if http else "") or target.path,
        host_header=(wanted.host if http else "") or target.host_header,
        method=wanted.method if http else "",
        patience=wanted.timeout,
    )


def judged_as_expected(verdict: Verdict, wanted: Expectation) -> Verdict:
    """The verdict, with what the user expects of the status, and how bad the user finds it."""
    status = verdict.predicted_status
    if wanted.statuses and isinstance(status, int) and verdict.code in _OF_THE_STATUS:
        if any(low <= status <= high for low, high in wanted.statuses):
            verdict = replace(verdict, word="ok", code="OK", severity=None, failed_stage=None, message="", help=())
        else:
            ranges = ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in wanted.statuses)
            other = verdict_of_code(verdict.target, "L7_UNEXPECTED", f"{status} instead of {ranges}")
            verdict = replace(other, predicted_status=status, addresses=verdict.addresses, stages=verdict.stages)
    if verdict.severity is None or verdict.word not in ("failed", "degraded"):
        return verdict
    severity = Severity.named(wanted.severity) if wanted.severity else verdict.severity
    return replace(verdict, severity=severity, help=(*verdict.help, *((wanted.note,) if wanted.note else ())))
