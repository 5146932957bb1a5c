from nginxlint import (
    Bad,
    Block,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Rule,
    Severity,
    delete_word,
    insert_line_after,
)

_HTTP2_DIRECTIVE = (1, 25, 1)


class ListenHttp2Deprecated(Rule):
    """`http2` as a parameter of `listen`: since nginx 1.25.1 it is the directive `http2 on;`.

    The parameter still works, nginx warns of every such line, and a version to come will refuse it. It holds for every
    server on that socket, the directive for its own server only: write `http2 on;` in all of them, or once in `http`.
    Before 1.25.1 there is no such directive: say which nginx you have with `--nginx-version`.
    Source: documentation of ngx_http_v2_module; ngx_http_core_listen.
    """

    id = "listen-http2-deprecated"
    group = "deprecation"
    severity = Severity.INFO
    directives = ("listen",)
    texts = ("\0http2\0",)
    examples = (
        Bad(
            "server {\n    listen 443 ssl http2; # here\n    listen [::]:443 ssl http2; # here\n}",
            "server {\n    listen 443 ssl;\n    http2 on; # here\n    listen [::]:443 ssl; # here\n}",
        ),
        Good("server { listen 443 ssl; http2 on; }"),
        Good("server { listen 443 ssl http2; }", version=(1, 25, 0)),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if config.version < _HTTP2_DIRECTIVE:
            return
        fixes: dict[Block | None, Fix | None] = {}
        for listen in config.saying(lambda values: "http2" in values[1:], "listen"):
            if listen.parent not in fixes:
                fixes[listen.parent] = _fix(config, listen)
            yield self.report(
                listen,
                "the http2 parameter of listen is deprecated since nginx 1.25.1, and nginx warns of it",
                fixes[listen.parent],
                help="write http2 on; in every server of this socket that shall speak HTTP/2, or once in http",
                nginx_message='the "listen ... http2" directive is deprecated, use the "http2" directive instead',
            )


def _fix(config: Config, listen: Directive) -> Fix | None:
    """The directive in place of the parameter, for a whole server; other servers of its sockets lose the parameter, too."""
    if listen.parent is None or listen.parent.child("http2"):
        return None
    listens = [one for one in listen.parent.children("listen") if "http2" in one.values[1:]]
    edits = [delete_word(word) for one in listens for word in one.args[1:] if word.text == "http2"]
    if not config.scope(listen).on("http2"):
        edits.append(insert_line_after(listens[0], "http2 on;"))
    return Fix("write http2 on", tuple(edits), safe=False)
