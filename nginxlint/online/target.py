"""What nginx would talk to: every `*_pass` of a configuration as targets, groups taken apart into their peers.

Pure: a configuration in, targets out; the network is not asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from nginxlint.online import in_effect, mail
from nginxlint.online.literal import as_literal
from nginxlint.online.request import (
    Client,
    expand,
    forwarded_headers,
    host_header,
    safe_target,
    upstream_uri,
)
from nginxlint.online.types import PeerRole, Target, Timeouts, TlsProfile, Where
from nginxlint.routing.passes import Pass, split_target
from nginxlint.routing.upstreams import Upstream, split_authority
from nginxlint.routing.variables import REFERENCE, fold, references
from nginxlint.syntax import Block, Directive

if TYPE_CHECKING:
    from nginxlint.config import Config
    from nginxlint.routing.scope import Scope
    from nginxlint.routing.servers import Server
    from nginxlint.source import Span

# Directive → (family of its settings, schemes with their default port (None: it has to be written), TLS schemes).
_PASSES: dict[str, tuple[str, dict[str, int | None], str]] = {
    "proxy_pass": ("proxy", {"http": 80, "https": 443}, "https"),
    "grpc_pass": ("grpc", {"grpc": None, "grpcs": None}, "grpcs"),
    "fastcgi_pass": ("fastcgi", {"": None}, ""),
    "uwsgi_pass": ("uwsgi", {"uwsgi": None, "suwsgi": None}, "suwsgi"),
    "scgi_pass": ("scgi", {"": None}, ""),
    "memcached_pass": ("memcached", {"": None}, ""),
}
_PROTOCOLS = {
    "proxy_pass": "http",
    "grpc_pass": "grpc",
    "fastcgi_pass": "fastcgi",
    "uwsgi_pass": "uwsgi",
    "scgi_pass": "scgi",
    "memcached_pass": "memcached",
}
_OF_THE_URI = {"request_uri", "uri", "document_uri", "is_args", "args", "query_string"}
MAX_USES = 1000
_ELSEWHERE = "it may be an upstream group that another file defines"


def targets_of(config: Config) -> list[Target]:
    """All targets of a configuration, each once, in the order they are written."""
    return _Extraction(config).targets()


class _Extraction:
    def __init__(self, config: Config) -> None:
        self.config = config
        self.user = config.worker_user
        self.servers: dict[int, Server] = {id(server.block): server for server in config.servers}
        self.implicit: set[str] | None = None
        self.settings = in_effect.SettingsOfAll(config)

    def targets(self) -> list[Target]:
        merged: dict[tuple[object, ...], tuple[Target, list[Where]]] = {}
        for directive in self._directives():
            where = Where(directive, directive.args[0].span)
            for target in self._of(directive, where):
                key = _identity(target)
                known = merged.get(key)
                if known is None:
                    merged[key] = (target, [where])
                elif len(known[1]) < MAX_USES:
                    known[1].append(where)
        for number, (target, uses) in enumerate(merged.values(), 1):
            # nobody else has seen it yet; copies of thousands cost more than all that was asked to make them
            object.__setattr__(target, "id", f"t{number}")
            object.__setattr__(target, "used_at", tuple(uses))
        return [target for target, _ in merged.values()]

    def _directives(self) -> list[Directive]:
        found = [
            directive
            for directive in self.config.find(*_PASSES, mail.DIRECTIVE)
            if directive.values and directive.parent is not None
        ]
        order = {id(file.source): number for number, file in enumerate(self.config.files)}
        found.sort(key=lambda directive: (order.get(id(directive.source), 0), directive.start))
        return found

    def _server(self, directive: Directive) -> Server | None:
        block = directive.enclosing("server")
        return self.servers.get(id(block)) if block is not None else None

    def _of(self, directive: Directive, where: Where) -> Iterator[Target]:
        if directive.name == mail.DIRECTIVE:
            for target in mail.auth_target(self.config, directive, where):
                literal = as_literal(target.host) is not None
                yield replace(target, resolution="literal") if literal else target
            return
        stream = directive.enclosing("stream") is not None
        server = self._server(directive)
        scope = self.config.scope(directive)
        if stream:
            yield from self._stream(directive, where, scope, server)
            return
        family, schemes, _ = _PASSES[directive.name]
        client = Client(server, self.config.location(directive))
        for text, origin in self._texts(directive, client):
            if text is None:
                yield self._unprobed(directive, where, scope, family)
                continue
            place = Where(origin, _value_span(origin)) if origin is not None else where
            scheme, authority, uri = split_target(text)
            if directive.name == "grpc_pass" and not scheme:
                scheme = "grpc"
            if directive.name == "uwsgi_pass" and not scheme:
                scheme = "uwsgi"
            if scheme not in schemes:
                if "$" in directive.values[0]:
                    yield replace(
                        self._unprobed(directive, where, scope, family),
                        skip=("CFG_URL", f"“{text}” is no URL: nginx answers 500"),
                    )
                continue  # nginx refuses it; the syntax stage says so
            yield from self._http(directive, place, scope, client, scheme, authority, uri)

    def _texts(self, directive: Directive, client: Client) -> Iterator[tuple[str | None, Directive | None]]:
        """Everything the argument can become, with the directive that gave it; None: it depends on the request."""
        text = directive.values[0]
        if "$" not in text:
            yield text, None
            return
        known = client.variables()
        text = REFERENCE.sub(lambda m: known[m[1] or m[2]] if (m[1] or m[2]) in _OF_THE_URI else m[0], text)
        text = text.replace("$scheme", client.scheme).replace("${scheme}", client.scheme)
        head, tail = _split_authority_end(text)
        folded = fold(self.config, directive, head)
        if folded is None:
            yield None, None
            return
        rest = expand(self.config, directive, tail, known)
        seen = set()
        for value in folded:
            whole = value.text + (rest if rest is not None else "")
            if value.text and whole not in seen:
                seen.add(whole)
                yield whole, next(iter(value.origins), None)

    def _unprobed(self, directive: Directive, where: Where, scope: Scope, family: str) -> Target:
        text = directive.values[0]
        names = [name for name in references(text) if name not in _OF_THE_URI]
        shown = ", ".join(f"${name}" for name in dict.fromkeys(names))
        resolver = "" if in_effect.resolver_set(scope) else " and no resolver is defined for names"
        return Target(
            id="",
            directive="stream" if directive.enclosing("stream") else directive.name,
            protocol=_PROTOCOLS[directive.name],
            scheme=split_target(text)[0],
            host=split_authority(split_target(text)[1])[0] or text,
            port=split_authority(split_target(text)[1])[1],
            path="",
            host_header=None,
            defined_at=where,
            used_at=(),
            resolution="dynamic",
            resolver=in_effect.resolver_set(scope),
            skip=("SKIP_VARIABLE", f"depends on the request ({shown}){resolver}"),
        )

    def _http(
        self,
        directive: Directive,
        place: Where,
        scope: Scope,
        client: Client,
        scheme: str,
        authority: str,
        uri: str | None,
    ) -> Iterator[Target]:
        config = self.config
        family, schemes, tls_scheme = _PASSES[directive.name]
        host, port, unix = split_authority(authority)
        default_port = schemes[scheme]
        group = None if unix is not None or port is not None else config.upstream(authority)
        variable = "$" in directive.values[0]
        proxy_host = "localhost" if unix is not None else _proxy_host(authority, port, default_port)
        around = self.settings.of(scope, family)
        protocol = _PROTOCOLS[directive.name]
        if protocol == "http" and around.http_version == "2":
            protocol = "grpc"
        tls: TlsProfile | None = None
        if tls_scheme and scheme == tls_scheme:
            alpn = ("h2",) if protocol == "grpc" else ()
            tls = in_effect.tls_profile(
                config,
                scope,
                directive,
                family,
                proxy_host if unix is not None else host or authority,
                client,
                alpn=alpn,
            )
        path = "/"
        if family == "proxy":
            path = upstream_uri(config, directive, uri, variable, client, scope)
            if variable and uri is not None:
                path = safe_target(uri if not uri.startswith("?") else f"/{uri}")
        base = Target(
            id="",
            directive=directive.name,
            protocol=protocol,
            scheme=scheme or protocol,
            host=host,
            port=port if port is not None else default_port,
            path=path if family == "proxy" else "",
            host_header=host_header(config, around.headers, directive, proxy_host, client),
            defined_at=place,
            used_at=(),
            resolution="startup" if group is not None or as_literal(host) is None else "literal",
            tls=tls,
            http_version=around.http_version,
            buffer_size=around.buffer_size,
            upgrades=in_effect.upgrades(config, scope, directive) if protocol == "http" else "",
            cache_head=in_effect.cache_head(config, scope, directive, family, client, proxy_host)
            if around.caches
            else 0,
            timeouts=around.timeouts,
            next_upstream=around.next_upstream,
            tries=around.tries,
            next_timeout=around.next_timeout,
            buffering=around.buffering,
            keeps=family == "fastcgi" and scope.on("fastcgi_keep_conn", default=False),
            surroundings=around.surroundings,
            source=around.source,
            headers=forwarded_headers(config, around.headers, client) if family == "proxy" else (),
            client_url=f"{client.scheme}://{client.host}{safe_target(client.uri)}",
            pass_url=f"{scheme}://{proxy_host}" if family == "proxy" else "",
        )
        if group is not None:
            keeps = in_effect.keeps(config, scope, directive, group, client) if protocol == "http" else base.keeps
            yield from self._peers(replace(base, keeps=keeps), group, scope)
        elif unix is not None:
            yield replace(base, host="", port=None, unix=unix, resolution="unix", worker_user=self.user)
        else:
            yield self._single(base, scope, variable, authority)

    def _single(self, base: Target, scope: Scope, variable: bool, authority: str) -> Target:
        """A host that is not a group (of this configuration)."""
        if text := _url_fault(authority):
            return replace(base, skip=("CFG_VALUE" if variable else "CFG_PORT", text))
        if self.config.snippet and "." not in base.host and ":" not in split_target(base.defined_at.span.text)[1]:
            base = replace(base, maybe_group=True)
        if base.port is None and base.maybe_group:
            return replace(base, skip=("SKIP_SNIPPET", _ELSEWHERE))
        if base.port is None:
            text = f'no port in upstream "{base.host}"'
            return replace(base, skip=("CFG_VALUE" if variable else "CFG_PORT", text))
        if (fault := _address_fault(base.host)) is not None:
            return replace(base, skip=fault)
        if base.resolution == "literal":
            return base
        if variable and f"{base.host.lower()}:{base.port}" not in self._implicit_upstreams():
            return replace(base, resolution="runtime", resolver=in_effect.resolver_set(scope))
        return base

    def _implicit_upstreams(self) -> set[str]:
        """Hosts that a pass without variables names: nginx knows their addresses from its start."""
        if self.implicit is None:
            self.implicit = set()
            for directive in self.config.find(*_PASSES):
                if directive.values and "$" not in directive.values[0]:
                    found = Pass(directive)
                    port = found.port if found.port is not None else found.default_port
                    self.implicit.add(f"{found.host.lower()}:{port}")
        return self.implicit

    def _peers(self, base: Target, group: Upstream, scope: Scope) -> Iterator[Target]:
        # without a zone every worker counts for itself
        workers = 1 if group.block.child("zone") is not None else in_effect.worker_processes(self.config)
        for peer in group.peers:
            role = PeerRole(
                group.name,
                group.kind,
                peer.weight,
                peer.backup,
                peer.down,
                _number(peer.option("max_fails", "1"), 1),
                _number(peer.option("max_conns"), 0) * workers,
            )
            where = Where(peer.directive, peer.directive.args[0].span)
            target = replace(base, upstream=group.name, role=role, defined_at=where)
            if peer.unix is not None:
                yield replace(target, host="", port=None, unix=peer.unix, resolution="unix", worker_user=self.user)
                continue
            port = peer.port if peer.port is not None else 80
            target = replace(target, host=peer.host, port=port)
            if text := _url_fault(peer.directive.values[0]):
                yield replace(target, skip=("CFG_PORT", text))
            elif (fault := _address_fault(peer.host)) is not None:
                yield replace(target, skip=fault)
            elif as_literal(peer.host) is not None:
                yield replace(target, resolution="literal")
            elif peer.option("service"):
                yield replace(target, resolution="runtime", skip=("SKIP_SERVICE", "its port comes from an SRV record"))
            elif peer.resolve:
                resolver = in_effect.resolver_set(self.config.scope(group.block))
                yield replace(target, resolution="runtime", resolver=resolver)
            else:
                yield target

    def _stream(self, directive: Directive, where: Where, scope: Scope, server: Server | None) -> Iterator[Target]:
        config = self.config
        client = Client(server, None)
        udp = server is not None and any("udp" in listen.options for listen in server.listens)
        folded = fold(config, directive, directive.values[0])
        if folded is None:
            yield self._unprobed(directive, where, scope, "proxy")
            return
        for value in folded:
            if not value.text:
                continue
            origin = next(iter(value.origins), None)
            place = where if origin is None else Where(origin, _value_span(origin))
            host, port, unix = split_authority(value.text)
            group = None if unix is not None or port is not None else config.upstream(value.text, "stream")
            tls = None
            if scope.on("proxy_ssl"):
                tls = in_effect.tls_profile(config, scope, directive, "proxy", host, client, alpn=())
            tries, next_timeout = in_effect.next_limits(scope, "proxy")
            base = Target(
                id="",
                directive="stream",
                protocol="udp" if udp else "tcp",
                scheme="udp" if udp else "tls" if tls else "tcp",
                host=host,
                port=port,
                path="",
                host_header=None,
                defined_at=place,
                used_at=(),
                resolution="startup",
                tls=tls,
                timeouts=Timeouts(in_effect.timeouts(scope, "proxy", stream=True).connect, 600.0),
                next_upstream=in_effect.next_upstream(scope, "proxy", stream=True),
                tries=tries,
                next_timeout=next_timeout,
                source=in_effect.source(scope, "proxy"),
                proxy_protocol=scope.value("proxy_protocol").lower() in ("on", "v2"),
                skip=("SKIP_UDP", "nothing can be learned from UDP without sending data") if udp else None,
            )
            if group is not None:
                yield from self._peers(base, group, scope)
            elif unix is not None:
                yield replace(base, host="", port=None, unix=unix, resolution="unix", worker_user=self.user)
            else:
                yield self._single(base, scope, value.origins != (), value.text)


def _identity(target: Target) -> tuple[object, ...]:
    """Two passes with the same identity ask nginx to do the same: one target."""
    return (
        target.directive,
        target.protocol,
        target.scheme,
        target.host,
        target.port,
        target.unix,
        target.path,
        target.host_header,
        target.headers,
        target.upstream.lower(),
        id(target.defined_at.directive) if target.role is not None else None,
        target.tls,
        target.http_version,
        target.room,
        target.timeouts,
        target.resolver,
        target.resolution,
        target.proxy_protocol,
        target.next_upstream,
        target.tries,
        target.next_timeout,
        target.buffering,
        target.surroundings,
        target.keeps,
        target.upgrades,
        target.source,
        target.skip,
    )


def _split_authority_end(text: str) -> tuple[str, str]:
    """The text up to the end of the authority, and the URI part after it."""
    start = text.find("://")
    start = start + 3 if start >= 0 else 0
    if text[start:].startswith("unix:"):
        return text, ""
    for at in range(start, len(text)):
        if text[at] in "/?#":
            return text[:at], text[at:]
    return text, ""


def _proxy_host(authority: str, port: int | None, default: int | None) -> str:
    """$proxy_host: host as written, with the port where it is written and not the default."""
    if port is not None and port == default:
        return authority.rpartition(":")[0]
    return authority


def _address_fault(host: str) -> tuple[str, str] | None:
    """What nginx refuses about a host without asking anybody."""
    if "%" in host:
        return "CFG_ADDR", f'invalid IPv6 address in upstream "{host}"'
    if not host:
        return "CFG_ADDR", "no host in upstream"
    return None


def _url_fault(authority: str) -> str:
    """What ngx_parse_url says of `host[:port]`; empty where it takes it."""
    host = authority.partition("]")[0] if authority.startswith("[") else authority.partition(":")[0]
    _, colon, port = authority[len(host) :].partition(":")
    if colon and not (port.isdecimal() and port.isascii() and 0 < int(port[:9]) < 65536):
        return f'invalid port in upstream "{authority}"'
    return "" if host else f'no host in upstream "{authority}"'


def _number(text: str, default: int) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else default


def _value_span(origin: Directive) -> Span:
    """Where the value of a `set` or of a map's line stands."""
    if isinstance(origin, Block) or not origin.values:
        return origin.head_span
    return origin.args[-1].span
