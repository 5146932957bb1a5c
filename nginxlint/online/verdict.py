"""From what was seen to what it means: one verdict per target, by the table of outcomes. Pure."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urljoin, urlsplit

from nginxlint.diagnostic import Severity
from nginxlint.online import mail
from nginxlint.online.certificate import matches
from nginxlint.online.classify import Version
from nginxlint.online.outcomes import BLOCKS_START, OUTCOMES, Outcome, without_consequence
from nginxlint.online.policy import Policy
from nginxlint.online.slow import limit_of, near_limit
from nginxlint.online.types import Address, Observation, Resolution, Target, Verdict
from nginxlint.online.untrusted import clean

DAY = 86_400.0
NEAR_BUFFER = 0.8
_FAMILY = {"grpc": "grpc", "fastcgi": "fastcgi", "uwsgi": "uwsgi", "scgi": "scgi", "memcached": "memcached"}


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a judge has to know besides: the version, the time, when a certificate is short of its end, the deny list
    (for redirects)."""

    version: Version
    now: float
    certificate_days: int
    policy: Policy
    include_down: bool = False


@dataclass(frozen=True, slots=True)
class _Single:
    """What one address means."""

    address: str
    code: str
    outcome: Outcome | None
    status: int | str | None
    log: str
    detail: str
    hints: tuple[str, ...]
    certainty: str
    seen: Observation | None = None

    @property
    def failed(self) -> bool:
        return self.outcome is not None and self.outcome.word == "failed"


def judge(
    target: Target,
    resolution: Resolution | None,
    observations: Mapping[Address, Observation | str],
    circumstances: Circumstances,
) -> Verdict:
    """The verdict of a target. `observations` hold, for an address that was not probed, the code why."""
    if target.skip is not None and target.skip[0] != "SKIP_UDP":
        return verdict_of_code(target, target.skip[0], target.skip[1])
    if resolution is None:
        return verdict_of_code(target, "NOT_CHECKED", "the time budget was spent before its name was looked up")
    if resolution.code and target.maybe_group and resolution.code != "SKIP_POLICY":
        detail = "it may be an upstream group that another file defines"
        return _with_dns(verdict_of_code(target, "SKIP_SNIPPET", detail), resolution)
    if resolution.code:
        return _with_dns(verdict_of_code(target, resolution.code, resolution.error), resolution)
    if target.skip is not None:
        return _with_dns(verdict_of_code(target, *target.skip), resolution)
    if target.role is not None and target.role.down and not circumstances.include_down:
        return _with_dns(verdict_of_code(target, "SKIP_DOWN", "marked down"), resolution)
    singles = [_single(target, address, seen, circumstances) for address, seen in observations.items()]
    if not singles:
        return _with_dns(verdict_of_code(target, "NOT_CHECKED", "no address was dialled"), resolution)
    return _with_dns(_combine(target, resolution, singles), resolution)


def verdict_of_code(target: Target, code: str, detail: str) -> Verdict:
    """A verdict that needs no observation."""
    outcome = OUTCOMES[code]
    if target.directive == "stream" and outcome.stage == "dns" and outcome.status == 502:
        # ngx_stream_proxy_handler and _resolve_handler: what is not even an address is an internal error there
        message = outcome.message.replace("requests", "sessions").replace("502", "500")
        outcome = replace(outcome, status=500, message=message)
    return _verdict(
        target, _Single(target.label, code, outcome, outcome.status, outcome.log, clean(detail), (), "observed")
    )


