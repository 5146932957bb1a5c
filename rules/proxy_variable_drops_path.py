from nginxlint import (
    Bad,
    Config,
    Diagnostic,
    Fix,
    Good,
    Iterator,
    Location,
    Pass,
    Rule,
    Severity,
    compiled,
    destinations,
    insert_line_before,
    note,
    replace,
    split_template,
)

_REWRITES = ("set", "if", "rewrite", "return", "break")


class ProxyVariableDropsPath(Rule):
    """A `proxy_pass` with a variable and a fixed path sends every request to that one path.

    As soon as the target holds a variable, nginx no longer swaps the location's prefix for the URI part: it sends the
    URI part as it stands. With `proxy_pass http://$backend/`, `/api/users?x=1` reaches the backend as `/`, so every
    page shows the front page. Leave the path out (nginx then sends the request's own), or write `$request_uri`; to
    change the prefix, use `rewrite … break` before it. Exact and internal locations are endpoints: not reported.
    Source: proxy_pass (ngx_http_proxy_module), ngx_http_proxy_create_request.
    """

    id = "proxy-variable-drops-path"
    group = "proxy"
    severity = Severity.ERROR
    directives = ("proxy_pass",)
    texts = ("$",)
    examples = (
        Bad(
            "location / {\n set $b 127.0.0.1:81;\n proxy_pass http://$b/; # here\n}",
            "location / {\n set $b 127.0.0.1:81;\n proxy_pass http://$b; # here\n}",
        ),
        Bad(
            "location /api/ {\n set $b 127.0.0.1:81;\n proxy_pass http://$b/v1/; # here\n}",
            "location /api/ {\n set $b 127.0.0.1:81;\n"
            " rewrite ^/api/(.*)$ /v1/$1 break;\n proxy_pass http://$b; # here\n}",
        ),
        Bad("location / {\n set $u http://127.0.0.1:81/;\n proxy_pass $u; # here\n}"),
        Bad(
            "location ~ ^/(a|b)/ {\n proxy_pass http://$host/; # here\n}",
            "location ~ ^/(a|b)/ {\n proxy_pass http://$host; # here\n}",
        ),
        Bad("location /health {\n proxy_pass $scheme://$host/healthz; # here\n}"),
        Good("location / { set $b 127.0.0.1; proxy_pass http://$b; }"),
        Good("location / { set $b 127.0.0.1; proxy_pass http://$b$request_uri; }"),
        Good("location ~ ^/x/(.*) { proxy_pass http://$host/y/$1$is_args$args; }"),
        Good("location = /auth { proxy_pass http://$host/verify; }"),
        Good("location /auth { internal; proxy_pass http://$host/verify; }"),
        Good("location ~ ^/robots\\.txt$ { proxy_pass http://$host/robots.txt; }"),
        Good("location /api/ { proxy_pass http://127.0.0.1/v1/; }"),
        Good("map $uri $p { /a x; /b y; } server { location / { proxy_pass http://127.0.0.1/$p; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for target in config.passes():
            location = config.location(target.directive) if target.has_variables else None
            if location is None or _is_endpoint(location):
                continue
            found = destinations(config, target)
            uris = {split_template(target.text)[1] or None} if found is None else {end.uri for end in found}
            uri = uris.pop() if len(uris) == 1 else None
            if uri is not None and "$" in uri:
                texts = config.fold(target.directive, uri) or ()
                uri = texts[0].text if len(texts) == 1 else None
            if not uri:
                continue
            arrives = uri if uri.startswith("/") else f"/{uri}"
            origins = found[0].origins if found and uri not in target.text else ()
            yield self.report(
                target.directive.args[0],
                f"every request arrives as {arrives}: with a variable in proxy_pass its own path and query are lost",
                *_fixes(target, location, uri),
                severity=_severity(location, uri),
                label=f"{uri} is sent as it stands",
                related=tuple(note(origin, "the path comes from here") for origin in origins),
                help="leave the path out to send the request's own, or write $request_uri behind the host",
            )


def _severity(location: Location, uri: str) -> Severity:
    """An error where a tree of pages is lost; `location /health` with `/healthz` looks like one page on purpose."""
    last = uri.rstrip("/").rpartition("/")[2]
    is_tree = location.pattern.endswith("/") and not location.is_regex
    if not is_tree and last and location.pattern.rstrip("/$").endswith(last):
        return Severity.INFO
    if uri.endswith("/") or (is_tree and "." not in last):
        return Severity.ERROR
    return Severity.WARNING if location.is_regex or is_tree else Severity.INFO


def _is_endpoint(location: Location) -> bool:
    """One URL only, so there is no path to lose."""
    if location.is_regex:
        return compiled(r"\^(\w|[/-]|\\.)+\$").fullmatch(location.pattern) is not None
    return location.modifier == "=" or bool(location.scope.own("internal"))


def _fixes(target: Pass, location: Location, uri: str) -> tuple[Fix, ...]:
    if not target.text.endswith(uri) or not uri.endswith("/"):
        return ()
    word = target.directive.args[0]
    shorter = replace(word.part(len(target.text) - len(uri), len(target.text)), "")
    if location.scope.own("rewrite") or uri == location.pattern or (uri == "/" and location.is_regex):
        return (Fix("leave the path out", (shorter,), safe=False),)
    body = location.block.body
    if target.directive not in body or location.modifier not in ("", "^~"):
        return ()
    if any(child.name in _REWRITES for child in body[body.index(target.directive) :]):
        return ()  # rewrite … break would keep them from running
    if not compiled(r"/([\w./-]*/)?").fullmatch(location.pattern):
        return ()
    escaped = location.pattern.replace(".", "\\.")
    rewrite = insert_line_before(target.directive, f"rewrite ^{escaped}(.*)$ {uri}$1 break;")
    return (Fix("change the prefix with rewrite … break", (rewrite, shorter), safe=False),)
