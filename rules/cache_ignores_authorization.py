from nginxlint import Bad, Config, Diagnostic, Directive, Fix, Good, Iterator, Rule, insert_line_after, note, users_in


class CacheIgnoresAuthorization(Rule):
    """The backend is told who asks, the cache is not: one user gets the page of another.

    nginx caches answers to requests with Authorization or a session cookie like any other, as long as the backend or
    `proxy_cache_valid` lets it. Where such a value is handed on on purpose, either keep these requests out of
    the cache (`proxy_cache_bypass` and `proxy_no_cache` with the same variable) or put it into the key.
    Reported where a header or parameter made of credentials or cookies is set for the backend of a cached pass.
    Source: ngx_http_upstream_cache; documentation of proxy_no_cache.
    """

    id = "cache-ignores-authorization"
    group = "cache"
    directives = ("proxy_cache", "fastcgi_cache", "uwsgi_cache", "scgi_cache")
    judges = "cached_passes"
    examples = (
        Bad(
            "location / {\n proxy_cache z; # here\n proxy_set_header Authorization $http_authorization;\n"
            " proxy_pass http://app;\n}",
            "location / {\n proxy_cache z;\n proxy_cache_bypass $http_authorization;\n"
            " proxy_no_cache $http_authorization; # here\n proxy_set_header Authorization $http_authorization;\n"
            " proxy_pass http://app;\n}",
        ),
        Bad("location / { proxy_cache z; proxy_set_header X-User $remote_user; proxy_pass http://app; } # here"),
        Good(
            "location / { proxy_cache z; proxy_cache_key $remote_user; proxy_set_header A $remote_user; proxy_pass http://b; }"
        ),
        Good(
            "location / { proxy_cache z; proxy_no_cache $remote_user; proxy_set_header A $remote_user; proxy_pass http://b; }"
        ),
        Good('location / { proxy_cache z; proxy_set_header Authorization "Basic x"; proxy_pass http://app; }'),
        Good('location / { proxy_cache z; proxy_set_header Cookie ""; proxy_pass http://app; }'),
        Good("location / { proxy_set_header Authorization $http_authorization; proxy_pass http://app; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        reported: set[Directive] = set()
        for cached in config.cached_passes:
            if cached.cache in reported:
                continue
            family = cached.family
            minded = " ".join((cached.key, *cached.words("cache_bypass"), *cached.words("no_cache")))
            for line in cached.scope.effective("proxy_set_header" if family == "proxy" else f"{family}_param"):
                told = users_in(config, " ".join(line.values[1:]))
                if family != "proxy" and cached.scope.value("auth_basic", "off") == "off":
                    told -= {"remote_user"}  # a usual line of fastcgi_params, empty here
                if not told or told & users_in(config, minded):
                    continue
                reported.add(cached.cache)
                name = f"${sorted(told)[0]}"
                has_none = not cached.words("cache_bypass") and not cached.words("no_cache")
                lines = f"{family}_cache_bypass {name};", f"{family}_no_cache {name};"
                edit = insert_line_after(cached.cache, *lines)
                yield self.report(
                    cached.cache,
                    f"one user may get the page of another: the backend is told {name}, the cache does not look at it",
                    Fix("keep these requests out of the cache", (edit,), safe=False) if has_none else None,
                    related=(note(line, "tells the backend who asks"),),
                    help=f"write {' '.join(lines)} or put it into {family}_cache_key",
                )
                break