def _with_dns(verdict: Verdict, resolution: Resolution) -> Verdict:
    status = "failed" if resolution.code and verdict.word == "failed" else "unknown" if resolution.code else "ok"
    if resolution.how in ("literal", "unix") and not resolution.code:
        return replace(verdict, addresses=resolution.addresses)
    detail = resolution.error or resolution.how
    if resolution.total > len(resolution.addresses):
        detail += f", {len(resolution.addresses)} of {resolution.total} addresses tried"
    if resolution.ttl is not None and not resolution.code:
        detail += f", TTL {resolution.ttl} s"
    if resolution.chain:
        detail += f", CNAME {clean(' → '.join(resolution.chain[:4]), 120)}"
    stages = {"dns": (status, round(resolution.ms, 1), clean(detail)), **verdict.stages}
    return replace(verdict, addresses=resolution.addresses, stages=stages)


def _single(target: Target, address: Address, seen: Observation | str, circumstances: Circumstances) -> _Single:
    shown = str(address)
    if isinstance(seen, str):
        code, _, detail = seen.partition(":")
        return _Single(shown, code, OUTCOMES[code], None, "", detail.strip(), (), "observed")
    failed = next((phase for phase in seen.phases if phase.code), None)
    if failed is not None:
        outcome = OUTCOMES[failed.code]
        status = seen.predicted_status if seen.predicted_status is not None else outcome.status
        if failed.code in ("L7_NOTHTTP", "L7_H2ONLY") and seen.log:
            status = seen.predicted_status
        log = seen.log if seen.log or failed.code in _SILENT_LOG else outcome.log
        if target.directive == "stream" and outcome.word == "degraded":
            status = STREAM_OK
        elif target.directive == "stream" and status != BLOCKS_START:
            # ngx_stream_proxy_module: every failure to connect is 502, and a handshake that times out is not logged.
            status = 500 if failed.code == "L4_BIND" else 502
            log = "" if failed.code == "L6_TIMEOUT" else log
            text = without_consequence(outcome.message) + ": nginx closes the visitor's connection"
            outcome = replace(outcome, message=text)
        if target.protocol == "dns" and outcome.retried in target.next_upstream:
            outcome, status = replace(outcome, word="degraded", severity=Severity.WARNING), None
        if target.directive == mail.DIRECTIVE and outcome.word == "failed":
            outcome = mail.in_mail_terms(failed.code, outcome)
            status, log = outcome.status, outcome.log
        elif failed.code == "L7_TOOBIG" and status != outcome.status:
            outcome = replace(outcome, message=_NO_ROOM_FOR_BODY)
        if failed.code == "L7_SCHEME" and status == 400:
            log = ""
        if failed.code == "L7_INTERIM" and status is not None and status >= 500:  # type: ignore[operator]
            outcome = replace(outcome, word="failed", severity=Severity.ERROR)
        certainty = "assumed" if seen.clipped else seen.certainty
        return _Single(shown, failed.code, outcome, status, log, failed.detail, seen.hints, certainty, seen)
    status = seen.predicted_status if target.directive != "stream" else STREAM_OK
    if target.directive == mail.DIRECTIVE:
        remark = OUTCOMES["MAIL_AUTH"] if seen.status == 404 or (seen.status or 0) >= 500 else None
        code, log = ("MAIL_AUTH", mail.NO_SERVER) if remark is not None else ("OK", "")
        return _Single(
            shown, code, remark, None, log.format(label=clean(target.label)), f"{seen.status}", (), "observed", seen
        )
    code, detail, hint = _remark(target, seen, circumstances)
    remark = OUTCOMES.get(code)
    hints = (hint,) if hint else ()
    return _Single(shown, code, remark, status, seen.log, detail, hints, seen.certainty, seen)


# $status of a stream session whose upstream could be connected.
STREAM_OK = 200
_NO_ROOM_FOR_BODY = (
    "the response head of {target} fills {buffer} to the last byte ({detail}): visitors get the head and no body"
)
# For these nginx may log nothing at all; the probe knows.
_SILENT_LOG = frozenset(("L7_WRONGPROTO", "L7_INTERIM", "L7_STATUS_4XX"))


