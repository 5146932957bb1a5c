from nginxlint import (
    Bad,
    Config,
    Diagnostic,
    Fix,
    Good,
    Iterator,
    Rule,
    Severity,
    added_header,
    insert_line_after,
    note,
)


class UpstreamNameInHost(Rule):
    """The backend receives the name of an upstream group as Host.

    Unless `proxy_set_header Host` says otherwise, Host is the host part of `proxy_pass`: for a group its name. Backends
    that tell sites by name answer with the wrong one or 404, and links and redirects they build lead nowhere. With an
    underscore, which host names must not have, Tomcat, Django and others answer 400 to every request (a warning then).
    Write `proxy_set_header Host $host;`; a group named as its servers are is left alone.
    Source: documentation of proxy_set_header ($proxy_host); RFC 1123, 2.1.
    """

    id = "upstream-name-in-host"
    group = "proxy"
    severity = Severity.WARNING
    directives = ("upstream",)
    examples = (
        Bad(
            "upstream my_app { server a:1; }\nserver { location / {\n proxy_pass http://my_app; # here\n} }",
            "upstream my_app { server a:1; }\nserver { location / {\n proxy_pass http://my_app;\n"
            " proxy_set_header Host $host; # here\n} }",
        ),
        Bad(
            "upstream my_app { server a:1; }\nserver { proxy_set_header Host $host;\nlocation / {\n"
            " proxy_set_header X-Real-IP $remote_addr;\n proxy_pass http://my_app; # here\n} }"
        ),
        Bad(
            "proxy_set_header X-Real-IP $remote_addr;\n"
            "upstream my_app { server a:1; }\nserver { location / {\n grpc_pass my_app; # here\n} }"
        ),
        Bad(
            "upstream my_app { server a:1; }\nproxy_set_header X-Id $request_id;\n"
            "server { location / {\n proxy_pass http://my_app; # here\n} }",
            "upstream my_app { server a:1; }\nproxy_set_header X-Id $request_id;\n"
            "server { location / {\n proxy_pass http://my_app;\n proxy_set_header X-Id $request_id;\n"
            " proxy_set_header Host $host; # here\n} }",
        ),
        Good(
            "upstream my_app { server a:1; }\nserver { proxy_set_header Host $host; location / { proxy_pass http://my_app; } }"
        ),
        Bad("upstream app { server a:1; }\nserver { location / {\n proxy_pass http://app; # here\n} }"),
        Good("upstream app.test { server 10.0.0.1; }\nserver { location / { proxy_pass http://app.test; } }"),
        Good("upstream app { server app:8080; }\nserver { location / { proxy_pass http://app; } }"),
        Good("upstream app { server a:1; }\nserver { location = /auth { internal; proxy_pass http://app; } }"),
        Good("upstream my_app { server unix:/s; }\nserver { location / { fastcgi_pass my_app; } }"),
        Good(
            'upstream my_app { server a:1; }\nserver { proxy_set_header Host ""; location / { proxy_pass http://my_app; } }',
            version=(1, 22, 1),
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if config.partial:
            return  # Host may be set in what was not read
        visitors = config.holders("proxy_set_header", _is_visitors) | config.holders("grpc_set_header", _is_visitors)
        for group, uses in config.used_groups:
            uses = [use for use in uses if use.target.directive.parent not in visitors]
            underscore = "_" in group.name
            if not uses or group.kind != "http" or ("." in group.name and not underscore):
                continue
            if not underscore and any(peer.host.lower() == group.name.lower() for peer in group.peers):
                continue
            for use in uses:
                directive, family = use.target.directive, use.target.family
                if family not in ("proxy", "grpc"):
                    continue
                scope = config.scope(directive)
                host = config.request_headers(scope, family).of("Host")
                if not underscore and scope.own("internal"):
                    continue  # a request of nginx's own
                if host is None or host.value not in ("$proxy_host", "${proxy_host}", group.name):
                    continue
                fixes: tuple[Fix, ...] = ()
                if host.directive is None:
                    lines = added_header(scope, family, "Host", "$host")
                    fixes = (Fix("pass the visitor's Host on", (insert_line_after(directive, *lines),), safe=False),)
                yield self.report(
                    directive.args[0],
                    f'the backend receives "Host: {group.name}"'
                    + (
                        ": many servers answer 400 to a host name with an underscore"
                        if underscore
                        else ", not the name the visitor asked for: its links and redirects lead there"
                    ),
                    *fixes,
                    severity=Severity.WARNING if underscore else Severity.INFO,
                    related=(note(group.block.args[0], "this name becomes the Host"),),
                    help=f"write {family}_set_header Host $host;"
                    + (" or give the group a name without underscore" if underscore else ""),
                )


def _is_visitors(header: tuple[str, ...]) -> bool:
    """Is it what Host mostly is: the name the visitor asked for?"""
    return header[1:] in (("$host",), ("$http_host",)) and header[0].lower() == "host"
