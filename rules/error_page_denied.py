from nginxlint import (
    PASSES,
    Bad,
    Block,
    Config,
    Diagnostic,
    Directive,
    Good,
    Iterator,
    Location,
    Rule,
    matches,
    note,
    opening,
)

_BEFORE = (
    "return",
    "rewrite",
    "if",
    "content_by_lua_file",
    "content_by_lua_block",
    "rewrite_by_lua_file",
    "js_content",
)


class ErrorPageDenied(Rule):
    """The page for those who are refused is itself refused to them: they get nginx's own plain page.

    nginx asks for the page of `error_page 403 /403.html` anew, and `deny all` or `auth_basic` of the server hold for it, too.
    Open it: `location = /403.html { internal; allow all; auth_basic off; }`. Not reported: named locations, which do not ask
    again, and pages whose location opens itself.
    Source: ngx_http_internal_redirect (all phases run again); documentation of error_page.
    """

    id = "error-page-denied"
    group = "correctness"
    directives = ("error_page",)
    texts = ("\x00401\x00", "\x00403\x00")
    examples = (
        Bad("server {\n root /srv; allow 10.0.0.0/8; deny all;\n error_page 403 /403.html; # here\n}"),
        Bad(
            "server {\n root /srv; auth_basic a; auth_basic_user_file f;\n error_page 401 404 /401.html; # here\n"
            " location = /401.html { internal; }\n}"
        ),
        Good("server { root /srv; deny all; error_page 403 /403.html; location = /403.html { allow all; } }"),
        Good("server { root /srv; deny all; error_page 403 @no; location @no { return 403 no; } }"),
        Good("server { root /srv; error_page 403 /403.html; location /in/ { deny all; } }"),
        Good(
            "server { root /srv; auth_basic a; auth_basic_user_file f; error_page 401 /e/401.html;"
            " location /e/ { auth_basic off; } }"
        ),
        Good("server { root /srv; deny all; error_page 403 /403.html; location = /403.html { return 403 no; } }"),
        Good("server { root /srv; deny all; error_page 404 /404.html; }"),
        Good(
            "server { root /srv; deny all; error_page 403 /no; rewrite ^/no$ /open/no.html; location /open/ { allow all; } }"
        ),
        Good(
            "map $uri $realm { /401.html off; default a; }"
            "server { root /srv; auth_basic $realm; auth_basic_user_file f; error_page 401 /401.html; }"
        ),
        Good("server { root /srv; auth_basic a; error_page 401 /401.html; }"),
        Good("server { satisfy any; allow ::1; deny all; auth_basic a; auth_basic_user_file f; error_page 401 /in; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if not config.concerns(("deny", "auth_basic")):
            return
        for page in config.saying(_is_for_the_refused, "error_page"):
            server = config.server(page)
            if server is None or server.kind != "http" or not server.is_whole:
                continue
            path = page.values[-1].partition("?")[0]
            if _is_answered_before(server.block, path):
                continue
            found = config.router.locations(server).find(path).location
            guard = _guard(config, page, found)
            if guard is not None:
                yield self.report(
                    page,
                    f"those who are refused get nginx's own plain page: {path} is refused to them, too",
                    related=(note(guard, "holds for the page as well"),),
                    help=f"write location = {path} {{ internal; allow all; auth_basic off; }}",
                )


def _is_for_the_refused(values: tuple[str, ...]) -> bool:
    path = values[-1] if values else ""
    return path.startswith("/") and "$" not in path and not {"401", "403"}.isdisjoint(values[:-1])


def _is_answered_before(server: Block, path: str) -> bool:
    """Does the server rewrite the page, or answer it by an `if`, before anybody is refused?"""
    if any(matches(line.values[0], path) for line in server.children("rewrite") if line.values):
        return True
    return any(test.child("return", "rewrite") is not None for test in server.blocks("if"))


def _guard(config: Config, page: Directive, answering: Location | None) -> Directive | None:
    """What refuses the page, and more than the page."""
    block = page.parent if answering is None else answering.block
    if block is None or block.has_gap or block.child(*PASSES, *_BEFORE) is not None:
        return None
    scope = config.scope(block)
    if scope.value("satisfy").lower() == "any" or page not in scope.effective("error_page"):
        return None
    for guard in scope.guards:
        around = guard.parent
        if around is None or (answering is not None and around is block):
            continue
        if guard.name == "deny" and "403" in page.values and opening(around) is None:
            return guard
        if guard.name == "auth_basic" and "$" in "".join(guard.values):
            continue  # a map may switch it off for the page
        if guard.name == "auth_basic" and "401" in page.values and scope.effective("auth_basic_user_file"):
            return guard
    return None
