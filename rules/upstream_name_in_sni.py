from nginxlint import Bad, Config, Diagnostic, Fix, Good, Iterator, Rule, Severity, insert_line_after, note


class UpstreamNameInSni(Rule):
    """nginx says the name of an upstream group in the TLS handshake, or looks for it in the certificate.

    With `proxy_ssl_server_name on` or `proxy_ssl_verify on` the name is the host part of `proxy_pass`; for a group that
    is the group's name, not that of any server. The server then picks the wrong site or ends the handshake, and
    verification fails: 502, "upstream SSL certificate does not match". Write `proxy_ssl_name` with the name the
    servers have a certificate for, or give the group that name.
    Source: documentation of proxy_ssl_name; ngx_http_upstream_ssl_name (src/http/ngx_http_upstream.c).
    """

    id = "upstream-name-in-sni"
    group = "tls"
    severity = Severity.WARNING
    directives = tuple(
        f"{family}_ssl_{switch}" for family in ("proxy", "grpc", "uwsgi") for switch in ("server_name", "verify")
    )
    examples = (
        Bad(
            "upstream pay { server pay.example.com:443; }\nserver { location / {\n proxy_ssl_server_name on;\n"
            " proxy_pass https://pay; # here\n} }",
            "upstream pay { server pay.example.com:443; }\nserver { location / {\n proxy_ssl_server_name on;\n"
            " proxy_pass https://pay;\n proxy_ssl_name pay.example.com; # here\n} }",
        ),
        Bad(
            "upstream pay { server 10.0.0.1:443; }\nproxy_ssl_verify on;\n"
            "server { location / { proxy_pass https://pay/v1; } # here\n}"
        ),
        Bad(
            "upstream g { server a.test:1; }\nserver { location / { grpc_ssl_server_name on; grpc_pass grpcs://g; } # here\n}"
        ),
        Good("upstream pay { server a.test:443; }\nserver { location / { proxy_pass https://pay; } }"),
        Bad(
            "stream { upstream db { server db.test:5432; }\nserver { listen 90; proxy_ssl on; proxy_ssl_server_name on;\n"
            "proxy_pass db; # here\n} }",
            context="main",
        ),
        Good(
            "upstream pay.example.com { server 10.0.0.1:443; }\n"
            "server { location / { proxy_ssl_server_name on; proxy_pass https://pay.example.com; } }"
        ),
        Good(
            "upstream pay { server pay:443; }\n"
            "server { location / { proxy_ssl_server_name on; proxy_pass https://pay; } }"
        ),
        Good(
            "upstream pay { server a.test:443; }\nserver { proxy_ssl_server_name on; proxy_ssl_name a.test;\n"
            "location / { proxy_pass https://pay; } }"
        ),
        Good(
            "upstream pay { server a.test:443; }\n"
            "server { location / { proxy_ssl_server_name on; proxy_pass http://pay; } }"
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for group in config.upstreams:
            if "." in group.name and "_" not in group.name:
                continue  # the group is named as its servers are
            if any(peer.host.lower() == group.name.lower() for peer in group.peers):
                continue
            for use in config.uses(group):
                if not use.tls:
                    continue
                scope, family = config.scope(use.target.directive), use.target.family
                if scope.directive(f"{family}_ssl_name") is not None:
                    continue
                verify = scope.directive(f"{family}_ssl_verify") if scope.on(f"{family}_ssl_verify") else None
                switch = verify or scope.directive(f"{family}_ssl_server_name")
                if switch is None or (verify is None and not scope.on(f"{family}_ssl_server_name")):
                    continue
                fixes: tuple[Fix, ...] = ()
                if group.host:
                    line = f"{family}_ssl_name {group.host};"
                    fixes = (Fix(f"write {line}", (insert_line_after(use.target.directive, line),), safe=False),)
                failure = "the connection is closed" if use.target.kind == "stream" else "502"
                effect = (
                    f"verification looks for it in the certificate and fails: {failure}"
                    if verify is not None
                    else f"the server answers with the wrong site, or ends the handshake: {failure}"
                )
                yield self.report(
                    use.target.directive.args[0],
                    f'the TLS name nginx uses here is that of the group, "{group.name}": {effect}',
                    *fixes,
                    related=(note(switch, "this makes the name matter"), note(group.block, "the group")),
                    help=f"write {family}_ssl_name {group.host or 'NAME'}; with the name in the servers' certificate",
                )
