from nginxlint import Bad, Config, Diagnostic, Fix, Good, Iterator, Rule, Severity, insert_line_before, made_of

_VARIABLES = ("ssl_preread_server_name", "ssl_preread_alpn_protocols", "ssl_preread_protocol")


class SslPrereadOff(Rule):
    """A stream server chooses by what the TLS handshake says, and does not read it: the variable is empty.

    `$ssl_preread_server_name` and its like are filled by `ssl_preread on;` only. Without it every connection goes where a `map` of
    the name sends the empty one, its default, or nowhere: all sites end at one backend.
    Source: documentation of ngx_stream_ssl_preread_module.
    """

    id = "ssl-preread-off"
    group = "correctness"
    severity = Severity.ERROR
    directives = ("proxy_pass",)
    texts = ("$",)
    examples = (
        Bad(
            "stream { map $ssl_preread_server_name $to { a.test 10.0.0.1:443; default 10.0.0.2:443; }\n"
            "server { listen 443;\nproxy_pass $to; # here\n} }",
            "stream { map $ssl_preread_server_name $to { a.test 10.0.0.1:443; default 10.0.0.2:443; }\n"
            "server { listen 443;\nssl_preread on;\nproxy_pass $to; # here\n} }",
        ),
        Bad("stream { ssl_preread off; server { listen 443;\nproxy_pass $ssl_preread_server_name:443; # here\n} }"),
        Good(
            "stream { map $ssl_preread_server_name $to { a.test 10.0.0.1:443; }"
            " server { listen 443; ssl_preread on; proxy_pass $to; } }"
        ),
        Good("stream { ssl_preread on; server { listen 443; proxy_pass $ssl_preread_server_name:443; } }"),
        Good("stream { map $remote_addr $to { default 10.0.0.1:443; } server { listen 443; proxy_pass $to; } }"),
        Good(
            "stream { map $ssl_preread_server_name $to { a.test 10.0.0.1:443; }"
            " server { listen 443; include p.conf; proxy_pass $to; } }"
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for target in config.passes("proxy_pass"):
            if target.kind != "stream" or not target.has_variables:
                continue
            scope = config.scope(target.directive)
            if (
                scope.on("ssl_preread")
                or scope.block.has_gap
                or scope.block.parent is None
                or scope.block.parent.has_gap
            ):
                continue
            made = made_of(config, target.text)
            variable = next((one for one in _VARIABLES if one in made), None)
            if variable is not None:
                yield self.report(
                    target.directive.args[0],
                    f"${variable} is always empty here: no connection goes where its handshake asks",
                    Fix("write ssl_preread on", (insert_line_before(target.directive, "ssl_preread on;"),), safe=False),
                    help="write ssl_preread on; in this server",
                )
