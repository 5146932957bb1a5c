from nginxlint import Bad, Config, Diagnostic, Fix, Good, Iterator, Location, Pass, Rule, Severity, note, replace

_REFUSAL = (
    '"proxy_pass" cannot have URI part in location given by regular expression, or inside named location, '
    'or inside "if" statement, or inside "limit_except" block'
)


class ProxyUriForbidden(Rule):
    """A `proxy_pass` has a path where nginx has no prefix to replace, so nginx refuses to start.

    The URI part of a target, even a lone `/`, stands for the prefix of the location. In a location with a regular
    expression, a named one, an `if` and a `limit_except` there is none, and a reload fails. Leave the path out: nginx
    then sends the request's own. To change it, put `rewrite … break` before. A target with variables may have a path
    anywhere (see proxy-variable-drops-path for what it does).
    Source: ngx_http_proxy_pass (src/http/modules/ngx_http_proxy_module.c).
    """

    id = "proxy-uri-forbidden"
    group = "proxy"
    severity = Severity.ERROR
    directives = ("proxy_pass",)
    judges = "passes_with_uri"
    examples = (
        Bad(
            "location ~ ^/a {\n proxy_pass http://127.0.0.1/; # here\n}",
            "location ~ ^/a {\n proxy_pass http://127.0.0.1; # here\n}",
        ),
        Bad(
            "location @app {\n proxy_pass http://127.0.0.1:81/v1?a; # here\n}",
            "location @app {\n proxy_pass http://127.0.0.1:81; # here\n}",
        ),
        Bad(
            "location / {\n if ($arg_a) {\n  proxy_pass http://unix:/s:/v1/; # here\n } }",
            "location / {\n if ($arg_a) {\n  proxy_pass http://unix:/s; # here\n } }",
        ),
        Bad("location /a/ {\n limit_except GET {\n  proxy_pass http://127.0.0.1/b/; # here\n } }"),
        Good("location /a/ { proxy_pass http://127.0.0.1/; }"),
        Good("location ~ ^/a { proxy_pass http://127.0.0.1; }"),
        Good("location ~ ^/a { proxy_pass http://unix:/s:; }"),
        Good("location ~ ^/a(.*) { proxy_pass http://127.0.0.1/b$1; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for target in config.passes_with_uri:
            if target.kind == "stream":
                continue
            location, parent = config.location(target.directive), target.directive.parent
            if location is None or parent is None:
                continue
            if target.scheme not in ("http", "https") or (target.text.endswith(":") and target.unix is not None):
                continue
            if parent.name in ("if", "limit_except"):
                where = f"`{parent.name}`"
            elif location.is_regex or location.modifier == "@":
                where = "a named location" if location.modifier == "@" else "a location with a regular expression"
            else:
                continue
            yield self.report(
                target.directive.args[0],
                f"nginx does not start: in {where} the target may have no path, and {target.uri} is one",
                *_fixes(target),
                label=f"{target.uri} has no prefix to stand for",
                related=(note(parent, "here"),),
                help=_advice(target, location),
                blocks_start=True,
                nginx_message=_REFUSAL,
            )


def _fixes(target: Pass) -> tuple[Fix, ...]:
    word, uri = target.directive.args[0], target.uri or ""
    begin = len(target.text) - len(uri) - (target.unix is not None)
    return (Fix("leave the path out", (replace(word.part(begin, len(target.text)), ""),), safe=False),)


def _advice(target: Pass, location: Location) -> str:
    bare = target.text[: len(target.text) - len(target.uri or "")].rstrip(":")
    if target.uri in ("/", location.pattern):
        return f"write {bare}: nginx then sends the path of the request"
    return f"write {bare}, with a `rewrite … {target.uri}… break;` before it"
