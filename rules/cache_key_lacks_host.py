from nginxlint import (
    Bad,
    CachedPass,
    Confidence,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Note,
    Rule,
    Severity,
    insert_before,
    insert_line_after,
    made_of,
    note,
)

_HOSTS = frozenset(("host", "http_host", "server_name", "ssl_server_name", "http_x_forwarded_host"))


class CacheKeyLacksHost(Rule):
    """Sites share a cache whose key does not hold the host: one gets the pages of the other.

    The default key of `proxy_cache` is `$scheme$proxy_host$request_uri`; `$proxy_host` is the name in `proxy_pass`, not
    the site. If the backend is sent the visitor's Host and answers by it, /index.html of the site that asked first is
    what all others get. Write `proxy_cache_key $scheme$host$request_uri;`. Reported where several servers
    share zone and target, or one server has wildcard names; names that differ only in www. are one site. Several names
    of one server may be one site, too: information only.
    Source: ngx_http_proxy_create_key; documentation of proxy_cache_key.
    """

    id = "cache-key-lacks-host"
    group = "cache"
    directives = tuple(f"{family}_cache" for family in ("proxy", "fastcgi", "uwsgi", "scgi"))
    judges = "cached_passes"
    examples = (
        Bad(
            "proxy_set_header Host $host;\n"
            "server { server_name a.test; location / {\n proxy_cache z; # here\n proxy_pass http://app; } }\n"
            "server { server_name b.test; location / { proxy_cache z; proxy_pass http://app; } } # here"
        ),
        Bad(
            "fastcgi_cache z; # here\nfastcgi_cache_key $request_uri;\n"
            "server { server_name a.test; location / { fastcgi_pass app:9000; } }\n"
            "server { server_name b.test; location / { fastcgi_pass app:9000; } }",
            "fastcgi_cache z; # here\nfastcgi_cache_key $host$request_uri;\n"
            "server { server_name a.test; location / { fastcgi_pass app:9000; } }\n"
            "server { server_name b.test; location / { fastcgi_pass app:9000; } }",
        ),
        Bad(
            "server { server_name *.shops.test; location / {\n proxy_cache z; # here\n"
            " proxy_set_header Host $http_host; proxy_pass http://app; } }",
            "server { server_name *.shops.test; location / {\n proxy_cache z;\n"
            " proxy_cache_key $scheme$host$request_uri; # here\n"
            " proxy_set_header Host $http_host; proxy_pass http://app; } }",
        ),
        Good(
            "proxy_set_header Host $host; proxy_cache_key $host$request_uri;\n"
            "server { server_name *.a.test; location / { proxy_cache z; proxy_pass http://app; } }"
        ),
        Good("server { server_name a.test www.a.test; location / { proxy_cache z; proxy_set_header Host $host;\n"
             "proxy_pass http://app; } }"),
        Good("server { server_name *.a.test; location / { proxy_cache z; proxy_pass http://app; } }"),
        Good(
            "map $host $site { default a; } proxy_cache_key $site$request_uri; proxy_set_header Host $host;\n"
            "server { server_name *.a.test; location / { proxy_cache z; proxy_pass http://app; } }"
        ),
        Good(
            "proxy_set_header Host $host;\n"
            "server { server_name a.test; location / { proxy_cache z; proxy_pass http://a; } }\n"
            "server { server_name b.test; location / { proxy_cache z; proxy_pass http://b; } }"
        ),
    )  # fmt: skip

    def check(self, config: Config) -> Iterator[Diagnostic]:
        shared: dict[tuple[str, str], list[tuple[CachedPass, set[str]]]] = {}
        for cached in config.cached_passes:
            server = config.server(cached.target.directive)
            if (
                server is None
                or not cached.key
                or _HOSTS & made_of(config, cached.key)
                or not _tells_host(config, cached)
            ):
                continue
            sites = {word.text.lower().removeprefix("www.") for word in server.names}
            shared.setdefault((cached.zone, cached.target.authority), []).append((cached, sites))
        told: set[Directive] = set()
        for users in shared.values():
            for cached, own in users:
                other = next((one for one, sites in users if not sites <= own), None)
                wild = any(name.startswith(("*.", ".", "~")) or name.endswith(".*") for name in own)
                several = sum("." in name for name in own) > 1
                if (other is not None or wild or several) and cached.cache not in told:
                    told.add(cached.cache)
                    yield self._finding(cached, other, Severity.WARNING if other is not None or wild else Severity.INFO)

    def _finding(self, cached: CachedPass, other: CachedPass | None, severity: Severity) -> Diagnostic:
        own = cached.directive("cache_key")
        line = f"{cached.family}_cache_key $scheme$host$request_uri;"
        if own is None or not own.values:
            edit = insert_line_after(cached.cache, line)
        else:
            edit = insert_before(own.args[0].part(0, 1), "$host")
        related: tuple[Note, ...] = (note(cached.target.directive, "the backend is told the visitor's Host"),)
        if other is not None:
            related = (*related, note(other.target.directive, "another site, with the same cache and target"))
        return self.report(
            cached.cache,
            f"one site may get the pages of another: the key {cached.key} does not hold the host",
            Fix("put $host into the key", (edit,), safe=False),
            severity=severity,
            confidence=Confidence.HIGH if other is not None else Confidence.MEDIUM,
            related=related,
            help=f"write {line}" if own is None else "put $host into the key",
        )


def _tells_host(config: Config, cached: CachedPass) -> bool:
    """Does the backend learn which site is asked for? FastCGI and its kin hand the visitor's headers on."""
    if cached.family != "proxy":
        return cached.scope.on(f"{cached.family}_pass_request_headers", True)
    host = config.request_headers(cached.scope).of("Host")
    return host is not None and bool(_HOSTS & made_of(config, host.value))
