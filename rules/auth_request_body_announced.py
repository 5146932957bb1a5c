from nginxlint import Bad, Block, Confidence, Config, Diagnostic, Fix, Good, Iterator, Location, Rule, add_to_set, note

_LINE = 'proxy_set_header Content-Length "";'


class AuthRequestBodyAnnounced(Rule):
    """The server that `auth_request` asks is told of a body that never comes: it waits, and the visitor gets 500.

    The question is a GET without a body, but nginx hands the visitor's Content-Length on. A server that reads the body
    before it answers waits for it until somebody gives up: every POST to the protected location hangs, while pages open
    at once. `proxy_pass_request_body off` alone does not take the header away. Write
    `proxy_set_header Content-Length "";` where the question is passed on.
    Source: ngx_http_auth_request_handler; ngx_http_proxy_create_request; the example of ngx_http_auth_request_module.
    """

    id = "auth-request-body-announced"
    group = "proxy"
    confidence = Confidence.MEDIUM  # some servers answer without having read the body
    directives = ("auth_request",)
    examples = (
        Bad(
            "server {\n    location / { auth_request /ask; root /srv; }\n    location = /ask {\n        internal;\n"
            "        proxy_pass http://sso; # here\n    }\n}",
            "server {\n    location / { auth_request /ask; root /srv; }\n    location = /ask {\n        internal;\n"
            '        proxy_pass http://sso;\n        proxy_set_header Content-Length ""; # here\n    }\n}',
        ),
        Bad(
            "server {\n auth_request /ask;\n location = /ask {\n  proxy_pass_request_body off; proxy_pass_request_headers off;\n"
            "  proxy_pass http://sso; # here\n }\n}",
            "server {\n auth_request /ask;\n location = /ask {\n  proxy_pass_request_body off; proxy_pass_request_headers off;\n"
            '  proxy_pass http://sso;\n  proxy_set_header Content-Length ""; # here\n }\n}',
        ),
        Good(
            "server { auth_request /ask; location = /ask { proxy_set_header Content-Length ''; proxy_pass http://sso; } }"
        ),
        Good("server { auth_request /ask; location = /ask { proxy_set_body ''; proxy_pass http://sso; } }"),
        Good("server { auth_request /ask; location = /ask { include sso.conf; proxy_pass http://sso; } }"),
        Good("server { auth_request /ask; location = /ask { js_content main.ask; } } server { auth_request off; }"),
        Good("server { location / { auth_request /ask; proxy_pass http://app; } }"),
        Good(
            "server { location / { limit_except GET { deny all; } auth_request /ask; } location = /ask { return 204; } }"
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        told: set[Block] = set()
        for question in config.saying(_is_constant, "auth_request"):
            server = config.server(question)
            if server is None or not server.is_whole:
                continue
            uri = question.values[0].partition("?")[0]
            location = config.router.locations(server).find(uri).location
            if location is None or location.block in told or not _answers_only_this(location, uri):
                continue
            told.add(location.block)
            target, scope = location.block.child("proxy_pass"), location.scope
            if (
                target is None
                or location.block.has_gap
                or location.block in config.gaps
                or scope.effective("proxy_set_body")
            ):
                continue
            if "content-length" in config.request_headers(scope).configured:
                continue
            yield self.report(
                target,
                "a request with a body makes this server wait for it: it gets Content-Length, and auth_request sends no body",
                Fix("take the header away", (add_to_set(scope, _LINE, target),), safe=False),
                related=(note(question, "the question, without the visitor's body"),),
                help=f"write {_LINE}",
            )


def _is_constant(values: tuple[str, ...]) -> bool:
    return values[:1] != () and values[0][:1] == "/" and "$" not in values[0]


def _answers_only_this(location: Location, uri: str) -> bool:
    """Is the location made for the question? Another one has to hand bodies on."""
    return location.pattern == uri or (location.internal is not None and location.pattern != "/")
