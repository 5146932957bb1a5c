from collections.abc import Iterator

from nginxlint import Bad, Config, Diagnostic, Directive, Good, Rule, shapes, split_condition, split_location

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
        usual: set[str] = set()
        for directive, index, pattern in _patterns(config):
            if pattern in usual:
                continue
            found = shapes(pattern)
            if found is None or any(not shape.start or shape.runs[0][:1] in ("", "/") for shape in found):
                usual.add(pattern)
                continue
            bare = _servers_with_bare_paths(config) if bare is None else bare
            if directive.enclosing("server") in bare or (index < 0 and bare):
                continue
            why = "every path begins with a slash" if found else "something stands before ^ or behind $"
            yield self.report(
                directive if index < 0 else directive.args[index],
                f'"{pattern}" matches no path: {why}',
                help=f'write "^/{pattern[1:]}"' if found and pattern[:1] == "^" else "mend the pattern",
            )


def _patterns(config: Config) -> Iterator[tuple[Directive, int, str]]:
    """The regular expressions that are matched with a path: the directive, the argument (-1: its name), the pattern."""
    for location in config.find("location"):
        if location.values and location.values[0][:1] == "~":
            yield location, len(location.values) - 1, split_location(location.values)[1]
    for rewrite in config.find("rewrite"):
        if len(rewrite.values) > 1:
            yield rewrite, 0, rewrite.values[0]
    for test in config.find("if"):
        words = split_condition(test.values)
        if len(words) == 3 and "~" in words[1] and words[0] in _PATHS:
            at = next(at for at, value in enumerate(test.values) if at and value.startswith(words[2]))
            yield test, at, words[2]
    for block in config.find("map"):
        for line in block.body or () if block.values[:1] and block.values[0] in _PATHS else ():
            if line.name.startswith("~"):
                yield line, -1, line.name.removeprefix("~").removeprefix("*")


def _servers_with_bare_paths(config: Config) -> set[Directive | None]:
    """The servers in which a rewrite can make a path that does not begin with a slash."""
    return {
        rewrite.enclosing("server")
        for rewrite in config.find("rewrite")
        if len(rewrite.values) > 1 and not rewrite.values[1].startswith(("/", "http://", "https://", "$scheme"))
    }
