from nginxlint import (
    Bad,
    Block,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Rule,
    Server,
    compiled,
    replace,
    shapes,
    split_condition,
)

_REFUSALS = ("401", "403", "404", "444")
_PATH = r"/\w"
_WRITTEN = r"index|\\\?|\[\?|(?<!\?)[%=&]|//|\.\."


class RequestUriGate(Rule):
    """A path is refused by what the visitor wrote, and he may write it otherwise: /%61dmin is /admin.

    `$request_uri` is the path as it was sent; locations, files and backends take the decoded one, without double slashes and dots.
    `if ($request_uri ~ ^/admin) { return 403; }` therefore lets /%61dmin, //admin and /x/../admin pass. Ask for `$uri`, or write
    `location /admin { deny all; }`. Not reported: expressions for the query, for escapes and for dots, which only the sent
    text holds, such that may match anywhere, 410 for pages that are gone, and index.php, which $uri is of every page.
    Source: documentation of $request_uri and $uri; ngx_http_parse_complex_uri.
    """

    id = "request-uri-gate"
    group = "security"
    directives = ("if",)
    texts = ("request_uri",)
    examples = (
        Bad(
            "server {\n if ($request_uri ~ ^/admin) { # here\n return 403;\n }\n location / { root /srv; }\n}",
            "server {\n if ($uri ~ ^/admin) { # here\n return 403;\n }\n location / { root /srv; }\n}",
        ),
        Bad(
            "server {\n if ($request_uri = /server-status) { return 404; } # here\n location / { proxy_pass http://app; }\n}"
        ),
        Bad("location / {\n if ($request_uri ~* ^/(wp-admin|xmlrpc\\.php)) { return 444; } # here\n root /srv;\n}"),
        Good("server { if ($uri ~ ^/admin) { return 403; } location / { root /srv; } }"),
        Good("server { if ($request_uri ~ \\?.*select) { return 403; } location / { root /srv; } }"),
        Good("server { if ($request_uri ~ ^/a\\?page=) { return 404; } location / { root /srv; } }"),
        Good("server { if ($request_uri ~ ^//) { return 404; } if ($request_uri ~ /\\.\\./) { return 403; } }"),
        Good("server { if ($request_uri = /old-page/) { return 410; } location / { root /srv; } }"),
        Good("location ~ \\.php$ { if ($request_uri ~ ^/index\\.php) { return 404; } fastcgi_pass php:9000; }"),
        Good(
            "server { if ($request_uri ~ ^/rpc) { return 403; } location /rpc { deny all; } location / { root /srv; } }"
        ),
        Good(
            "server { location / { try_files $uri /app.php$is_args$args; }"
            " location = /app.php { if ($request_uri ~ ^/app\\.php) { return 404; } fastcgi_pass php:9000; } }"
        ),
        Good("server { if ($request_uri ~ ^/old) { return 301 /new; } location / { root /srv; } }"),
        Good("server { if ($request_uri !~ ^/open) { return 403; } location / { root /srv; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for test in config.saying(_is_for_a_path, "if"):
            answers = test.named("return") if isinstance(test, Block) else []
            if not any(answer.values[:1] and answer.values[0] in _REFUSALS for answer in answers):
                continue
            word = next(one for one in test.args if "request_uri" in one.text.lower())
            if _is_kept(config, test):
                continue
            written = word.span.text
            plain = written.replace("$request_uri", "$uri").replace("${request_uri}", "$uri")
            yield self.report(
                test,
                "whoever writes the path otherwise gets in: /%61dmin is /admin, and //admin, too",
                Fix("ask for $uri", (replace(word.span, plain),), safe=False) if plain != written else None,
                help="ask for $uri, or write a location with deny all",
            )


def _is_kept(config: Config, test: Directive) -> bool:
    """Do locations refuse these paths as well, or is one what try_files leads every page to?"""
    server, words = config.server(test), split_condition(test.values)
    if server is None:
        return False
    paths = [words[2]] if words[1] == "=" else [way.runs[0] for way in shapes(words[2]) or ()]
    fallbacks = [one.values[-1] for one in server.block.walk() if one.name == "try_files" and one.values]
    if any(fallback.startswith(path) for fallback in fallbacks for path in paths):
        return True
    return all(_refuses(config, server, path) for path in paths)


def _refuses(config: Config, server: Server, path: str) -> bool:
    found = config.router.locations(server).find(path).location
    near = [one for one in server.locations if one.pattern.startswith(path)]
    return any(
        one.scope.is_restricted or one.block.child("return") is not None
        for one in (*near, *(() if found is None else (found,)))
    )


def _is_for_a_path(values: tuple[str, ...]) -> bool:
    words = split_condition(values)
    if (
        len(words) != 3
        or words[0].lower() not in ("$request_uri", "${request_uri}")
        or compiled(_WRITTEN).search(words[2])
    ):
        return False
    if words[1] == "=":
        return "?" not in words[2] and compiled(_PATH).match(words[2]) is not None
    ways = shapes(words[2]) or () if words[1] in ("~", "~*") else ()
    return bool(ways) and all(way.start and compiled(_PATH).match(way.runs[0]) for way in ways)
