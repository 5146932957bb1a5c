"""What visitors get in the end: `error_page`, `auth_request`, `mirror` and X-Accel-Redirect. Pure but for looking at files.

Source: ngx_http_special_response_handler, ngx_http_upstream_intercept_errors, ngx_http_auth_request_done (2xx lets the
request through, 401 and 403 are handed on, anything else is 500), ngx_http_mirror_module,
ngx_http_upstream_process_headers.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from nginxlint.diagnostic import Severity
from nginxlint.online.outcomes import OUTCOMES, without_consequence
from nginxlint.online.request import Client
from nginxlint.online.types import Verdict, Where
from nginxlint.online.untrusted import clean
from nginxlint.syntax import Block, Directive

if TYPE_CHECKING:
    from collections.abc import Callable

    from nginxlint.config import Config
    from nginxlint.routing.answer import Answer
    from nginxlint.routing.request import Request
    from nginxlint.routing.scope import Scope
    from nginxlint.routing.servers import Location

_FAMILY = {"proxy_pass": "proxy", "fastcgi_pass": "fastcgi", "uwsgi_pass": "uwsgi", "scgi_pass": "scgi",
           "grpc_pass": "grpc"}  # fmt: skip
_OURS = (500, 502, 504)  # what nginx itself answers for an upstream
_CLOSE = 444  # nginx closes the connection without an answer
_DEPTH = 3


def seen_by_visitors(config: Config, verdicts: list[Verdict], *, here: bool = False) -> list[Verdict]:
    """The verdicts with the status visitors get, told where that is not the upstream's own doing. `here`: the files of
    this machine are those nginx would serve."""
    surrounded = any(name in config.names for name in ("error_page", "auth_request", "mirror"))
    if not surrounded and not any(verdict.inner for verdict in verdicts):
        return verdicts
    work = _Visitors(config, verdicts, _kind if here else _look)
    return [work.told(verdict) for verdict in verdicts]


class _Visitors:
    def __init__(self, config: Config, verdicts: list[Verdict], look: Callable[[str], str]) -> None:
        # the simulator costs as much to import as a hundred probes: only where something stands around a pass
        from nginxlint.routing.router import Router

        self.config = config
        self.router = Router(config, look)
        self.by_pass: dict[Directive, Verdict] = {}
        for verdict in verdicts:
            for where in verdict.target.used_at:
                self.by_pass.setdefault(where.directive, verdict)
        self.askers = self._locations_named_by("auth_request")
        self.copies = self._locations_named_by("mirror")

    def _locations_named_by(self, name: str) -> dict[Block, Directive]:
        """Location block → a directive that sends subrequests there."""
        found: dict[Block, Directive] = {}
        for line in self.config.find(name):
            uri = line.values[0] if line.values else "off"
            for server in self.config.servers if line.enclosing("server") is None else [self.config.server(line)]:
                if server is None or server.kind != "http" or not uri.startswith("/"):
                    continue
                location = self.router.locations(server).find(uri).location
                if location is not None:
                    found.setdefault(location.block, line)
        return found

    def told(self, verdict: Verdict) -> Verdict:
        target = verdict.target
        if not target.used_at or target.directive == "stream" or verdict.predicted_status == "blocks-start":
            return verdict
        place = target.used_at[0]
        location = self.config.location(place.directive)
        if location is None:
            return verdict
        if location.block in self.copies and _hidden(location):
            return self._copy(verdict)
        status, why, log = self.status_at(place.directive, verdict, 0)
        if location.block in self.askers:
            return self._asked(verdict, status, self.askers[location.block])
        if verdict.inner:
            return self._handed_on(verdict, status, log)
        return replace(_reworded(verdict, status, why), predicted_log=log) if why else verdict

    def _asked(self, verdict: Verdict, status: int | str | None, line: Directive) -> Verdict:
        """The upstream that an auth_request asks."""
        mapped = _mapped(verdict, status)
        if mapped is None or mapped == status:
            return verdict
        if verdict.word == "ok":
            outcome = OUTCOMES["AUTH_STATUS"]
            message = outcome.message.format(target=verdict.target.label, status=status, detail=_at(line))
            verdict = replace(
                verdict,
                word=outcome.word,
                code="AUTH_STATUS",
                severity=outcome.severity,
                message=message,
                help=outcome.help,
                predicted_log=f"auth request unexpected status: {status}",
            )
            return replace(verdict, predicted_status=mapped)
        return _reworded(verdict, mapped, f"auth_request ({_at(line)}) makes that {mapped}")

    def _handed_on(self, verdict: Verdict, status: int | str | None, log: str) -> Verdict:
        """An upstream whose answer names a URI to be served instead."""
        verdict = replace(verdict, predicted_status=status, predicted_log=log)
        if (
            verdict.word != "ok"
            or log
            or not isinstance(status, int)
            or status < 400
            or status == verdict.observed_status
        ):
            return verdict
        outcome = OUTCOMES["ACCEL_LOST"]
        message = outcome.message.format(target=verdict.target.label, inner=clean(verdict.inner, 80), status=status)
        return replace(
            verdict, word=outcome.word, code="ACCEL_LOST", severity=outcome.severity, message=message, help=outcome.help
        )

    def _served_instead(self, place: Directive, verdict: Verdict, depth: int) -> tuple[int | str | None, str]:
        """The status of what an X-Accel-Redirect leads to, and the log; None where that hangs on what nobody knows."""
        request = self._request(place)
        request.reply["x-accel-redirect"] = verdict.inner
        answer = self.router.route(request)
        if not answer.certain or [one.directive for one in answer.upstreams[:1]] != [place] or depth > _DEPTH:
            return None, ""
        if answer.upstream is None:
            return answer.status or (200 if answer.action == "static" else None), ""
        if answer.upstream.directive is place:
            return verdict.observed_status, ""  # ignored: proxy_ignore_headers
        other = self.by_pass.get(answer.upstream.directive)
        status, _, log = self.status_at(answer.upstream.directive, other, depth + 1) if other else (None, "", "")
        return status, log

    def status_at(
        self, place: Directive, verdict: Verdict, depth: int, *, paged: bool = False
    ) -> tuple[int | str | None, str, str]:
        """What a visitor of the location of this pass gets, why where it is not what the upstream brings, and what
        nginx logs. `paged`: an `error_page` led here, and no other one is followed."""
        scope = self.config.scope(place)
        denied = self._asked_first(place, depth)
        status: int | str | None
        if denied is not None:
            status, why, log = denied
        else:
            status, why, log = verdict.predicted_status, "", verdict.predicted_log
            if verdict.inner:
                status, log = self._served_instead(place, verdict, depth)
        if not isinstance(status, int) or depth > _DEPTH or paged:
            return status, why, log
        ours = denied is not None or (status in _OURS and not verdict.own_answer)
        family = _FAMILY.get(place.name, "")
        intercepted = status >= 300 and bool(family) and scope.on(f"{family}_intercept_errors")
        missed = status == 404 and place.name == "memcached_pass"  # always nginx's own: intercept_404
        if not ours and not intercepted and not missed:
            return status, why, log
        block = place.parent
        assert block is not None
        answer = self.router.after(block, status, self._request(place))
        seen, _ = self._of(answer, depth, paged=not scope.on("recursive_error_pages"))
        if seen == status:
            return status, why, log
        page = next((line for line in scope.effective("error_page") if str(status) in line.values[:-1]), None)
        if page is None:
            return seen, why, log
        if seen == _CLOSE:
            return None, f"error_page ({_at(page)}) leads to return {_CLOSE}: the connection is closed", log
        return seen, f"error_page ({_at(page)}) makes that {seen or 'another'}", log

    def _of(self, answer: Answer, depth: int, *, paged: bool = False) -> tuple[int | str | None, str]:
        """The status of what a request leads to, and the log; another pass has a verdict of its own."""
        if answer.upstream is None:
            return answer.status, ""
        other = self.by_pass.get(answer.upstream.directive)
        if other is None:
            return answer.status, ""
        status, _, log = self.status_at(answer.upstream.directive, other, depth + 1, paged=paged)
        return (answer.status if answer.status is not None and other.word != "failed" else status), log

    def _asked_first(self, place: Directive, depth: int) -> tuple[int, str, str] | None:
        """The refusal of an `auth_request` in effect: its status, a sentence, the log; None where it lets visitors
        in."""
        scope = self.config.scope(place)
        line, block = scope.directive("auth_request"), place.parent
        if line is None or block is None or depth > _DEPTH or not line.values or not line.values[0].startswith("/"):
            return None
        if scope.value("satisfy").lower() == "any" and _let_in_by_others(scope):
            return None
        answer = self.router.asked(block, line.values[0], self._request(place))
        if answer.upstream is not None and answer.upstream.directive is place:
            return None
        status, log = self._of(answer, depth)
        found = self.by_pass.get(answer.upstream.directive) if answer.upstream is not None else None
        if found is None and not answer.certain:
            return None
        mapped = _mapped(found, status)
        if mapped is None:
            return None
        if mapped != 500:
            return mapped, f"auth_request ({_at(line)}) answers {mapped} to who brings no credentials", ""
        log = log or f"auth request unexpected status: {status}"
        return mapped, f"visitors get 500, for auth_request ({_at(line)}) fails", log

    def _request(self, place: Directive) -> Request:
        from nginxlint.routing.request import Request

        client = Client(self.config.server(place), self.config.location(place))
        return Request(client.uri, host=client.host, scheme=client.scheme, port=client.port)

    def _copy(self, verdict: Verdict) -> Verdict:
        """A mirror's answers are thrown away, whatever they are."""
        if verdict.word != "failed":
            return replace(verdict, predicted_status=None)
        text = without_consequence(verdict.message)
        return replace(
            verdict,
            word="degraded",
            severity=Severity.WARNING,
            predicted_status=None,
            message=f"{text}; it is only a mirror: visitors get their answers, the copies of their requests are lost",
        )


