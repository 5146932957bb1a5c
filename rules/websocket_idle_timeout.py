from nginxlint import (
    Bad,
    Confidence,
    Config,
    Diagnostic,
    Fix,
    Good,
    Iterator,
    Rule,
    Severity,
    insert_line_after,
    milliseconds,
    note,
)

_MINUTE = 60_000


class WebsocketIdleTimeout(Rule):
    """A WebSocket on which nothing is said for a minute is cut.

    `proxy_read_timeout` also holds for upgraded connections: after 60 seconds (the default) without a word from the
    backend or the browser nginx closes them and logs "upstream timed out … while proxying upgraded connection". Let the
    application send a ping more often, or write a longer time: `proxy_read_timeout 1h;`.
    Source: nginx documentation, "WebSocket proxying".
    """

    id = "websocket-idle-timeout"
    group = "proxy"
    severity = Severity.INFO
    confidence = Confidence.MEDIUM
    directives = ("proxy_set_header",)
    texts = ("upgrade",)
    judges = "handshakes"
    examples = (
        Bad(
            "location /ws/ {\n proxy_set_header Upgrade $http_upgrade; # here\n proxy_set_header Connection upgrade;\n"
            " proxy_pass http://app;\n}",
            "location /ws/ {\n proxy_set_header Upgrade $http_upgrade;\n proxy_read_timeout 1h; # here\n"
            " proxy_set_header Connection upgrade;\n proxy_pass http://app;\n}",
        ),
        Good(
            "proxy_read_timeout 1h; location / { proxy_set_header Upgrade $http_upgrade;"
            " proxy_set_header Connection upgrade; proxy_pass http://app; }"
        ),
        Good("location / { proxy_set_header Host $host; proxy_pass http://app; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if config.partial:
            return
        settings = config.alike("proxy_read_timeout").groups()
        patient = {one.parent for _, same in settings if (milliseconds(same[0]) or 0) > _MINUTE for one in same}
        for handshake in config.handshakes:
            if not handshake.complete:
                continue
            for target in handshake.passes:
                if target.directive.parent in patient:
                    continue
                scope = config.scope(target.directive)
                if scope.milliseconds("proxy_read_timeout", _MINUTE) > _MINUTE:
                    continue
                set_by, upgrade = scope.directive("proxy_read_timeout"), handshake.upgrade
                assert upgrade is not None
                line = insert_line_after(upgrade, "proxy_read_timeout 1h;")
                yield self.report(
                    upgrade,
                    "WebSocket connections that are silent for "
                    f"{scope.milliseconds('proxy_read_timeout', _MINUTE) / 1000:g} s are cut",
                    *(() if set_by else (Fix("wait for an hour", (line,), safe=False),)),
                    related=(
                        note(set_by or target.directive, "set here" if set_by else "waits for 60 s, the default"),
                    ),
                    help="write proxy_read_timeout 1h; or let the application send pings",
                )
                break
