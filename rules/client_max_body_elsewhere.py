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
    Severity,
    note,
)

_NAME = "client_max_body_size"
_DEFAULT = 1 << 20


class ClientMaxBodyElsewhere(Rule):
    """A larger `client_max_body_size` stands in a location to which another one hands the request on, and that has less.

    nginx compares the length of the body as soon as it has found a location. `location / { try_files $uri @app; }` refuses an
    upload with 413 before `@app` with its `client_max_body_size 500m` is tried. Where the request goes on to a URI
    (`try_files $uri /index.php;`, `rewrite … last`), the location of that URI is asked, too: both have to allow
    it. Write the size in the server. Source: ngx_http_core_find_config_phase; ngx_http_named_location.
    """

    id = "client-max-body-elsewhere"
    group = "proxy"
    directives = (_NAME,)
    examples = (
        Bad(
            "server {\n location / { try_files $uri @app; }\n"
            " location @app {\n client_max_body_size 500m; # here\n proxy_pass http://app;\n }\n}"
        ),
        Bad(
            "server {\n location /upload {\n client_max_body_size 100m; # here\n rewrite ^ /index.php last;\n }\n"
            " location ~ \\.php$ { fastcgi_pass php:9000; }\n}"
        ),
        Bad(
            "client_max_body_size 2m; server {\n location / { try_files $uri /index.php?$args; }\n"
            " location ~ \\.php$ {\n client_max_body_size 0; # here\n fastcgi_pass php:9000;\n }\n}"
        ),
        Good(
            "server { client_max_body_size 9m; location / { try_files $uri @a; } location @a { proxy_pass http://a; } }"
        ),
        Good(
            "server { location /up { client_max_body_size 9m; try_files /none @a; } location @a { proxy_pass http://a; } }"
        ),
        Good(
            "server { location / { try_files $uri @a; } location /up { client_max_body_size 9m; try_files /none @a; }"
            " location @a { client_max_body_size 9m; proxy_pass http://a; } }"
        ),
        Good(
            "server { location / { client_max_body_size 9m; try_files $uri /index.html; }"
            " location = /index.html { expires -1; } }"
        ),
        Good(
            "server { location / { try_files $uri @a; } location /up { client_max_body_size 9m; error_page 418 = @a; return 418; }"
            " location @a { client_max_body_size 9m; proxy_pass http://a; } }"
        ),
        Good("server { location / { try_files $uri /i.php; } location = /i.php { client_max_body_size 1k; } }"),
        Good("server { location / { root /srv; } location ~ \\.php$ { client_max_body_size 9m; fastcgi_pass a:9; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        servers = dict.fromkeys(config.server(size) for size in config.find(_NAME) if size.enclosing("location"))
        for server in servers:
            if server is None or not server.is_whole:
                continue
            reported: set[Directive] = set()
            ways = [(one, to) for one in server.all_locations() if (to := _handed_to(config, one)) is not None]
            enough = {to.block for one, to in ways if _size(config, one) >= _size(config, to)}
            for one in server.all_locations():
                for page in one.block.children("error_page"):  # return 418; is another way there
                    enough |= {
                        to.block
                        for _, to in ways
                        if page.values[-1:] == (to.pattern,) and _size(config, one) >= _size(config, to)
                    }
            for first, then in ways:
                if any(
                    place.block in config.gaps or place.block.child("if", "limit_except") for place in (first, then)
                ):
                    continue
                for small, large in ((first, then), (then, first)):
                    size = large.block.child(_NAME)
                    if size is None or size in reported or _size(config, small) >= _size(config, large):
                        continue
                    if small is then and small.block.child(*PASSES, "try_files") is None:
                        continue  # a file is not sent any body
                    if "@" in (small.modifier, large.modifier) and (small is then or large.block in enough):
                        continue  # a named location is not asked; or another way there lets it pass
                    reported.add(size)
                    yield self._finding(config, small, large, size, large is then)

    def _finding(self, config: Config, small: Location, large: Location, size: Directive, later: bool) -> Diagnostic:
        limit = config.scope(small.block).directive(_NAME)
        said = limit.values[0] if limit is not None and limit.values else "1m"
        name = " ".join(small.block.values)
        certain = not later or large.modifier == "@"
        return self.report(
            size,
            f"bodies over {said} get 413 {'all the same: ' if certain else 'where '}"
            f"location {name} {'comes first' if later else 'answers then'}, with {said}",
            related=(note(limit if limit is not None else small.block, "the smaller one counts"),),
            help=f"write {_NAME} {size.values[0]} in the server, or in location {name}, too",
            severity=None if certain else Severity.INFO,
        )


def _size(config: Config, location: Location) -> float:
    return config.scope(location.block).size(_NAME, _DEFAULT) or float("inf")


def _handed_to(config: Config, location: Location) -> Location | None:
    """The location that answers what this one does not find, or rewrites."""
    path = _next(location.block)
    if path.startswith("@"):
        return next((one for one in location.server.locations if one.modifier == "@" and one.pattern == path), None)
    found = config.router.locations(location.server).find(path).location if path.startswith("/") else None
    return found if found is not location else None


def _next(block: Block) -> str:
    """The name or path a location leads on to; empty where it does not, or nobody can tell."""
    rewrite, tried = block.child("rewrite"), block.child("try_files")
    if (
        rewrite is not None
        and len(rewrite.values) > 1
        and rewrite.values[2:] in ((), ("last",))
        and rewrite.values[:1] == ("^",)
    ):
        path = rewrite.values[1].partition("?")[0]
    elif tried is not None and len(tried.values) > 1:
        path = tried.values[-1].partition("?")[0].partition("$is_args")[0]
    else:
        return ""
    return "" if "$" in path else path
