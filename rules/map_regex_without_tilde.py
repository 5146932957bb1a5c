from nginxlint import Bad, Config, Diagnostic, Edit, Fix, Good, Iterator, Rule, Span, compiled, insert_into

# Of which nothing that is compared letter by letter is likely to be.
_REGEX = r"^\^|\.\*|\\[./]|.\\[dws]|..\$$|\[(?:\^|0-9|a-z|A-Z)"
_SURE = r"^\^|\\[./]"  # where masks are, too
_MASK = r"(?:\*?\.)[\w-]+(?:\.[\w-]+)*|[\w-]+(?:\.[\w-]+)*\.\*"
_HOSTS = ("$host", "$http_host", "$server_name", "$ssl_server_name", "$ssl_preread_server_name")
_WORDS = ("default", "hostnames", "include", "volatile")


class MapRegexWithoutTilde(Rule):
    """A key of a `map` looks like a regular expression, or like a mask for host names, but is compared letter by letter.

    A regular expression begins with `~` (`~*` without regard to case); without it `^/api/` is a text that no path is
    equal to, and the default is taken. Masks (`*.example.com`, `.example.com`, `www.*`) are such only where
    `hostnames` stands in the map. Write `~^/api/`, or `hostnames;`.
    Source: documentation of map; ngx_http_map (src/http/modules/ngx_http_map_module.c).
    """

    id = "map-regex-without-tilde"
    group = "correctness"
    directives = ("map",)
    examples = (
        Bad(
            "map $uri $new {\n    ^/old/ /new; # here\n    /a\\.html$ /b; # here\n}",
            "map $uri $new {\n    ~^/old/ /new; # here\n    ~/a\\.html$ /b; # here\n}",
        ),
        Bad(
            'map $http_user_agent $bot {\n    ".*Googlebot.*" 1; # here\n}',
            'map $http_user_agent $bot {\n    "~.*Googlebot.*" 1; # here\n}',
        ),
        Bad(
            'map $http_user_agent $bot {\n    "(curl|wget)" 1; # here\n}',
            'map $http_user_agent $bot {\n    "~(curl|wget)" 1; # here\n}',
        ),
        Bad(
            "map $host $site {\n    *.a.test one; # here\n    .b.test two; # here\n}",
            "map $host $site {\n    hostnames;\n    *.a.test one; # here\n    .b.test two; # here\n}",
        ),
        Bad(
            "stream { map $ssl_preread_server_name $to {\n    ^www\\. a:1; # here\n} }",
            "stream { map $ssl_preread_server_name $to {\n    ~^www\\. a:1; # here\n} }",
        ),
        Good("map $uri $new { ~^/old/ /new; ~*\\.html$ /b; /c.html /d; default ''; }"),
        Bad(
            "map $host $site {\n    hostnames;\n    ^www\\.a a; # here\n}",
            "map $host $site {\n    hostnames;\n    ~^www\\.a a; # here\n}",
        ),
        Good("map $host $site { hostnames; *.a.test one; .b.test two; www.* three; }"),
        Good("map $http_accept $kind { */* any; text/* text; image/svg+xml svg; }"),
        Good("map $http_user_agent $old { 'Mozilla/4.0 (compatible; MSIE 6.0)' 1; }"),
        Good("map $request_method $write { POST|PUT 1; } map $time_local $x { [a] 1; } map $uri $y { .htaccess 1; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for block in config.blocks("map"):
            masked = block.child("hostnames") is not None
            masks = not masked and block.values[:1] and block.values[0] in _HOSTS
            for key in block.body:
                if key.name in _WORDS or key.name[:1] == "~":
                    continue
                if masks and compiled(_MASK).fullmatch(key.name):
                    yield self.report(
                        key.name_span,
                        f'"{key.name}" is the name of no host: without hostnames it is no mask',
                        Fix("write hostnames in the map", (insert_into(block, "hostnames;"),), safe=False),
                        help="write hostnames; in the map",
                        at=key,
                    )
                elif (compiled(_SURE) if masked else compiled(_REGEX)).search(key.name) or _has_alternatives(key.name):
                    start = key.start + len(key.raw_words()[0].quote)
                    yield self.report(
                        key.name_span,
                        f'"{key.name}" is compared letter by letter: without ~ it is no regular expression',
                        Fix(f"write ~{key.name}", (Edit(Span(key.source, start, start), "~"),), safe=False),
                        help=f"write ~{key.name}",
                        at=key,
                    )


def _has_alternatives(key: str) -> bool:
    return "(" in key and "|" in key and ")" in key
