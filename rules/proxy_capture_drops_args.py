from nginxlint import (
    Bad,
    Confidence,
    Config,
    Diagnostic,
    Fix,
    Good,
    Iterator,
    Location,
    Rule,
    Severity,
    insert_after,
    path_is_raw,
    references,
    split_template,
)

_HOLDS_ARGUMENTS = frozenset(("args", "query_string", "is_args", "request_uri", "request"))
_FOLLOWED = ("set", "map")


class ProxyCaptureDropsArgs(Rule):
    """The path of `proxy_pass` is made of variables, and the query string is left out.

    With a variable in the target nginx sends exactly what is written: `proxy_pass http://app/new/$1;` turns
    `/re/users?page=2` into `/new/users`. Write `$is_args$args` behind it. Not reported: a target with a query of its
    own, `internal` locations, variables whose values nobody can follow, answers that are cached by a key without the
    query (with it, one visitor would get the page of another), and pictures for `image_filter`.
    Source: proxy_pass (ngx_http_proxy_module), ngx_http_proxy_create_request.
    """

    id = "proxy-capture-drops-args"
    group = "proxy"
    severity = Severity.WARNING
    confidence = Confidence.MEDIUM
    directives = ("proxy_pass",)
    texts = ("$",)
    examples = (
        Bad(
            "location ~ ^/re/(\\w+)$ {\n proxy_pass http://app/new/$1; # here\n}",
            "location ~ ^/re/(\\w+)$ {\n proxy_pass http://app/new/$1$is_args$args; # here\n}",
        ),
        Bad("location / {\n set $to /x$uri;\n proxy_pass http://127.0.0.1:81$to; # here\n}"),
        Good("location ~ ^/re/(\\w+)$ { proxy_pass http://app/new/$1$is_args$args; }"),
        Good("location ~ ^/re/(\\w+)$ { proxy_pass http://app/new/$1?page=$arg_page; }"),
        Good("location / { set $to $request_uri; proxy_pass http://127.0.0.1:81$to; }"),
        Good("location / { auth_request_set $to $upstream_http_x_to; proxy_pass http://127.0.0.1:81/$to; }"),
        Good("location /x { rewrite ^ $request_uri; rewrite ^/x(/.*) $1 break; proxy_pass http://app$uri; }"),
        Good("location ~ ^/i/(\\w+)$ { internal; proxy_pass http://app/$1; }"),
        Good(
            "location ~ ^/t/(\\d+)$ { proxy_cache z; proxy_cache_key $1; proxy_pass http://app/$1; }"
            " location ~ ^/i/(\\w+)$ { image_filter resize 90 90; proxy_pass http://app/$1; }"
        ),
        Bad(
            "location ~ ^/t/(\\w+)$ { proxy_cache z; proxy_cache_key $1$args;\n proxy_pass http://app/$1; # here\n}",
            "location ~ ^/t/(\\w+)$ { proxy_cache z; proxy_cache_key $1$args;\n"
            " proxy_pass http://app/$1$is_args$args; # here\n}",
        ),
        Good("location ~ ^/(\\w+)/ { proxy_pass http://127.0.0.1:8$1; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for target in config.passes():
            if not target.has_variables or target.kind == "stream":
                continue
            uri = _uri(config, target.text)
            if "$" not in uri or "?" in uri or not _knows_no_query(config, uri) or path_is_raw(target.directive):
                continue
            location = config.location(target.directive)
            if location is None or location.scope.own("internal") or _means_it(config, location):
                continue
            word = target.directive.args[0]
            end = word.part(len(word.text), len(word.text))
            fixes: tuple[Fix, ...] = ()
            if end.start < word.span.end or not word.quote:
                fixes = (Fix("hand the query on", (insert_after(end, "$is_args$args"),), safe=False),)
            yield self.report(
                word,
                f"the query string is lost: ?page=2 does not reach the backend, which is sent {uri} only",
                *fixes,
                label="no $args in it",
                help="write $is_args$args behind it",
            )


def _means_it(config: Config, location: Location) -> bool:
    """Is the query nobody's business here: of no concern to the key of the cache, or to a picture made of the answer?"""
    key = location.scope.value("proxy_cache_key") if location.scope.value("proxy_cache", "off") != "off" else ""
    return (key != "" and _knows_no_query(config, key)) or location.scope.value("image_filter", "off") != "off"


def _uri(config: Config, text: str) -> str:
    """The URI part; that may be a variable at the end, whose values begin with a slash."""
    head, uri = split_template(text)
    name = next(reversed(references(head)), "")  # a $ alone is no variable
    definitions = config.variable_definitions().get(name, ())
    values = [line.values[-1] for one in definitions for line in one.body or (one,) if line.values]
    if not uri and values and all(value.startswith("/") for value in values) and head.endswith(f"${name}"):
        return f"${name}"
    return uri


def _knows_no_query(config: Config, text: str) -> bool:
    """Is it sure that no variable of the text, followed through `set` and `map`, holds a query?"""
    seen: set[str] = set()
    open_names = references(text)
    while open_names:
        name = open_names.pop()
        if name in _HOLDS_ARGUMENTS or name.startswith("arg_"):
            return False
        if name in seen:
            continue
        seen.add(name)
        for definition in config.variable_definitions().get(name, ()):
            if definition.name not in _FOLLOWED:
                return False
            texts = [line.values[-1] for line in definition.walk() if line.values]
            if any("?" in value for value in texts):
                return False
            open_names += [one for value in texts for one in references(value)]
            open_names += references(definition.values[0]) if definition.name == "map" else []
    return True
