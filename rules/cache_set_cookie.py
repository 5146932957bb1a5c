from nginxlint import Bad, Config, Diagnostic, Directive, Fix, Good, Iterator, Rule, insert_line_after, note


class CacheSetCookie(Rule):
    """Answers with a Set-Cookie are cached, cookie and all: the session of one visitor is handed to the next.

    nginx does not cache an answer that sets a cookie, unless `proxy_ignore_headers Set-Cookie` says so; the header is
    then stored and sent to everybody. Hide it as well: `proxy_hide_header Set-Cookie;` (then no cookie is set here), or
    leave such answers out: `proxy_no_cache $upstream_http_set_cookie;`.
    Source: ngx_http_upstream_process_set_cookie; documentation of proxy_ignore_headers.
    """

    id = "cache-set-cookie"
    group = "cache"
    directives = ("proxy_ignore_headers", "fastcgi_ignore_headers", "uwsgi_ignore_headers", "scgi_ignore_headers")
    judges = "cached_passes"
    examples = (
        Bad(
            "server {\n location / {\n  proxy_cache z;\n  proxy_ignore_headers Set-Cookie; # here\n"
            "  proxy_pass http://app;\n }\n}",
            "server {\n location / {\n  proxy_cache z;\n  proxy_ignore_headers Set-Cookie;\n"
            "  proxy_hide_header Set-Cookie; # here\n  proxy_pass http://app;\n }\n}",
        ),
        Bad("fastcgi_cache z;\nlocation / { fastcgi_ignore_headers Expires Set-Cookie; fastcgi_pass a:9; } # here"),
        Good("location / { proxy_cache z; proxy_ignore_headers Set-Cookie; proxy_hide_header set-cookie;\n"
             "proxy_pass http://app; }"),
        Good("location / { proxy_cache z; proxy_ignore_headers Set-Cookie; proxy_no_cache $upstream_http_set_cookie;\n"
             "proxy_pass http://app; }"),
        Good("location = /keys { internal; proxy_cache z; proxy_ignore_headers Set-Cookie; proxy_pass http://app; }"),
        Good("location / { proxy_ignore_headers Set-Cookie; proxy_pass http://app; }"),
        Good("location / { proxy_cache z; proxy_ignore_headers Cache-Control; proxy_pass http://app; }"),
    )  # fmt: skip

    def check(self, config: Config) -> Iterator[Diagnostic]:
        reported: set[Directive] = set()
        for cached in config.cached_passes:
            ignored = cached.directive("ignore_headers")
            if ignored is None or ignored in reported or "set-cookie" not in _lower(cached.words("ignore_headers")):
                continue
            if "set-cookie" in _lower(cached.words("hide_header")):
                continue
            if any("upstream_http_set_cookie" in word for word in cached.words("no_cache")):
                continue
            location = config.location(cached.target.directive)
            if location is not None and location.block.child("internal") is not None:
                continue  # asked by nginx itself: no visitor is sent its headers
            reported.add(ignored)
            line = f"{cached.family}_hide_header Set-Cookie;"
            own = bool(cached.scope.own(f"{cached.family}_hide_header")) or not cached.words("hide_header")
            fixes = (Fix(f"write {line}", (insert_line_after(ignored, line),), safe=False),) if own else ()
            yield self.report(
                ignored,
                "the cookie of the first visitor is stored in the cache and sent to all others",
                *fixes,
                related=(note(cached.cache, "the cache in effect"),),
                help=f"write {line} or {cached.family}_no_cache $upstream_http_set_cookie;",
            )


def _lower(words: list[str]) -> set[str]:
    return {word.lower() for word in words}
