from nginxlint import Bad, Config, Diagnostic, Good, Iterator, Rule, Severity, note

_FAMILIES = ("proxy", "fastcgi", "uwsgi", "scgi")


class ProxyBufferingBreaksCache(Rule):
    """Answers shall be cached, but buffering is off: nothing is ever stored.

    nginx writes an answer to the cache while it buffers it; without buffering it hands each piece on at once. Every
    request stays a MISS and goes to the backend. Turn `proxy_buffering` on where the cache is, or the cache off
    where answers have to stream.
    Source: documentation of proxy_buffering; ngx_http_upstream_send_response (src/http/ngx_http_upstream.c).
    """

    id = "proxy-buffering-breaks-cache"
    group = "cache"
    severity = Severity.WARNING
    directives = tuple(f"{family}_buffering" for family in _FAMILIES)
    examples = (
        Bad("location / { proxy_cache zone; proxy_buffering off; # here\n proxy_pass http://app; }"),
        Bad("fastcgi_cache zone;\nlocation / { fastcgi_buffering off; # here\n fastcgi_pass unix:/s; }"),
        Bad("proxy_buffering off; # here\nlocation / { proxy_cache zone; proxy_pass http://app; }"),
        Good("proxy_cache zone; location /events { proxy_cache off; proxy_buffering off; proxy_pass http://app; }"),
        Good("location / { proxy_buffering off; proxy_pass http://app; }"),
        Good("proxy_buffering off; location / { proxy_cache zone; proxy_buffering on; proxy_pass http://app; }"),
        Good("proxy_cache zone; location / { proxy_buffering off; root /srv; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for setting in config.find(*self.directives):
            if setting.values[:1] != ("off",):
                continue
            family = setting.name.partition("_")[0]
            for target in config.governed(setting, f"{family}_pass"):
                cache = config.scope(target.directive).directive(f"{family}_cache")
                if cache is None or cache.values[:1] in ((), ("off",)):
                    continue
                yield self.report(
                    setting,
                    f"nothing is stored in the cache {cache.values[0]}: without buffering every request is a MISS",
                    related=(note(cache, "the cache in effect"), note(target.directive, "passed on here")),
                    help=f"turn {setting.name} on here, or write {family}_cache off; where answers have to stream",
                )
                break
