from collections.abc import Iterator

from nginxlint import Bad, Confidence, Config, Diagnostic, Directive, Good, Rule, Severity, Word, destinations

_PORTS = {"http": 80, "https": 443, "$scheme": 80}


class ProxyVariableNoResolver(Rule):
    """A host name comes from a variable, and no `resolver` is in scope: every request gets 502.

    A name in a variable is looked up at run time, by nginx's own resolver; it reads neither /etc/resolv.conf nor the
    hosts file. Without a `resolver` directive the log says "no resolver defined to resolve NAME". Write
    `resolver ADDRESS;` (127.0.0.11 in a Docker network), or an upstream group of that name.
    Source: ngx_http_upstream_init_request (src/http/ngx_http_upstream.c), documentation of resolver.
    """

    id = "proxy-variable-no-resolver"
    group = "proxy"
    severity = Severity.ERROR
    directives = ("proxy_pass", "grpc_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass")
    examples = (
        Bad("server { set $b app.internal; location / { proxy_pass http://$b:80; } # here\n}"),
        Bad("location / { proxy_pass http://$http_host; } # here"),
        Bad("location / { proxy_pass http://app.internal$request_uri; } # here"),
        Good("location / { set $b app; proxy_pass http://$b; } location /x { proxy_pass http://app:80; }"),
        Good("server { resolver 10.0.0.2; set $b app.internal; location / { proxy_pass http://$b; } }"),
        Good("server { set $b 10.0.0.5; location / { proxy_pass http://$b:80; } }"),
        Good("server { set $b unix:/run/app.sock; location / { proxy_pass http://$b; } }"),
        Good("upstream app { server a:1; } server { set $b app; location / { proxy_pass http://$b; } }"),
        Good("location / { proxy_pass http://app.internal; }"),
        Good("location / { js_set $t main.pick; proxy_pass http://$t; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if config.partial:
            return
        literal: set[tuple[str, str, int | None]] | None = None
        for target in config.passes(*self.directives):
            directive = target.directive
            if not target.has_variables or config.scope(directive).directive("resolver") is not None:
                continue
            if target.kind != "stream" and config.location(directive) is None:
                continue  # a piece of stream that was taken for http
            ends = destinations(config, target)
            if ends is None:
                if _from_the_request(target.authority) and not config.upstreams:
                    yield self._report(directive.args[0], "the host a visitor asks for", Confidence.MEDIUM, directive)
                continue
            literal = _looked_up_at_start(config) if literal is None else literal
            for end in ends:
                if end.is_literal or not end.host or config.upstream(end.host, target.kind) is not None:
                    continue  # a group with a port is told by proxy-variable-group-port
                if (target.kind, end.host.lower(), end.port or _PORTS.get(end.scheme)) not in literal:
                    yield self._report(directive.args[0], end.host, Confidence.HIGH, directive)
                    break

    def _report(self, place: Word, name: str, confidence: Confidence, at: Directive) -> Diagnostic:
        return self.report(
            place,
            f"no resolver is in scope to look up {name} at run time: requests get 502",
            label="a variable: looked up for each request, not when nginx starts",
            help='write "resolver ADDRESS;" in this block or around it (127.0.0.11 in a Docker network)',
            confidence=confidence,
            at=at,
        )


def _from_the_request(authority: str) -> bool:
    return authority.lstrip("$").startswith(("host", "http_", "arg_", "cookie_", "{host", "{http_", "{arg_"))


def _looked_up_at_start(config: Config) -> set[tuple[str, str, int | None]]:
    """Hosts of targets without variables: nginx keeps them as groups, which a variable can name with their port."""
    return {
        (target.kind, target.host.lower(), target.port or target.default_port)
        for target in config.passes(*ProxyVariableNoResolver.directives)
        if not target.has_variables
    }
