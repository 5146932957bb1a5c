from nginxlint import Bad, Config, Diagnostic, Good, Iterator, Rule, Severity, endpoints, note


class ProxyProtocolMissing(Rule):
    """A pass leads to one of our own listeners that awaits a PROXY protocol header, and sends none.

    nginx's HTTP proxy cannot send that header. A listener with `proxy_protocol` closes the connection: visitors get 502
    (`broken header` in the listener's log). Give the inner server a `listen` without `proxy_protocol` on another port
    or a unix socket. From `stream` the header is sent with `proxy_protocol on;`.
    Source: ngx_http_ssl_handshake and ngx_proxy_protocol_read; ngx_stream_proxy_module, proxy_protocol.
    """

    id = "proxy-protocol-missing"
    group = "proxy"
    severity = Severity.ERROR
    directives = ("listen",)
    texts = ("proxy_protocol",)
    examples = (
        Bad(
            "server { listen 81 proxy_protocol; return 204; }\n"
            "server { location / {\n proxy_pass http://127.0.0.1:81; # here\n} }"
        ),
        Bad(
            "upstream inner { server unix:/run/inner; }\nserver { listen unix:/run/inner proxy_protocol; }\n"
            "server { location / {\n proxy_pass http://inner; # here\n} }"
        ),
        Bad(
            "events { }\nhttp { server { listen 81 proxy_protocol; } }\n"
            "stream { server { listen 91;\n proxy_pass 127.0.0.1:81; # here\n} }"
        ),
        Good("server { listen 81 proxy_protocol; } server { location / { proxy_pass http://127.0.0.1:82; } }"),
        Good("server { listen 81 proxy_protocol; } server { location / { proxy_pass http://10.0.0.9:81; } }"),
        Good(
            "events { } http { server { listen 81 proxy_protocol; } }"
            "stream { server { listen 91; proxy_protocol on; proxy_pass 127.0.0.1:81; } }"
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for target in config.passes("proxy_pass", "grpc_pass"):
            stream = target.kind == "stream"
            if stream and config.scope(target.directive).on("proxy_protocol"):
                continue
            for end in endpoints(config, target):
                listen = next((one.proxy_protocol for one in config.listeners.behind(end) if one.proxy_protocol), None)
                if listen is None or listen.directive is None:
                    continue
                yield self.report(
                    target.directive.args[0],
                    f"every {'connection is closed' if stream else 'request gets 502'}: {listen.socket} awaits a PROXY "
                    "protocol header, and none is sent",
                    label="sends no PROXY protocol header",
                    related=(note(listen.directive, "awaits one on every connection"),),
                    help="write proxy_protocol on;"
                    if stream
                    else "give that server a listen without proxy_protocol, on another port or a unix socket, for this",
                )
                break
