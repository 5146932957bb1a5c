from nginxlint import (
    PASSES,
    Bad,
    Confidence,
    Config,
    Diagnostic,
    Endpoint,
    Good,
    Iterator,
    Pass,
    Rule,
    Severity,
    Upstream,
    compiled,
    endpoints,
    note,
)

_Address = tuple[str, int | None, str | None]
_SPOKEN = {
    "proxy": "HTTP",
    "grpc": "gRPC",
    "fastcgi": "FastCGI",
    "uwsgi": "uwsgi",
    "scgi": "SCGI",
    "memcached": "memcached",
}
# Words in names, and what such servers speak.
_TELLING = (("fpm", "fastcgi"), ("php", "fastcgi"), ("gunicorn", "proxy"))
_FPM_SOCKET = r"(^|[-_./])php[-_]?[\d.]*[-_]?fpm[\d.]*([-_./].*)?$"
_FPM_HOST = r"(^|[-_.])(php[\d.]*[-_])?fpm([-_.]|$)"


class ProxyWrongProtocol(Rule):
    """A pass speaks another protocol than the one its target is known for.

    `proxy_pass http://php-fpm:9000;` or `fastcgi_pass` to an HTTP server gives 502 on every request: `upstream
    prematurely closed connection`, `upstream sent invalid header` or `unsupported FastCGI protocol version`. What a
    target speaks is known from our own listeners, from names (php-fpm, a gunicorn socket), and from other passes to the
    same address. Use the pass of that protocol: `fastcgi_pass` for php-fpm, `proxy_pass` for HTTP.
    Source: ngx_http_fastcgi_process_header, ngx_http_proxy_process_status_line.
    """

    id = "proxy-wrong-protocol"
    group = "proxy"
    severity = Severity.WARNING
    confidence = Confidence.MEDIUM
    directives = PASSES
    examples = (
        Bad("location / {\n proxy_pass http://php-fpm:9000; # here\n}"),
        Bad("location / {\n proxy_pass http://unix:/run/php/php8.2-fpm.sock; # here\n}"),
        Bad(
            "upstream php { server unix:/run/php-fpm.sock; }\nserver { location / {\n proxy_pass http://php; # here\n} }"
        ),
        Bad("location / {\n uwsgi_pass unix:/run/gunicorn.sock; # here\n}"),
        Bad("server { listen 8090; }\nserver { location / {\n fastcgi_pass 127.0.0.1:8090; # here\n} }"),
        Bad(
            "location / { uwsgi_pass 10.0.0.1:3031; }\nlocation /a { uwsgi_pass 10.0.0.1:3031; }\n"
            "location /b {\n proxy_pass http://10.0.0.1:3031; # here\n}"
        ),
        Good("location / { proxy_pass http://php:8080; } location ~ \\.php$ { fastcgi_pass php:9000; }"),
        Good("location / { proxy_pass http://127.0.0.1:9000; }"),
        Good("location / { proxy_pass http://phpfpm-exporter:9253; }"),
        Good("location / { uwsgi_pass 10.0.0.1:3031; } location /a { proxy_pass http://10.0.0.1:3031; }"),
        Good("location / { grpc_pass 10.0.0.1:81; } location /a { proxy_pass http://10.0.0.1:81; }"),
        Good("location / { proxy_pass http://unix:/run/gunicorn.sock; } location /b { fastcgi_pass php-fpm:9000; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        uses: dict[_Address, dict[str, list[tuple[Pass, Endpoint]]]] = {}
        for target in _suspects(config):
            if target.kind == "http":
                for end in endpoints(config, target):
                    here = uses.setdefault((end.host, end.port, end.unix), {})
                    here.setdefault(target.family, []).append((target, end))
        for spoken in uses.values():
            yield from self._check_address(config, spoken)

    def _check_address(self, config: Config, spoken: dict[str, list[tuple[Pass, Endpoint]]]) -> Iterator[Diagnostic]:
        """Report the passes to one address that do not speak what it is known for, else what most of them speak."""
        _, end = next(iter(spoken.values()))[0]
        known = _known_protocol(config, end)
        families = {family for family in spoken if family != "grpc"}
        if known is None and len(families) > 1:
            known = max(families, key=lambda family: len(spoken[family]))
            if any(len(spoken[family]) == len(spoken[known]) for family in families - {known}):
                return  # one of them is wrong, and nobody can tell which
        for family in sorted(families - {known}) if known is not None else ():
            others = spoken.get(known or "", [])
            target, end = spoken[family][0]
            where = end.unix or f"{end.host}:{end.port}"
            related = [note(other.directive, f"speaks {_SPOKEN[other.family]} to it") for other, _ in others[:1]]
            if end.directive is not target.directive:
                related.append(note(end.directive, f"leads to {where}"))
            yield self.report(
                target.directive,
                f"every request gets 502: {where} is spoken to in {_SPOKEN[family]}, it speaks {_SPOKEN[known or '']}",
                related=tuple(related),
                help=f"use {known}_pass for it, or the address of the {_SPOKEN[family]} server",
            )


def _suspects(config: Config) -> list[Pass]:
    """The passes worth a close look: to our own listeners, to hosts that several families speak to, and to those whose
    name tells of another protocol."""
    suspects = {target.directive: target for target in config.inward_passes}
    mixed: set[str] = set()
    known: set[str] = set()
    for name in PASSES:
        own, family = _all_hosts(config, name), name[: -len("_pass")]
        mixed |= own & known
        known |= own
        telling = [word for word, spoken in _TELLING if spoken != family and word in "\0".join(own)]
        if telling:
            mixed.update(host for host in own if any(word in host for word in telling))
    for target in config.passes(*PASSES) if mixed else ():
        if not mixed.isdisjoint(_hosts(config, target)):
            suspects[target.directive] = target
    return list(suspects.values())


def _all_hosts(config: Config, name: str) -> set[str]:
    """The names and socket paths the passes of that name lead to."""
    found: set[str] = set()
    groups: set[Upstream] = set()
    for target in config.passes(name):
        group = target.group(config)
        if target.has_variables or group is None:
            found.update(_hosts(config, target))
        else:
            groups.add(group)
    return found.union([peer.unix or peer.host.lower() for group in groups for peer in group.peers])


def _hosts(config: Config, target: Pass) -> list[str]:
    """The names and socket paths a pass leads to."""
    group = target.group(config)
    places = endpoints(config, target) if target.has_variables else (target,) if group is None else group.peers
    return [place.unix or place.host.lower() for place in places]


def _known_protocol(config: Config, end: Endpoint) -> str | None:
    """What an address speaks, by our own listeners or by its name."""
    name = end.unix or end.host
    if any(listener.kind == "http" for listener in config.listeners.behind(end)):
        return "proxy"
    if "php" not in name and "fpm" not in name and "gunicorn" not in name:
        return None
    fpm = compiled(_FPM_SOCKET) if end.unix else compiled(_FPM_HOST)
    if fpm.search(end.unix or end.host):
        return "fastcgi" if end.unix or end.port == 9000 else None
    if end.port == 9000 and compiled(r"(^|[-_.])php[\d.]*([-_.]|$)").search(end.host):
        return "fastcgi"
    return "proxy" if end.unix and "gunicorn" in end.unix else None