def _remark(target: Target, seen: Observation, circumstances: Circumstances) -> tuple[str, str, str]:
    """What is worth saying of an address that answers: code, detail, hint; three empty texts for nothing."""
    status = seen.status
    if seen.body is not None:
        return *seen.body, ""
    if status in (503, 429):
        return "L7_OVERLOAD", f"{target.path or '/'} with Host {target.host_header or 'absent'}", ""
    if status is not None and status >= 500:
        return "L7_STATUS_5XX", f"{target.path or '/'} with Host {target.host_header or 'absent'}", ""
    if status == 101:
        return "L7_INTERIM", "101 without an upgrade", ""
    if status in (301, 302, 303, 307, 308) and seen.location:
        found = _redirect(target, seen.location, circumstances)
        if found:
            return found
    if target.tls is not None and seen.certificate is not None:
        found = _certificate(target, seen, circumstances)
        if found:
            return found
    if seen.header_bytes > target.room * NEAR_BUFFER:
        return "L7_NEARBUFFER", f"{seen.header_bytes} bytes", ""
    for phase in seen.phases:
        if target.directive != "stream" and near_limit(target, phase):
            limit = limit_of(target, phase)
            what = "first byte" if phase.name == "http" else "connected" if phase.name == "tcp" else "handshake"
            return "L7_SLOW", f"{what} after {phase.ms / 1000:.1f} s, the limit is {limit:g} s", ""
    return *seen.further, ""


def _redirect(target: Target, location: str, circumstances: Circumstances) -> tuple[str, str, str] | None:
    shown = clean(location, 120)
    try:
        url = urlsplit(urljoin(target.client_url, location))
        host = url.hostname or ""
    except ValueError:
        return "L7_REDIRECT", f"“{shown}” is no URL", ""
    if url.scheme not in ("http", "https"):
        return "L7_REDIRECT", f"“{shown}”", ""
    if circumstances.policy.name_denied(host) or (
        host and _is_literal(host) and circumstances.policy.address_denied(host)
    ):
        return "L7_REDIRECT", f"“{shown}”", ""
    # proxy_redirect default turns the URL of the pass back into the visitor's.
    asked = f"{target.pass_url}{target.path}"
    if location in (target.client_url, asked) or urljoin(target.client_url, location) == target.client_url:
        return "L7_LOOP", f"Location: {shown}", ""
    return None


