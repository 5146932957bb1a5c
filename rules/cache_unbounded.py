from nginxlint import Bad, Confidence, Diagnostic, Directive, Fix, Good, Iterator, Rule, insert_after


class CacheUnbounded(Rule):
    """A cache has no `max_size`: it may fill the disk.

    Only the number of keys its zone has room for (8,000 a megabyte) and `inactive` bound it then. On a full disk the
    temporary files of large answers fail too, and visitors get cut-off pages. Write `max_size=` (or `min_free=`, nginx
    1.19.1) with what the disk can spare.
    Source: documentation of proxy_cache_path.
    """

    id = "cache-unbounded"
    group = "cache"
    confidence = Confidence.MEDIUM
    directives = ("proxy_cache_path", "fastcgi_cache_path", "uwsgi_cache_path", "scgi_cache_path")
    examples = (
        Bad(
            "proxy_cache_path /var/cache/a keys_zone=a:10m; # here",
            "proxy_cache_path /var/cache/a keys_zone=a:10m max_size=1g; # here",
            context="http",
        ),
        Good("proxy_cache_path /var/cache/a keys_zone=a:10m max_size=1g;", context="http"),
        Good("fastcgi_cache_path /var/cache/a keys_zone=a:10m min_free=1g;", context="http"),
    )

    def check_directive(self, directive: Directive) -> Iterator[Diagnostic]:
        if not directive.values or any(word.startswith(("max_size=", "min_free=")) for word in directive.values):
            return
        fix = Fix("write max_size=1g", (insert_after(directive.head_span, " max_size=1g"),), safe=False)
        yield self.report(
            directive,
            f"the cache in {directive.values[0]} has no size limit: it may fill the disk",
            fix,
            help="write max_size= with what the disk can spare",
        )
