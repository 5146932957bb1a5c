from nginxlint import (
    PASSES,
    Bad,
    Block,
    Confidence,
    Config,
    Diagnostic,
    Directive,
    Good,
    Iterator,
    Location,
    Rule,
    Server,
    Severity,
    matches,
    note,
    refusing_some,
)


class AuthRequestTarget(Rule):
    """The URI of `auth_request` has no location of its own: the question falls into what it should protect.

    nginx sends the question as a request inside itself; a location is searched for its URI. Where that is the
    protected location, the application is asked (access checks do not apply to that request), and one that answers
    200 to any path lets everybody in. Where no location matches, a file is looked for: 404 there means 500 for
    every visitor. One that always answers 200 keeps nobody out, and one that redirects gives everybody 500. Write
    `location = /auth { internal; proxy_pass …; }`.
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
        Bad("server { location / { auth_request /a; # here\n proxy_pass http://b; } location = /a { return 200; } }"),
        Bad(
            "server { location / { auth_request /a; # here\n proxy_pass http://b; } location = /a { return 302 /in; } }"
        ),
        Good("server { location / { auth_request /a; proxy_pass http://b; } location = /a { return 401; } }"),
        Good(
            "server { location / { auth_request /a; proxy_pass http://b; }"
            " location = /a { if ($cookie_key != secret) { return 403; } return 200; } }"
        ),
        Good(
            "server { location / { auth_request /a; proxy_pass http://b; } location = /a { proxy_pass http://sso; } }"
        ),
        Good(
            "auth_request /a; server { return 301 https://a.test; } server { location / { } location = /a { return 401; } }"
        ),
        Good("server { auth_request /a; location / { proxy_pass http://b; } location /a { proxy_pass http://sso; } }"),
        Good("server { auth_request /a/b; location / { root /srv; } location /a/ { internal; proxy_pass http://b; } }"),
        Good("server { location /app/ { auth_request /auth; root /srv; } location / { proxy_pass http://app; } }"),
        Good(
            "server { location / { auth_request /a; proxy_pass http://b; }"
            " location = /a { error_page 418 = @in; return 418; } location @in { proxy_pass http://sso; } }"
        ),
        Good(
            "server { error_page 500 = @in; location @in { return 302 /in; } location = /a { return 302 /in; }"
            " location / { auth_request /a; proxy_pass http://b; } }"
        ),
        Good(
            "server { location / { auth_request /a; auth_request_set $b $sent_http_b; proxy_pass http://b; }"
            " location = /a { add_header b $request_id; return 204; } }"
        ),
        Good("server { auth_request /a; return 301 https://a.test$request_uri; }"),
        Good(
            "server { rewrite ^/a$ /in/a; location / { auth_request /a; proxy_pass http://b; }"
            " location = /in/a { proxy_pass http://sso; } }"
        ),
        Good("server { auth_request off; location / { proxy_pass http://app; } }"),
        Good("server { location / { auth_request /auth$is_args$args; proxy_pass http://app; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        choosy = refusing_some(config)
        for directive in config.find("auth_request"):
            uri = directive.values[0] if directive.values else ""
            if not uri.startswith("/") or "$" in uri:
                continue
            own = config.server(directive)
            for server in config.http_servers() if own is None else (own,):
                if not server.is_whole or (own is None and not _is_inherited(config, directive, server)):
                    continue
                if _answers_before(choosy, server, uri):
                    continue
                found = config.router.locations(server).find(uri)
                if found.redirect:
                    yield self._finding(directive, uri, found.location, redirects=True)
                elif found.location is None or _asks_itself(found.location, directive, uri):
                    yield self._finding(directive, uri, found.location)
                elif (fixed := _fixed_answer(found.location)) is not None and not (
                    fixed.values[0][0] != "2" and _is_mended(config, directive)
                ):
                    yield from self._constant(config, directive, uri, fixed)
                else:
                    continue
                break

    def _constant(self, config: Config, directive: Directive, uri: str, answer: Directive) -> Iterator[Diagnostic]:
        code = answer.values[0]
        lets_in = code.startswith("2")
        scope = None if directive.parent is None else config.scope(directive.parent)
        if lets_in and scope is not None and scope.effective("auth_request_set"):
            return  # asked for what it sets
        others = lets_in and scope is not None and any(one.name != "auth_request" for one in scope.guards)
        yield self.report(
            directive.args[0],
            f"auth_request keeps nobody out: {uri} always answers {code}"
            if lets_in
            else f"every visitor gets 500: {uri} always answers {code}, and auth_request takes 2xx, 401 and 403 only",
            severity=Severity.WARNING if others else Severity.ERROR,
            related=(note(answer, "asks nobody"),),
            help=f"write location = {uri} {{ internal; proxy_pass …; }}"
            if lets_in
            else f"answer 401 in {uri}, and write error_page 401 = for where visitors are to go",
        )

    def _finding(
        self, directive: Directive, uri: str, answering: Location | None, redirects: bool = False
    ) -> Diagnostic:
        proxied = not redirects and answering is not None and answering.block.child(*PASSES) is not None
        if redirects:
            said = f"{uri} is answered by a redirect to {uri}/: auth_request takes the 301 for a failure, 500 for every visitor"
        elif answering is None:
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


def _fixed_answer(target: Location) -> Directive | None:
    """The `return` by which the question always has the same answer, which is no refusal."""
    answer = target.block.child("return", "if", "rewrite")
    if answer is None or answer.name != "return" or target.block.has_gap or target.nested:
        return None
    code = answer.values[0] if answer.values else ""
    if any(code in page.values for page in target.scope.effective("error_page")):
        return None
    return answer if code.isdigit() and code not in ("401", "403", "444") else None


def _answers_before(choosy: set[Block], server: Server, uri: str) -> bool:
    """May the server itself answer, or lead the question elsewhere? (What it rewrites, it rewrites of subrequests, too.)"""
    block = server.block
    if block.child("return") is not None or block in choosy:
        return True
    return any(one.values and matches(one.values[0], uri) for one in block.named("rewrite"))


def _is_mended(config: Config, directive: Directive) -> bool:
    """Do visitors get something else than the 500, or are some not asked about?"""
    block = directive.parent
    if block is None:
        return False
    scope = config.scope(block)
    pages = scope.effective("error_page")
    return scope.value("satisfy").lower() == "any" or any(
        "500" in page.values and any(value.startswith("=") for value in page.values) for page in pages
    )


def _is_inherited(config: Config, directive: Directive, server: Server) -> bool:
    """Does a line in `http` hold for anything that answers in this server?"""
    blocks = [location.block for location in server.all_locations()] or [server.block]
    return any(directive in config.scope(block).effective("auth_request") for block in blocks)


def _asks_itself(answering: Location, directive: Directive, uri: str) -> bool:
    """Is the location that answers the question one of those that ask it, and not made for it?"""
    if directive not in answering.scope.effective("auth_request") or answering.pattern == uri:
        return False
    if answering.block.child("internal", "return", "try_files", "rewrite") is not None:
        return False
    return directive.parent is answering.block or answering.pattern == "/"
