from nginxlint import Bad, Config, Diagnostic, Fix, Good, Iterator, Rule, Severity, Word, replace, wrong_names


class ServerNameWithSchemeOrPath(Rule):
    """A `server_name` that is a URL: no request has a host with a slash, so the name never matches.

    nginx says `server name "http://a.test" has suspicious symbols` and starts. Requests for a.test get another server,
    unless this one is the default. Write the host alone; what belongs to a path goes into a `location`. In a regular
    expression a slash does no harm (nginx warns of it all the same). Source: ngx_http_core_server_name.
    """

    id = "server-name-with-scheme-or-path"
    group = "correctness"
    directives = ("server_name",)
    texts = ("/",)
    examples = (
        Bad(
            "server { server_name https://a.test/; } # here\nserver { server_name b.test; }",
            "server { server_name a.test; } # here\nserver { server_name b.test; }",
        ),
        Bad("server { server_name a.test/shop; } # here", "server { server_name a.test; } # here"),
        Bad('server { server_name "~^[^/]+[.]a[.]test$"; } # here'),
        Good("server { server_name a.test *.b.test; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for word, _, severity in wrong_names(config, lambda name: "/" in name):
            regex = word.text[:1] == "~"
            yield self.report(
                word,
                "nginx warns of the slash in this expression: no host has one"
                if regex
                else f'no request has the host "{word.text}": this name never matches',
                _fix(word),
                severity=Severity.INFO if regex else severity,
                help="" if regex else "a server_name is a host alone, without scheme and path",
                nginx_message=f'server name "{word.text}" has suspicious symbols',
            )


def _fix(word: Word) -> Fix | None:
    _, scheme, rest = word.text.partition("://")
    host = (rest if scheme else word.text).partition("/")[0]
    if word.text[:1] == "~" or word.quote or not host or ":" in host:
        return None
    return Fix(f"write {host}", (replace(word.span, host),), safe=False)
