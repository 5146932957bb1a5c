from nginxlint import (
    Bad,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Rule,
    Severity,
    insert_line_after,
    users_in,
)


class CacheBypassHalf(Rule):
    """Requests of signed-in users skip the cache, but their answers are stored in it (or the other way round).

    `proxy_cache_bypass` only keeps nginx from answering out of the cache; the backend's answer is stored all the same,
    and the next visitor gets it. `proxy_no_cache` keeps it from being stored. Where credentials or cookies
    decide, the two need the same variables. A bypass by another variable (`$http_pragma`, `$arg_refresh`) is a
    refresh and not reported.
    Source: documentation of proxy_cache_bypass and proxy_no_cache.
    """

    id = "cache-bypass-half"
    group = "cache"
    directives = tuple(
        f"{family}_{name}" for family in ("proxy", "fastcgi", "uwsgi", "scgi") for name in ("cache_bypass", "no_cache")
    )
    judges = "cached_passes"
    examples = (
        Bad(
            "location / {\n proxy_cache z;\n proxy_cache_bypass $cookie_session; # here\n proxy_pass http://app;\n}",
            "location / {\n proxy_cache z;\n proxy_cache_bypass $cookie_session;\n"
            " proxy_no_cache $cookie_session; # here\n proxy_pass http://app;\n}",
        ),
        Bad(
            "location / {\n fastcgi_cache z;\n fastcgi_no_cache $http_authorization; # here\n fastcgi_pass a:9;\n}",
            "location / {\n fastcgi_cache z;\n fastcgi_no_cache $http_authorization;\n"
            " fastcgi_cache_bypass $http_authorization; # here\n fastcgi_pass a:9;\n}",
        ),
        Good("location / { proxy_cache z; proxy_cache_bypass $http_pragma $arg_refresh; proxy_pass http://app; }"),
        Good(
            "location / { proxy_cache z; proxy_cache_bypass $cookie_a; proxy_no_cache $cookie_a; proxy_pass http://a; }"
        ),
        Good("location / { proxy_cache_bypass $cookie_a; proxy_pass http://a; }"),
        Good(
            "location / { proxy_cache z; proxy_cache_key $uri$cookie_a; proxy_cache_bypass $cookie_a;\n"
            "proxy_pass http://a; }"
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        reported: set[Directive] = set()
        for cached in config.cached_passes:
            key = users_in(config, cached.key)
            users = {
                name: users_in(config, " ".join(cached.words(name))) - key for name in ("cache_bypass", "no_cache")
            }
            for name, other in (("cache_bypass", "no_cache"), ("no_cache", "cache_bypass")):
                line = cached.directive(name)
                if line is None or line in reported or not users[name] - users[other] or not cached.words(name):
                    continue
                reported.add(line)
                added = f"{cached.family}_{other} {' '.join(cached.words(name))};"
                fixes: tuple[Fix, ...] = ()
                if not cached.words(other):
                    fixes = (Fix(f"write {added}", (insert_line_after(line, added),), safe=False),)
                variable = f"${sorted(users[name] - users[other])[0]}"
                yield self.report(
                    line,
                    f"answers to requests with {variable} are stored and given to others"
                    if name == "cache_bypass"
                    else f"requests with {variable} get stored answers that were made for others",
                    *fixes,
                    severity=Severity.WARNING if name == "cache_bypass" else Severity.INFO,
                    help=f"write {added} as well",
                )
