from nginxlint import Bad, Confidence, Config, Diagnostic, Fix, Good, Iterator, Rule, Severity, insert_line_after

_PASSES = ("proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass")
_SURE = frozenset("sse eventsource".split())
_MAYBE = frozenset("events stream streaming livestream subscribe notifications".split())


class SseBuffered(Rule):
    """A location for server-sent events, and answers are buffered: events arrive in bursts, or not at all.

    nginx collects an answer until a buffer is full before it sends it on, and events are small. Write
    `proxy_buffering off;` in this location, or let the application send the header `X-Accel-Buffering: no` (nginx obeys
    it and this finding is then none). The location is recognised by its name.
    Source: documentation of proxy_buffering.
    """

    id = "sse-buffered"
    group = "proxy"
    severity = Severity.INFO
    confidence = Confidence.MEDIUM
    directives = ("location",)
    texts = ("sse", "event", "stream", "subscribe", "notification")
    examples = (
        Bad(
            "location /api/sse {\n    proxy_pass http://app; # here\n}",
            "location /api/sse {\n    proxy_pass http://app;\n    proxy_buffering off; # here\n}",
        ),
        Bad("location ~ ^/event-stream/ { proxy_pass http://app; } # here"),
        Bad("location /events/ { proxy_pass http://app; } # here"),
        Good("location /api/sse { proxy_buffering off; proxy_pass http://app; }"),
        Good("proxy_buffering off; location /sse { proxy_pass http://app; }"),
        Good("location /assets/ { proxy_pass http://app; }"),
        Good("location /possessions/ { proxy_pass http://app; }"),
        Good("location /sse { proxy_set_header Upgrade $http_upgrade; proxy_pass http://app; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        called = {values: sure for values in config.alike("location") if (sure := _streams(values)) is not None}
        for target in config.passes(*_PASSES) if called else ():
            location = target.directive.enclosing("location")
            sure = called.get(location.values) if location is not None else None
            if sure is None:
                continue
            scope, family = config.scope(target.directive), target.family
            if not scope.on(f"{family}_buffering", True) or scope.block.has_gap:
                continue
            if family == "proxy" and "upgrade" in config.request_headers(scope).configured:
                continue  # a WebSocket, which nginx does not buffer
            line = f"{family}_buffering off;"
            yield self.report(
                target.directive,
                "answers are buffered here: server-sent events arrive in bursts, or only at the end",
                Fix(f"write {line}", (insert_line_after(target.directive, line),), safe=False),
                confidence=Confidence.MEDIUM if sure else Confidence.LOW,
                help=f"write {line} or let the application send X-Accel-Buffering: no",
            )


def _streams(location: tuple[str, ...]) -> bool | None:
    """Is a location called as those of event streams are: surely, perhaps (False), or not (None)?"""
    text = location[-1].lower() if location else ""
    words = "".join([letter if letter.isalnum() else " " for letter in text]).split()
    if not _SURE.isdisjoint(words) or ("event" in words and "stream" in words):
        return True
    return None if _MAYBE.isdisjoint(words) else False
