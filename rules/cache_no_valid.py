from nginxlint import Bad, Confidence, Config, Diagnostic, Directive, Good, Iterator, Rule, note


class CacheNoValid(Rule):
    """The backend's word on how long an answer is fresh is ignored, and no other is given: nothing is ever cached.

    With `proxy_ignore_headers Cache-Control Expires` the time has to come from `proxy_cache_valid`; without it every
    request is a MISS and goes to the backend. Write `proxy_cache_valid 200 10m;`.
    Source: ngx_http_upstream_send_response (valid stays 0), documentation of proxy_cache_valid.
    """

    id = "cache-no-valid"
    group = "cache"
    directives = ("proxy_ignore_headers", "fastcgi_ignore_headers", "uwsgi_ignore_headers", "scgi_ignore_headers")
    judges = "cached_passes"
    examples = (
        Bad(
            "events { }\nhttp { server { location / { proxy_cache z; proxy_ignore_headers Cache-Control Expires; # here\n"
            "proxy_pass http://app; } } }",
            context="main",
        ),
        Good(
            "events { }\nhttp { proxy_cache_valid 200 10m; server { location / { proxy_cache z;\n"
            "proxy_ignore_headers Cache-Control Expires; proxy_pass http://app; } } }",
            context="main",
        ),
        Good(
            "events { }\nhttp { server { location / { proxy_cache z; proxy_ignore_headers Expires;\n"
            "proxy_pass http://app; } } }",
            context="main",
        ),
        Good("location / { proxy_cache z; proxy_ignore_headers Cache-Control Expires; proxy_pass http://app; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        reported: set[Directive] = set()
        for cached in config.cached_passes:
            ignored, words = (
                cached.directive("ignore_headers"),
                {word.lower() for word in cached.words("ignore_headers")},
            )
            if ignored is None or ignored in reported or not words.issuperset(("cache-control", "expires")):
                continue
            if cached.words("cache_valid") or not cached.settings_known or config.broken:
                continue
            reported.add(ignored)
            yield self.report(
                ignored,
                f"nothing is ever cached in {cached.zone}: what says how long is ignored, and {cached.family}_cache_valid is "
                "not set",
                confidence=Confidence.HIGH if "x-accel-expires" in words else Confidence.MEDIUM,
                related=(note(cached.cache, "the cache in effect"),),
                help=f"write {cached.family}_cache_valid 200 10m;",
            )
