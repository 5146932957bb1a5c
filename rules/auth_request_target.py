from collections.abc import Iterator

from nginxlint import PASSES, Bad, Confidence, Config, Diagnostic, Directive, Good, Location, Rule, Severity, note


class AuthRequestTarget(Rule):
    """The URI of `auth_request` has no location of its own: the question falls into what it should protect.

    nginx sends the question as a request inside itself; a location is searched for its URI. Where that is the
    protected location, the application is asked (access checks do not apply to that request), and one that answers
    200 to any path lets everybody in. Where no location matches, a file is looked for: 404 there means 500 for
    every visitor. Write `location = /auth { internal; proxy_pass …; }`.
    Source: ngx_http_auth_request_handler; ngx_http_core_access_phase (subrequests skip it).
    """

    id = "auth-request-target"
    group = "security"
    directives = ("auth_request",)
    examples = (
        Bad("server {\n location / {\n  auth_request /auth; # here\n  proxy_pass http://app;\n }\n}"),
        Bad("server {\n auth_request /auth; # here\n location / { proxy_pass http://app; }\n}"),
        Bad("server {\n location /app/ {\n  auth_request /auth; # here\n  proxy_pass http://app;\n }\n}"),
        Bad("server {\n location / {\n  auth_request /auth; # here\n  root /srv;\n }\n}"),
        Good(
            "server { location / { auth_request /a; proxy_pass http://b; } location = /a { proxy_pass http://sso; } }"
        ),
        Good("server { auth_request /a; location / { proxy_pass http://b; } location /a { proxy_pass http://sso; } }"),
        Good("server { auth_request /a/b; location / { root /srv; } location /a/ { internal; proxy_pass http://b; } }"),
        Good("server { location /app/ { auth_request /auth; root /srv; } location / { proxy_pass http://app; } }"),
        Good("server { auth_request off; location / { proxy_pass http://app; } }"),
        Good("server { location / { auth_request /auth$is_args$args; proxy_pass http://app; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for directive in config.find("auth_request"):
            uri = directive.values[0] if directive.values else ""
            server = config.server(directive)
            if not uri.startswith("/") or "$" in uri or server is None or not server.is_whole:
                continue
            answering = config.router.locations(server).find(uri).location
            if answering is None or _asks_itself(answering, directive, uri):
                yield self._finding(directive, uri, answering)

    def _finding(self, directive: Directive, uri: str, answering: Location | None) -> Diagnostic:
        proxied = answering is not None and answering.block.child(*PASSES) is not None
        if answering is None:
            said = f"no location matches {uri}: a file is looked for, and 404 there is 500 for every visitor"
        elif proxied:
            said = f"{uri} is asked of the application it should protect: if that says 200 to any path, all get in"
        else:
            said = f"{uri} is a file of the location it should protect: 404 there is 500 for every visitor"
        return self.report(
            directive.args[0],
            said,
            severity=Severity.WARNING if proxied else Severity.ERROR,
            confidence=Confidence.MEDIUM if proxied else Confidence.HIGH,
            related=() if answering is None else (note(answering.block, f"answers {uri}, too"),),
            help=f"write location = {uri} {{ internal; proxy_pass …; }}",
        )


def _asks_itself(answering: Location, directive: Directive, uri: str) -> bool:
    """Is the location that answers the question one of those that ask it, and not made for it?"""
    if directive not in answering.scope.effective("auth_request") or answering.pattern == uri:
        return False
    if answering.block.child("internal", "return", "try_files", "rewrite") is not None:
        return False
    return directive.parent is answering.block or answering.pattern == "/"
