from nginxlint import Bad, Config, Diagnostic, Directive, Fix, Good, Iterator, Rule, compiled, insert_after, replace

_TAIL = r"(?:\$is_args|\$\{is_args\}|\?)\$\{?(?:args|query_string)\}?$"
_TWICE = tuple(f"request_uri{end}" for end in ("$is_args", "}$is_args", "${is_args", "}${is_args", "?", "}?"))
_ENDS = ("args", "args}", "query_string", "query_string}")
_WHOLE = r"\$\{?request_uri\}?"


class QueryTwice(Rule):
    """The query string is sent twice: `$request_uri` holds it already.

    `rewrite ^ https://b.test$request_uri permanent;` makes https://b.test/list?page=2?page=2 of /list?page=2, since nginx appends
    the query to what a `rewrite` makes; the value of page is then `2?page=2`. The same comes of `$request_uri$is_args$args` in a
    `return` or `proxy_pass`. End the replacement of a `rewrite` with `?`, or write `return 301 https://b.test$request_uri;`.
    Source: documentation of rewrite ("if a replacement string includes the new request arguments …"); $request_uri.
    """

    id = "query-twice"
    group = "correctness"
    directives = ("rewrite", "return", "proxy_pass")
    texts = ("request_uri",)
    examples = (
        Bad(
            "server {\n rewrite ^ https://b.test$request_uri permanent; # here\n}",
            "server {\n rewrite ^ https://b.test$request_uri? permanent; # here\n}",
        ),
        Bad(
            "server {\n return 301 https://$host$request_uri$is_args$args; # here\n}",
            "server {\n return 301 https://$host$request_uri; # here\n}",
        ),
        Bad("location / {\n proxy_pass http://127.0.0.1:81$request_uri?$query_string; # here\n}"),
        Good("server { rewrite ^ https://b.test$request_uri? permanent; }"),
        Good("server { rewrite ^ https://b.test$uri permanent; }"),
        Good("server { return 301 https://b.test$request_uri; }"),
        Good('server { if ($args = "") { rewrite ^ https://b.test$request_uri permanent; } }'),
        Good("server { set $args lang=en; return 301 https://b.test$request_uri?$args; }"),
        Good("server { return 200 $request_uri$is_args$args; }"),
        Good("server { return 301 https://b.test$uri$is_args$args; }"),
        Good("server { return 302 https://b.test/login?to=$request_uri; }"),
        Good("location / { rewrite ^ $request_uri break; proxy_pass http://app; }"),
        Good("server { rewrite /wp-admin$ $scheme://$host$request_uri/ permanent; }"),
        Good("server { rewrite ^ https://b.test/login?to=$request_uri permanent; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for name, says in (("rewrite", _appends), ("return", _repeats), ("proxy_pass", _repeats)):
            # nearly all of thousands hold it once: one look at them together tells
            if says is _repeats and not any(twice in config.said(name) for twice in _TWICE):
                continue
            for line in config.saying(says, name):
                if _has_its_own_query(config, line):
                    continue
                yield self._finding(line, line.args[1 if name == "rewrite" else -1].text)

    def _finding(self, line: Directive, text: str) -> Diagnostic:
        word = line.args[1 if line.name == "rewrite" else -1]
        plain = text if line.name == "rewrite" else compiled(_TAIL).sub("", text)
        fix = insert_after(word.span, "?") if line.name == "rewrite" else replace(word.span, plain)
        return self.report(
            word,
            "the query string goes out twice: ?page=2 arrives as ?page=2?page=2",
            Fix("send it once", (fix,), safe=False) if word.span.text == text else None,
            help=f"write {text}?" if line.name == "rewrite" else f"write {plain}",
        )


def _has_its_own_query(config: Config, line: Directive) -> bool:
    """Is the query set here, or asked for before?"""
    block = line.parent
    asked = " ".join(block.values) if block is not None and block.name == "if" else ""
    if any(name in asked for name in ("arg", "query_string", "request_uri")):
        return True
    server = line.enclosing("server")
    return any(config.assignments(name).get(server) for name in ("args", "query_string"))


def _appends(values: tuple[str, ...]) -> bool:
    """Does a redirect hold the query, and nginx add it once more?"""
    found = compiled(_WHOLE).search(values[1].lower()) if len(values) > 1 and "?" not in values[1] else None
    if found is None or found.end() < len(values[1]):  # $request_uri/ is for what has no query
        return False
    return values[2:] in (("redirect",), ("permanent",)) or values[1].startswith(("http://", "https://", "$scheme"))


def _repeats(values: tuple[str, ...]) -> bool:
    if len(values) > 1 and not values[0].startswith("30"):
        return False  # the text of an answer
    text = values[-1].lower() if values else ""
    if not text.endswith(_ENDS):
        return False
    found = compiled(_WHOLE).search(text)
    return (
        found is not None and "?" not in text[: found.start()] and compiled(_TAIL).match(text, found.end()) is not None
    )
