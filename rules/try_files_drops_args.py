from nginxlint import (
    Bad,
    Confidence,
    Config,
    Diagnostic,
    Fix,
    Good,
    Iterator,
    Location,
    Rule,
    insert_after,
    note,
    references,
)

_QUERY = frozenset(("args", "query_string", "is_args"))
_NO_PAGES = ("404", "403", "error", "maintenance", "offline")


class TryFilesDropsArgs(Rule):
    """The last argument of `try_files` leads to a script without the query string: ?page=2 does not reach it.

    With `try_files $uri /index.php;` nginx asks for /index.php anew, and the query of that URI is empty: QUERY_STRING is, `$_GET`
    holds nothing, searches and page numbers have no effect. Write `/index.php?$args` (or `$is_args$args`). Not
    reported: fallbacks that are files, `@names`, which keep the query, and scripts that get no query string at all.
    Source: ngx_http_try_files_handler (ngx_http_internal_redirect with the args of the argument).
    """

    id = "try-files-drops-args"
    group = "correctness"
    directives = ("try_files",)
    examples = (
        Bad(
            "server {\n location / {\n try_files $uri $uri/ /index.php; # here\n }\n"
            " location ~ \\.php$ { fastcgi_param QUERY_STRING $query_string; fastcgi_pass php:9000; }\n}",
            "server {\n location / {\n try_files $uri $uri/ /index.php?$args; # here\n }\n"
            " location ~ \\.php$ { fastcgi_param QUERY_STRING $query_string; fastcgi_pass php:9000; }\n}",
        ),
        Bad("server { location / { try_files $uri /app/run; } # here\n location /app/ { proxy_pass http://app; } }"),
        Good(
            "server { location / { try_files $uri /index.php?$args; }"
            " location ~ \\.php$ { fastcgi_param QUERY_STRING $query_string; fastcgi_pass php:9000; } }"
        ),
        Good(
            "server { location / { try_files $uri /index.php$is_args$args; } location ~ \\.php$ { proxy_pass http://a; } }"
        ),
        Good("server { location / { try_files $uri @app; } location @app { proxy_pass http://app; } }"),
        Good("server { location / { try_files $uri /index.html; } location ~ \\.php$ { fastcgi_pass php:9000; } }"),
        Good(
            "server { location / { try_files $uri /index.php?q=$uri; }"
            " location ~ \\.php$ { fastcgi_param QUERY_STRING $query_string; fastcgi_pass php:9000; } }"
        ),
        Good(
            "server { location / { try_files $uri /index.html; } location = /index.html { proxy_pass http://static; } }"
        ),
        Good(
            "server { location / { try_files $uri /index.php; }"
            " location ~ \\.php$ { fastcgi_param SCRIPT_NAME $uri; fastcgi_pass php:9000; } }"
        ),
        Good("server { location / { try_files $uri /index.php; } }"),
        Good(
            "server { location / { try_files $uri /app; } location /app { proxy_pass http://192.0.2.1$request_uri; } }"
        ),
        Good("server { location / { try_files $uri /img/none.png; } location /img/ { proxy_pass http://app; } }"),
        Good(
            "server { location / { try_files $uri /404.php; }"
            " location ~ \\.php$ { fastcgi_param QUERY_STRING $query_string; fastcgi_pass php:9000; } }"
        ),
        Good(
            "server { location / { set $q $args; try_files $uri /index.php; }"
            " location ~ \\.php$ { fastcgi_param QUERY_STRING $q; fastcgi_pass php:9000; } }"
        ),
        Bad(
            "server { location / { try_files $uri /index.php; } # here\n"
            " location ~ \\.php$ { include fastcgi_params; fastcgi_param A b; fastcgi_pass php:9000; } }"
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for tried in config.saying(_drops, "try_files"):
            location, path = config.location(tried), tried.values[-1]
            server = config.server(tried)
            if server is None:
                continue
            target = config.router.locations(server).find(path).location
            if target is None or target is location or not _takes_a_query(config, target):
                continue
            last = tried.args[-1]
            yield self.report(
                last,
                f"the query string is lost: {path} gets none, so that ?page=2 has no effect",
                Fix("hand on the query string", (insert_after(last.span, "?$args"),), safe=False),
                related=(note(target.block, "answers it"),),
                help=f"write {path}?$args",
                confidence=Confidence.HIGH if server.is_whole else Confidence.MEDIUM,
            )


def _drops(values: tuple[str, ...]) -> bool:
    """Is the fallback a plain path, and none of a file that ignores its query?"""
    path = values[-1] if len(values) > 1 else ""
    return (
        path.startswith("/")
        and "$" not in path
        and "?" not in path
        and (path.endswith(".php") or "." not in path.rpartition("/")[2])
        and not path.endswith("/")
        and not any(word in path.rpartition("/")[2] for word in _NO_PAGES)
    )


def _takes_a_query(config: Config, target: Location) -> bool:
    if target.block.child("rewrite") is not None:
        return False
    passed = target.block.child("proxy_pass")
    if passed is not None:  # $request_uri is still the one that was sent
        to = "".join(passed.values)
        return "$" not in to and not to.endswith(".html")
    for family in ("fastcgi", "uwsgi", "scgi"):
        if target.block.child(f"{family}_pass"):
            params = [one.values for one in target.scope.effective(f"{family}_param") if len(one.values) > 1]
            told = any(name == "QUERY_STRING" and not _QUERY.isdisjoint(references(text)) for name, text, *_ in params)
            return told or any(
                "_param" in one.pattern and one.directive.parent in (target.block, *target.block.ancestors())
                for one in config.failed_includes  # as nginx ships it
            )
    return False
