from nginxlint import (
    KEPT_BY_DEFAULT,
    Bad,
    Confidence,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Rule,
    http_version,
    insert_line_after,
    note,
    replace,
)


class WebsocketHttp10(Rule):
    """A WebSocket handshake is handed on with HTTP/1.0, which knows no upgrade.

    Before nginx 1.29.7 `proxy_pass` speaks HTTP/1.0 unless told otherwise. The backend gets Upgrade and Connection in a
    request of a version that has neither. Node.js and Go take it all the same; a server that keeps to the rules answers
    400, 426 or a plain page, and the browser reconnects for ever. Write `proxy_http_version 1.1;` beside the headers.
    (HTTP/2 to the backend drops the two headers.)
    Source: documentation of proxy_http_version and "WebSocket proxying"; RFC 6455, section 4.1.
    """

    id = "websocket-http10"
    group = "proxy"
    confidence = Confidence.MEDIUM
    directives = ("proxy_set_header",)
    texts = ("upgrade",)
    judges = "handshakes"
    examples = (
        Bad(
            "location /ws/ {\n proxy_set_header Upgrade $http_upgrade; # here\n proxy_set_header Connection upgrade;\n"
            " proxy_pass http://app;\n}",
            "location /ws/ {\n proxy_set_header Upgrade $http_upgrade;\n proxy_http_version 1.1; # here\n"
            " proxy_set_header Connection upgrade;\n proxy_pass http://app;\n}",
            version=(1, 26, 0),
        ),
        Bad(
            "proxy_http_version 1.0;\nlocation /ws/ {\n proxy_set_header Upgrade $http_upgrade; # here\n"
            " proxy_set_header Connection upgrade;\n proxy_pass http://app;\n}",
            "proxy_http_version 1.1;\nlocation /ws/ {\n proxy_set_header Upgrade $http_upgrade; # here\n"
            " proxy_set_header Connection upgrade;\n proxy_pass http://app;\n}",
        ),
        Good(
            "location / { proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; proxy_pass http://a; }"
        ),
        Good(
            "proxy_http_version 1.1; location / { proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;"
            " proxy_pass http://app; }",
            version=(1, 26, 0),
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if config.partial:
            return
        if config.version >= KEPT_BY_DEFAULT and all(says == ("1.1",) for says in config.alike("proxy_http_version")):
            return
        for handshake in config.handshakes:
            if not handshake.complete:
                continue
            for target in handshake.passes:
                scope = config.scope(target.directive)
                version = http_version(config, scope)
                if version == "1.1":
                    continue
                set_by, upgrade = scope.directive("proxy_http_version"), handshake.upgrade
                assert upgrade is not None
                yield self.report(
                    upgrade,
                    f"this goes out as HTTP/{version}, which has no upgrade: WebSockets fail {_where(version)}",
                    _fix(upgrade, set_by),
                    related=(
                        note(set_by or target.directive, "the version is set here" if set_by else "handed on here"),
                    ),
                    help="write proxy_http_version 1.1;",
                )
                break


def _where(version: str) -> str:
    return "here" if version == "2" else "with every backend that keeps to the rules"


def _fix(upgrade: Directive, set_by: Directive | None) -> Fix:
    if set_by is not None and set_by.values:
        return Fix("speak HTTP/1.1", (replace(set_by.args[0].span, "1.1"),), safe=False)
    return Fix("speak HTTP/1.1", (insert_line_after(upgrade, "proxy_http_version 1.1;"),), safe=False)
