"""The second look: a few more connections to an address that failed, to say why. They never make a verdict worse."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from nginxlint.online.failure import Failure
from nginxlint.online.kept import why_not_kept
from nginxlint.online.network import close_quietly
from nginxlint.online.own_request import no_scgi, own_request
from nginxlint.online.pings import H2_PREFACE
from nginxlint.online.speak import HANGS_UP
from nginxlint.online.steps import connect, exchange
from nginxlint.online.types import Address, Observation, Phase, Target, TlsProfile

if TYPE_CHECKING:
    from nginxlint.online.probe import Prober

LOOK_LIMIT = 2.0
_HOST_STATUSES = frozenset((400, 403, 404, 421))
_VERSION_STATUSES = frozenset((426, 505))
_UNEXPLAINED = frozenset(("L6_CLOSED", "L7_CLOSED", "L7_RESET", "L7_TIMEOUT", "L7_H2ONLY"))
_NO_ANSWER = frozenset(("L7_CLOSED", "L7_RESET", "L7_TIMEOUT"))
# How servers answer a line that is no request of theirs.
_REFUSALS = ("it says “HTTP/1.1 4", "it says “HTTP/1.0 4", "it says “-ERR", "it says “ERROR")
_CGI = frozenset(("fastcgi", "uwsgi", "scgi", "memcached", "grpc"))
# Pings that any such server answers, whatever its application does.
_BEHIND_PINGS = frozenset(("fastcgi", "uwsgi", "memcached"))
_ASKED_AGAIN = frozenset(("fastcgi", "uwsgi", "memcached"))


async def explain(prober: Prober, target: Target, address: Address, seen: Observation) -> Observation:
    """The observation with a better code or a hint, where a second look finds one."""
    failure = seen.failure
    if failure is None:
        if target.upgrades:
            asked = await _websocket(prober, target, address, seen)
            if asked is not seen:
                return asked
        if target.protocol == "http" and seen.status in _HOST_STATUSES:
            return await _status(prober, target, address, seen)
        if target.protocol == "http" and seen.status in _VERSION_STATUSES:
            return await _http10(prober, target, address, seen)
        if target.keeps and target.protocol == "http":
            return replace(seen, further=await why_not_kept(prober, target, address))
        if target.protocol == "tcp" and target.proxy_protocol:
            return await _proxy_unwanted(prober, target, address, seen)
        if target.protocol in _BEHIND_PINGS:
            return await own_request(prober, target, address, seen)
        if target.protocol == "scgi":
            return await no_scgi(prober, target, address, seen)
        return seen
    if failure.name == "tls":
        told = await _handshake(prober, target, address, seen, failure)
        return told if told is not seen else await _ordinary(prober, target, address, seen, failure)
    if failure.name != "http":
        return seen
    if target.protocol == "http":
        told = await _no_answer(prober, target, address, seen, failure)
        return told if told is not seen else await _ordinary(prober, target, address, seen, failure)
    if target.protocol in _ASKED_AGAIN:
        seen = await own_request(prober, target, address, seen)
        failure = seen.failure
        if failure is None or failure.code == "L7_TOOBIG":
            return seen
    if target.protocol in _CGI and failure.code in _NO_ANSWER:
        return await _http_behind(prober, target, address, seen)
    return seen


async def _status(prober: Prober, target: Target, address: Address, seen: Observation) -> Observation:
    """400, 403, 404 or 421: because of TLS, because of the Host, or simply so?"""
    if seen.status == 400 and target.tls is None and not address.unix and await _speaks_tls(prober, target, address):
        return _with(seen, "L7_SCHEME", "it answers 400 to plain HTTP and speaks TLS", "proxy_pass https://…")
    for host in _other_hosts(target):
        other = await _quick(prober, target, address, host=host)
        if other is not None and other.failure is None and other.status is not None and other.status < 400:
            detail = f"answers {seen.status} to Host “{target.host_header or ''}” and {other.status} to “{host}”"
            return _with(seen, "L7_STATUS_4XX", detail, f"proxy_set_header Host {_as_written(host, target)};")
    told = await _http10(prober, target, address, seen)
    if (
        told is seen
        and seen.status == 400
        and not target.proxy_protocol
        and await _wants_proxy(prober, target, address)
    ):
        return _with(seen, "L7_NEEDS_PROXY", "it answers only behind a PROXY protocol header", _NO_PROXY)
    return told


async def _http10(prober: Prober, target: Target, address: Address, seen: Observation) -> Observation:
    """Is it HTTP/1.0 that is not wanted? Envoy, for one, answers 426 to it."""
    if target.http_version != "1.0":
        return seen
    other = await _quick(prober, replace(target, http_version="1.1"), address)
    if other is None or other.failure is not None or other.status is None or other.status >= 400:
        return seen
    detail = f"answers {seen.status} to HTTP/1.0 and {other.status} to HTTP/1.1"
    return _with(seen, "L7_HTTP10", detail, "proxy_http_version 1.1;")


async def _websocket(prober: Prober, target: Target, address: Address, seen: Observation) -> Observation:
    """The location passes WebSocket handshakes on: does the peer take one? The same observation where that is open."""
    found = await prober.network.ordinary(address, target, _limit(prober), websocket=True)
    if found is not None and found.accepted:
        last = seen.phases[-1]
        detail = f"{last.detail}; takes WebSocket handshakes"
        return replace(seen, phases=(*seen.phases[:-1], replace(last, detail=detail)))
    if found is not None and found.status == 101:
        return replace(seen, further=("L7_WEBSOCKET", "101 without the right Sec-WebSocket-Accept"))
    # elsewhere it may be that only other paths are for WebSockets, and credentials are not ours to send
    if found is not None and target.upgrades == "named" and found.status not in (401, 403, 407, 429):
        return replace(seen, further=("L7_NO_WEBSOCKET", f"it answers {found.status}"))
    return seen


async def _ordinary(prober: Prober, target: Target, address: Address, seen: Observation, failure: Phase) -> Observation:
    """Nothing explains why it fails: what does an ordinary client get? That changes no verdict."""
    if target.protocol != "http" or failure.code not in _UNEXPLAINED:
        return seen
    found = await prober.network.ordinary(address, target, _limit(prober))
    if found is None or found.status >= 500:
        return seen
    detail = f"{failure.detail}; an ordinary client gets {found.status} in {found.version}"
    if found.version == "HTTP/2":
        return _with(seen, failure.code, f"{detail} (ALPN h2)", "let it speak HTTP/1.1 to nginx as well")
    newer = target.http_version == "1.0" and found.version == "HTTP/1.1"
    return _with(seen, failure.code, detail, "proxy_http_version 1.1;" if newer else "")


_NO_PROXY = "take proxy_protocol off the upstream's listen: nginx's HTTP proxy cannot send that header"


def _other_hosts(target: Target) -> list[str]:
    visitor = target.client_url.partition("://")[2].partition("/")[0]
    names = [visitor, target.host if target.host and not target.host.replace(".", "").isdigit() else ""]
    sent = (target.host_header or "").lower()
    return [name for name in dict.fromkeys(names) if name and name.lower() != sent and name != "localhost"]


def _as_written(host: str, target: Target) -> str:
    visitor = target.client_url.partition("://")[2].partition("/")[0]
    return "$host" if host == visitor else host


async def _no_answer(
    prober: Prober, target: Target, address: Address, seen: Observation, failure: Phase
) -> Observation:
    """No usable HTTP/1 answer: is it TLS, HTTP/2, or a PROXY header that is missing?"""
    tls_alert = failure.code == "L7_NOTHTTP" and "TLS" in failure.detail
    if failure.code not in ("L7_CLOSED", "L7_RESET") and not tls_alert:
        return seen  # whoever speaks TLS or HTTP/2 does not stay silent to HTTP/1
    if target.tls is None and not address.unix and await _speaks_tls(prober, target, address):
        return _with(seen, "L7_SCHEME", f"it speaks TLS; to plain HTTP: {failure.detail}", "proxy_pass https://…")
    if tls_alert:
        return seen
    if target.tls is None and await _speaks_http2(prober, target, address):
        return _with(seen, "L7_H2ONLY", f"it speaks only HTTP/2; to HTTP/1: {failure.detail}", "grpc_pass for gRPC")
    if not target.proxy_protocol and await _wants_proxy(prober, target, address):
        return _with(seen, "L7_NEEDS_PROXY", "it answers only behind a PROXY protocol header", _NO_PROXY)
    return seen


async def _handshake(
    prober: Prober, target: Target, address: Address, seen: Observation, failure: Phase
) -> Observation:
    """A handshake failed: would a server name help, or is it a plain port?"""
    assert target.tls is not None
    if failure.code in ("L6_NOTTLS", "L6_TIMEOUT", "L6_CLOSED") and target.protocol in ("http", "grpc"):
        plain = replace(target, tls=None, protocol="http", http_version="1.1")
        other = await _quick(prober, plain, address)
        if other is not None and other.status is not None:
            hint = "write http:// in proxy_pass, or the port that speaks TLS"
            return _with(seen, failure.code, f"{failure.detail}; plain HTTP is answered with {other.status}", hint)
    if target.proxy_protocol:
        other = await _quick(prober, target, address, level="tls", pp=False)
        if other is not None and other.failure is None:
            detail = f"{failure.detail}; without a PROXY protocol header the handshake works"
            return _with(seen, failure.code, detail, "proxy_protocol off;")
    if failure.code in ("L6_CLOSED", "L6_NAME") and not target.tls.server_name and target.tls.name:
        names = [target.tls.name, target.client_url.partition("://")[2].partition("/")[0]]
        for name in dict.fromkeys(names):
            if not name or name.replace(".", "").isdigit() or ":" in name or "." not in name:
                continue
            named = replace(target, tls=replace(target.tls, server_name=name))
            other = await _quick(prober, named, address, level="tls")
            if other is not None and other.failure is None:
                hint = "proxy_ssl_server_name on;"
                if name != target.tls.name:
                    hint += f" with proxy_ssl_name {name};"
                detail = f"{failure.detail}; with the server name {name} the handshake works"
                return _with(seen, failure.code, detail, hint)
    if failure.code == "L6_CLOSED":
        newest = replace(
            target.tls, protocols=("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"), ciphers="DEFAULT:@SECLEVEL=0"
        )
        if newest.protocols != target.tls.protocols or target.tls.ciphers != "DEFAULT":
            other = await _quick(prober, replace(target, tls=newest), address, level="tls")
            if other is not None and other.failure is None and other.tls_version not in target.tls.protocols:
                hint = f"proxy_ssl_protocols {' '.join(target.tls.protocols)} {other.tls_version};"
                return _with(seen, failure.code, f"{failure.detail}; it speaks {other.tls_version}", hint)
    return seen


async def _proxy_unwanted(prober: Prober, target: Target, address: Address, seen: Observation) -> Observation:
    """A stream peer gets a PROXY protocol header: does it take that for a request?"""
    said = seen.phases[-1].detail if seen.phases[-1].name == "http" else ""
    if said != HANGS_UP and not said.startswith(_REFUSALS):
        return seen
    other = await _quick(prober, target, address, level="http", pp=False)
    if other is None or other.failure is not None or other.phases[-1].detail == HANGS_UP:
        return seen
    return _with(seen, "L7_PROXY_UNWANTED", f"{said}; without the header it does not", "proxy_protocol off;")


async def _http_behind(prober: Prober, target: Target, address: Address, seen: Observation) -> Observation:
    """Silence under fastcgi_pass and the like: is it an HTTP server that waits for the end of a request?"""
    plain = replace(
        target, protocol="http", tls=None, path="/", host_header=target.host or "localhost", http_version="1.0"
    )
    other = await _quick(prober, plain, address)
    if other is None or other.status is None:
        return seen
    return _with(seen, "L7_WRONGPROTO", f"it speaks HTTP (answers {other.status})", "proxy_pass http://…")


async def _speaks_tls(prober: Prober, target: Target, address: Address) -> bool:
    name = target.host if target.host and not target.host.replace(".", "").isdigit() and ":" not in target.host else ""
    secure = replace(target, tls=TlsProfile(server_name=name))
    other = await _quick(prober, secure, address, level="tls")
    if other is None:
        return False
    failure = other.failure
    # A refused handshake is TLS as well, as long as the peer answered in TLS.
    return failure is None or (failure.name == "tls" and failure.code == "L6_CLIENTCERT")


async def _speaks_http2(prober: Prober, target: Target, address: Address) -> bool:
    limit = _limit(prober)
    try:
        stream = await connect(prober.network, address, limit, user="", nginx_limit=limit)
    except Failure:
        return False
    try:
        settings = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
        heard = await exchange(
            stream, H2_PREFACE + settings, idle=limit, total=limit, room=64, done=lambda data: len(data) >= 9
        )
    except OSError:
        return False
    finally:
        close_quietly(stream)
    return len(heard.data) >= 9 and heard.data[3] == 4 and heard.data[:1] == b"\x00" and heard.data[5:9] == bytes(4)


async def _wants_proxy(prober: Prober, target: Target, address: Address) -> bool:
    other = await _quick(prober, target, address, pp=True)
    return other is not None and other.failure is None and other.status is not None and other.status < 400


async def _quick(
    prober: Prober, target: Target, address: Address, *, host: str | None = "", level: str = "", pp: bool | None = None
) -> Observation | None:
    """One more attempt with a short limit of its own."""
    try:
        async with asyncio.timeout(_limit(prober)):
            return await prober.attempt(target, address, "GET", host=host, level=level, pp=pp)
    except TimeoutError:
        return None


def _limit(prober: Prober) -> float:
    return min(LOOK_LIMIT, prober.options.read_limit)


def _with(seen: Observation, code: str, detail: str, hint: str) -> Observation:
    """The observation with its last phase told anew."""
    last = seen.phases[-1]
    phases = (*seen.phases[:-1], Phase(last.name, last.ms, code, detail))
    return replace(seen, phases=phases, hints=(hint,) if hint else seen.hints)
