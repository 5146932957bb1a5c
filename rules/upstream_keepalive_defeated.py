from collections.abc import Iterator

from nginxlint import (
    KEPT_BY_DEFAULT,
    Bad,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Rule,
    Scope,
    Severity,
    Use,
    added_header,
    http_version,
    insert_line_after,
    note,
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
        explicit_only = config.version < KEPT_BY_DEFAULT or not _somebody_interferes(config)
        pools = [(group.block.child("keepalive"), group) for group in config.upstreams]
        # what is written for one group and by default for another is told of the first
        for pool, group in sorted(pools, key=lambda pair: pair[0] is None):
            if (pool is None and explicit_only) or not group.idle_connections(config.version):
                continue
            for use in config.uses(group):
                found = self._defeated(config, use, pool, told)
                if found is not None and found.at is not None:
                    told.add(found.at)
                    yield found

    def _defeated(self, config: Config, use: Use, pool: Directive | None, told: set[Directive]) -> Diagnostic | None:
        target, family = use.target.directive, use.target.family
        scope = config.scope(target)
        if family == "fastcgi" and pool is not None and not scope.on("fastcgi_keep_conn"):
            line = "fastcgi_keep_conn on;"
            fix = Fix(f"write {line}", (insert_line_after(target, line),), safe=False)
            return self._report(target, "fastcgi_keep_conn is off", pool, use, fix, f"write {line}")
        if family != "proxy":
            return None
        version = http_version(config, scope)
        headers = config.request_headers(scope)
        header = headers.of("Connection")
        if header is not None and header.directive is not None:
            for value in config.fold(header.directive, header.value) or ():
                if value.text.lower() == "close":
                    place = value.origins[-1] if value.origins else header.directive
                    if place in told:
                        return None
                    edit = replace(place.args[-1].span, '""' if place is header.directive else "''")
                    fix = Fix("send no Connection header instead", (edit,), safe=False)
                    return self._report(
                        place, "it sends Connection: close", pool, use, fix, "write an empty text for close"
                    )
        written = scope.directive("proxy_http_version")
        if version == "1.0" and written is not None:
            if written in told:
                return None
            fix = Fix("write 1.1", (replace(written.args[0].span, "1.1"),), safe=False)
            return self._report(
                written, "HTTP/1.0 closes after each answer", pool, use, fix, "write proxy_http_version 1.1;"
            )
        if headers.of("Upgrade") is not None:
            return None  # a WebSocket keeps its connection to itself
        if version == "1.0" or (header is not None and header.directive is None):
            lines = _missing(scope, version, header is not None and header.directive is None)
            fix = Fix("speak HTTP/1.1 and leave Connection out", (insert_line_after(target, *lines),), safe=False)
            what = (
                "nginx sends Connection: close by default" if version != "1.0" else "nginx speaks HTTP/1.0 by default"
            )
            return self._report(
                target, what, pool, use, fix, 'write proxy_http_version 1.1; and proxy_set_header Connection "";'
            )
        return None

    def _report(
        self, place: Directive, why: str, pool: Directive | None, use: Use, fix: Fix, advice: str
    ) -> Diagnostic:
        related = [] if pool is None else [note(pool, "the connections to keep")]
        if place is not use.target.directive:
            related.append(note(use.target.directive, "the group is used here"))
        return self.report(
            place,
            f"no connection to the group is kept: {why}, so each request opens a new one",
            fix,
            severity=Severity.INFO if pool is None else Severity.WARNING,
            related=tuple(related),
            help=advice,
        )


def _missing(scope: Scope, version: str, connection: bool) -> list[str]:
    lines = ["proxy_http_version 1.1;"] if version == "1.0" else []
    return lines + (added_header(scope, "proxy", "Connection", '""') if connection else [])


def _somebody_interferes(config: Config) -> bool:
    """Is a version or a Connection header written anywhere? If not, the defaults keep connections."""
    if any(one.values[:1] == ("1.0",) for one in config.find("proxy_http_version")):
        return True
    return any(one.values[0].lower() == "connection" for one in config.find("proxy_set_header") if one.values)
