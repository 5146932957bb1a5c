from nginxlint import PASSES, Bad, Block, Config, Diagnostic, Good, Iterator, Rule, Scope, note, split_condition

_ENDINGS = ("last", "redirect", "permanent")
_FILE_TESTS = ("-f", "-e", "-d", "-x")
_PATHS = ("$uri", "$document_uri", "$request_uri", "$request_filename")
# What nginx looks for without a try_files, too.
_USUAL = ("$uri", "$uri/", "=404")


class TryFilesLostInIf(Rule):
    """Where the condition of an `if` is true, the `try_files` beside it is skipped: who asks for what is no file gets 404.

    An `if` in a location is a location of its own, which takes over most settings but not `try_files`. Even a lone
    `set` in it makes the fallback to /index.html or to the application disappear for these requests. Move the `if` into the
    server (where it may hold `set`, `return` and `rewrite`), or use a `map`. Not reported: an `if` that answers
    (`return`), one that asks whether the file is there, and a location that passes requests on.
    Source: ngx_http_rewrite_if (the block's own location); ngx_http_core_try_files_phase.
    """

    id = "try-files-lost-in-if"
    group = "correctness"
    directives = ("if",)
    examples = (
        Bad("location / {\n if ($http_cookie ~ session) { set $known 1; } # here\n try_files $uri /index.html;\n}"),
        Bad("location / {\n if (!-e $request_filename) { add_header X-A b; } # here\n try_files $uri @app;\n}"),
        Bad("location / {\n try_files $uri $uri.html =404;\n if ($arg_a) { expires 1d; } # here\n}"),
        Good("location / { if ($arg_a) { return 403; } try_files $uri /index.html; }"),
        Good("location / { if ($arg_a) { rewrite ^ /b last; } try_files $uri /index.html; }"),
        Good("location / { if (-f $request_filename) { expires 1d; } try_files $uri /index.html; }"),
        Good("location / { if ($uri ~* \\.(js|css)$) { expires 1d; } try_files $uri /index.html; }"),
        Good("location / { if ($arg_a) { set $b 1; } try_files $uri $uri/ =404; }"),
        Good("location / { error_page 404 = @app; if ($arg_a) { set $b 1; } try_files $uri @app; }"),
        Good("location / { if ($arg_a) { proxy_pass http://b; } try_files $uri @app; }"),
        Good("location ~ \\.php$ { if ($arg_a) { set $b 1; } try_files $uri /x; fastcgi_pass a:9000; }"),
        Good("server { if ($arg_a) { set $b 1; } try_files $uri /index.html; location / { try_files $uri @app; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        testing = {condition.parent for condition in config.find("if")}
        for tried in config.find("try_files"):
            block = tried.parent
            if block not in testing or block is None or block.name != "location" or set(tried.values) <= set(_USUAL):
                continue
            if block.child(*PASSES, "return") is not None or _is_saved(config.scope(block)):
                continue
            for condition in block.blocks("if"):
                if _goes_on(condition) and not _asks_for_a_file(condition.values):
                    yield self.report(
                        condition,
                        f"where this is true, try_files is skipped: what is no file gets 404, not {tried.values[-1]}",
                        label="a location of its own, without try_files",
                        related=(note(tried, "not done then"),),
                        help="move the if into the server, or use a map",
                    )


def _is_saved(scope: Scope) -> bool:
    """Does an error page lead what is no file to the application, too?"""
    pages = [line.values for line in scope.effective("error_page") if "404" in line.values]
    return any(value[:1] in ("@", "=") for values in pages for value in values)


def _goes_on(condition: Block) -> bool:
    """Is the request still to be answered behind the block, and by files?"""
    return not any(
        one.name in ("return", "content_by_lua_block", *PASSES)
        or (one.name == "rewrite" and one.values[-1:] != ("break",))
        for one in condition.body
    )


def _asks_for_a_file(values: tuple[str, ...]) -> bool:
    """Is it true for files only, or for names of files, which nobody wants a page for?"""
    words = split_condition(values)
    return words[:1] != [] and (
        words[0] in _FILE_TESTS or (len(words) == 3 and words[0] in _PATHS and "\\." in words[2])
    )
