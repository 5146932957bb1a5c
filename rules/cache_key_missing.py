from nginxlint import Bad, Config, Diagnostic, Directive, Fix, Good, Iterator, Rule, Severity, insert_line_after, note

_FAMILIES = ("fastcgi", "uwsgi", "scgi")


class CacheKeyMissing(Rule):
    """A cache of FastCGI, uwsgi or SCGI answers has no key: all URLs get the page that was stored first.

    Only `proxy_cache` has a default key. Without `fastcgi_cache_key` every request has the same, empty one: the first
    answer that may be stored is what everybody gets for every URL of every site with this cache. nginx only warns when
    it starts (`no "fastcgi_cache_key" for "fastcgi_cache"`). An error where `*_cache_valid` says that answers are
    stored; else the application decides.
    Source: ngx_http_fastcgi_merge_loc_conf, ngx_http_fastcgi_create_key.
    """

    id = "cache-key-missing"
    group = "cache"
    severity = Severity.ERROR
    directives = tuple(f"{family}_cache" for family in _FAMILIES)
    judges = "cached_passes"
    examples = (
        Bad(
            "location / {\n fastcgi_cache z; # here\n fastcgi_cache_valid 10m;\n fastcgi_pass app:9000;\n}",
            "location / {\n fastcgi_cache z;\n fastcgi_cache_key $scheme$request_method$host$request_uri; # here\n"
            " fastcgi_cache_valid 10m;\n fastcgi_pass app:9000;\n}",
            context="server",
        ),
        Bad("uwsgi_cache z; # here\nserver { location / { uwsgi_pass app:9000; } location /b { uwsgi_pass b:1; } }"),
        Good("scgi_cache_key $host$request_uri; server { location / { scgi_cache z; scgi_pass app:9000; } }"),
        Good("server { location / { proxy_cache z; proxy_pass http://app; } }"),
        Good("server { fastcgi_cache z; location / { fastcgi_cache off; fastcgi_pass app:9000; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        told: set[Directive] = set()
        for cached in config.cached_passes if not config.partial else ():
            if cached.family not in _FAMILIES or cached.key or cached.cache in told:
                continue
            told.add(cached.cache)
            line = f"{cached.family}_cache_key $scheme$request_method$host$request_uri;"
            yield self.report(
                cached.cache,
                "all URLs get the page that was stored first: the cache has no key",
                Fix("write a key", (insert_line_after(cached.cache, line),), safe=False),
                severity=Severity.ERROR if cached.words("cache_valid") else Severity.WARNING,
                related=(note(cached.target.directive, "these answers"),),
                help=f"write {line}",
                nginx_message=f'no "{cached.family}_cache_key" for "{cached.family}_cache"',
            )
