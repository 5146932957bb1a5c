from collections.abc import Iterator

from nginxlint import Bad, Config, Diagnostic, Fix, Good, Rule, Severity, insert_after

_SAME_URI = ("$uri", "$uri/", "${uri}", "${uri}/", "$document_uri", "$document_uri/")


class TryFilesLastArg(Rule):
    """The last argument of `try_files` is no file test but a redirect: `$uri` there goes round in circles.

    All arguments but the last are looked for on disk. The last one is where nginx goes if none was found: a URI, a
    named location or `=code`. `try_files $uri $uri/;` sends a missing file back to the same location until nginx gives up
    with 500, "rewrite or internal redirection cycle". Write `=404` behind it.
    Source: documentation of try_files; ngx_http_try_files_handler.
    """

    id = "try-files-last-arg"
    group = "correctness"
    severity = Severity.ERROR
    directives = ("try_files",)
    examples = (
        Bad("location / { try_files $uri $uri/; } # here", "location / { try_files $uri $uri/ =404; } # here"),
        Bad("location ~ \\.html$ { try_files /x$uri $uri; } # here"),
        Good("location / { try_files $uri $uri/ =404; }"),
        Good("location / { try_files $uri $uri/ /index.html; }"),
        Good("location / { try_files $uri @app; }"),
        Good("location @app { try_files /down.html $uri; }"),
        Good("location / { try_files $uri $uri/index.html /index.php?$args; }"),
        Good("location = /a { try_files /b $uri/; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for directive in config.find("try_files"):
            if len(directive.values) < 2 or directive.values[-1] not in _SAME_URI:
                continue
            location = config.location(directive)
            if location is None or location.modifier == "@":
                continue
            last = directive.args[-1]
            if last.text.endswith("/") and location.modifier in ("=", "~", "~*"):
                continue  # with the slash the URI leaves this location
            yield self.report(
                last,
                f'a missing file gets 500: "{last.text}" as the last argument is a redirect back to this location',
                Fix("write =404 behind it", (insert_after(last.span, " =404"),), safe=True),
                label="not looked for on disk: the last argument is where nginx goes on",
                help="write =404 behind it, or a URI that exists (/index.html)",
            )
