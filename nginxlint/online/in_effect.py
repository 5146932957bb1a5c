"""The settings of a pass in effect at its place: TLS, timeouts, buffers, resolver, what counts for the next peer."""

from __future__ import annotations

import ipaddress
import os
from typing import TYPE_CHECKING

from nginxlint.catalogue.inheritance import PASSES
from nginxlint.online.literal import as_literal
from nginxlint.online.request import Client, expand, one_line
from nginxlint.online.types import ResolverSet, Timeouts, TlsProfile
from nginxlint.online.units import seconds, size
from nginxlint.routing.caching import cache_key, cache_of
from nginxlint.routing.handshakes import named_for_websockets
from nginxlint.routing.headers import RequestHeaders, http_version
from nginxlint.routing.lookups import Resolver
from nginxlint.routing.upstreams import split_authority
from nginxlint.routing.variables import REFERENCE

if TYPE_CHECKING:
    from nginxlint.config import Config, Version
    from nginxlint.routing.scope import Scope
    from nginxlint.routing.upstreams import Upstream
    from nginxlint.syntax import Block, Directive

# The first version with these defaults → what they are, newest first. Source: nginx change log.
_PROTOCOLS: tuple[tuple[Version, tuple[str, ...]], ...] = (
    ((1, 27, 3), ("TLSv1.2", "TLSv1.3")),
    ((1, 23, 4), ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")),
    ((0, 0, 0), ("TLSv1", "TLSv1.1", "TLSv1.2")),
)
PAGE = 4096
# Before the key: ngx_http_file_cache_header_t (336 bytes on 64 bits since 1.11.10), "\nKEY: " and the end of its line.
CACHE_ENTRY = 336 + 6 + 1
# ngx_http_memcached_module has its own words for the same bits
_MEMCACHED_WORDS = {"invalid_response": "invalid_header", "not_found": "http_404"}
_NEXT_BY_DEFAULT = frozenset(("error", "timeout"))
_OF_VISITORS = frozenset(("error_page", "auth_request"))
INTERCEPTING = ("proxy", "fastcgi", "uwsgi", "scgi", "grpc")


class Settings:
    """What a pass of one family takes from the blocks around it, besides its TLS."""

    __slots__ = (
        "buffer_size", "buffering", "caches", "headers", "http_version", "next_timeout", "next_upstream", "source", "surroundings",
        "timeouts", "tries",
    )  # fmt: skip

    def __init__(self, config: Config, scope: Scope, family: str) -> None:
        self.http_version = http_version(config, scope) if family == "proxy" else "1.1"
        self.headers = RequestHeaders(config, scope, family)
        self.buffer_size = max(1, size(scope.value(f"{family}_buffer_size"), PAGE))
        self.buffering = scope.on(f"{family}_buffering", default=family != "grpc")
        self.caches = cache_of(scope, family) is not None
        self.timeouts = timeouts(scope, family)
        self.next_upstream = next_upstream(scope, family)
        self.tries, self.next_timeout = next_limits(scope, family)
        self.surroundings = surroundings(scope)
        self.source = source(scope, family)


class SettingsOfAll:
    """The settings of every pass. A block that says nothing of them has those of the block around it: a thousand hosts
    with nothing but a pass cost little more than one."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._known: dict[tuple[int, str], Settings] = {}

    def of(self, scope: Scope, family: str) -> Settings:
        """What is in effect for a pass of this family."""
        key = id(scope.block), family
        found = self._known.get(key)
        if found is None:
            if scope.outer is not None and not _speaks(scope.block, family):
                found = self.of(scope.outer, family)
            else:
                found = Settings(self._config, scope, family)
            self._known[key] = found
        return found


def _speaks(block: Block, family: str) -> bool:
    """Does this block itself set anything that `Settings` asks for?"""
    return any(
        (name.startswith(family) and name not in PASSES) or name in _OF_VISITORS or name.endswith("_intercept_errors")
        for name in (directive.name for directive in block.body)
    )


def timeouts(scope: Scope, family: str, *, stream: bool = False) -> Timeouts:
    connect = seconds(scope.value(f"{family}_connect_timeout"), 60.0)
    if stream:
        return Timeouts(connect, seconds(scope.value("proxy_timeout"), 600.0))
    return Timeouts(connect, seconds(scope.value(f"{family}_read_timeout"), 60.0))


def cache_head(config: Config, scope: Scope, place: Directive, family: str, client: Client, proxy_host: str) -> int:
    """What a cache entry's own head takes of that room: ngx_http_upstream_process_header moves the buffer on by
    `header_start` (ngx_http_file_cache_create_key) before it reads. 0 where nothing is cached."""
    cache = cache_of(scope, family)
    if cache is None or "$" in cache.values[0]:
        return 0
    key = cache_key(scope, family)
    known = {**client.variables(), "proxy_host": proxy_host}
    # of what is not known nothing counts: what then does not fit never fits
    text = expand(config, scope.directive(f"{family}_cache_key") or place, key, known) or REFERENCE.sub("", key)
    return CACHE_ENTRY + len(text.encode("utf-8", "surrogateescape"))


def next_upstream(scope: Scope, family: str, *, stream: bool = False) -> frozenset[str]:
    """On which faults nginx tries the next peer."""
    if stream:
        return _NEXT_BY_DEFAULT if scope.on("proxy_next_upstream", default=True) else frozenset()
    found = scope.directive(f"{family}_next_upstream")
    words = frozenset(_MEMCACHED_WORDS.get(word, word) for word in found.values) if found else _NEXT_BY_DEFAULT
    return frozenset() if "off" in words else words


def next_limits(scope: Scope, family: str) -> tuple[int, float]:
    """How many peers one request may try, and within which time nginx turns to another (0: no limit)."""
    tries = scope.value(f"{family}_next_upstream_tries")
    return (
        int(tries) if tries.isdecimal() and len(tries) < 10 else 0,
        seconds(scope.value(f"{family}_next_upstream_timeout"), 0.0),
    )


def source(scope: Scope, family: str) -> str:
    """The local address connections are made from (`proxy_bind`); empty where nginx leaves that to the kernel, or where
    it hangs on the request."""
    words = [word for line in scope.effective(f"{family}_bind") for word in line.values]
    if len(words) != 1 or words[0] == "off" or "$" in words[0]:
        return ""  # `transparent` may name any address
    text = words[0]
    host = (
        text[1:].partition("]")[0] if text.startswith("[") else text if text.count(":") > 1 else text.partition(":")[0]
    )
    return as_literal(host) or ""


def surroundings(scope: Scope) -> str:
    """What decides, besides the pass, about what visitors get: the places of the `error_page` and `auth_request` lines
    in effect, and whether the upstream's own errors are intercepted. Empty for nothing."""
    lines = [*scope.effective("error_page"), *scope.effective("auth_request")]
    places = [f"{line.source.path}:{line.start}" for line in lines if line.values != ("off",)]
    if places and any(scope.on(f"{family}_intercept_errors") for family in INTERCEPTING):
        places.append("intercepted")
    return " ".join(places)


def worker_processes(config: Config) -> int:
    """How many workers there are; 0 for as many as the machine has processors."""
    line = next(config.find("worker_processes"), None)
    text = line.values[0] if line is not None and line.values else "1"
    return int(text) if text.isdecimal() and len(text) < 6 else 0


def keeps(config: Config, scope: Scope, place: Directive, group: Upstream, client: Client) -> bool:
    """Would nginx keep the connections of this proxy_pass? A `keepalive` that is written, HTTP/1.1 and no close."""
    if group.block.child("keepalive") is None or not group.idle_connections(config.version):
        return False
    if http_version(config, scope) != "1.1":
        return False
    header = RequestHeaders(config, scope).of("connection")
    if header is None:
        return True
    known = {**client.variables(), "http_upgrade": "", "http_connection": ""}
    text = expand(config, header.directive or place, header.value, known)
    return text is not None and "close" not in text.lower()


def upgrades(config: Config, scope: Scope, place: Directive) -> str:
    """Are WebSocket handshakes passed on here? See Target."""
    origin = scope.origin("proxy_set_header") if config.handshakes else None
    if origin is None or http_version(config, scope) != "1.1":
        return ""
    if not any(one.complete and one.block is origin.block for one in config.handshakes):
        return ""
    location = config.location(place)
    return "named" if location is not None and named_for_websockets(location.pattern) else "any"


def tls_profile(
    config: Config, scope: Scope, place: Directive, family: str, host: str, client: Client, *, alpn: tuple[str, ...]
) -> TlsProfile:
    """How nginx would shake hands with `host` (the name in the pass, or of the group)."""
    known = {**client.variables(), "proxy_host": host, "upstream_host": host}
    name_directive = scope.directive(f"{family}_ssl_name")
    written = name_directive.values[0] if name_directive is not None and name_directive.values else host
    name = one_line(expand(config, name_directive or place, written, known) or host)
    name = split_authority(name)[0] or name
    sends_name = scope.on(f"{family}_ssl_server_name") and not _is_address(name)
    protocols = scope.directive(f"{family}_ssl_protocols")
    default = next(names for since, names in _PROTOCOLS if config.version >= since)
    depth = scope.value(f"{family}_ssl_verify_depth", "1")
    return TlsProfile(
        server_name=name if sends_name else "",
        name=name,
        verify=scope.on(f"{family}_ssl_verify"),
        depth=int(depth) if depth.isdecimal() and len(depth) < 6 else 1,
        ca=_file(config, scope.value(f"{family}_ssl_trusted_certificate")),
        crl=_file(config, scope.value(f"{family}_ssl_crl")),
        certificate=_file(config, scope.value(f"{family}_ssl_certificate")),
        key=_file(config, scope.value(f"{family}_ssl_certificate_key")),
        password_file=_file(config, scope.value(f"{family}_ssl_password_file")),
        protocols=tuple(protocols.values) if protocols is not None else default,
        ciphers=scope.value(f"{family}_ssl_ciphers", "DEFAULT"),
        alpn=alpn,
    )


def resolver_set(scope: Scope) -> ResolverSet | None:
    """The `resolver` in effect; None where there is none."""
    directive = scope.directive("resolver")
    if directive is None:
        return None
    found = Resolver(directive)
    wait = seconds(scope.value("resolver_timeout"), 30.0)
    valid = None if found.valid is None else float(found.valid)
    return ResolverSet(tuple(found.servers), found.ipv4, found.ipv6, wait, valid)


def _file(config: Config, path: str) -> str:
    """A file of the TLS settings, where nginx would look for it: relative paths start at the folder of nginx.conf."""
    if not path or "$" in path or path.startswith(("/", "data:", "engine:", "store:")):
        return path
    root = config.files[0].source.path if config.files else ""
    return os.path.join(os.path.dirname(root), path)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
