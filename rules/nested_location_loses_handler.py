from nginxlint import (
    Bad,
    Confidence,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Location,
    Rule,
    Severity,
    answers_itself,
    insert_into,
    note,
)

_PASSES = ("proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass")


class NestedLocationLosesHandler(Rule):
    """A location inside a proxied one has no pass of its own: its requests are looked for on disk.

    Headers, timeouts and buffers are inherited by a nested location, `proxy_pass` and its siblings are not (only `if`
    and `limit_except` take them over). A nested `location ~ \\.js$ { expires 1d; }` therefore answers 404 from the
    local `root`. Repeat the pass in it. A nested location that says where its answer comes from (`root`, `alias`,
    `try_files`, `return`, `rewrite`, `deny all`, …) is not reported, nor one that inherits the `root` of a location.
    Source: ngx_http_proxy_merge_loc_conf (conf->upstream.upstream is taken over in `if` and `limit_except` only).
    """

    id = "nested-location-loses-handler"
    group = "proxy"
    severity = Severity.ERROR
    directives = _PASSES
    judges = "nests_locations"
    examples = (
        Bad(
            "location / {\n proxy_pass http://app;\n location ~ \\.js$ { # here\n  expires 1d;\n }\n}",
            "location / {\n proxy_pass http://app;\n"
            " location ~ \\.js$ {\n  proxy_pass http://app; # here\n  expires 1d;\n }\n}",
        ),
        Bad(
            "location /a/ {\n proxy_pass http://app/x/;\n location /a/b/ { # here\n  proxy_read_timeout 9;\n }\n}",
            "location /a/ {\n proxy_pass http://app/x/;\n"
            " location /a/b/ {\n  proxy_pass http://app/x/b/; # here\n  proxy_read_timeout 9;\n }\n}",
        ),
        Bad("location / {\n proxy_pass http://app/;\n location ~ \\.js$ { # here\n  expires 1d;\n }\n}"),
        Bad("location / {\n uwsgi_pass app:1;\n location /adm { # here\n  allow 10.0.0.0/8;\n  deny all;\n }\n}"),
        Good("location / { proxy_pass http://app; location ~ \\.js$ { proxy_pass http://app; } }"),
        Good("location / { proxy_pass http://app; location ~ \\.js$ { root /srv; } }"),
        Good("location / { root /srv; location ~ ^/up/ { proxy_pass http://app; location ~ \\.svg$ { } } }"),
        Good("location / { proxy_pass http://app; location /x { try_files $uri @app; } }"),
        Good("location / { proxy_pass http://app; location ~ /\\.ht { deny all; } }"),
        Good("location / { proxy_pass http://app; location /x { return 404; } if ($arg_a) { expires 1d; } }"),
        Good("location / { proxy_pass http://app; location /x { rewrite ^ /y last; } }"),
        Good("location / { proxy_pass http://app; location /x { content_by_lua_file x.lua; } }"),
        Good(
            "location / { try_files $uri =404; location ~ \\.php$ { fastcgi_pass app:1; location /p { deny all; } } }"
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        around = config.index.holders("location")
        for target in config.find(*_PASSES):
            outer = config.location(target) if target.parent in around else None
            if outer is None or target.parent is not outer.block or not target.values:
                continue
            stack = outer.nested[::-1]
            while stack:
                inner = stack.pop()
                if answers_itself(inner):
                    continue
                root = inner.scope.directive("root") or inner.scope.directive("alias")
                if root is not None and root.enclosing("location") is not None:
                    continue  # a root of the locations around it serves nobody else than such as this
                stack.extend(inner.nested[::-1])
                yield self.report(
                    inner.block,
                    f"requests of this location are not passed on: {target.name} is not inherited, they get a file "
                    f"{'below ' + root.values[0] if root is not None and root.values else 'of nginx itself'} or 404",
                    *_fixes(target, outer, inner),
                    severity=Severity.ERROR if root is None else Severity.WARNING,
                    confidence=Confidence.HIGH if root is None else Confidence.MEDIUM,
                    related=(note(target, "holds for the outer location only"),),
                    help=f"repeat {target.name} in it, or say with root that files are meant",
                )


def _fixes(target: Directive, outer: Location, inner: Location) -> tuple[Fix, ...]:
    text = target.head_span.text
    uri = text.partition("://")[2].partition("/")[1:] if target.name == "proxy_pass" and "$" not in text else ("", "")
    if uri[0]:
        if inner.modifier not in ("", "^~") or not inner.pattern.startswith(outer.pattern) or outer.is_regex:
            return ()
        if text.endswith(('"', "'")):
            return ()
        text += inner.pattern[len(outer.pattern) :]
    return (Fix(f"repeat {target.name}", (insert_into(inner.block, f"{text};"),), safe=False),)
