from nginxlint import (
    Bad,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Rule,
    Severity,
    insert_into,
    note,
    replace,
)

_MAP = "map $http_upgrade $connection_upgrade { default upgrade; '' ''; }"


class WebsocketConstantConnection(Rule):
    """Every request to the backend says `Connection: upgrade`, also those that ask for no upgrade.

    In a location that serves pages beside WebSockets the header is wrong for all plain requests: some backends answer
    400 or 426, and it takes the place of the empty value that keeps connections open. Let a map decide:
    `map $http_upgrade $connection_upgrade { default upgrade; '' ''; }` and `proxy_set_header Connection
    $connection_upgrade;`. Reported for `location /` only; one of its own for WebSockets may say it always.
    Source: nginx documentation, "WebSocket proxying".
    """

    id = "websocket-constant-connection"
    group = "proxy"
    severity = Severity.INFO
    directives = ("proxy_set_header",)
    texts = ("upgrade",)
    judges = "handshakes"
    examples = (
        Bad(
            "events {}\nhttp {\n map $http_upgrade $up { default upgrade; '' ''; }\n server { location / {\n"
            ' proxy_set_header Upgrade $http_upgrade;\n proxy_set_header Connection "upgrade"; # here\n'
            " proxy_pass http://app;\n} } }",
            "events {}\nhttp {\n map $http_upgrade $up { default upgrade; '' ''; }\n server { location / {\n"
            " proxy_set_header Upgrade $http_upgrade;\n proxy_set_header Connection $up; # here\n"
            " proxy_pass http://app;\n} } }",
        ),
        Good(
            "location /ws/ { proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; proxy_pass http://a; }"
        ),
        Good(
            "map $http_upgrade $connection_upgrade { default upgrade; '' close; }\nserver { location / {"
            " proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade; proxy_pass http://a; } }"
        ),
        Good('location / { proxy_set_header Connection "upgrade"; proxy_pass http://app; }'),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for handshake in config.handshakes if any(map(_is_constant, config.alike("proxy_set_header"))) else ():
            connection = handshake.connection if handshake.complete else None
            if connection is None or "$" in connection.values[1]:
                continue
            for target in handshake.passes:
                location = config.location(target.directive)
                if location is not None and location.pattern == "/" and location.modifier in ("", "^~"):
                    yield self.report(
                        connection,
                        "plain requests to this backend say Connection: upgrade, too",
                        _fix(config, connection),
                        related=(note(location.block, "serves everything, not only WebSockets"),),
                        help=f"write {_MAP} in http, and proxy_set_header Connection $connection_upgrade;",
                    )
                    break


def _is_constant(header: tuple[str, ...]) -> bool:
    return len(header) == 2 and header[0].lower() == "connection" and "$" not in header[1] != ""


def _fix(config: Config, connection: Directive) -> Fix | None:
    """A map of `$http_upgrade` that is there already, or one more in http."""
    maps = [one for one in config.blocks("map") if one.values[:1] == ("$http_upgrade",) and len(one.values) == 2]
    known = next((block.values[1] for block in maps if any(line.values == ("upgrade",) for line in block.body)), "")
    http = next((block for block in config.blocks("http") if not block.synthetic), None)
    edit = replace(connection.args[1].span, known or "$connection_upgrade")
    if not known and (http is None or config.partial):
        return None
    return Fix("let a map decide", (edit,) if known or http is None else (insert_into(http, _MAP), edit), safe=False)
