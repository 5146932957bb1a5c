from nginxlint import (
    Bad,
    Confidence,
    Config,
    Diagnostic,
    Good,
    Iterator,
    Rule,
    Scope,
    Severity,
    opening,
    refusing_some,
)

_PUBLIC = (80, 443)


class StatusPageExposed(Rule):
    """A status page (`stub_status`, the API of NGINX Plus, traffic status) is open to everybody.

    It tells strangers how busy the server is, and with the API what is behind it (which can then be changed, with
    `write=on`). Write `allow 127.0.0.1; deny all;` beside it, or give it a server that listens on 127.0.0.1 only. `info`
    where it is on another port than 80 and 443: a firewall may keep strangers away. Silent where somebody is
    kept out by address, password or condition, and where a part is missing.
    Source: documentation of ngx_http_stub_status_module and ngx_http_api_module.
    """

    id = "status-page-exposed"
    group = "security"
    confidence = Confidence.MEDIUM
    directives = ("stub_status", "api", "vhost_traffic_status_display")
    examples = (
        Bad("server { listen 80; location = /status {\n stub_status; # here\n} }"),
        Bad("server { listen 443 ssl; location /api/ {\n api write=on; # here\n} }"),
        Bad("server { listen 8080; deny all; location = /status {\n allow all;\n stub_status; # here\n} }"),
        Good("server { location = /status { stub_status; allow 127.0.0.1; deny all; } }"),
        Good("server { allow 10.0.0.0/8; deny all; location = /status { stub_status; } }"),
        Good("server { listen 127.0.0.1:80; listen unix:/run/s; location = /status { stub_status; } }"),
        Good("server { auth_basic a; auth_basic_user_file f; location = /status { stub_status; } }"),
        Good("server { location = /status { if ($remote_addr != 127.0.0.1) { return 403; } stub_status; } }"),
        Good("server { location = /status { stub_status; internal; } location /b { include b/*.conf; stub_status; } }"),
        Good("location = /status { stub_status; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        choosy = refusing_some(config)
        for page in config.find(*self.directives):
            block, server = page.parent, config.server(page)
            if block is None or server is None or server.is_local or not server.is_whole:
                continue
            location = config.location(page)
            if location is not None and (location.internal or location.modifier == "@"):
                continue
            if block.has_gap or block in config.gaps or not choosy.isdisjoint(page.ancestors()):
                continue
            if not _is_open(config.scope(block)):
                continue
            public = any(listen.port in _PUBLIC for listen in server.listens)
            yield self.report(
                page,
                f"everybody may {'change' if 'write=on' in page.values else 'see'} what is behind this server"
                if page.name == "api"
                else "everybody may see how busy this server is",
                help="write allow 127.0.0.1; deny all; beside it",
                severity=None if public else Severity.INFO,
            )


def _is_open(scope: Scope) -> bool:
    """Is nobody kept out? (An `allow` without `deny` is a rule of its own.)"""
    allowed = scope.effective("allow")
    opened = bool(allowed) and allowed[0].parent is not None and opening(allowed[0].parent) is not None
    return not any(guard.name != "deny" or not opened for guard in scope.guards) and (opened or not allowed)
