from nginxlint import (
    PASSES,
    Bad,
    Block,
    Confidence,
    Config,
    Diagnostic,
    Good,
    Iterator,
    Rule,
    Severity,
    chosen_host,
    note,
    refusing_some,
)


class Ssrf(Rule):
    """A visitor chooses the host that nginx passes his request to, and so reaches what only this machine can reach.

    The host comes from an argument, a cookie, a header, or from a group of a regular expression that takes any name:
    /proxy/169.254.169.254/latest/meta-data/ then shows the keys of a cloud machine. Or it is the Host of the request, or
    the name in its TLS handshake, and the server answers whatever is named: an open proxy. A port that he chooses leads to all
    programs of that host. Let a `map` choose among the hosts that are meant, or write the group so that it takes these names
    only. Silent in `internal` locations, beside an `if` that refuses, and about groups that cannot leave a fixed domain.
    Source: ngx_http_proxy_eval (the authority is taken from the evaluated text).
    """

    id = "ssrf"
    group = "security"
    severity = Severity.ERROR
    confidence = Confidence.MEDIUM
    directives = tuple(sorted(PASSES))
    texts = ("$",)
    examples = (
        Bad("location /fetch { resolver 192.0.2.1; proxy_pass http://$arg_host/x; } # here"),
        Bad("location /fetch { resolver 192.0.2.1; proxy_pass $arg_url; } # here"),
        Bad("location ~ ^/proxy/([^/]+)/(.*)$ { resolver 192.0.2.1; proxy_pass http://$1/$2; } # here"),
        Bad("location ~ ^/(?<to>.+)$ { resolver 192.0.2.1; proxy_pass http://$to.example.com; } # here"),
        Bad("location / { set $b $cookie_backend; resolver 192.0.2.1; proxy_pass http://$b:8080; } # here"),
        Bad("location /g { resolver 192.0.2.1; grpc_pass grpc://$http_x_to; } # here"),
        Bad("location ~ ^/api(.*)$ { resolver 192.0.2.1; proxy_pass http://backend$1; } # here"),
        Bad(
            "server { listen 3128; resolver 192.0.2.1; location / { proxy_pass http://$http_host$request_uri; } } # here"
        ),
        Bad(
            "map $host $to { default $host; a.test app1; }\n"
            "server { listen 80 default_server; resolver 192.0.2.1; location / { proxy_pass http://$to; } } # here"
        ),
        Bad("location ~ ^/port/(\\d+)(/.*)$ { proxy_pass http://127.0.0.1:$1$2; } # here"),
        Bad(
            "stream { resolver 192.0.2.1;\n"
            "server { listen 443; ssl_preread on; proxy_pass $ssl_preread_server_name:443; } } # here"
        ),
        Good(
            "server { listen 80 default_server; return 444; }\n"
            "server { listen 80; server_name a.test; resolver 192.0.2.1; location / { proxy_pass http://$host; } }"
        ),
        Good(
            "server { server_name ~^(?<to>.+)\\.a\\.test$; resolver 192.0.2.1; location / { proxy_pass http://$to; } }"
        ),
        Good("location ~ ^/port/(80[0-9][0-9])(/.*)$ { proxy_pass http://127.0.0.1:$1$2; }"),
        Good("location ~ ^/(app1|app2)/ { resolver 192.0.2.1; proxy_pass http://$1:8080; }"),
        Good("location ~ ^/t/(\\w+)/ { resolver 192.0.2.1; proxy_pass http://$1; }"),
        Good("location ~ ^/t/([a-z0-9.-]+)/ { resolver 192.0.2.1; proxy_pass http://$1.example.com; }"),
        Good("location ~ ^/(.*)$ { resolver 192.0.2.1; proxy_pass http://app/$1?to=$arg_host; }"),
        Good("location ~ ^/api(.*)$ { resolver 192.0.2.1; proxy_pass http://127.0.0.1:8080$1$is_args$args; }"),
        Good("location ~ ^/api(.*)$ { proxy_pass http://backend$1; }"),
        Good("location ~ ^/api(/.*)$ { resolver 192.0.2.1; proxy_pass http://backend$1; }"),
        Good("location /x/ { internal; resolver 192.0.2.1; proxy_pass http://$arg_host; }"),
        Good("location /x { if ($arg_h !~ ^[a-z]+$) { return 403; } resolver 192.0.2.1; proxy_pass http://$arg_h; }"),
        Good(
            "server { listen 80 default_server; if ($host !~ ^a) { return 301 https://a.test; } resolver 192.0.2.1;"
            " location / { proxy_pass http://$host; } }"
        ),
        Good("server { set $b app; resolver 192.0.2.1; location / { proxy_pass http://$b$request_uri; } }"),
        Good(
            "map $arg_to $b { default app1; two app2; }\nserver { resolver 192.0.2.1; location / { proxy_pass http://$b; } }"
        ),
        Good(
            "server { server_name ~^(?<app>.+)\\.a\\.test$; resolver 192.0.2.1; location / { proxy_pass http://$app.in; } }"
        ),
        Good("location / { resolver 192.0.2.1; proxy_pass http://$host:8080; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        choosy = None
        for target in config.passes(*self.directives):
            choice = chosen_host(config, target) if target.has_variables else None
            location = config.location(target.directive) if choice is not None else None
            if choice is None or (location is not None and location.internal is not None):
                continue
            choosy = refusing_some(config) if choosy is None else choosy
            if not choosy.isdisjoint(target.directive.ancestors()):
                continue
            if any(_asks_first(test) for block in target.directive.ancestors() for test in block.blocks("if")):
                continue
            limited = config.scope(target.directive).is_restricted
            yield self.report(
                target.directive.args[0],
                f"a visitor chooses the port by {choice.variable}, and reaches every program on {choice.on}"
                if choice.on
                else f"a visitor chooses the host by {choice.variable}, and reaches whatever this machine reaches",
                related=() if choice.source is None else (note(choice.source, "comes from here"),),
                help=f"let a map choose among the {'ports' if choice.on else 'hosts'} that are meant",
                severity=Severity.WARNING if limited or choice.on else None,
            )


def _asks_first(test: Block) -> bool:
    """Does it send some visitors elsewhere, by something else than the scheme or the method?"""
    if test.child("return", "rewrite") is None:
        return False
    return not any(
        name in "".join(test.values[:1]) for name in ("scheme", "https", "request_method", "forwarded_proto")
    )
