"""The content handlers that talk to an upstream: what is sent where (ngx_http_proxy_create_request and kin)."""

from __future__ import annotations

from nginxlint.routing.answer import UpstreamRequest
from nginxlint.routing.escaping import escape_uri
from nginxlint.routing.evaluate import expand
from nginxlint.routing.passes import split_target
from nginxlint.routing.sent import memcached_key, sent_headers, sent_parameters
from nginxlint.routing.upstreams import split_authority
from nginxlint.routing.visit import Unsure, Visit
from nginxlint.syntax import Directive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nginxlint.config import Config

_DEFAULT_SCHEMES = {
    "fastcgi_pass": "fastcgi",
    "uwsgi_pass": "uwsgi",
    "scgi_pass": "scgi",
    "memcached_pass": "memcached",
}
_PORTS = {"http": 80, "https": 443}


def pass_on(config: Config, visit: Visit, place: Directive) -> tuple[UpstreamRequest | None, int | None]:
    """What a pass sends where, or the status of its failure."""
    if not place.values:
        return None, 500
    written = place.values[0]
    has_variables = "$" in written
    text = expand(config, visit, written)
    if isinstance(text, Unsure):
        visit.doubt(text.why, place)
    scheme, authority, uri = split_target(str(text))
    if place.name == "proxy_pass" and scheme not in _PORTS:
        visit.say(f'"{text}" does not start with http:// or https://: 500', place)
        return None, 500
    if place.name == "grpc_pass":
        scheme = scheme or "grpc"
    scheme = scheme or _DEFAULT_SCHEMES.get(place.name, "")
    if place.name != "proxy_pass":
        uri = None
    host, port, unix = split_authority(authority)
    if unix is None and not host:
        visit.say("the target has no host: 500", place)
        return None, 500
    group = None if port is not None or unix is not None else config.upstream(authority)
    if group is not None:
        peers = [peer.address.text for peer in group.peers if not peer.down]
        if not peers:
            visit.say(f"every server of {group.name} is down: 502 (no live upstreams)", place)
            return None, 502
    else:
        peers = [authority]
    upstream = UpstreamRequest(place, scheme, group.name if group is not None else None, peers)
    default = _PORTS.get(scheme)
    visit.named["proxy_host"] = (
        "localhost"
        if unix is not None
        else authority
        if port != default or port is None
        else authority.rpartition(":")[0]
    )
    visit.named["proxy_port"] = "" if unix is not None else str(port or default or "")
    assert visit.block is not None
    scope = config.scope(visit.block)
    family = place.name.removesuffix("_pass")
    upstream.method = expand(config, visit, scope.value(f"{family}_method", visit.method))
    upstream.request_uri = _uri(visit, uri, has_variables)
    if family == "memcached" and visit.method not in ("GET", "HEAD"):
        visit.say(f"memcached answers GET and HEAD only, not {visit.method}: 405", place)
        return None, 405
    if family == "memcached":
        upstream.request_uri = memcached_key(visit)
        if not upstream.request_uri:
            visit.say("$memcached_key is not set: 500", place)
            return None, 500
    elif family in ("proxy", "grpc"):
        upstream.headers = sent_headers(config, visit, scope, family)
        upstream.host = upstream.headers.get("Host", "")
    else:
        upstream.headers = sent_parameters(config, visit, scope, family)
        upstream.host = visit.request.host
    looked_up = has_variables and group is None and unix is None and not _literal(host)
    if looked_up and not scope.effective("resolver") and authority not in _written_authorities(config):
        visit.say(f'no resolver, and no group or literal target "{authority}": 502', place)
        return None, 502
    return upstream, None


def _literal(host: str) -> bool:
    return ":" in host or not host.strip("0123456789.")


def _written_authorities(config: Config) -> set[str]:
    return {target.authority for target in config.passes() if not target.has_variables}


def _uri(visit: Visit, uri: str | None, has_variables: bool) -> str:
    """The request target upstream (upstream-semantics.md D)."""
    if uri is not None and uri[:1] in ("?", "#") and has_variables:
        uri = "/" + uri
    if has_variables and uri:
        return uri
    if not uri and visit.pristine and visit.target is not None:
        return visit.target.raw
    location = visit.location
    cut = 0
    if uri and visit.valid_location and location is not None and location.modifier in ("", "=", "^~"):
        cut = len(location.pattern)
    rest = visit.uri.encode("utf-8", "surrogateescape")
    if cut and location is not None:
        prefix = location.pattern.encode("utf-8", "surrogateescape")
        if len(prefix) > len(rest):
            visit.doubt("the URI is shorter than the location's prefix: nginx before 1.29.4 crashes on it")
        rest = rest[len(prefix) :]
    tail = rest.decode("utf-8", "surrogateescape")
    if visit.quoted or visit.internal:
        tail = escape_uri(tail)
    head = uri if uri and visit.valid_location else ""
    if head.startswith("#"):
        head = "/" + head
    return head + tail + (f"?{visit.args}" if visit.args else "")
