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

_SWITCHES = (
    "proxy_pass_request_body",
    "fastcgi_pass_request_body",
    "uwsgi_pass_request_body",
    "scgi_pass_request_body",
)
_LENGTH = (("$content_length",), ("${content_length}",), ("$http_content_length",))


class ProxyBodyDropped(Rule):
    """The body of requests is not passed on, but its length is: the backend waits for a body that never comes.

    Every POST (with `auth_request`: every POST to the protected location) hangs until a timeout, or fails with 400 or
    504. Write `proxy_set_header Content-Length "";` beside `proxy_pass_request_body off`; for FastCGI, uwsgi and SCGI set
    the parameter CONTENT_LENGTH to "".
    Source: documentation of proxy_pass_request_body; ngx_http_proxy_create_request.
    """

    id = "proxy-body-dropped"
    group = "proxy"
    severity = Severity.WARNING
    directives = _SWITCHES
    examples = (
        Bad(
            "location = /auth {\n    internal;\n    proxy_pass_request_body off; # here\n    proxy_pass http://auth;\n}",
            "location = /auth {\n    internal;\n    proxy_pass_request_body off; # here\n    proxy_pass http://auth;\n"
            '    proxy_set_header Content-Length "";\n}',
        ),
        Bad(
            "proxy_set_header Host $host;\nlocation = /auth {\n    proxy_pass_request_body off; # here\n"
            "    proxy_pass http://auth;\n}",
            "proxy_set_header Host $host;\nlocation = /auth {\n    proxy_pass_request_body off; # here\n"
            '    proxy_pass http://auth;\n    proxy_set_header Host $host;\n    proxy_set_header Content-Length "";\n}',
        ),
        Bad(
            "location = /auth {\n fastcgi_pass_request_body off; # here\n"
            " fastcgi_param CONTENT_LENGTH $content_length; fastcgi_pass unix:/s;\n}"
        ),
        Good(
            'location = /auth { proxy_pass_request_body off; proxy_set_header Content-Length ""; proxy_pass http://a; }'
        ),
        Good(
            "location = /auth { proxy_pass_request_body off; proxy_set_header content-length 0; proxy_pass http://a; }"
        ),
        Good("location = /auth { proxy_pass_request_body off; proxy_set_body '{}'; proxy_pass http://a; }"),
        Good("location / { proxy_pass_request_body on; proxy_pass http://a; }"),
        Good('location / { fastcgi_pass_request_body off; fastcgi_param CONTENT_LENGTH ""; fastcgi_pass unix:/s; }'),
        Good("location = /auth { proxy_pass_request_body off; return 204; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for switch in config.find(*_SWITCHES):
            if switch.values[:1] != ("off",):
                continue
            family = switch.name.partition("_")[0]
            for target in config.governed(switch, f"{family}_pass"):
                scope = config.scope(target.directive)
                if scope.block.has_gap or (family != "scgi" and scope.directive(f"{family}_set_body") is not None):
                    continue
                fixes: tuple[Fix, ...] = ()
                if family == "proxy":
                    if "content-length" in config.request_headers(scope).configured:
                        continue
                    lines = added_header(scope, family, "Content-Length", '""')
                    fixes = (
                        Fix("leave Content-Length out", (insert_line_after(target.directive, *lines),), safe=False),
                    )
                    advice = 'write proxy_set_header Content-Length "";'
                else:
                    lengths = [
                        one for one in scope.effective(f"{family}_param") if one.values[:1] == ("CONTENT_LENGTH",)
                    ]
                    if not lengths or lengths[-1].values[1:] not in _LENGTH:
                        continue
                    advice = f'write {family}_param CONTENT_LENGTH "";'
                yield self.report(
                    switch,
                    "the body is not passed on, but its length is: the backend waits for it, and POST requests hang",
                    *fixes,
                    related=(note(target.directive, "passed on here"),),
                    help=advice,
                )
                break
