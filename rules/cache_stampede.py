from nginxlint import Bad, Config, Diagnostic, Good, Iterator, Rule, Severity


class CacheStampede(Rule):
    """When a cached answer expires, every visitor who asks for it goes to the backend at once.

    Neither `proxy_cache_lock` (one request fetches it, the others wait) nor `proxy_cache_use_stale updating` (the others
    get the old one meanwhile) is on. On a busy page this is a burst of equal requests at each expiry.
    Source: documentation of proxy_cache_lock and proxy_cache_use_stale.
    """

    id = "cache-stampede"
    group = "cache"
    severity = Severity.INFO
    opt_in = True
    directives = ("proxy_cache", "fastcgi_cache", "uwsgi_cache", "scgi_cache")
    judges = "cached_passes"
    examples = (
        Bad(
            "events { }\nhttp { server { location / { proxy_cache z; # here\nproxy_pass http://app; } } }",
            context="main",
        ),
        Good(
            "events { }\nhttp { proxy_cache_lock on; server { location / { proxy_cache z; proxy_pass http://app; } } }",
            context="main",
        ),
        Good(
            "events { }\nhttp { proxy_cache_use_stale error updating; server { location / { proxy_cache z;\n"
            "proxy_pass http://app; } } }",
            context="main",
        ),
        Good("location / { proxy_cache z; proxy_pass http://app; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        reported = set()
        for cached in config.cached_passes:
            if cached.cache in reported or cached.words("cache_lock")[:1] == ["on"]:
                continue
            if "updating" in cached.words("cache_use_stale") or not cached.settings_known:
                continue
            reported.add(cached.cache)
            yield self.report(
                cached.cache,
                "an expired answer is fetched by everybody who asks for it at once",
                help=f"write {cached.family}_cache_lock on; or {cached.family}_cache_use_stale updating;",
            )
