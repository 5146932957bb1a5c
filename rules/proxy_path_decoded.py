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
    can_hold,
    insert_line_before,
    note,
    path_is_raw,
    patterns_behind,
    references,
    replace,
    split_condition,
    split_template,
)

_MEANS_SOMETHING = " ?#%"


class ProxyPathDecoded(Rule):
    """A regex capture in the path of `proxy_pass` sends the path decoded.

    Locations and rewrites match the decoded path, and with a variable in the target nginx sends it as it stands:
    `/files/a%20b` goes out with a bare space (the backend answers 400), `%3F` starts a query, `%25` is decoded twice.
    Let `rewrite … break` change the path: nginx encodes it again and keeps the query. Not reported: captures that
    cannot hold such characters (`\\d+`, `[\\w.-]+`), those of `$request_uri`, copies made by `set $x $1` (encoded
    again); and where a line break gets in too, header-splitting says so.
    Source: ngx_http_proxy_create_request, ngx_http_script_copy_capture_code.
    """

    id = "proxy-path-decoded"
    group = "proxy"
    severity = Severity.WARNING
    directives = ("proxy_pass",)
    texts = ("$",)
    examples = (
        Bad(
            "location ~ ^/re/(.*)$ {\n proxy_pass http://192.0.2.1/new/$1$is_args$args; # here\n}",
            "location ~ ^/re/(.*)$ {\n rewrite ^/re/(.*)$ /new/$1 break;\n proxy_pass http://192.0.2.1; # here\n}",
        ),
        Bad("location ~* ^/(?<file>.+)\\.img$ {\n proxy_pass http://app/$file?raw=1; # here\n}"),
        Bad("location / {\n rewrite ^/(\\w+)/(.+) /x;\n proxy_pass http://app/$2?$args; # here\n}"),
        Good("location ~ ^/re/(?<id>\\d+)/([\\w./-]+)$ { proxy_pass http://app/$id/$2$is_args$args; }"),
        Good("location ~ ^/re/(.*)$ { proxy_pass http://app; }"),
        Good("location ~ ^/(.*)$ { set $path $1; proxy_pass http://app/$path$is_args$args; }"),
        Good('location / { if ($request_uri ~ "^/x/(.*)$") { proxy_pass http://app/$1; } }'),
        Good("location ~ ^/(?<name>app|api)/ { proxy_pass http://$name$request_uri; }"),
        Good("location /x { rewrite ^ $request_uri; rewrite ^/x(/.*) $1 break; proxy_pass http://app$1; }"),
        Good("server_name ~^(?<tenant>.+)\\.test$; location / { proxy_pass http://app/$tenant$request_uri; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for target in config.passes():
            if not target.has_variables or target.kind == "stream":
                continue
            head, uri = split_template(target.text)
            for name in dict.fromkeys(references(uri)):
                behind = patterns_behind(target.directive, name)
                loose = [one for one in behind if can_hold(one[0], name, _MEANS_SOMETHING)]
                loose = [one for one in loose if _sees_the_path(one[1]) and "\n" not in one[0]]
                if path_is_raw(target.directive):
                    loose = [one for one in loose if one[1].name != "rewrite"]
                if not loose or any(can_hold(pattern, name, "\n") for pattern, _ in loose):
                    continue
                yield self.report(
                    target.directive.args[0],
                    f"${name} is decoded: a path with %20 in it is a malformed request to the backend (400), %3F cuts "
                    "it off there",
                    *_fixes(config, target, head, uri),
                    related=(note(loose[0][1], "matched against the decoded path"),),
                    help="change the path with rewrite … break and leave it out here: nginx then encodes it again",
                )
                break


def _sees_the_path(directive: Directive) -> bool:
    """Is its regular expression matched with the decoded path?"""
    if directive.name == "if":
        return split_condition(directive.values)[0] in ("$uri", "$document_uri")
    return directive.name in ("location", "rewrite")


def _fixes(config: Config, target: Pass, head: str, uri: str) -> tuple[Fix, ...]:
    """The same path by means of a rewrite, where the capture is the location's own."""
    location, word = config.location(target.directive), target.directive.args[0]
    if location is None or location.modifier != "~" or target.directive.parent is not location.block:
        return ()
    path = uri.removesuffix("$is_args$args").removesuffix("?$args")
    around = location.scope
    if any(mark in location.pattern + path for mark in "{};\"'\\ ?#") or around.own("rewrite") or around.own("if"):
        return ()
    if not path.startswith("/") or "$" in head.partition("://")[2]:
        return ()
    rewrite = insert_line_before(target.directive, f"rewrite {location.pattern} {path} break;")
    shorter = replace(word.part(len(head), len(head) + len(uri)), "")
    return (Fix("change the path with rewrite … break", (rewrite, shorter), safe=False),)
