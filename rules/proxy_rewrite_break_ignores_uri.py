from nginxlint import (
    Bad,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Pass,
    Rule,
    Severity,
    example_request,
    insert_before,
    note,
    paths_of,
)


class ProxyRewriteBreakIgnoresUri(Rule):
    """`rewrite … break` puts the path of `proxy_pass` out of action.

    Once a `rewrite` with `break` has changed the path, in the location or in its server, nginx sends the changed path
    and leaves the URI part of the target aside: `rewrite ^/old/(.*)$ /new/$1 break;` with
    `proxy_pass http://app/base/;` sends /new/x, not /base/new/x. Write the base path into the rewrite. Not reported:
    `http://app/` (nothing is lost), and a rewrite that begins with the base path already.
    Source: documentation of proxy_pass ("when the URI is changed inside a proxied location");
    ngx_http_script_regex_start_code.
    """

    id = "proxy-rewrite-break-ignores-uri"
    group = "proxy"
    severity = Severity.WARNING
    directives = ("rewrite",)
    texts = ("break",)
    examples = (
        Bad(
            "location /old/ {\n rewrite ^/old/(.*)$ /new/$1 break;\n proxy_pass http://app/base/; # here\n}",
            "location /old/ {\n rewrite ^/old/(.*)$ /base/new/$1 break;\n proxy_pass http://app/base/; # here\n}",
        ),
        Bad("location /i/ {\n if ($arg_a) { rewrite ^/i/(.*) /j/$1 break; }\n proxy_pass http://app/base/; # here\n}"),
        Bad(
            "rewrite ^/old/(.*)$ /new/$1 break;\nlocation /new/ { proxy_pass http://app/base/; } # here\nlocation / { }"
        ),
        Good("location /old/ { rewrite ^/old/(.*)$ /new/$1 break; proxy_pass http://app/; }"),
        Good("rewrite ^/old/(.*)$ /new/$1 break; location /new/ { proxy_pass http://app; }"),
        Good("rewrite ^/old/(.*)$ /new/$1 break; location /a/ { proxy_pass http://app/base/; } location / { }"),
        Good("rewrite ^/old/(.*)$ /new/$1 last; location /new/ { proxy_pass http://app/base/; }"),
        Good("location /old/ { rewrite ^/old/(.*)$ /base/$1 break; proxy_pass http://app/base/; }"),
        Good("location /old/ { rewrite ^/old/(.*)$ /new/$1 last; proxy_pass http://app/base/; }"),
        Good("location /old/ { rewrite ^/old/(.*)$ /new/$1 break; set $b app; proxy_pass http://$b/base/; }"),
        Good("location /old/ { rewrite ^/old/(.*)$ /new/$1 break; proxy_pass http://app; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        told: set[Directive] = set()
        for rewrite in config.find("rewrite"):
            if rewrite.values[2:] != ("break",):
                continue
            for target in _targets(config, rewrite):
                uri = (Pass(target).uri or "").partition("?")[0]
                if target in told or len(uri) < 2 or "$" in target.values[0] or rewrite.values[1].startswith(uri):
                    continue
                told.add(target)
                yield self._finding(target, uri, rewrite)

    def _finding(self, target: Directive, uri: str, rewrite: Directive) -> Diagnostic:
        path, near = rewrite.values[1], target.enclosing("location") is rewrite.enclosing("location")
        fixes: tuple[Fix, ...] = ()
        if near and path.startswith("/") and uri.endswith("/"):
            edit = insert_before(rewrite.args[1].part(0, 1), uri[:-1])
            fixes = (Fix("write the path into the rewrite", (edit,), safe=False),)
        return self.report(
            target.args[0],
            f"{uri} is ignored: what the rewrite matches arrives as {path}, without {uri} before it",
            *fixes,
            label="out of action after rewrite … break",
            related=(note(rewrite, "changes the path" if near else "changes the path of requests that get here"),),
            help=f'write the whole path into the rewrite: "{uri.rstrip("/")}{path}"'
            if near
            else "write the rewrite into a location of its own, with a proxy_pass that has no path",
        )


def _targets(config: Config, rewrite: Directive) -> list[Directive]:
    """The `proxy_pass` of the rewrite's location; of one that stands in a server those that the simulator says its
    requests get to."""
    block = rewrite.parent.parent if rewrite.parent is not None and rewrite.parent.name == "if" else rewrite.parent
    server = config.server(rewrite)
    if block is None or server is None or block is not server.block:
        return block.children("proxy_pass") if block is not None and block.name == "location" else []
    answers = [config.router.route(example_request(server, uri)) for uri in paths_of(rewrite.values[0])]
    answers += [other for answer in answers for _, other in answer.alternatives]
    through = [one for one in answers if any(step.directive is rewrite for step in one.steps)]
    passes = dict.fromkeys(one.upstream.directive for one in through if one.upstream is not None)
    return [one for one in passes if one.name == "proxy_pass"]
