from collections.abc import Iterator

from nginxlint import (
    Bad,
    CachedPass,
    Confidence,
    Config,
    Diagnostic,
    Fix,
    Good,
    Note,
    Rule,
    Server,
    Severity,
    cached_passes,
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
    share zone and target, or one server has wildcard names; names that differ only in www. are one site.
    Source: ngx_http_proxy_create_key; documentation of proxy_cache_key.
    """

    id = "cache-key-lacks-host"
    group = "cache"
    directives = ("proxy_cache",)
    examples = (
        Bad(
            "proxy_set_header Host $host;\n"
            "server { server_name a.test; location / {\n proxy_cache z; # here\n proxy_pass http://app; } }\n"
            "server { server_name b.test; location / { proxy_cache z; proxy_pass http://app; } }"
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
        shared: dict[tuple[str, str], list[tuple[CachedPass, Server]]] = {}
        for cached in cached_passes(config):
            server = config.server(cached.target.directive)
            if cached.family != "proxy" or server is None or _HOSTS & made_of(config, cached.key):
                continue
            sent = [line.values[1] for line in cached.scope.effective("proxy_set_header") if _is_host(line.values)]
            if sent and _HOSTS & made_of(config, sent[-1]):
                shared.setdefault((cached.zone, cached.target.authority), []).append((cached, server))
        for users in shared.values():
            first, own = users[0]
            other = next((one for one, server in users if not _sites(server) <= _sites(own)), None)
            wild = any(name.startswith(("*.", ".", "~")) or name.endswith(".*") for name in _sites(own))
            if other is not None or wild:
                yield self._finding(first, other)

    def _finding(self, cached: CachedPass, other: CachedPass | None) -> Diagnostic:
        key = "proxy_cache_key $scheme$host$request_uri;"
        own = cached.directive("cache_key")
        fixes = (Fix(f"write {key}", (insert_line_after(cached.cache, key),), safe=False),) if own is None else ()
        related: tuple[Note, ...] = (note(cached.target.directive, "the backend is sent the visitor's Host"),)
        if other is not None:
            related = (*related, note(other.target.directive, "another site, with the same cache and target"))
        return self.report(
            cached.cache,
            f"one site may get the pages of another: the key {cached.key} does not hold the host",
            *fixes,
            severity=Severity.WARNING,
            confidence=Confidence.HIGH if other is not None else Confidence.MEDIUM,
            related=related,
            help=f"write {key}",
        )


def _is_host(values: tuple[str, ...]) -> bool:
    return len(values) == 2 and values[0].lower() == "host"


def _sites(server: Server) -> set[str]:
    return {word.text.lower().removeprefix("www.") for word in server.names}
