from nginxlint import (
    Bad,
    Config,
    Diagnostic,
    Directive,
    Good,
    Iterator,
    Location,
    Rule,
    Severity,
    example_request,
    example_uris,
)

_URI = ("$uri", "${uri}", "$document_uri", "${document_uri}")


class TryFilesFallbackMissing(Rule):
    """The last argument of `try_files` is a file that the same location answers, and that is not found there: 500.

    The last argument is where nginx goes on if no file was found. `/index.html` usually selects the same location,
    whose `try_files` looks for it in turn: `$uri` finds it, if it is on disk. If it is not, or if no argument tests
    the plain `$uri` (`try_files $uri.html /404.html`), nginx goes round until "rewrite or internal redirection
    cycle", and every missing file is 500. Test `$uri` first, write `=404` as the last argument, or give
    the file a location of its own. Whether it is on disk is looked at only where that disk is here (`--check-files`).
    Source: ngx_http_try_files_handler.
    """

    id = "try-files-fallback-missing"
    group = "correctness"
    severity = Severity.ERROR
    directives = ("try_files",)
    examples = (
        Bad("location / { root /srv; try_files $uri.html $uri/index.html /404.html; } # here"),
        Bad("location /app/ { root /srv; try_files $uri/ /app/index.html; } # here"),
        Good("location / { root /srv; try_files $uri $uri.html /404.html; }"),
        Good("location / { root /srv; try_files $uri.html /404.html; } location = /404.html { root /srv; }"),
        Good(
            "location / { root /srv; try_files $uri.html /index.php?$args; } location ~ \\.php$ { fastcgi_pass a:9; }"
        ),
        Good("location /app/ { root /srv; try_files /static$uri /app/index.html; }"),
        Good("location / { root /srv; try_files /down.html @app; }"),
        Good("location / { root /srv; try_files $uri/ /; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        may_fail = _fallback if config.look is not None else _goes_round
        for tried in config.saying(may_fail, "try_files"):
            path, found_by_itself = _fallback(tried.values), not _goes_round(tried.values)
            location = config.location(tried)
            if location is None or config.router.locations(location.server).find(path).location is not location:
                continue
            if not found_by_itself:
                why = "no argument before it tests the plain $uri"
            elif _is_absent(config, tried, location):
                why = "it is not on disk"
            else:
                continue
            yield self.report(
                tried.args[-1],
                f"a missing file gets 500: {path} comes back to this location, and {why}",
                help="test $uri first, write =404 as the last argument, or give the file a location of its own",
                nginx_message=f'rewrite or internal redirection cycle while internally redirecting to "{path}"',
            )


def _goes_round(values: tuple[str, ...]) -> bool:
    """Is there a fixed fallback, and no argument that can find it when it is its turn? `$uri.html` and `$uri/` cannot."""
    return _fallback(values) != "" and not any(map(_tests_itself, values[:-1]))


def _fallback(values: tuple[str, ...]) -> str:
    """The path of the last argument, where that is a fixed one."""
    path = values[-1].partition("?")[0] if len(values) > 1 else ""
    return path if path.startswith("/") and not path.endswith("/") and "$" not in path else ""


def _tests_itself(text: str) -> bool:
    tail = next((text[len(name) :] for name in _URI if text.startswith(name)), "")
    return tail[:1] not in (".", "/")


def _is_absent(config: Config, tried: Directive, location: Location) -> bool:
    """Does a request for nothing end in 500 with the files that are on disk?"""
    root = location.scope.directive("root") or location.scope.directive("alias")
    if config.look is None or root is None or not root.values or config.look(root.values[0]) != "folder":
        return False
    for uri in example_uris(location):
        answer = config.router_with(config.look).route(
            example_request(location.server, f"{uri}-nginxlint-no-such-file")
        )
        if answer.status == 500 and sum(step.directive is tried for step in answer.steps) > 4:
            return True
    return False
