from nginxlint import (
    Bad,
    Block,
    Config,
    Diagnostic,
    Directive,
    Good,
    Iterator,
    Rule,
    definitions_of,
    made_of,
    matches,
    note,
)

# What is another for the page: its path, no arguments, and the method GET.
_OF_THE_PAGE = frozenset(
    ("uri", "document_uri", "request_uri", "request_filename", "request", "status")
    + ("args", "query_string", "is_args", "request_method")
)


class ErrorPageRewritten(Rule):
    """A `return` in the server comes between an error and its page: visitors get nginx's own plain page.

    nginx asks for the page of `error_page 503 /maintenance.html` anew, and runs the `if` and `return` of the server for
    it as for any request: `if (-f /srv/maintenance.on) { return 503; }` is true again. Show the page by a named location, which
    they do not concern: `error_page 503 @maintenance;` and
    `location @maintenance { root /srv; rewrite ^ /maintenance.html break; }`; or put the `if` into `location /`.
    Source: ngx_http_send_error_page and ngx_http_internal_redirect (the server rewrite phase runs again).
    """

    id = "error-page-rewritten"
    group = "correctness"
    directives = ("error_page",)
    texts = ("\0/",)
    examples = (
        Bad(
            "server {\n root /srv;\n error_page 503 /maintenance.html;\n"
            " if (-f /srv/maintenance.on) {\n return 503; # here\n }\n location / { }\n}"
        ),
        Bad(
            "error_page 404 /404.html;\nserver { root /srv;\n if ($host != a.test) { return 404; } # here\n"
            " location = /404.html { internal; }\n}"
        ),
        Bad("server {\n error_page 503 /down.html;\n return 503; # here\n}"),
        Good(
            "server { root /srv; error_page 503 @down; if (-f /srv/on) { return 503; }"
            " location @down { rewrite ^ /down.html break; } }"
        ),
        Good("server { root /srv; error_page 503 /down.html; location / { if (-f /srv/on) { return 503; } } }"),
        Good("server { root /srv; error_page 404 /404.html; if (-f /srv/on) { return 503; } }"),
        Good("server { root /srv; error_page 404 /404.html; if ($uri ~ ^/old) { return 404; } }"),
        Good("server { error_page 503 /down.html; if ($uri != /down.html) { set $off 1; } if ($off) { return 503; } }"),
        Good('server { error_page 403 /403.html; if ($query_string ~* "union.*select") { return 403; } }'),
        Good("server { error_page 405 /405.html; if ($request_method !~ ^(GET|HEAD|POST)$) { return 405; } }"),
        Good("server { error_page 503 /m.html; if ($uri = /m.html) { break; } if (-f /srv/on) { return 503; } }"),
        Good("server { error_page 503 https://b.test/down; return 503; }"),
        Good("server { error_page 403 /403.html; if ($arg_a) { return 301 /; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        codes = {code for page in config.saying(_is_of_a_path, "error_page") for code in page.values[:-1]}
        for answer in config.saying(lambda values: len(values) == 1 and values[0] in codes, "return"):
            block = answer.parent
            test = block if block is not None and block.name == "if" else None
            around = test.parent if test is not None else block
            if around is None or around.name != "server" or around.synthetic:
                continue
            if around.has_gap or (test is not None and _tells_the_page(config, test)):
                continue
            page = _page(config.scope(around).effective("error_page"), answer.values[0])
            if page is not None and not _stops_before(around, page.values[-1]):
                yield self.report(
                    answer,
                    f"visitors get nginx's own plain page: this is answered to {page.values[-1]}, too",
                    related=(note(page, "asks for its page anew"),),
                    help=f"write error_page {answer.values[0]} @page; and show {page.values[-1]} in location @page",
                )


def _tells_the_page(config: Config, test: Block) -> bool:
    """Can the condition be false for the page, or nobody tell?"""
    names = made_of(config, " ".join(test.values))
    scripted = config.runs_code and any(definitions_of(config, name) for name in names)
    return scripted or any(name in _OF_THE_PAGE or name.startswith("arg_") for name in names)


def _stops_before(server: Block, page: str) -> bool:
    """Does a `break`, or a `rewrite` of the page, end what the server does with it?"""
    for block in (server, *server.blocks("if")):
        if block.child("break") is not None:
            return True
        for line in block.children("rewrite"):
            if line.values[2:] in (("break",), ("last",)) and matches(line.values[0], page.partition("?")[0]):
                return True
    return False


def _is_of_a_path(values: tuple[str, ...]) -> bool:
    return len(values) > 1 and values[-1].startswith("/") and "$" not in values[-1]


def _page(pages: list[Directive], code: str) -> Directive | None:
    """The page of a code, where that is a path."""
    for page in pages:
        if code in page.values[:-1]:
            return page if _is_of_a_path(page.values) else None
    return None
