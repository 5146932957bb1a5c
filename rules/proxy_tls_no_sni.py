from collections.abc import Iterator

from nginxlint import Bad, Config, Diagnostic, Fix, Good, Rule, Severity, insert_line_after

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
    examples = (
        Bad(
            "location / {\n    proxy_pass https://api.example.com; # here\n}",
            "location / {\n    proxy_pass https://api.example.com;\n    proxy_ssl_server_name on; # here\n}",
        ),
        Bad("location / { grpc_pass grpcs://api.example.com:443; } # here"),
        Good("proxy_ssl_server_name on; location / { proxy_pass https://api.example.com; }"),
        Bad("location / { proxy_ssl_name pay.example.com; proxy_pass https://10.0.0.1; } # here"),
        Good("location / { proxy_pass https://10.0.0.1; }"),
        Good("location / { proxy_pass https://backend; }"),
        Good("location / { proxy_pass http://api.example.com; }"),
        Good("location / { proxy_pass https://app.internal:8443; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for target in config.passes(*_SWITCH):
            # a name that was written down for the certificate is the one meant; else the host
            host = (
                config.scope(target.directive).value(_SWITCH[target.directive.name].replace("server_name", "name"))
                or target.host
            )
            if not target.tls or "$" in host or "." not in host or host.replace(".", "").isdigit() or config.partial:
                continue
            if host.endswith((".internal", ".local", ".lan", ".svc", ".cluster.local", ".localdomain")):
                continue
            switch = _SWITCH[target.directive.name]
            if (target.group(config) is not None and host == target.host) or config.scope(target.directive).on(switch):
                continue
            yield self.report(
                target.directive.args[0],
                f"nginx does not name {host} in the TLS handshake: 502, or another site's answer",
                Fix(f"write {switch} on", (insert_line_after(target.directive, f"{switch} on;"),), safe=False),
                label=f"{switch} is off here (the default)",
                help=f"write {switch} on;",
            )
