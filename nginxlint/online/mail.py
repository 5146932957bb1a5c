"""What the mail proxy asks over HTTP: `auth_http` as a target, and what its faults mean to people who log in.

Source: ngx_mail_auth_http_module.c; log lines observed on nginx 1.22.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from nginxlint.online.outcomes import Outcome, without_consequence
from nginxlint.online.types import Target, Timeouts, Where
from nginxlint.online.units import seconds
from nginxlint.routing.passes import split_target
from nginxlint.routing.upstreams import split_authority

if TYPE_CHECKING:
    from nginxlint.config import Config
    from nginxlint.syntax import Directive

DIRECTIVE = "auth_http"
RESPONSE_ROOM = 1024  # ngx_mail_auth_http_init
_STATE = " while in http auth state"
_TIMED_OUT = "auth http server {label} timed out (110: Connection timed out)" + _STATE
_LOGS = {
    "L4_REFUSED": "recv() failed (111: Connection refused)" + _STATE,
    "L4_TIMEOUT": _TIMED_OUT,
    "L7_TIMEOUT": _TIMED_OUT,
    "L7_SLOWHEADER": _TIMED_OUT,
    "L7_TOOBIG": _TIMED_OUT,
    "L7_RESET": "recv() failed (104: Connection reset by peer)" + _STATE,
    "L7_CLOSED": "",
    "L7_NOTHTTP": "auth http server {label} sent invalid header in response" + _STATE,
    "L7_H2ONLY": "auth http server {label} sent invalid header in response" + _STATE,
}
NO_SERVER = "auth http server {label} did not send server or port" + _STATE


def auth_target(config: Config, directive: Directive, where: Where) -> Iterator[Target]:
    """The HTTP server that decides who may read mail, asked as any HTTP upstream; no credentials are sent."""
    _, authority, uri = split_target(directive.values[0])
    host, port, unix = split_authority(authority)
    scope = config.scope(directive)
    limit = seconds(scope.value("auth_http_timeout"), 60.0)
    base = Target(
        id="",
        directive=DIRECTIVE,
        protocol="http",
        scheme="http",
        host=host,
        port=80 if port is None else port,
        path=uri or "/",
        host_header="localhost" if unix is not None else host,
        defined_at=where,
        used_at=(),
        resolution="startup",
        buffer_size=RESPONSE_ROOM,
        timeouts=Timeouts(limit, limit),
        next_upstream=frozenset(),
    )
    yield base if unix is None else replace(base, host="", port=None, unix=unix, resolution="unix")


def in_mail_terms(code: str, outcome: Outcome) -> Outcome:
    """An outcome as the mail proxy has it: no HTTP status, its own log line, nobody logs in."""
    log = _LOGS.get(code, outcome.log)
    message = without_consequence(outcome.message) + ": logins fail with “internal server error”"
    return replace(outcome, status=None, log=log, message=message)
