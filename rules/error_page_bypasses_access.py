from nginxlint import (
    PASSES,
    Bad,
    Block,
    Config,
    Diagnostic,
    Directive,
    Good,
    Iterator,
    Rule,
    Severity,
    note,
    refusing_some,
)

_TOLD = ("proxy_set_header", "fastcgi_param", "uwsgi_param", "scgi_param", "grpc_set_header", "proxy_method")


class ErrorPageBypassesAccess(Rule):
    """Who is refused is handed to the application all the same: the page of `error_page 403` is a location that passes there.

    With `deny all; error_page 403 = @app;` a refused visitor comes to `@app`, which sends his request, path and all, to the backend
    the refusal was to protect. Show a page of its own (`location @no { return 403 "…"; }`), or write the guards into that
    location, too.
    Source: documentation of error_page ("error_page 404 = @fallback"); ngx_http_named_location.
    """

    id = "error-page-bypasses-access"
    group = "security"
    severity = Severity.ERROR
    directives = ("error_page",)
    texts = ("\x00401\x00", "\x00403\x00")
    examples = (
        Bad(
            "server {\n location /admin/ {\n deny all; error_page 403 = @app; # here\n proxy_pass http://app;\n }\n"
            " location @app { proxy_pass http://app; }\n}"
        ),
        Bad(
            "server {\n error_page 401 403 404 = @app; # here\n location / {\n auth_request /ask; uwsgi_pass app:1;\n }\n"
            " location = /ask { proxy_pass http://sso; } location @app { uwsgi_pass app:1; }\n}"
        ),
        Good(
            "server { location / { auth_request /a; error_page 401 = @in; proxy_pass http://app; }"
            " location @in { proxy_pass http://sso; } }"
        ),
        Good(
            "server { location / { deny all; error_page 403 = @in; proxy_pass http://app; }"
            " location @in { rewrite ^ /login break; proxy_pass http://app; } }"
        ),
        Good(
            "server { location / { error_page 403 = @app; proxy_pass http://app; } location @app { proxy_pass http://app; } }"
        ),
        Good(
            "server { location / { deny all; error_page 403 = @app; proxy_pass http://app; }"
            " location @app { auth_basic a; auth_basic_user_file f; proxy_pass http://app; } }"
        ),
        Good(
            "server { location / { auth_request /a; error_page 401 = @any; proxy_set_header X-User $user; proxy_pass http://app; }"
            " location @any { proxy_set_header X-User ''; proxy_pass http://app; } }"
        ),
        Good(
            "server { location / { deny all; error_page 404 = @a; proxy_pass http://a; } location @a { proxy_pass http://a; } }"
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        pages = set(config.saying(_is_for_the_refused, "error_page"))
        choosy = refusing_some(config) if pages else set()
        reported: set[Directive] = set()
        for target in config.passes(*PASSES) if pages else ():
            block = target.directive.parent
            scope = config.scope(target.directive)
            guard = next(iter(scope.guards), None)
            if block is None or guard is None or target.kind != "http":
                continue
            for page in scope.effective("error_page"):
                if page not in pages or page in reported or not _answers(page, guard):
                    continue
                other = _named(block, page.values[-1])
                own = other.child(target.directive.name) if other is not None else None
                if (
                    other is None
                    or own is None
                    or own.values != target.directive.values
                    or other.child("rewrite", "return", "try_files")
                ):
                    continue
                if config.scope(other).is_restricted or other in choosy or other.has_gap:
                    continue
                told = guard.name not in ("deny", "auth_basic")
                if told and any(_said(config, block, name) != _said(config, other, name) for name in _TOLD):
                    continue  # the backend is told that nobody is signed in, or asked for something else
                reported.add(page)
                yield self.report(
                    page,
                    f"who is refused by {guard.name} gets in all the same: {page.values[-1]} passes him on to the same backend",
                    related=(note(guard, "refuses"), note(own, "passes it on")),
                    help=f"answer with a page of its own in {page.values[-1]}, or write {guard.name} there, too",
                )


def _said(config: Config, block: Block, name: str) -> list[tuple[str, ...]]:
    return sorted(line.values for line in config.scope(block).effective(name))


def _is_for_the_refused(values: tuple[str, ...]) -> bool:
    return bool(values) and values[-1].startswith("@") and not {"401", "403"}.isdisjoint(values[:-1])


def _answers(page: Directive, guard: Directive) -> bool:
    """Is it the page of what this guard answers?"""
    codes = {"deny": {"403"}, "auth_basic": {"401"}}.get(guard.name, {"401", "403"})
    return not codes.isdisjoint(page.values)


def _named(block: Block, name: str) -> Block | None:
    server = block.enclosing("server")
    found = server.blocks("location") if server is not None else []
    return next((one for one in found if one.values[-1:] == (name,)), None)
