from collections.abc import Iterator

from nginxlint import Bad, Block, Config, Diagnostic, Directive, Fix, Good, Rule, Severity, insert_line_after


class WebsocketIncomplete(Rule):
    """Only one of the two headers of a WebSocket handshake is passed on.

    nginx takes Upgrade and Connection off every request: both have to be set again. With one of them missing the
    backend sees a plain request and answers 400, 404 or 426, and the browser reconnects for ever. Write both:
    `proxy_set_header Upgrade $http_upgrade;` and `proxy_set_header Connection "upgrade";` (or a map).
    Source: nginx documentation, "WebSocket proxying".
    """

    id = "websocket-incomplete"
    group = "proxy"
    severity = Severity.WARNING
    directives = ("proxy_set_header",)
    examples = (
        Bad(
            "location /ws/ {\n    proxy_set_header Upgrade $http_upgrade; # here\n    proxy_pass http://app;\n}",
            "location /ws/ {\n    proxy_set_header Upgrade $http_upgrade;\n"
            '    proxy_set_header Connection "upgrade"; # here\n    proxy_pass http://app;\n}',
        ),
        Bad('location /ws/ {\n    proxy_set_header Connection "Upgrade"; # here\n    proxy_pass http://app;\n}'),
        Good('location / { proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; }'),
        Good('location / { proxy_set_header Connection ""; proxy_pass http://app; }'),
        Good('location / { proxy_set_header Upgrade ""; proxy_set_header Host $host; proxy_pass http://app; }'),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for block in dict.fromkeys(directive.parent for directive in config.find("proxy_set_header")):
            if block is not None and not block.has_gap:  # the other half may stand in a file that is not here
                yield from self._check_block(block, config)

    def _check_block(self, block: Block, config: Config) -> Iterator[Diagnostic]:
        own = {one.values[0].lower(): one for one in block.children("proxy_set_header") if len(one.values) == 2}
        upgrade, connection = own.get("upgrade"), own.get("connection")
        if upgrade is not None and upgrade.values[1] and connection is None:
            yield self._report(upgrade, "Connection", 'proxy_set_header Connection "upgrade";')
        elif connection is not None and upgrade is None and "upgrade" in connection.values[1].lower():
            yield self._report(connection, "Upgrade", "proxy_set_header Upgrade $http_upgrade;")

    def _report(self, present: Directive, absent: str, line: str) -> Diagnostic:
        return self.report(
            present,
            f"the {absent} header is not passed on: WebSocket connections fail here",
            Fix(f"set {absent} too", (insert_line_after(present, line),), safe=False),
            label=f"only half of the handshake without {absent}",
            help=f"write {line}",
        )
