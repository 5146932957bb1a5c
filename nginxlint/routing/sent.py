"""What is sent along with a request: the headers of proxy_pass and grpc_pass, the parameters of FastCGI and kin."""

from __future__ import annotations

from nginxlint.routing.evaluate import ALL_LINES, expand
from nginxlint.routing.headers import RequestHeaders
from nginxlint.routing.request import gathered
from nginxlint.routing.scope import Scope
from nginxlint.routing.visit import Unsure, Visit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nginxlint.config import Config

# From this version on HTTP_HOST is a parameter like others, and no header of the client's (CHANGES; ngx_http_*_headers).
_HOST_BY_DEFAULT = (1, 29, 5)
_HOST = "$host$is_request_port$request_port"


def sent_headers(config: Config, visit: Visit, scope: Scope, family: str) -> dict[str, str]:
    """The headers of one request, Host first. Where a value is unknown it stands as it is written."""
    sent = RequestHeaders(config, scope, family)
    host = ""
    headers: list[tuple[str, str]] = []
    for line in sent.lines():
        value = expand(config, visit, line.value)
        if not value:
            continue
        shown = line.value if isinstance(value, Unsure) else value
        if line.name.lower() == "host":
            host = shown
        else:
            headers.append((line.name, shown))
    if not host and sent.host_falls_back:
        host = visit.named["proxy_host"]
    length = visit.headers.get("content-length")
    if length is not None and "content-length" not in sent.configured:
        headers.append(("Content-Length", length))
    headers += ((name, line) for name, line in visit.lines() if sent.hands_on(name))
    return gathered([("Host", host), *headers] if host else headers)


def sent_parameters(config: Config, visit: Visit, scope: Scope, family: str) -> dict[str, str]:
    """The parameters in effect, then `HTTP_*` for the client's headers (ngx_http_fastcgi_create_request and kin)."""
    params: list[tuple[str, str]] = []
    hidden = set()
    if family == "scgi":
        params.append(("CONTENT_LENGTH", visit.headers.get("content-length", "0")))
    for place in scope.effective(f"{family}_param"):
        if len(place.values) < 2:
            continue
        name, text = place.values[:2]
        hidden.add(name)
        if not text and name.startswith("HTTP_"):
            continue  # written to keep the client's header back
        value = expand(config, visit, text)
        if value or place.values[2:] != ("if_not_empty",):
            params.append((name, text if isinstance(value, Unsure) else value))
    if config.version >= _HOST_BY_DEFAULT and "HTTP_HOST" not in hidden:
        hidden.add("HTTP_HOST")
        value = expand(config, visit, _HOST)
        params.append(("HTTP_HOST", _HOST if isinstance(value, Unsure) else value))
    if scope.on(f"{family}_pass_request_headers", True):
        for name, value in visit.headers.items() if config.version >= ALL_LINES else visit.lines():
            shown = "HTTP_" + name.upper().replace("-", "_")
            if shown not in hidden:
                params.append((shown, str(value)))
    return gathered(params)


def memcached_key(visit: Visit) -> str:
    """What is asked of memcached: `$memcached_key`, escaped (NGX_ESCAPE_MEMCACHED); empty where it is not set."""
    key = visit.variables.get("memcached_key", "").encode("utf-8", "surrogateescape")
    escaped = b"".join(b"%%%02X" % byte if byte <= 0x20 or byte == 0x25 else bytes((byte,)) for byte in key)
    return escaped.decode("utf-8", "surrogateescape")
