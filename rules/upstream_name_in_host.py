from collections.abc import Iterator

from nginxlint import (
    Bad,
    Config,
    Diagnostic,
    Fix,
    Good,
    RequestHeaders,
    Rule,
    Severity,
    added_header,
    insert_line_after,
    note,
)


class UpstreamNameInHost(Rule):
    """The backend receives the name of an upstream group as Host, and that name has an underscore.

    Unless `proxy_set_header Host` says otherwise, Host is the host part of `proxy_pass`: for a group its name. An
    underscore is not allowed in host names, so that Tomcat, Django, IIS and others answer 400 to every request; links
    and redirects they build lead nowhere. Write `proxy_set_header Host $host;`, and rename the group (`my-app`).
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
            " proxy_set_header X-Real-IP $remote_addr;\n proxy_pass http://my_app; # here\n} }",
        ),
        Bad(
            "proxy_set_header X-Real-IP $remote_addr;\n"
            "upstream my_app { server a:1; }\nserver { location / {\n grpc_pass my_app; # here\n} }",
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
        Good("upstream my-app { server a:1; }\nserver { location / { proxy_pass http://my-app; } }"),
        Good("upstream my_app { server unix:/s; }\nserver { location / { fastcgi_pass my_app; } }"),
        Good(
            'upstream my_app { server a:1; }\nserver { proxy_set_header Host ""; location / { proxy_pass http://my_app; } }',
            version=(1, 22, 1),
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if config.partial:
            return  # Host may be set in what was not read
        for group in config.upstreams:
            if "_" not in group.name or group.kind != "http":
                continue
            for use in config.uses(group):
                directive, family = use.target.directive, use.target.family
                if family not in ("proxy", "grpc"):
                    continue
                scope = config.scope(directive)
                host = RequestHeaders(config, scope, family).of("Host")
                if host is None or host.value not in ("$proxy_host", "${proxy_host}", group.name):
                    continue
                fixes: tuple[Fix, ...] = ()
                if host.directive is None:
                    lines = added_header(scope, family, "Host", "$host")
                    fixes = (Fix("pass the visitor's Host on", (insert_line_after(directive, *lines),), safe=False),)
                yield self.report(
                    directive.args[0],
                    f'the backend receives "Host: {group.name}": many servers answer 400 to a host name with an underscore',
                    *fixes,
                    related=(note(group.block.args[0], "this name becomes the Host"),),
                    help=f"write {family}_set_header Host $host; or give the group a name without underscore",
                )