def _is_literal(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


def _certificate(target: Target, seen: Observation, circumstances: Circumstances) -> tuple[str, str, str] | None:
    certificate, profile = seen.certificate, target.tls
    assert certificate is not None
    assert profile is not None
    left = (certificate.not_after - circumstances.now) / DAY
    if not profile.verify:
        if left < 0:
            return "L6_CERT_WARN", f"it expired on {_date(certificate.not_after)}", ""
        if certificate.not_before > circumstances.now:
            return "L6_CERT_WARN", f"it is valid from {_date(certificate.not_before)} only", ""
        name = profile.name
        # A group's name or an address is never meant to be in a certificate.
        if "." in name and not _is_literal(name) and not matches(certificate, name):
            names = certificate.dns_names or certificate.common_names
            return "L6_CERT_WARN", f"it is for {clean(', '.join(names[:3])) or 'nobody'}, not {clean(name)}", ""
        if certificate.self_signed:
            return "L6_CERT_WARN", "it is self-signed", ""
    if left < circumstances.certificate_days:
        return "L6_CERT_EXPIRING", f"on {_date(certificate.not_after)}, in {max(0, int(left))} days", ""
    return None


def _date(seconds: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(min(seconds, 253402300799)))


def _combine(target: Target, resolution: Resolution, singles: list[_Single]) -> Verdict:
    """One verdict of all addresses of a target."""
    failed = [single for single in singles if single.failed]
    unjudged = [s for s in singles if s.outcome is not None and s.outcome.word in ("unknown", "not-probed")]
    alive = [single for single in singles if single not in failed and single not in unjudged]
    if failed and len(failed) < len(singles):
        worst = failed[0]
        assert worst.outcome is not None
        rescued = bool(alive) and _rescued(target, worst)
        what = f"{len(failed)} of {len(singles)} addresses: {', '.join(s.address for s in failed[:4])}"
        outcome = replace(worst.outcome, word="degraded", severity=Severity.WARNING)
        if rescued:
            text = without_consequence(outcome.message) + ": nginx goes on with the next address of the name"
            outcome = replace(outcome, message=text)
        status = alive[0].status if rescued else worst.status
        partial = replace(worst, outcome=outcome, status=status, detail=f"{worst.detail}; {what}")
        return _verdict(target, partial, singles)
    if failed:
        last = next((single for single in failed if not _rescued(target, single)), failed[-1])
        return _verdict(target, replace(failed[0], status=last.status), singles)
    if alive:
        order = [single for single in alive if single.outcome is not None]
        order.sort(key=lambda single: -(single.outcome.severity or 0) if single.outcome else 0)
        return _verdict(target, order[0] if order else alive[0], singles)
    return _verdict(target, unjudged[0], singles)


def _rescued(target: Target, single: _Single) -> bool:
    """Does nginx try the next peer after this?"""
    return single.outcome is not None and single.outcome.condition(single.log) in target.next_upstream


def _verdict(target: Target, single: _Single, singles: list[_Single] | None = None) -> Verdict:
    outcome = single.outcome
    seen = single.seen
    inner = seen.inner if seen is not None else ""
    values = {
        "target": clean(target.label),
        "label": clean(target.label),
        "host": clean(target.host or target.label),
        "named": clean(target.defined_at.directive.values[0] if target.role is not None else target.host),
        "detail": single.detail,
        "buffer": _buffer(target),
        "family": _FAMILY.get(target.protocol, "proxy"),
        "directive": target.directive,
        "status": single.status,
        "inner": clean(inner, 80),
    }
    stages: dict[str, tuple[str, float, str]] = {}
    if seen is not None:
        for phase in seen.phases:
            word = "ok" if phase.ok else _stage_word(phase.code)
            stages[phase.name] = (word, round(phase.ms, 1), clean(phase.detail))
    if outcome is None:
        return Verdict(
            target,
            "ok",
            "OK",
            None,
            None,
            single.status,
            seen.status if seen is not None else None,
            stages=stages,
            certainty=single.certainty,
            inner=inner,
        )
    hints = tuple(clean(hint, 300) for hint in single.hints)
    written = tuple(line.format(**values) for line in outcome.help)
    help = (*(f"write: {hint}" if hint.endswith(";") or "://" in hint else hint for hint in hints), *written)
    failed_stage = outcome.stage or None if outcome.word == "failed" else None
    if outcome.word == "failed" and seen is not None and seen.failure is not None:
        failed_stage = seen.failure.name
    if outcome.word == "degraded" and seen is not None and seen.failure is not None:
        failed_stage = seen.failure.name
    log = single.log.format(**values) if single.log == outcome.log else single.log
    if target.protocol == "dns":
        log = log.replace("not found in upstream", "not found in resolver")
    return Verdict(
        target,
        outcome.word,
        single.code,
        outcome.severity,
        failed_stage,
        single.status,
        seen.status if seen is not None else None,
        log,
        single.certainty,
        clean(outcome.message.format(**values), 600),
        clean(single.detail, 120),
        tuple(dict.fromkeys(help)),
        stages=stages,
        inner=inner,
    )


def _buffer(target: Target) -> str:
    if not target.cache_head:
        return f"the buffer of {target.buffer_size} bytes"
    return f"the {target.room} bytes that the cache leaves of the buffer of {target.buffer_size}"


def _stage_word(code: str) -> str:
    word = OUTCOMES[code].word
    return "failed" if word == "failed" else "unknown" if word in ("unknown", "not-probed") else "ok"
