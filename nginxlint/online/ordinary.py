"""What an ordinary HTTP client, httpx, gets where nginx's own question was asked before. It explains, and decides nothing:
it accepts what nginx refuses and refuses what nginx accepts."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import importlib.util
import os
import ssl
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nginxlint.online.tls import ProfileFault, context_for
from nginxlint.online.types import Address, Target, TlsProfile

if TYPE_CHECKING:
    import httpx

# RFC 6455, 1.3
_WEBSOCKET = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_EVERY_VERSION = ("TLSv1.2", "TLSv1.3")


@dataclass(frozen=True, slots=True)
class Look:
    """What such a client got: `version` is HTTP/1.0, HTTP/1.1 or HTTP/2, `accepted` that a WebSocket handshake was
    answered as it has to be."""

    status: int
    version: str
    accepted: bool = False


async def look(address: Address, target: Target, limit: float, *, websocket: bool = False) -> Look | None:
    """One GET of a target, or a WebSocket handshake; None where it fails, and where there is no httpx.

    Bounded in time, no redirect is followed, nothing of the environment or the configuration's secrets is used.
    """
    if importlib.util.find_spec("httpx") is None:
        return None  # a zip application runs without packages
    import httpx

    key = base64.b64encode(os.urandom(16))
    try:
        async with asyncio.timeout(limit), _client(address, target, limit, http2=not websocket) as client:
            request = client.build_request(
                "GET",
                _url(address, target),
                headers=_headers(target, key if websocket else b""),
                extensions=_sni(target),
            )
            response = await client.send(request, stream=True)
            try:
                accept = response.headers.get("sec-websocket-accept", "")
                return Look(response.status_code, response.http_version, accept == _accept(key))
            finally:
                await response.aclose()
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, ProfileFault, OSError, ValueError, TimeoutError):
        return None


def _client(address: Address, target: Target, limit: float, *, http2: bool) -> httpx.AsyncClient:
    import httpx

    context: ssl.SSLContext | bool = False
    if target.tls is not None:
        # any version and no verification: whether nginx would accept it is not the question
        profile = replace(target.tls, verify=False, protocols=_EVERY_VERSION, ciphers="DEFAULT", alpn=("http/1.1",))
        context = context_for(profile)
    transport = httpx.AsyncHTTPTransport(
        verify=context,
        http2=http2 and target.tls is not None and importlib.util.find_spec("h2") is not None,
        uds=address.unix or None,
        trust_env=False,
        limits=httpx.Limits(max_keepalive_connections=0),
    )
    return httpx.AsyncClient(transport=transport, trust_env=False, follow_redirects=False, timeout=limit)


def _url(address: Address, target: Target) -> str:
    scheme = "http" if target.tls is None else "https"
    if address.unix:
        return f"{scheme}://localhost{target.path or '/'}"
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"{scheme}://{host}:{address.port}{target.path or '/'}"


def _sni(target: Target) -> dict[str, str]:
    name = _name(target.tls)
    return {"sni_hostname": name} if name else {}


def _name(tls: TlsProfile | None) -> str:
    if tls is None or tls.server_name:
        return tls.server_name if tls is not None else ""
    return tls.name if "." in tls.name and not tls.name.replace(".", "").isdigit() else ""


def _headers(target: Target, key: bytes) -> dict[str, str]:
    from nginxlint.online.speak import user_agent

    headers = {"Host": target.host_header or target.host or "localhost", "User-Agent": user_agent(), "Accept": "*/*",
               "Accept-Encoding": "identity", **dict(target.headers)}  # fmt: skip
    if key:
        origin = "/".join(target.client_url.split("/", 3)[:3])
        headers |= {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                    "Sec-WebSocket-Key": key.decode(), "Origin": origin}  # fmt: skip
    return headers


def _accept(key: bytes) -> str:
    return base64.b64encode(hashlib.sha1(key + _WEBSOCKET, usedforsecurity=False).digest()).decode()
