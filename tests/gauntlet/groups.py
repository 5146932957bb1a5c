"""Upstream groups of two peers: whom the next peer saves, and what the last one leaves the visitor with."""

from __future__ import annotations

from tests.gauntlet.scenario import Scenario

_PASS = "proxy_pass http://{name};"
_TWO = "upstream {name} { server 127.0.0.1:{port}; server 127.0.0.1:{port:SECOND}; }"


def _pair(
    first: str, second: str, status: int | None, log: str = "", *, next: str = "", extra: str = "", **more: object
) -> Scenario:
    """Two peers in order; `next` is `proxy_next_upstream`. The twin has a healthy first peer."""
    name = f"pair-{first}-{second}" + (f"-next-{next.replace(' ', '-')}" if next else "")
    settings = f"proxy_next_upstream {next}; " if next else ""
    around = _TWO.replace("SECOND", second)
    return Scenario(name, first, status, log, settings + extra + _PASS, around=around, **more)  # type: ignore[arg-type]


def _group(name: str, upstream: str, servers: str, status: int | None, log: str = "", **more: object) -> Scenario:
    passes = more.pop("passes", _PASS)
    return Scenario(
        f"group-{name}",
        upstream,
        status,
        log,
        passes,
        around="upstream {name} { " + servers + " }",
        **more,  # type: ignore[arg-type]
    )


