from nginxlint import (
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
    compiled,
    example_uris,
    matches,
    note,
    opening,
    refusing_some,
)

_LIMITS = ("limit_req", "limit_conn")


class RewriteBypassesAccess(Rule):
    """A location rewrites every request into another one, which has no guard: its own `deny` or password is never asked.

    nginx runs `rewrite` before it looks at addresses, passwords and limits. `rewrite … last` (or without a flag) then looks for
    a location anew, and only what stands in that one counts: `location /login { limit_req …; rewrite ^ /index.php last; }`
    counts nobody. Write `break` where the location can answer itself, repeat the guards in the location that
    answers, or let `try_files /none /index.php;` lead there: it comes after them.
    Source: the order of phases in ngx_http_core_module.h; ngx_http_core_post_rewrite_phase.
    """

    id = "rewrite-bypasses-access"
    group = "security"
    severity = Severity.ERROR
    directives = ("rewrite",)
    examples = (
        Bad(
            "server {\n location /secret/ {\n deny all;\n rewrite ^/secret/(.*)$ /files/$1 last; # here\n }\n"
            " location /files/ { root /srv; }\n}"
        ),
        Bad(
            "server {\n location = /login {\n limit_req zone=a;\n rewrite ^ /index.php?a=b; # here\n }\n"
            " location ~ \\.php$ { fastcgi_pass php:9000; }\n}"
        ),
        Bad(
            "server {\n location /in { auth_basic a; auth_basic_user_file f;\n rewrite ^/in(.*)$ $1 last; # here\n }\n"
            " location / { proxy_pass http://app; }\n}"
        ),
        Good(
            "server { location /in { deny all; rewrite ^/in(.*)$ /$1 break; proxy_pass http://app; } location / { } }"
        ),
        Good("server { location /in { deny all; rewrite ^/in/old(.*)$ /$1 last; } location / { } }"),
        Good("server { location /in { deny all; rewrite ^ /x last; } location = /x { allow 10.0.0.0/8; deny all; } }"),
        Good("server { auth_basic a; auth_basic_user_file f; location /in { rewrite ^ /x last; } location / { } }"),
        Good("server { location /in { deny all; rewrite ^ https://a.test/x; } location / { } }"),
        Good("server { location /in { deny all; rewrite ^ /x last; } location / { return 403; } }"),
        Good("server { location /in { limit_req zone=a; rewrite ^ /x last; } location / { limit_req zone=a; } }"),
        Good("server { location /in { deny all; rewrite ^ /x last; } location /x { include auth.conf; } }"),
        Good("server { location /in { deny all; rewrite ^ /closed.html last; } location / { root /srv; } }"),
        Good("server { location /in { deny all; if ($arg_a) { break; } rewrite ^ /x last; } location / { } }"),
        Good("server { location /in { deny all; if ($arg_a) { return 403; } rewrite ^ /x last; } location / { } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        choosy = None
        for rewrite in config.saying(_leads_on, "rewrite"):
            block = rewrite.parent
            location = config.location(block) if block is not None and block.name == "location" else None
            guard = None if location is None else _guard(config, location.block)
            if location is None or guard is None or not _takes_all(location, rewrite):
                continue
            target = config.router.locations(location.server).find(_path(rewrite)).location
            if (
                target is None
                or target is location
                or not location.server.is_whole
                or target.block in config.gaps
                or _goes_otherwise(location.block)
                or _is_page(rewrite.values[1])
                or _keeps_out(config, target, guard)
            ):
                continue
            choosy = refusing_some(config) if choosy is None else choosy
            if not choosy.isdisjoint((location.block, target.block, *location.block.ancestors())):
                continue
            yield self.report(
                rewrite,
                f"{guard.name} is never asked: every request is handed to location {' '.join(target.block.values)} before",
                related=(note(guard, "has no effect"), note(target.block, "answers, and keeps nobody out")),
                help=f"write {guard.name} in location {' '.join(target.block.values)}, or try_files in place of this rewrite",
                severity=Severity.WARNING if guard.name in _LIMITS else None,
            )


def _leads_on(values: tuple[str, ...]) -> bool:
    """Does it lead to a location that can be told?"""
    if len(values) < 2 or values[2:] not in ((), ("last",)):
        return False
    path = compiled(r"\$\d").sub("", values[1].partition("?")[0])
    return "$" not in path and (path.startswith("/") or path == "")


def _goes_otherwise(block: Block) -> bool:
    """May an `if` keep some requests from it?"""
    return any(test.child("break", "return", "rewrite") is not None for test in block.blocks("if"))


def _is_page(replacement: str) -> bool:
    """Is it one page for all, of an error or of maintenance?"""
    return "$" not in replacement and replacement.endswith((".html", ".htm", ".json", ".txt"))


def _path(rewrite: Directive) -> str:
    """A path it makes."""
    path = compiled(r"\$\d").sub("x", rewrite.values[1].partition("?")[0])
    return path if path.startswith("/") else f"/{path}"


def _takes_all(location: Location, rewrite: Directive) -> bool:
    """Does it change every request of the location, and is it the first that may?"""
    first = location.block.child("rewrite", "return", "break")
    examples = example_uris(location)
    if location.is_regex:
        examples = [uri for uri in examples if matches(location.pattern, uri, caseless=location.modifier == "~*")]
    return first is rewrite and bool(examples) and all(matches(rewrite.values[0], uri) for uri in examples)


def _guard(config: Config, block: Block) -> Directive | None:
    """What is written in a location and keeps somebody out, or counts the requests."""
    for guard in config.scope(block).guards:
        if guard.parent is block and guard.name != "ssl_verify_client":
            return None if guard.name == "deny" and opening(block) is not None else guard
    return block.child(*_LIMITS)


def _keeps_out(config: Config, target: Location, guard: Directive) -> bool:
    scope = config.scope(target.block)
    if target.block.child("return") is not None:
        return True
    return bool(scope.effective(guard.name) if guard.name in _LIMITS else scope.guards)
