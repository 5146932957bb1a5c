from nginxlint import Bad, Config, Diagnostic, Directive, Good, Iterator, Rule, made_of, note


class CacheKeyMethodBody(Rule):
    """Requests of several methods share one cache entry: one is given the answer to another.

    `proxy_cache_methods POST` stores answers to POST under a key that by default holds only the URL: every form gets the
    answer to the first one, whatever its body. `proxy_cache_convert_head off` stores the empty answer to HEAD
    for the next GET. Put `$request_method`, and for POST `$request_body`, into the key.
    Source: documentation of proxy_cache_methods and proxy_cache_convert_head.
    """

    id = "cache-key-method-body"
    group = "cache"
    directives = (
        *(f"{family}_cache_methods" for family in ("proxy", "fastcgi", "uwsgi", "scgi")),
        "proxy_cache_convert_head",
    )
    judges = "cached_passes"
    examples = (
        Bad("location / { proxy_cache z; proxy_cache_methods GET POST; # here\nproxy_pass http://app; }"),
        Bad("location / { proxy_cache z; proxy_cache_convert_head off; # here\nproxy_pass http://app; }"),
        Good("location / { proxy_cache z; proxy_cache_methods GET HEAD; proxy_pass http://app; }"),
        Good(
            "location / { proxy_cache z; proxy_cache_methods POST; proxy_cache_key $request_uri|$request_body;\n"
            "proxy_pass http://app; }"
        ),
        Good(
            "location / { proxy_cache z; proxy_cache_convert_head off; proxy_cache_key $request_method$request_uri;\n"
            "proxy_pass http://app; }"
        ),
        Good("proxy_cache_methods GET POST; location / { proxy_pass http://app; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        reported: set[Directive] = set()
        for cached in config.cached_passes:
            variables = made_of(config, cached.key)
            methods, convert = cached.directive("cache_methods"), cached.directive("cache_convert_head")
            found: list[tuple[Directive, str, str]] = []
            posts = methods is not None and "POST" in map(str.upper, methods.values)
            if methods is not None and posts and not variables & {"request_body", "request_body_file"}:
                found.append((methods, "a POST gets the answer to another one, whatever its body", "$request_body"))
            if convert is not None and convert.values[:1] == ("off",) and "request_method" not in variables:
                found.append((convert, "a GET may get the empty answer to a HEAD", "$request_method"))
            for place, said, variable in found:
                if place not in reported:
                    reported.add(place)
                    yield self.report(
                        place,
                        f"{said}: the key {cached.key or 'is empty'} does not hold {variable}",
                        related=(note(cached.cache, "the cache in effect"),),
                        help=f"put {variable} into {cached.family}_cache_key",
                    )
