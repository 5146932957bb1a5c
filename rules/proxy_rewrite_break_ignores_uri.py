from collections.abc import Iterator

from nginxlint import Bad, Config, Diagnostic, Directive, Fix, Good, Rule, Severity, insert_before, note


class ProxyRewriteBreakIgnoresUri(Rule):
    """`rewrite … break` puts the path of `proxy_pass` out of action.

    Once a `rewrite` with `break` has changed the path in a location, nginx sends the changed path and leaves the URI
    part of the target aside: `rewrite ^/old/(.*)$ /new/$1 break;` with `proxy_pass http://app/base/;` sends /new/x, not
    /base/new/x. Write the base path into the rewrite. Not reported: `http://app/` (nothing is lost), and a rewrite
    that begins with the base path already.
    Source: proxy_pass (ngx_http_proxy_module), "when the URI is changed inside a proxied location".
    """

    id = "proxy-rewrite-break-ignores-uri"
    group = "proxy"
    severity = Severity.WARNING
    directives = ("proxy_pass",)
    examples = (
        Bad(
            "location /old/ {\n rewrite ^/old/(.*)$ /new/$1 break;\n proxy_pass http://app/base/; # here\n}",
            "location /old/ {\n rewrite ^/old/(.*)$ /base/new/$1 break;\n proxy_pass http://app/base/; # here\n}",
        ),
        Bad("location /i/ {\n if ($arg_a) { rewrite ^/i/(.*) /j/$1 break; }\n proxy_pass http://app/base/; # here\n}"),
        Good("location /old/ { rewrite ^/old/(.*)$ /new/$1 break; proxy_pass http://app/; }"),
        Good("location /old/ { rewrite ^/old/(.*)$ /base/$1 break; proxy_pass http://app/base/; }"),
        Good("location /old/ { rewrite ^/old/(.*)$ /new/$1 last; proxy_pass http://app/base/; }"),
        Good("location /old/ { rewrite ^/old/(.*)$ /new/$1 break; set $b app; proxy_pass http://$b/base/; }"),
        Good("location /old/ { rewrite ^/old/(.*)$ /new/$1 break; proxy_pass http://app; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if not any(rewrite.values[2:] == ("break",) for rewrite in config.find("rewrite")):
            return
        for target in config.passes():
            location, uri = config.location(target.directive), (target.uri or "").partition("?")[0]
            if location is None or target.has_variables or len(uri) < 2 or target.directive not in location.block.body:
                continue
            rewrites = [rewrite for rewrite in _breaking(location.block.body) if not rewrite.values[1].startswith(uri)]
            if not rewrites:
                continue
            first = rewrites[0]
            fixes: tuple[Fix, ...] = ()
            if first.values[1].startswith("/") and uri.endswith("/"):
                place = first.args[1].part(0, 1)
                fixes = (Fix("write the path into the rewrite", (insert_before(place, uri[:-1]),), safe=False),)
            yield self.report(
                target.directive.args[0],
                f"{uri} is ignored: what the rewrite matches arrives as {first.values[1]}, without {uri} before it",
                *fixes,
                label="out of action after rewrite … break",
                related=(note(first, "changes the path in this location"),),
                help=f'write the whole path into the rewrite: "{uri.rstrip("/")}{first.values[1]}"',
            )


def _breaking(body: list[Directive]) -> list[Directive]:
    """The rewrites with `break` in a location and in the conditions in it."""
    inside = [child for outer in body if outer.name == "if" for child in outer.body or ()]
    return [one for one in body + inside if one.name == "rewrite" and one.values[2:] == ("break",)]
