from nginxlint import Bad, Config, Diagnostic, Good, Iterator, Rule, Severity


class CacheBackgroundNeedsUpdating(Rule):
    """`proxy_cache_background_update` is on, but stale answers may not be served meanwhile: it does nothing.

    An update in the background is for an expired answer that is given to the visitor while a new one is fetched; that
    has to be allowed by `proxy_cache_use_stale updating` (or by stale-while-revalidate of the backend).
    Source: documentation of proxy_cache_background_update; ngx_http_upstream_cache.
    """

    id = "cache-background-needs-updating"
    group = "cache"
    severity = Severity.INFO
    directives = tuple(f"{family}_cache_background_update" for family in ("proxy", "fastcgi", "uwsgi", "scgi"))
    judges = "cached_passes"
    examples = (
        Bad(
            "events { }\nhttp { server { location / { proxy_cache z; proxy_cache_background_update on; # here\n"
            "proxy_cache_use_stale error timeout; proxy_pass http://app; } } }",
            context="main",
        ),
        Good(
            "events { }\nhttp { proxy_cache_use_stale updating; server { location / { proxy_cache z;\n"
            "proxy_cache_background_update on; proxy_pass http://app; } } }",
            context="main",
        ),
        Good("location / { proxy_cache z; proxy_cache_background_update on; proxy_pass http://app; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        reported = set()
        for cached in config.cached_passes:
            switch = cached.directive("cache_background_update")
            if switch is None or switch.values[:1] != ("on",) or "updating" in cached.words("cache_use_stale"):
                continue
            if switch not in reported and cached.settings_known:
                reported.add(switch)
                yield self.report(
                    switch,
                    "updates nothing in the background: expired answers may not be served meanwhile",
                    help=f"write {cached.family}_cache_use_stale updating; (with what is listed there already)",
                )
