from nginxlint import Bad, Confidence, Config, DeadPrefix, Diagnostic, Good, Iterator, Rule, regex_meant, respelled


class LocationRegexWithoutModifier(Rule):
    """A location looks like a regular expression but has no `~`: nginx compares it letter by letter.

    Without `~` the pattern is the text a path begins with (or, with `=`, the whole path), and `*`, `.*`, `(a|b)` or a `$` at
    the end stand for themselves: `location /api/*` answers only paths that begin with `/api/*`. Write
    `~ ^/api/(v1|v2)/`; a prefix needs no star at its end, for it takes everything below.
    Source: ngx_http_core_location; documentation of location.
    """

    id = "location-regex-without-modifier"
    group = "correctness"
    confidence = Confidence.MEDIUM
    directives = ("location",)
    judges = "dead_prefixes"
    examples = (
        Bad("location /api/* { proxy_pass http://app; } # here", "location /api/ { proxy_pass http://app; } # here"),
        Bad("location = /api/(v1|v2)/ { return 404; } # here", "location ~ ^/api/(v1|v2)/ { return 404; } # here"),
        Bad("location /img/.*\\.png$ { expires 1d; } # here", "location ~ ^/img/.*\\.png$ { expires 1d; } # here"),
        Bad("location ^~ /img/*.png { expires 1d; } # here", "location ~ ^/img/.*\\.png$ { expires 1d; } # here"),
        Bad("location /about$ { return 404; } # here", "location ~ ^/about$ { return 404; } # here"),
        Good(
            "location ~ ^/api/.* { return 404; } location ~^/x/.*$ { return 404; } location ~* (a|b)$ { return 404; }"
        ),
        Good(
            "location /c++/ { return 404; } location /wiki/Nginx_(server) { return 404; } location /$ { return 404; }"
        ),
        Good("location /$PREFIX { return 404; } location /__PATH__/.* { return 404; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for dead in config.dead_prefixes:
            if dead.kind == "regex":
                fix = respelled(dead, *_meant(dead))
                yield self.report(
                    dead.block,
                    f'"{dead.pattern}" is compared letter by letter: without ~ it is no regular expression',
                    fix,
                    help=fix.title,
                )


def _meant(dead: DeadPrefix) -> tuple[str, str]:
    if dead.pattern.endswith("/*") and "*" not in dead.pattern[:-1]:
        return dead.modifier.removeprefix("="), dead.pattern[:-1]
    return "~", regex_meant(dead.pattern) or dead.pattern
