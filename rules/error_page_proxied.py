from nginxlint import (
    PASSES,
    Bad,
    Block,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Location,
    Pass,
    Rule,
    insert_line_before,
    note,
)


class ErrorPageProxied(Rule):
    """The error page for 502 or 504 is itself fetched from the upstream that has just failed.

    `error_page 502 /50x.html` is a redirect inside nginx: a location is searched for /50x.html. Where only the proxied
    `location /` matches, nginx asks the dead upstream once more, waits again, and shows its own plain page.
    Give the page a location of its own: `location = /50x.html { root /usr/share/nginx/html; }`. Not reported:
    pages for other codes only (a backend that answers 503 is there and can send a page).
    Source: documentation of error_page; ngx_http_special_response_handler.
    """

    id = "error-page-proxied"
    group = "proxy"
    directives = ("error_page",)
    texts = ("502", "504")
    examples = (
        Bad(
            "server {\n error_page 500 502 503 504 /50x.html; # here\n location / {\n  proxy_pass http://app;\n }\n}",
            "server {\n error_page 500 502 503 504 /50x.html; # here\n"
            " location = /50x.html { root /usr/share/nginx/html; }\n location / {\n  proxy_pass http://app;\n }\n}",
        ),
        Bad(
            "server {\n root /srv;\n location / { fastcgi_pass a:9;\n error_page 504 =200 /down?x=1; # here\n}\n}",
            "server {\n root /srv;\n location = /down { }\n"
            " location / { fastcgi_pass a:9;\n error_page 504 =200 /down?x=1; # here\n}\n}",
        ),
        Good(
            "server { error_page 502 /50x.html; location / { proxy_pass http://app; } location = /50x.html { root /srv; } }"
        ),
        Good(
            "server { error_page 502 /e/50x.html; location / { proxy_pass http://app; } location ^~ /e/ { root /srv; } }"
        ),
        Good(
            "server { error_page 502 /50x.html; location / { proxy_pass http://app; } location ~ html$ { root /srv; } }"
        ),
        Good("server { error_page 503 /50x.html; location / { proxy_pass http://app; } }"),
        Good("server { error_page 404 /404.html; location / { proxy_pass http://app; } }"),
        Good("server { error_page 502 @down; location / { proxy_pass http://app; } location @down { return 503; } }"),
        Good(
            "server { error_page 502 /a; location / { proxy_pass http://app; } location /a { proxy_pass http://pages; } }"
        ),
        Good(
            "server { error_page 502 /a; location /b { proxy_pass http://app; } location / { try_files $uri @app; } }"
        ),
        Good("server { error_page 502 /50x.html; location / { proxy_pass http://app; error_page 404 /404.html; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        pages = {page for page in config.find("error_page") if _is_for_dead_upstreams(page)}
        if not pages:
            return
        reported: set[Directive] = set()
        answers: dict[tuple[Block, str], Location | None] = {}
        for target in config.passes(*PASSES):
            location = config.location(target.directive)
            if location is None or not location.server.is_whole:
                continue
            for page in config.scope(target.directive).effective("error_page"):
                if page in reported or page not in pages:
                    continue
                uri = page.values[-1].partition("?")[0]
                key = location.server.block, uri
                if key not in answers:
                    answers[key] = config.router.locations(location.server).find(uri).location
                answering = answers[key]
                own = answering is location and location.pattern == uri  # the page's own upstream may fail as well
                if answering is not None and not own and _passes_to(answering, target):
                    reported.add(page)
                    yield self._finding(page, uri, answering)

    def _finding(self, page: Directive, uri: str, answering: Location) -> Diagnostic:
        where = "" if answering.scope.directive("root") is not None else "root /usr/share/nginx/html; "
        fix = Fix(
            f"add location = {uri}",
            (insert_line_before(answering.block, f"location = {uri} {{ {where}}}"),),
            safe=False,
        )
        return self.report(
            page.args[-1],
            f"{uri} is fetched from the upstream that has just failed: a second failure, then nginx's own plain page",
            fix,
            related=(note(answering.block, f"answers {uri}, too"),),
            help=f"give it a location of its own: location = {uri} {{ root …; }}",
        )


def _is_for_dead_upstreams(page: Directive) -> bool:
    """Is it shown for a code that nginx itself makes of an upstream's failure?"""
    target = page.values[-1] if page.values else ""
    return target.startswith("/") and "$" not in target and bool({"502", "504"}.intersection(page.values[:-1]))


def _passes_to(location: Location, target: Pass) -> bool:
    """Does a location go to the same place, and to no file before?"""
    if location.block.child("try_files", "return", "rewrite") is not None:
        return False
    own = location.block.child(*PASSES)
    if own is None or not own.values:
        return False
    other = Pass(own)
    return (other.scheme, other.authority.lower()) == (target.scheme, target.authority.lower())