def _mapped(verdict: Verdict | None, status: int | str | None) -> int | None:
    """What auth_request makes of an answer; None where it lets the request through, or where nobody knows."""
    if not isinstance(status, int):
        return 500 if verdict is not None and verdict.word == "failed" and status is None else None
    if 200 <= status < 300:
        return None
    return status if status in (401, 403) else 500


def _let_in_by_others(scope: Scope) -> bool:
    """With `satisfy any`, may addresses or passwords let a visitor in before anybody is asked?"""
    rules = [*scope.effective("allow"), *scope.effective("deny")]
    return any(rule.name == "allow" for rule in rules) or bool(scope.effective("auth_basic_user_file"))


def _hidden(location: Location) -> bool:
    return bool(location.block.children("internal"))


def _reworded(verdict: Verdict, status: int | str | None, why: str) -> Verdict:
    if status == verdict.predicted_status:
        return verdict
    message = f"{verdict.message}; {why}" if verdict.message else f"{verdict.target.label} is fine; {why}"
    severity = verdict.severity
    if verdict.word == "failed" and isinstance(status, int) and status < 400 and severity is Severity.ERROR:
        severity = Severity.WARNING
    return replace(verdict, predicted_status=status, message=message, severity=severity)


def _at(line: Directive) -> str:
    where = Where(line, line.head_span)
    return f"line {where.span.line}"


def _kind(path: str) -> str:
    """What a path is on this machine."""
    return "folder" if os.path.isdir(path) else "file" if os.path.exists(path) else ""


def _look(path: str) -> str:
    """What a path is, as far as this machine can tell: where not even the folder is there, the file is elsewhere."""
    return _kind(path) or ("" if os.path.isdir(os.path.dirname(path)) else "file")