GROUPS: tuple[Scenario, ...] = (
    _pair("refusing", "healthy", 200, "connect-refused"),
    _pair("accept-queue-full", "healthy", 200, "connect-timeout"),
    _pair("closes-after-request", "healthy", 200, "closed"),
    _pair("resets-after-request", "healthy", 200, "reset"),
    _pair("silent", "healthy", 200, "header-timeout"),
    _pair("healthy", "refusing", 200),
    # both dead: the last one tried decides
    _pair("refusing", "silent", 504, "connect-refused"),
    _pair("silent", "refusing", 502, "header-timeout"),
    _pair("refusing", "accept-queue-full", 504, "connect-refused"),
    _pair("closes-after-request", "silent", 504, "closed"),
    _pair("refusing", "header-4097", 502, "connect-refused"),
    _pair("header-4097", "refusing", 502, "too-big"),
    _pair("refusing", "ssh", None, "connect-refused"),
    _pair("refusing", "status-500", 500, "connect-refused"),
    _pair("refusing", "status-404", 404, "connect-refused"),
    # what is not listed goes to the visitor
    _pair("status-503", "healthy", 503),
    _pair("status-404", "healthy", 404),
    _pair("header-4097", "healthy", 502, "too-big"),
    _pair("header-nul", "healthy", 502, "bad-header"),
    _pair("ssh", "healthy", None, "not-http"),
    _pair("refusing", "healthy", 502, "connect-refused", next="off"),
    _pair("silent", "healthy", 504, "header-timeout", next="off"),
    _pair("silent", "healthy", 504, "header-timeout", next="error"),
    _pair("refusing", "healthy", 502, "connect-refused", next="timeout"),
    # what is listed goes on
    *(
        _pair(f"status-{status}", "healthy", 200, next=f"http_{status}")
        for status in (403, 404, 429, 500, 502, 503, 504)
    ),
    _pair("header-4097", "healthy", 200, "too-big", next="invalid_header"),
    _pair("header-nul", "healthy", 200, "bad-header", next="invalid_header"),
    _pair("ssh", "healthy", None, "not-http", next="invalid_header"),
    _pair("header-nul", "header-4097", 502, "bad-header", next="invalid_header"),
    _pair("status-503", "status-503", 503, next="http_503"),
    _pair("status-404", "status-404", 404, next="http_404"),
    _pair("status-503", "refusing", 502, "connect-refused", next="error http_503"),
    _pair("status-404", "refusing", 502, "connect-refused", next="error http_404"),
    _pair("status-500", "silent", 504, "header-timeout", next="error timeout http_500"),
    _pair("refusing", "status-503", 503, "connect-refused", next="error http_503"),
    # bounds
    _group(
        "one-try", "refusing", "server 127.0.0.1:{port}; server 127.0.0.1:{port:healthy};", 502, "connect-refused",
        passes="proxy_next_upstream_tries 1; " + _PASS,
    ),
    _group(
        "two-tries", "refusing",
        "server 127.0.0.1:{port}; server 127.0.0.1:{port:closes-after-request}; server 127.0.0.1:{port:healthy};",
        502, "connect-refused", passes="proxy_next_upstream_tries 2; " + _PASS,
    ),
    _group(
        "three-peers", "refusing",
        "server 127.0.0.1:{port}; server 127.0.0.1:{port:closes-after-request}; server 127.0.0.1:{port:healthy};",
        200, "connect-refused",
    ),
    _group(
        "late", "silent", "server 127.0.0.1:{port}; server 127.0.0.1:{port:healthy};", 504, "header-timeout",
        passes="proxy_next_upstream_timeout 500ms; " + _PASS,
    ),
    _group(
        "in-time", "refusing", "server 127.0.0.1:{port}; server 127.0.0.1:{port:healthy};", 200, "connect-refused",
        passes="proxy_next_upstream_timeout 500ms; " + _PASS,
    ),
    # roles
    _group("heavy-dead", "refusing", "server 127.0.0.1:{port:healthy}; server 127.0.0.1:{port} weight=5;",
           200, "connect-refused", first=1),
    _group("heavy-alive", "refusing", "server 127.0.0.1:{port}; server 127.0.0.1:{port:healthy} weight=5;", 200, first=1),
    _group("backup-saves", "refusing", "server 127.0.0.1:{port}; server 127.0.0.1:{port:healthy} backup;",
           200, "connect-refused"),
    _group("backup-dead", "refusing", "server 127.0.0.1:{port:healthy}; server 127.0.0.1:{port} backup;", 200),
    _group("all-dead-with-backup", "refusing", "server 127.0.0.1:{port}; server 127.0.0.1:{port:silent} backup;",
           504, "connect-refused", cured="proxy_pass http://127.0.0.1:{port:healthy};"),
    _group("one-down", "healthy", "server 127.0.0.1:{port} down; server 127.0.0.1:{port:refusing};",
           502, "connect-refused", first=1, cured="proxy_pass http://127.0.0.1:{port};"),
    _group("all-down", "healthy", "server 127.0.0.1:{port} down; server 127.0.0.1:{port} down;",
           502, "no-live", cured="proxy_pass http://127.0.0.1:{port};"),
    _group("down-and-fine", "healthy", "server 127.0.0.1:{port:refusing} down; server 127.0.0.1:{port};", 200, first=1),
    _group("least-conn", "refusing", "least_conn; server 127.0.0.1:{port}; server 127.0.0.1:{port:healthy};",
           200, "connect-refused"),
    # other families
    _group("tls-saves", "tls-hangs", "server 127.0.0.1:{port}; server 127.0.0.1:{port:tls-good};",
           200, "tls-timeout", passes="proxy_pass https://{name};"),
    _group("fastcgi-saves", "refusing", "server 127.0.0.1:{port}; server 127.0.0.1:{port:fastcgi};",
           200, "connect-refused", passes="fastcgi_pass {name};"),
    _group("memcached-saves", "refusing", "server 127.0.0.1:{port}; server 127.0.0.1:{port:memcached};",
           200, "connect-refused", passes="set $memcached_key $uri; memcached_pass {name};"),
    _group("grpc-saves", "refusing", "server 127.0.0.1:{port}; server 127.0.0.1:{port:grpc};",
           200, "connect-refused", passes="grpc_pass grpc://{name};"),
    # a head that cannot be read is “invalid_header” in every protocol, and that is not listed unless somebody does
    *(
        _group(f"{kind}-unreadable{'-listed' if listed else ''}", behaviour,
               f"server 127.0.0.1:{{port}}; server 127.0.0.1:{{port:{good}}};",
               200 if listed else 502, log, passes=f"{family}_next_upstream {word if listed else 'error'}; " + passes)
        for kind, family, behaviour, good, log, word, passes in (
            ("fastcgi", "fastcgi", "refuses-noise", "fastcgi", "fastcgi-version", "invalid_header", "fastcgi_pass {name};"),
            ("fastcgi-dies", "fastcgi", "fastcgi-dies", "fastcgi", "fastcgi-record", "invalid_header",
             "fastcgi_pass {name};"),
            ("uwsgi", "uwsgi", "ssh", "uwsgi", "bad-header", "invalid_header", "uwsgi_pass {name};"),
            ("grpc", "grpc", "refuses-noise", "grpc", "http2-frame", "invalid_header", "grpc_pass grpc://{name};"),
            ("memcached", "memcached", "refuses-noise", "memcached", "memcached-invalid", "invalid_response",
             "set $memcached_key $uri; memcached_pass {name};"),
        )
        for listed in (False, True)
    ),
    _group("tls-alert-saves", "tls-alert", "server 127.0.0.1:{port}; server 127.0.0.1:{port:tls-good};",
           200, "tls-alert-handshake", passes="proxy_pass https://{name};"),
    _group("tls-hang-not-listed", "tls-hangs", "server 127.0.0.1:{port}; server 127.0.0.1:{port:tls-good};",
           504, "tls-timeout", passes="proxy_next_upstream error; proxy_pass https://{name};"),
    _group("three-faults", "refusing",
           "server 127.0.0.1:{port}; server 127.0.0.1:{port:silent}; server 127.0.0.1:{port:ssh};",
           None, "connect-refused"),
    _group("three-errors", "status-500",
           "server 127.0.0.1:{port}; server 127.0.0.1:{port:status-503}; server 127.0.0.1:{port:refusing};",
           502, "connect-refused", passes="proxy_next_upstream error http_500 http_503; " + _PASS),
    _group("max-fails-0", "refusing", "server 127.0.0.1:{port} max_fails=0; server 127.0.0.1:{port:silent} max_fails=0;",
           504, "connect-refused"),
    # an answer of the wrong kind is an answer
    _group("uwsgi-http", "refuses-noise", "server 127.0.0.1:{port}; server 127.0.0.1:{port:uwsgi};", 400,
           passes="uwsgi_pass {name};"),
    _group("plain-on-tls", "tls-plain-400", "server 127.0.0.1:{port}; server 127.0.0.1:{port:healthy};", 400),
    _group("two-backups", "refusing", "server 127.0.0.1:{port}; server 127.0.0.1:{port:silent} backup;"
           " server 127.0.0.1:{port:healthy} backup;", 200, "connect-refused"),
    _group("unix-saves", "unix-missing", "server unix:{path}; server 127.0.0.1:{port:healthy};",
           200, "connect-missing"),
)  # fmt: skip
"""Asked once, of a fresh nginx."""
