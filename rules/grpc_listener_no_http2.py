from nginxlint import (
    Bad,
    Confidence,
    Config,
    Diagnostic,
    Fix,
    Good,
    Iterator,
    Rule,
    Server,
    Severity,
    insert_after,
    insert_into,
    note,
)

_HTTP2_DIRECTIVE = (1, 25, 1)


class GrpcListenerNoHttp2(Rule):
    """`grpc_pass` in a server that does not speak HTTP/2: gRPC clients cannot talk to it.

    gRPC needs HTTP/2 from the client on. Without it nginx answers the client's preface with 400, or TLS ends without a
    common protocol; the backend never sees a request. Write `http2 on;` in the server (before nginx 1.25.1:
    `listen 443 ssl http2;`). On a port without TLS only clients that speak nothing but HTTP/2 can connect then.
    Source: documentation of ngx_http_grpc_module and ngx_http_v2_module.
    """

    id = "grpc-listener-no-http2"
    group = "proxy"
    severity = Severity.ERROR
    confidence = Confidence.MEDIUM
    directives = ("grpc_pass",)
    examples = (
        Bad(
            "server {\n    listen 443 ssl;\n    location / { grpc_pass grpc://app:1; } # here\n}",
            "server {\n    http2 on;\n    listen 443 ssl;\n    location / { grpc_pass grpc://app:1; } # here\n}",
        ),
        Bad(
            "server { listen 81; location / { grpc_pass grpc://app:1; } # here\n}",
            "server { listen 81 http2; location / { grpc_pass grpc://app:1; } # here\n}",
            version=(1, 22, 1),
        ),
        Good("server { listen 443 ssl; http2 on; location / { grpc_pass grpc://app:1; } }"),
        Good("http2 on; server { listen 443 ssl; location / { grpc_pass grpc://app:1; } }"),
        Good("server { listen 443 ssl http2; location / { grpc_pass grpc://app:1; } }"),
        Good("server { listen 443 quic; location / { grpc_pass grpc://app:1; } }"),
        Good(
            "server { listen 443 ssl http2; server_name a; }\n"
            "server { listen 443 ssl; server_name b; location / { grpc_pass grpc://app:1; } }"
        ),
        Good("server { listen 80; location / { error_page 404 = @g; } location @g { grpc_pass grpc://app:1; } }"),
        Good("server { listen 80; location /g { internal; grpc_pass grpc://app:1; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if config.partial:
            return  # the listen may stand in what was not read
        told: set[Server] = set()
        spoken: set[str] | None = None
        for target in config.find("grpc_pass"):
            server, location = config.server(target), config.location(target)
            if server is None or location is None or server in told:
                continue
            if location.modifier == "@" or location.block.child("internal") is not None:
                continue  # reached by requests of another location, of whatever protocol
            if server.scope.on("http2"):
                continue
            # the parameter of one listen holds for all servers on its socket
            spoken = _sockets_with_http2(config) if spoken is None else spoken
            if any(listen.socket in spoken or "quic" in listen.options for listen in server.listens):
                continue
            told.add(server)
            yield self.report(
                target,
                "gRPC clients cannot reach this: the server does not speak HTTP/2",
                *_fixes(config, server),
                related=tuple(
                    note(one.directive, "no HTTP/2 here") for one in server.listens[:2] if one.directive is not None
                ),
                help="write http2 on; in the server"
                if config.version >= _HTTP2_DIRECTIVE
                else "write http2 behind the listen",
            )


def _sockets_with_http2(config: Config) -> set[str]:
    return {listen.socket for server in config.http_servers() for listen in server.listens if "http2" in listen.options}


def _fixes(config: Config, server: Server) -> tuple[Fix, ...]:
    if config.version >= _HTTP2_DIRECTIVE:
        return (Fix("write http2 on", (insert_into(server.block, "http2 on;"),), safe=False),)
    listens = [listen.directive for listen in server.listens if listen.directive is not None and listen.ssl]
    listens = listens or [listen.directive for listen in server.listens if listen.directive is not None]
    edits = tuple(insert_after(listen.head_span, " http2") for listen in listens)
    return (Fix("speak HTTP/2", edits, safe=False),) if edits else ()
