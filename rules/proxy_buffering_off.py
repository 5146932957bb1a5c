from nginxlint import Bad, Config, Diagnostic, Good, Iterator, RequestHeaders, Rule, Severity, compiled, hands_on

_FAMILIES = ("proxy", "fastcgi", "uwsgi", "scgi")
# Names of places where an answer is meant to trickle.
_STREAMS = compiled(
    r"(?i)event|stream|sse|\bws\b|websocket|socket|poll|subscribe|push|live|notif|signalr|hub|mcp|chat|\blogs?\b|watch|tail|"
    r"download|upload|video|media|console|terminal|tty|vnc|attach|completion|/v2/|grpc|hls"
)
_LONG = compiled(r"(\d+)(h|d|w|M|y)|(\d{3,})(m|s|$)")


class ProxyBufferingOff(Rule):
    """`proxy_buffering off` ties a backend worker to the slowest visitor, and switches the cache off.

    Without buffering the answer is handed on as fast as the visitor reads it, and the backend's connection stays busy
    until then; nothing of it can be cached. That is right for event streams, long polling and large downloads, so a
    place that looks like one (its name, an Upgrade header, a long read timeout) is not reported. A backend can ask for
    it by itself, answer by answer, with `X-Accel-Buffering: no`.
    Source: proxy_buffering (ngx_http_proxy_module), ngx_http_upstream_send_response.
    """

    id = "proxy-buffering-off"
    group = "performance"
    severity = Severity.INFO
    directives = tuple(f"{family}_buffering" for family in _FAMILIES)
    examples = (
        Bad("location / {\n proxy_buffering off; # here\n proxy_pass http://app;\n}"),
        Bad("fastcgi_buffering off; # here\nlocation ~ \\.php$ { fastcgi_pass app:9000; }"),
        Good("location /events/ { proxy_buffering off; proxy_pass http://app; }"),
        Good("location / { proxy_buffering off; proxy_set_header Upgrade $http_upgrade; proxy_pass http://app; }"),
        Good("location / { proxy_buffering off; proxy_read_timeout 24h; proxy_pass http://app; }"),
        Good("location / { proxy_buffering on; proxy_pass http://app; }"),
        Good("location / { proxy_buffering off; grpc_pass app:9000; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for switch in config.find(*self.directives):
            block = switch.parent
            if switch.values != ("off",) or block is None or any(one.has_gap for one in (block, *block.ancestors())):
                continue  # a file that is not here may set Upgrade
            scope, family = config.scope(switch), switch.name.removesuffix("_buffering")
            if not hands_on(config, block, f"{family}_pass"):
                continue
            location = config.location(switch)
            if location is not None and _STREAMS.search(location.pattern):
                continue
            if family == "proxy" and "upgrade" in RequestHeaders(config, scope).configured:
                continue
            if (
                _LONG.fullmatch(scope.value(f"{family}_read_timeout"))
                or scope.value(f"{family}_request_buffering") == "off"
            ):
                continue
            yield self.report(
                switch,
                "a slow visitor keeps a backend worker busy until the last byte, and nothing is cached",
                label="handed on as fast as the visitor reads",
                help="leave it to the backend: it can send X-Accel-Buffering: no with the answers that stream",
            )
