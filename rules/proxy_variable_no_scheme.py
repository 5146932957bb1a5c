from nginxlint import (
    Bad,
    Config,
    Destination,
    Diagnostic,
    Fix,
    Good,
    Iterator,
    Pass,
    Rule,
    Severity,
    destinations,
    insert_before,
    note,
    references,
    split_template,
)

# They hold a host, a path or a number, never http://.
_NO_SCHEME = ("host", "http_host", "server_name", "uri", "request_uri", "document_uri", "server_addr", "remote_addr")


class ProxyVariableNoScheme(Rule):
    """The target of a `proxy_pass` with variables turns out to have no `http://`.

    With a variable in it nginx reads the target when a request comes, so the configuration test passes; then every
    request answers 500 with "invalid URL prefix". Write the scheme in front of the variable (or into its value).
    The other pass directives and `stream` take an address without a scheme: they are not reported.
    Source: ngx_http_proxy_eval (src/http/modules/ngx_http_proxy_module.c).
    """

    id = "proxy-variable-no-scheme"
    group = "proxy"
    severity = Severity.ERROR
    directives = ("proxy_pass",)
    texts = ("$",)
    examples = (
        Bad(
            "location / {\n set $b 127.0.0.1:81;\n proxy_pass $b; # here\n}",
            "location / {\n set $b 127.0.0.1:81;\n proxy_pass http://$b; # here\n}",
        ),
        Bad(
            "map $host $b { default 10.0.0.1:443; x 10.0.0.2:443; }\n"
            "server { location / {\n proxy_pass $b$uri; # here\n} }",
            "map $host $b { default 10.0.0.1:443; x 10.0.0.2:443; }\n"
            "server { location / {\n proxy_pass https://$b$uri; # here\n} }",
        ),
        Bad(
            "map $host $b {\n default 10.0.0.1;\n x http://10.0.0.2;\n}\n"
            "server { location / { proxy_pass $b; } # here\n}",
            "map $host $b {\n default http://10.0.0.1;\n x http://10.0.0.2;\n}\n"
            "server { location / { proxy_pass $b; } # here\n}",
        ),
        Bad(
            "location / {\n proxy_pass 127.0.0.1$request_uri; # here\n}",
            "location / {\n proxy_pass http://127.0.0.1$request_uri; # here\n}",
        ),
        Bad(
            "location / {\n proxy_pass $http_host; # here\n}", "location / {\n proxy_pass http://$http_host; # here\n}"
        ),
        Good("location / { set $b http://127.0.0.1:81; proxy_pass $b; }"),
        Good("map $host $b { default HTTPS://a; x ''; } server { location / { proxy_pass $b; } }"),
        Good("location / { proxy_pass $scheme://127.0.0.1; }"),
        Good("location / { proxy_pass $arg_url; }"),
        Good("location / { set $s http; proxy_pass $s://127.0.0.1; }"),
        Good("location / { set $b ''; rewrite_by_lua_block { ngx.var.b = 'http://a' } proxy_pass $b; }"),
        Good("stream { map $remote_addr $b { default 127.0.0.1:81; } server { proxy_pass $b; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for target in config.passes():
            if not target.has_variables or config.location(target.directive) is None:
                continue  # stream takes an address without a scheme
            found = destinations(config, target)
            bare = [end for end in found or () if end.text and not _has_scheme(end)]
            if found is None and not _never_a_url(target.text):
                continue
            if found is not None and not bare:
                continue
            becomes = f'"{bare[0].text}"' if bare else "a text"
            yield self.report(
                target.directive.args[0],
                f'the target becomes {becomes} without http://: such a request answers 500, "invalid URL prefix"',
                *_fixes(target, bare, found or []),
                related=tuple(
                    note(origin, "the value comes from here") for end in bare[:3] for origin in end.origins[:1]
                ),
                help="write http:// or https:// in front of the host",
            )


def _has_scheme(end: Destination) -> bool:
    return end.text.lower().startswith(("http://", "https://")) or end.scheme == "$scheme"


def _never_a_url(text: str) -> bool:
    """Whatever the request is, the text cannot begin with http://."""
    head = split_template(text)[0]
    literal = head.partition("$")[0].lower()
    if literal:
        return not any(prefix.startswith(literal) or literal.startswith(prefix) for prefix in ("http://", "https://"))
    return next(iter(references(text)), "") in _NO_SCHEME


def _fixes(target: Pass, bare: list[Destination], found: list[Destination]) -> tuple[Fix, ...]:
    if not any(_has_scheme(end) for end in found):
        word = target.directive.args[0]
        scheme = "https://" if bare and all(end.port in (443, 8443) for end in bare) else "http://"
        return (Fix(f"write {scheme} in front", (insert_before(word.part(0, len(word.text)), scheme),), safe=False),)
    if not all(end.origins and end.origins[-1].values[-1:] == (end.text,) for end in bare):
        return ()
    words = [end.origins[-1].args[-1] for end in bare]
    edits = tuple(insert_before(word.part(0, len(word.text)), "http://") for word in words)
    return (Fix("write http:// in front of the value", edits, safe=False),)
