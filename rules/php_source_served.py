from nginxlint import (
    PASSES,
    Bad,
    Block,
    Config,
    Diagnostic,
    Good,
    Iterator,
    Rule,
    Server,
    Severity,
    example_request,
    example_uris,
    shapes,
    split_location,
)


class PhpSourceServed(Rule):
    """`try_files` leads to a PHP script where nothing runs PHP: visitors download its source, passwords and all.

    A file that is found is answered by the location that looked for it; only the last argument is a new search for a
    location. In `try_files $uri /index.php =404;` the script is therefore a file like any other, and so is a last
    argument `/index.php` in a server whose locations hand no `.php` to FastCGI. Make the script the last argument, and
    give it a location with `fastcgi_pass`.
    Source: ngx_http_core_try_files_phase; ngx_http_static_handler.
    """

    id = "php-source-served"
    group = "security"
    severity = Severity.ERROR
    directives = ("try_files",)
    texts = (".php",)
    examples = (
        Bad(
            "server { root /srv;\n location / { try_files $uri /index.php =404; } # here\n"
            " location ~ \\.php$ { fastcgi_pass app:9000; } }"
        ),
        Bad(
            "server { root /srv;\n location / { try_files $uri $uri.php =404; } # here\n"
            " location ~ \\.php$ { fastcgi_pass app:9000; } }"
        ),
        Bad("server { root /srv; location / { try_files $uri $uri/ /index.php?$args; } } # here"),
        Bad(
            "server { root /srv;\n location / { try_files $uri /index.php; } # here\n"
            " location ~ ^/old/.*\\.php$ { fastcgi_pass app:9000; } }"
        ),
        Good("server { location / { try_files $uri /index.php?$args; } location ~ \\.php$ { fastcgi_pass app:9; } }"),
        Good("server { location / { try_files $uri /a.php; } location ~ [^/]\\.php(/|$) { fastcgi_pass app:9; } }"),
        Good("server { location / { try_files $uri @a; } location @a { try_files /a.php =404; fastcgi_pass a:9; } }"),
        Good("server { location ~ \\.php$ { try_files $uri /index.php =404; fastcgi_pass app:9000; } }"),
        Good("server { location / { try_files $uri /a.php; } location = /a.php { proxy_pass http://app; } }"),
        Good("server { location / { try_files $uri /a.php; } location ~ \\.php$ { return 404; } }"),
        Good("server { location / { try_files $uri /a.php.html; } }"),
        Good("server { location / { try_files $uri /a.php =404; content_by_lua_file x.lua; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        running = _servers_running_php(config)
        for tried in config.saying(lambda values: any(map(_is_script, values)), "try_files"):
            only_last = not any(map(_is_script, tried.values[:-1]))
            if only_last and tried.enclosing("server") in running:
                continue
            location = config.location(tried)
            if location is None or not location.server.is_whole:
                continue
            if only_last and _is_passed_on(config, tried.values[-1].partition("?")[0], location.server):
                continue
            router = config.router_with(_only_scripts)
            for uri in example_uris(location):
                answer = router.route(example_request(location.server, uri))
                served = answer.steps[-1].text
                if answer.action == "static" and answer.certain and _is_script(served) and not _is_script(uri):
                    word = next(word for word in tried.args if _is_script(word.text))
                    yield self.report(
                        word,
                        f"visitors of {uri} get the source of {served.removeprefix('a file: ')}: nothing runs PHP there",
                        help="give .php a location with fastcgi_pass"
                        if only_last
                        else "make it the last argument, and give .php a location with fastcgi_pass",
                    )
                    break


def _only_scripts(path: str) -> str:
    return "file" if path.endswith(".php") else ""


def _is_script(text: str) -> bool:
    return text.partition("?")[0].endswith(".php") or ".php$" in text


def _servers_running_php(config: Config) -> set[Block | None]:
    """Servers with a location that certainly takes every path ending in .php, and passes it on: a quick look."""
    return {
        block.parent
        for values, blocks in config.alike("location").groups()
        if _takes_scripts(*split_location(values))
        for block in blocks
        if isinstance(block, Block) and block.child(*PASSES)
    }


def _takes_scripts(modifier: str, pattern: str) -> bool:
    return modifier in ("~", "~*") and any(
        shape.exact and not shape.start and len(shape.runs) == 1 and ".php".endswith(shape.runs[0] or "x")
        for shape in shapes(pattern) or ()
    )


def _is_passed_on(config: Config, path: str, server: Server) -> bool:
    """Does the location of a path pass it on? Sooner found out than what becomes of a request."""
    found = config.router.locations(server).find(path).location if "$" not in path else None
    return found is not None and found.block.child(*PASSES) is not None
