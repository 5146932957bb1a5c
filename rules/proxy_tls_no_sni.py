from nginxlint import (
    Bad,
    Config,
    Diagnostic,
    Fix,
    Good,
    Iterator,
    Pass,
    Rule,
    Severity,
    destinations,
    insert_line_after,
)

_SWITCH = {
    "proxy_pass": "proxy_ssl_server_name",
    "grpc_pass": "grpc_ssl_server_name",
    "uwsgi_pass": "uwsgi_ssl_server_name",
}


class ProxyTlsNoSni(Rule):
    """A TLS target with a public host name, and nginx does not say that name in the handshake.

    `proxy_ssl_server_name` is off by default. A server with several certificates, and nearly every CDN, then answers
    with a handshake alert (502) or with the wrong site. Write `proxy_ssl_server_name on;`.
    Source: documentation of proxy_ssl_server_name; ngx_http_upstream_ssl_name (src/http/ngx_http_upstream.c).
    """

    id = "proxy-tls-no-sni"
    group = "tls"
    severity = Severity.WARNING
    directives = tuple(_SWITCH)
    texts = ("$", "https:", "grpcs:", "suwsgi:")
    examples = (
        Bad(
            "location / {\n    proxy_pass https://api.example.com; # here\n}",
            "location / {\n    proxy_pass https://api.example.com;\n    proxy_ssl_server_name on; # here\n}",
        ),
        Bad("location / { grpc_pass grpcs://api.example.com:443; } # here"),
        Good("proxy_ssl_server_name on; location / { proxy_pass https://api.example.com; }"),
        Bad("location / { proxy_ssl_name pay.example.com; proxy_pass https://10.0.0.1; } # here"),
        Good("location / { proxy_pass https://10.0.0.1; }"),
        Bad("location / { set $to api.example.com; proxy_pass https://$to$request_uri; } # here"),
        Bad("location / { set $to https://api.example.com; proxy_pass $to; } # here"),
        Good(
            "upstream api.example.com { server 10.0.0.1:443; }\nserver { location / { proxy_pass https://api.example.com; } }"
        ),
        Good("location / { proxy_pass https://$arg_to; }"),
        Good("location / { proxy_pass https://[2001:db8::1]; }"),
        Bad("upstream pay { server a.test:443; }\nserver { location / { proxy_pass https://pay; } } # here"),
        Good("location / { proxy_pass https://backend; }"),
        Good("location / { proxy_pass http://api.example.com; }"),
        Good("location / { proxy_pass https://app.internal:8443; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if config.partial:
            return  # the switch may stand in what was not read
        for target in config.passes(*_SWITCH):
            if not target.tls and not target.has_variables:
                continue
            scope, switch = config.scope(target.directive), _SWITCH[target.directive.name]
            if scope.on(switch) or target.kind == "stream":
                continue
            written = scope.value(switch.replace("server_name", "name"))  # the name meant for the certificate
            found = next((found for found in _tls_hosts(target, config, written) if _is_public(found[0])), None)
            if found is None:
                continue
            host, in_group = found
            lines = [f"{switch} on;"] + [f"{switch.replace('server_name', 'name')} {host};"] * in_group
            yield self.report(
                target.directive.args[0],
                f"nginx does not name {host} in the TLS handshake: 502, or another site's answer",
                Fix(f"write {switch} on", (insert_line_after(target.directive, *lines),), safe=False),
                label=f"{switch} is off here (the default)",
                help=f"write {' and '.join(lines)}",
            )


def _tls_hosts(target: Pass, config: Config, written: str) -> Iterator[tuple[str, bool]]:
    """The names that the handshakes of a pass should say, and whether nginx would say a group's name in its place."""
    if "$" in target.text:
        names = [
            (one.host, config.upstream(one.authority) if one.port is None else None)
            for one in destinations(config, target) or ()
            if one.scheme in ("https", "grpcs", "suwsgi")
        ]
    else:
        names = [(target.host, target.group(config))] if target.tls else []
    for host, group in names:
        if written or group is None or any(peer.host == host for peer in group.peers):
            yield written or host, False
        else:
            yield group.host, True


def _is_public(host: str) -> bool:
    """A name that certificates are chosen by: no variable, no address, no short name, none of a private zone."""
    private = (".internal", ".local", ".lan", ".svc", ".cluster.local", ".localdomain")
    return not ("$" in host or ":" in host or "." not in host or host.replace(".", "").isdigit()) and not host.endswith(
        private
    )
