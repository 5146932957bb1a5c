from nginxlint import (
    KEPT_BY_DEFAULT,
    Bad,
    Block,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Rule,
    Scope,
    Severity,
    Use,
    added_header,
    http_version,
    insert_line_after,
    note,
    references,
    replace,
)

_OLD = (1, 22, 1)


class UpstreamKeepaliveDefeated(Rule):
    """A group keeps idle connections, but the requests to it ask for each connection to be closed.

    Kept connections need HTTP/1.1 and no `Connection: close`. Before nginx 1.29.7 both have to be written:
    `proxy_http_version 1.1; proxy_set_header Connection "";` (FastCGI: `fastcgi_keep_conn on;`). With the usual map for
    WebSockets, plain requests send what stands for `''`: write `'' '';` there, not `'' close;`. Otherwise every request
    opens a connection, and under load the ports run out: 502.
    Source: documentation of keepalive; nginx change log 1.29.7.
    """

    id = "upstream-keepalive-defeated"
    group = "performance"
    severity = Severity.WARNING
    directives = ("upstream",)
    examples = (
        Bad(
            "upstream app { server a:1; keepalive 8; }\nserver { location / {\n proxy_pass http://app; # here\n} }",
            "upstream app { server a:1; keepalive 8; }\nserver { location / {\n proxy_pass http://app;\n"
            ' proxy_http_version 1.1;\n proxy_set_header Connection ""; # here\n} }',
            version=_OLD,
        ),
        Bad(
            "upstream app { server a:1; keepalive 8; }\nserver { location / { proxy_http_version 1.1;\n"
            " proxy_set_header Connection close; # here\n proxy_pass http://app; } }",
            "upstream app { server a:1; keepalive 8; }\nserver { location / { proxy_http_version 1.1;\n"
            ' proxy_set_header Connection ""; # here\n proxy_pass http://app; } }',
        ),
        Bad(
            "map $http_upgrade $connection_upgrade { default upgrade;\n '' close; # here\n}\n"
            "upstream app { server a:1; keepalive 8; }\nserver { location / { proxy_http_version 1.1;\n"
            "proxy_set_header Connection $connection_upgrade; proxy_pass http://app; } }",
            "map $http_upgrade $connection_upgrade { default upgrade;\n '' ''; # here\n}\n"
            "upstream app { server a:1; keepalive 8; }\nserver { location / { proxy_http_version 1.1;\n"
            "proxy_set_header Connection $connection_upgrade; proxy_pass http://app; } }",
        ),
        Bad(
            "upstream app { server a:1; }\nserver { location / { proxy_http_version 1.0; # here\n proxy_pass http://app; } }"
        ),
        Bad("upstream app { server unix:/s; keepalive 8; }\nserver { location / { fastcgi_pass app; } # here\n}"),
        Good("upstream app { server a:1; keepalive 8; }\nserver { location / { proxy_pass http://app; } }"),
        Good(
            "upstream app { server a:1; keepalive 8; }\nserver { proxy_http_version 1.1;\n"
            'proxy_set_header Connection ""; location / { proxy_pass http://app; } }',
            version=_OLD,
        ),
        Good("upstream app { server a:1; }\nserver { location / { proxy_pass http://app; } }", version=_OLD),
        Good("upstream app { server a:1; keepalive 8; }\nserver { location / { grpc_pass app; } }", version=_OLD),
        Good(
            "upstream app { server a:1; keepalive 8; }\nserver { location / { proxy_http_version 1.1;\n"
            "proxy_set_header Connection $http_connection; proxy_pass http://app; } }"
        ),
        Good(
            "upstream app { server a:1; keepalive 0; }\nserver { location / { proxy_http_version 1.0; proxy_pass http://app; } }"
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if config.partial:
            return  # the settings may stand in what was not read
        told: set[Directive] = set()
        settled: set[tuple[object, ...]] = set()
        keeping = _where_connections_are_kept(config)
        explicit_only = config.version < KEPT_BY_DEFAULT or not _somebody_interferes(config)
        doubtful = [
            (group.block.child("keepalive"), group, others)
            for group, uses in config.used_groups
            if (others := [use for use in uses if use.target.directive.parent not in keeping])
        ]
        # what is written for one group and by default for another is told of the first
        for pool, group, uses in sorted(doubtful, key=lambda three: three[0] is None):
            if (pool is None and explicit_only) or not group.idle_connections(config.version):
                continue
            for use in uses:
                if _own_key(use) in settled:
                    continue
                scope = config.scope(use.target.directive)
                lines = scope.effective("proxy_set_header")
                key = _key(use, scope.effective("proxy_http_version"), lines)
                if key in settled:
                    continue
                fault = _fault(config, use, scope, pool)
                if (fault is None or fault[0].name not in _OWN) and _mean_the_same_everywhere(config, lines):
                    settled.add(key)
                if fault is not None and fault[0] not in told:
                    told.add(fault[0])
                    yield self._finding(*fault, use, scope, pool)

    def _finding(self, place: Directive, why: str, use: Use, scope: Scope, pool: Directive | None) -> Diagnostic:
        related = [] if pool is None else [note(pool, "the connections to keep")]
        if place is not use.target.directive:
            related.append(note(use.target.directive, "the group is used here"))
        fix, advice = _fix(place, why, scope)
        return self.report(
            place,
            f"no connection to the group is kept: {why}, so each request opens a new one",
            fix,
            severity=Severity.INFO if pool is None else Severity.WARNING,
            related=tuple(related),
            help=advice,
        )


_NO_KEEP_CONN = "fastcgi_keep_conn is off"
_CLOSE = "it sends Connection: close"
_OLD_VERSION = "HTTP/1.0 closes after each answer"
_CLOSE_BY_DEFAULT = "nginx sends Connection: close by default"
_OLD_BY_DEFAULT = "nginx speaks HTTP/1.0 by default"
_OWN = ("proxy_set_header", "proxy_http_version", "proxy_pass", "fastcgi_pass", "set")


def _fault(config: Config, use: Use, scope: Scope, pool: Directive | None) -> tuple[Directive, str] | None:
    """What keeps the connections of a pass from being kept: where it stands, and what it is."""
    target, family = use.target.directive, use.target.family
    if family == "fastcgi" and pool is not None and not scope.on("fastcgi_keep_conn"):
        return target, _NO_KEEP_CONN
    if family != "proxy":
        return None
    version, headers = http_version(config, scope), config.request_headers(scope)
    header = headers.of("Connection")
    if header is not None and header.directive is not None:
        for value in config.fold(header.directive, header.value) or ():
            if value.text.lower() == "close":
                return (value.origins[-1] if value.origins else header.directive), _CLOSE
    written = scope.directive("proxy_http_version")
    if version == "1.0" and written is not None:
        return written, _OLD_VERSION
    if headers.of("Upgrade") is not None:
        return None  # a WebSocket keeps its connection to itself
    if header is not None and header.directive is None:
        return target, _OLD_BY_DEFAULT if version == "1.0" else _CLOSE_BY_DEFAULT
    return (target, _OLD_BY_DEFAULT) if version == "1.0" else None


def _fix(place: Directive, why: str, scope: Scope) -> tuple[Fix, str]:
    """The mending of such a fault, and what to say of it."""
    if why is _NO_KEEP_CONN:
        line = "fastcgi_keep_conn on;"
        return Fix(f"write {line}", (insert_line_after(place, line),), safe=False), f"write {line}"
    if why is _CLOSE:
        edit = replace(place.args[-1].span, '""' if place.name == "proxy_set_header" else "''")
        return Fix("send no Connection header instead", (edit,), safe=False), "write an empty text for close"
    line = "proxy_http_version 1.1;"
    if why is _OLD_VERSION:
        return Fix("write 1.1", (replace(place.head_span, line[:-1]),), safe=False), f"write {line}"
    lines = [line] if why is _OLD_BY_DEFAULT else []
    if not any(one.values[0].lower() == "connection" for one in scope.effective("proxy_set_header") if one.values):
        lines += added_header(scope, "proxy", "Connection", '""')
    fix = Fix("speak HTTP/1.1 and leave Connection out", (insert_line_after(place, *lines),), safe=False)
    return fix, f'write {line} and proxy_set_header Connection "";'


def _key(use: Use, versions: list[Directive], headers: list[Directive]) -> tuple[object, ...]:
    """What the connections of a pass hang on."""
    return (use.target.family, versions[-1].values if versions else (), *[line.values for line in headers])


def _own_key(use: Use) -> tuple[object, ...] | None:
    """The same of a pass whose block says all of it: a quick look, for most of them do."""
    block = use.target.directive.parent
    versions = block.named("proxy_http_version") if block is not None else []
    headers = block.named("proxy_set_header") if block is not None and versions else []
    return _key(use, versions, headers) if headers else None


def _mean_the_same_everywhere(config: Config, lines: list[Directive]) -> bool:
    """Do the Connection lines hang on no `set`, which may differ from place to place?"""
    texts = [line.values[1] for line in lines if len(line.values) == 2 and line.values[0].lower() == "connection"]
    return not any(config.assignments(name) for text in texts for name in references(text))


def _where_connections_are_kept(config: Config) -> set[Block]:
    """The blocks that say it in the usual way, where the version is right everywhere; a look that spares a closer one."""
    if config.version < KEPT_BY_DEFAULT or ("1.0",) in config.alike("proxy_http_version"):
        return set()
    return config.holders("proxy_set_header", _is_connection) - config.holders("proxy_set_header", _interferes)


def _somebody_interferes(config: Config) -> bool:
    """Is a version or a Connection header written anywhere? If not, the defaults keep connections."""
    return ("1.0",) in config.alike("proxy_http_version") or any(map(_interferes, config.alike("proxy_set_header")))


def _is_connection(header: tuple[str, ...]) -> bool:
    return len(header) == 2 and header[0].lower() == "connection"


def _interferes(header: tuple[str, ...]) -> bool:
    return _is_connection(header) and header[1] != ""
