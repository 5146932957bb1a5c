from nginxlint import (
    Bad,
    Confidence,
    Config,
    Diagnostic,
    Endpoint,
    Fix,
    Good,
    Iterator,
    Rule,
    Severity,
    endpoints,
    note,
    replace,
)


class ProxyHttp2PlainBackend(Rule):
    """`proxy_http_version 2` to an http:// backend speaks HTTP/2 without TLS, which few backends understand.

    With https:// both sides agree on the protocol during the handshake. Over plain HTTP nginx begins with the HTTP/2
    preface at once; a backend that speaks HTTP/1 only answers 400, and the visitor gets 502 (`upstream sent too large
    http2 frame`). Write `proxy_http_version 1.1;`. Not reported: backends that are also reached by `grpc_pass` or are
    listeners of our own with `http2 on`.
    Source: documentation of proxy_http_version (nginx 1.29.4).
    """

    id = "proxy-http2-plain-backend"
    group = "proxy"
    severity = Severity.WARNING
    confidence = Confidence.MEDIUM
    directives = ("proxy_http_version",)
    texts = ("2",)
    examples = (
        Bad(
            "proxy_http_version 2; # here\nlocation / { proxy_pass http://app:81; }",
            "proxy_http_version 1.1; # here\nlocation / { proxy_pass http://app:81; }",
        ),
        Bad("upstream a { server b:1; }\nserver { proxy_http_version 2; # here\nlocation / { proxy_pass http://a; } }"),
        Good("location / { proxy_http_version 2; proxy_pass https://app; }"),
        Good("location / { proxy_http_version 1.1; proxy_pass http://app; }"),
        Good("proxy_http_version 2; location /g { grpc_pass app:81; } location / { proxy_pass http://app:81; }"),
        Good(
            "server { listen 81; http2 on; }\nproxy_http_version 2; server { location / { proxy_pass http://127.0.0.1:81; } }"
        ),
        Good("proxy_http_version 2; location / { proxy_http_version 1.1; proxy_pass http://app; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if ("2",) not in config.alike("proxy_http_version"):
            return
        spoken = {_key(end) for target in config.passes("grpc_pass") for end in endpoints(config, target)}
        seen = set()
        for target in config.passes():
            version = config.scope(target.directive).directive("proxy_http_version")
            if version is None or version.values != ("2",) or version in seen or target.kind == "stream":
                continue
            plain = [end for end in endpoints(config, target) if end.scheme == "http" and _key(end) not in spoken]
            if not plain or any(_own_http2(config, end) for end in plain):
                continue
            seen.add(version)
            yield self.report(
                version,
                "visitors get 502 unless the backend speaks HTTP/2 without TLS: nginx does not ask it first",
                Fix("speak HTTP/1.1", (replace(version.args[0].span, "1.1"),), safe=False),
                related=(note(target.directive, "http://, so nothing is agreed on"),),
                help="write proxy_http_version 1.1;",
            )


def _key(end: Endpoint) -> tuple[str, int | None, str | None]:
    return end.host, end.port, end.unix


def _own_http2(config: Config, end: Endpoint) -> bool:
    """Is it a listener of our own that takes HTTP/2?"""
    return any(
        server.scope.on("http2") or any("http2" in listen.options for listen in listener.listens)
        for listener in config.listeners.behind(end)
        for server in listener.servers
    )
