from nginxlint import Bad, Config, Diagnostic, Directive, Good, Iterator, Rule, shapes, split_condition, split_location

_PATHS = ("$uri", "$document_uri", "$request_uri", "${uri}", "${document_uri}", "${request_uri}")


class RegexNeverMatches(Rule):
    """A regular expression for paths can match no path: it is anchored to something other than a slash.

    Locations, `rewrite`, and tests of `$uri` or `$request_uri` see the path, which begins with `/`; `^api/` never
    matches, and the block or the redirect is dead. The same holds for `^` or `$` in the middle (`\\.php$/x`).
    Write `^/api/`. Silent where a `rewrite` of the server makes paths without a slash.
    Source: ngx_http_parse_complex_uri; documentation of location and rewrite.
    """

    id = "regex-never-matches"
    group = "correctness"
    directives = ("location", "rewrite", "if", "map")
    examples = (
        Bad("location ~ ^api/ { return 404; } # here"),
        Bad("location / { rewrite ^(old|older)/(.*)$ /new/$2 last; } # here"),
        Bad("location / { if ($uri ~ ^admin) { return 403; } } # here"),
        Bad("location ~* \\.php$/info { return 404; } # here"),
        Bad("map $request_uri $new { ~^old /new; } # here"),
        Good("location ~ ^/api/ { return 404; } location ~ ^(/a|/b) { } location ~ ^.*/x { } location ~ ^[^/] { }"),
        Good("location ~ (^|/)api { return 404; }"),
        Good("location / { rewrite ^/(.*)$ $1; rewrite ^old /new; }"),
        Good("location / { if ($host ~ ^admin) { return 403; } }"),
        Good("map $host $new { ~^old /new; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        bare: set[Directive | None] | None = None
        for directives, index, pattern in _patterns(config):
            found = shapes(pattern)
            if found is None or any(not shape.start or shape.runs[0][:1] in ("", "/") for shape in found):
                continue
            bare = _servers_with_bare_paths(config) if bare is None else bare
            why = "every path begins with a slash" if found else "something stands before ^ or behind $"
            for directive in directives:
                if directive.enclosing("server") in bare or (index < 0 and bare):
                    continue
                yield self.report(
                    directive if index < 0 else directive.args[index],
                    f'"{pattern}" matches no path: {why}',
                    help=f'write "^/{pattern[1:]}"' if found and pattern[:1] == "^" else "mend the pattern",
                )


def _patterns(config: Config) -> Iterator[tuple[list[Directive], int, str]]:
    """The regular expressions matched with a path: who has it, in which argument (-1: the name), the pattern."""
    for values, locations in config.alike("location").groups():
        if values and values[0][:1] == "~":
            yield locations, len(values) - 1, split_location(values)[1]
    for values, rewrites in config.alike("rewrite").groups():
        if len(values) > 1:
            yield rewrites, 0, values[0]
    for values, tests in config.alike("if").groups():
        words = split_condition(values)
        if len(words) == 3 and "~" in words[1] and words[0] in _PATHS:
            yield tests, next(at for at, value in enumerate(values) if at and value.startswith(words[2])), words[2]
    for block in config.find("map"):
        for line in block.body or () if block.values[:1] and block.values[0] in _PATHS else ():
            if line.name.startswith("~"):
                yield [line], -1, line.name.removeprefix("~").removeprefix("*")


def _servers_with_bare_paths(config: Config) -> set[Directive | None]:
    """The servers in which a rewrite can make a path that does not begin with a slash."""
    return {
        rewrite.enclosing("server")
        for rewrite in config.find("rewrite")
        if len(rewrite.values) > 1 and not rewrite.values[1].startswith(("/", "http://", "https://", "$scheme"))
    }
