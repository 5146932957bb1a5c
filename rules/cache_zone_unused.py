from nginxlint import Bad, Config, Diagnostic, Good, Iterator, Rule, Severity

_FAMILIES = ("proxy", "fastcgi", "uwsgi", "scgi")


class CacheZoneUnused(Rule):
    """A cache is set up that no `*_cache` directive uses: nothing is cached in it.

    Its memory is taken and its folder is watched all the same. Write `proxy_cache ZONE;` where answers shall be cached,
    or take the path out.
    Source: documentation of proxy_cache_path.
    """

    id = "cache-zone-unused"
    group = "cache"
    severity = Severity.INFO
    directives = tuple(f"{family}_cache_path" for family in _FAMILIES)
    examples = (
        Bad("proxy_cache_path /c keys_zone=a:1m; # here\nserver { location / { proxy_pass http://app; } }"),
        Good("proxy_cache_path /c keys_zone=a:1m; server { proxy_cache a; location / { proxy_pass http://app; } }"),
        Good("proxy_cache_path /c keys_zone=a:1m; server { location / { proxy_cache $zone; proxy_pass http://a; } }"),
        Good("events { }\nhttp { proxy_cache_path /c keys_zone=a:1m; include conf.d/*.conf; }", context="main"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        used = {word for line in config.find(*(f"{family}_cache" for family in _FAMILIES)) for word in line.values}
        if config.partial or any("$" in word for word in used) or any(not one.files for one in config.includes):
            return
        for path in config.find(*self.directives):
            for word in path.args:
                name = word.text.removeprefix("keys_zone=").partition(":")[0]
                if word.text.startswith("keys_zone=") and name not in used:
                    family = path.name.partition("_")[0]
                    yield self.report(
                        word,
                        f"nothing is cached in {name}: no {family}_cache names it",
                        help=f"write {family}_cache {name}; where answers shall be cached, or take this out",
                    )
