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
    compiled,
    note,
    references,
    replace,
)

_BREAK = compiled(r"[ \t]*(?:\\r|\\n|\r?\n)[ \t\r\n]*")


class HeaderMultiline(Rule):
    """A header value that goes over several lines in the file is sent with its line breaks.

    nginx sends the value as it stands. Folded headers were abolished in 2014: over HTTP/1.1 many clients and proxies
    refuse the response or end the header at the first line, over HTTP/2 the whole response is invalid. Write the value
    on one line; a long Content-Security-Policy can be put together with `set`.
    Source: ngx_http_add_header; RFC 9112 section 5.2.
    """

    id = "header-multiline"
    group = "correctness"
    severity = Severity.WARNING
    directives = tuple(
        "add_header add_trailer proxy_set_header grpc_set_header more_set_headers more_set_input_headers".split()
    )
    texts = ("\n", "\r")
    examples = (
        Bad(
            "add_header Content-Security-Policy \"default-src 'self'; # here\n    img-src *\" always;",
            "add_header Content-Security-Policy \"default-src 'self'; # here img-src *\" always;",
        ),
        Bad('add_header X-A "a\\nb"; # here', 'add_header X-A "a b"; # here'),
        Good("add_header Content-Security-Policy \"default-src 'self'; img-src *\" always;"),
        Good("add_header X-A\n    b\n    always;"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for name in self.directives:
            for values, lines in config.alike(name).groups():
                broken = any("\n" in value or "\r" in value for value in values)
                source = None if broken else _broken_values(config, values)
                for line in lines if broken or source is not None else ():
                    yield from self._judge(line, source)

    def _judge(self, directive: Directive, source: Directive | None) -> Iterator[Diagnostic]:
        to_backend = directive.name.endswith(("set_header", "input_headers"))
        seen = (
            "the backend gets a malformed request" if to_backend else "browsers cut the header or refuse the response"
        )
        for word in (source or directive).args:
            if "\n" not in word.text and "\r" not in word.text:
                continue
            edit = replace(word.span, _BREAK.sub(" ", word.span.text))
            yield self.report(
                word,
                f"{seen}: the value of {directive.values[0].partition(':')[0]} holds a line break",
                Fix("write it on one line", (edit,), safe=not to_backend),
                related=() if source is None else (note(directive, "sent here"),),
                help="write the value on one line",
            )


def _broken_values(config: Config, values: tuple[str, ...]) -> Directive | None:
    """The `set`, or the line of a `map`, that gives a variable in the values a line break."""
    for name in (name for value in values[1:] if "$" in value for name in references(value)):
        for definition in config.variable_definitions().get(name, ()):
            for line in definition.body or (definition,):
                if any("\n" in value or "\r" in value for value in line.values):
                    return line
    return None
