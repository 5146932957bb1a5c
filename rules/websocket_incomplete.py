from nginxlint import (
    Bad,
    Confidence,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Rule,
    Severity,
    insert_line_after,
    named_for_websockets,
    note,
    replace,
    split_location,
)


class WebsocketIncomplete(Rule):
    """Only one of the two headers of a WebSocket handshake is passed on.

    nginx takes Upgrade and Connection off every request: both have to be set again, in one block, since a block with one
    `proxy_set_header` inherits none. With one of them missing the backend sees a plain request and answers 400, 404 or
    426, and the browser reconnects for ever. Write both: `proxy_set_header Upgrade $http_upgrade;` and
    `proxy_set_header Connection "upgrade";` (or a map). A location that is named as one for WebSockets (/ws, /socket.io, …)
    and sets neither is mentioned.
    Source: nginx documentation, "WebSocket proxying".
    """

    id = "websocket-incomplete"
    group = "proxy"
    directives = ("proxy_pass", "proxy_set_header")
    examples = (
        Bad(
            "location /ws/ {\n    proxy_set_header Upgrade $http_upgrade; # here\n    proxy_pass http://app;\n}",
            "location /ws/ {\n    proxy_set_header Upgrade $http_upgrade;\n"
            '    proxy_set_header Connection "upgrade"; # here\n    proxy_pass http://app;\n}',
        ),
        Bad('location /ws/ {\n    proxy_set_header Connection "Upgrade"; # here\n    proxy_pass http://app;\n}'),
        Bad(
            "location /ws/ {\n proxy_set_header Upgrade $http_upgrade;\n proxy_set_header Connection ''; # here\n"
            " proxy_pass http://app;\n}",
            "location /ws/ {\n proxy_set_header Upgrade $http_upgrade;\n proxy_set_header Connection upgrade; # here\n"
            " proxy_pass http://app;\n}",
        ),
        Bad("location /socket.io/ { proxy_set_header Host $host; proxy_pass http://app; } # here"),
        Good('location / { proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; }'),
        Good('location / { proxy_set_header Connection ""; proxy_pass http://app; }'),
        Good('location / { proxy_set_header Upgrade ""; proxy_set_header Host $host; proxy_pass http://app; }'),
        Good("location / { proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $http_connection; }"),
        Good(
            "location / { set $up ''; access_by_lua_file ws.lua; proxy_pass http://app;"
            " proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $up; }"
        ),
        Good(
            "map $http_upgrade $up { default upgrade; '' close; }\nserver { proxy_set_header Upgrade $http_upgrade;"
            " proxy_set_header Connection $up; location /ws { proxy_pass http://app; } }"
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for one in config.handshakes:
            if one.complete or one.block.has_gap:
                continue  # the other half may stand in a file that is not here
            if not one.upgrades and one.upgrade is not None and one.connection is not None:
                yield self._wrong_value(one.upgrade, one.connection)
            elif one.upgrade is not None and one.connection is None:
                yield self._report(one.upgrade, "Connection", 'proxy_set_header Connection "upgrade";')
            elif one.connection is not None and one.upgrade is None:
                yield self._report(one.connection, "Upgrade", "proxy_set_header Upgrade $http_upgrade;")
        if not config.partial:
            yield from self._named(config)

    def _wrong_value(self, upgrade: Directive, connection: Directive) -> Diagnostic:
        sent = connection.values[1] or "nothing"
        return self.report(
            connection,
            f"Connection says {sent}, not upgrade: WebSocket connections fail here",
            Fix("say upgrade", (replace(connection.args[1].span, "upgrade"),), safe=False),
            related=(note(upgrade, "the other half of the handshake"),),
            help='write proxy_set_header Connection "upgrade"; or a map of $http_upgrade',
        )

    def _named(self, config: Config) -> Iterator[Diagnostic]:
        """Locations that are called as those of WebSockets are, and hand on neither half."""
        blocks = {one.block for one in config.handshakes}
        around = (target.directive.enclosing("location") for target in config.passes())
        distinct = {location.values for location in around if location is not None}
        named = {values for values in distinct if named_for_websockets(split_location(values)[1])}
        for target in config.passes() if named else ():
            location = config.location(target.directive)
            if location is None or location.block.values not in named or location.internal is not None:
                continue
            origin = config.scope(target.directive).origin("proxy_set_header")
            if origin is None or origin.block not in blocks:
                yield self.report(
                    target.directive.args[0],
                    "if this location is for WebSockets, they fail: Upgrade and Connection are not passed on",
                    severity=Severity.INFO,
                    confidence=Confidence.MEDIUM,
                    help='write proxy_set_header Upgrade $http_upgrade; and proxy_set_header Connection "upgrade";',
                )

    def _report(self, present: Directive, absent: str, line: str) -> Diagnostic:
        return self.report(
            present,
            f"the {absent} header is not passed on: WebSocket connections fail here",
            Fix(f"set {absent} too", (insert_line_after(present, line),), safe=False),
            label=f"only half of the handshake without {absent}",
            help=f"write {line}",
        )
