from nginxlint import (
    Bad,
    Confidence,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Location,
    Rule,
    Severity,
    Word,
    insert_after,
    insert_before,
)

_URI = ("$uri", "${uri}", "$document_uri", "${document_uri}")


class TryFilesLastArg(Rule):
    """The last argument of `try_files` is no file test but a redirect: `$uri` there goes round in circles.

    All arguments but the last are looked for on disk. The last one is where nginx goes if none was found: a URI, a
    named location or `=code`. `try_files $uri $uri/;` sends a missing file back to the same location until nginx gives up
    with 500, "rewrite or internal redirection cycle". Write `=404` behind it. A text without a slash in front
    (`index.html`, `404`) is a URI that no location of paths matches: nginx looks for /srv/wwwindex.html,
    whatever stands behind the root.
    Source: documentation of try_files; ngx_http_try_files_handler; ngx_http_core_root (a slash at its end is left out).
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
        Bad("location / { try_files $uri $uri.html; } # here", "location / { try_files $uri $uri.html =404; } # here"),
        Bad("location / { try_files $uri $uri/index.html; } # here\nlocation ~ \\.php$ { fastcgi_pass a:9000; }"),
        Good("location / { try_files $uri $uri.php; }\nlocation ~ \\.php$ { fastcgi_pass a:9000; }"),
        Good("location / { try_files $uri $uri_path; }"),
        Good("location / { try_files $uri @app; }"),
        Good("location @app { try_files /down.html $uri; }"),
        Good("location / { try_files $uri $uri/index.html /index.php?$args; }"),
        Good("location = /a { try_files /b $uri/; }"),
        Bad(
            "server { root /srv; location / { try_files $uri 404; } } # here",
            "server { root /srv; location / { try_files $uri =404; } } # here",
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for directive in config.saying(lambda values: _lacks_slash(values) or _tail(values) is not None, "try_files"):
            if _lacks_slash(directive.values):
                server = config.server(directive)
                if server is not None and server.is_whole:
                    regex = config.router.locations(server).find(directive.values[-1].partition("?")[0]).location
                    root = (regex or server).scope.value("root", "html").rstrip("/")
                    yield self._no_path(directive.args[-1], root, regex)
                continue
            text, tail = directive.values[-1], _tail(directive.values)
            location = config.location(directive)
            if (location is None and not _answers(config, directive)) or (location and location.modifier == "@"):
                continue
            if (
                tail
                and location
                and (location.modifier in ("=", "~", "~*") or (tail != "/" and _another_takes(tail, location)))
            ):
                continue  # the longer URI leaves this location
            last = directive.args[-1]
            place = "location" if location is not None else "server"
            yield self.report(
                last,
                f'a missing file gets 500: "{text}" as the last argument is a redirect back to this {place}',
                Fix("write =404 behind it", (insert_after(last.span, " =404"),), safe=False),
                label="not looked for on disk: the last argument is where nginx goes on",
                help="write =404 behind it, or a URI that exists (/index.html)",
            )

    def _no_path(self, last: Word, root: str, regex: Location | None) -> Diagnostic:
        mark = "=" if last.text.isdecimal() else "/"
        return self.report(
            last,
            f'a missing file gets 404: "{last.text}" is no path, so {root}{last.text.partition("?")[0]} is looked for',
            Fix(f"write {mark}{last.text}", (insert_before(last.part(0, 0), mark),), safe=False),
            confidence=Confidence.HIGH if regex is None else Confidence.MEDIUM,  # a script may be named otherwise
            label="joined to the root as it stands",
            help=f"write {mark}{last.text}",
        )


def _lacks_slash(values: tuple[str, ...]) -> bool:
    return len(values) > 1 and values[-1][:1] not in ("/", "@", "=", "$", "")


def _tail(values: tuple[str, ...]) -> str | None:
    """What follows `$uri` in the last argument; None where that is something else."""
    text = values[-1] if len(values) > 1 else ""
    tail = next((text[len(name) :] for name in _URI if text.startswith(name)), "$")
    return None if "$" in tail or "?" in tail or tail[:1] == "_" or tail[:1].isalnum() else tail


def _answers(config: Config, directive: Directive) -> bool:
    """Does the server answer for itself? It does where no location matches, and a `try_files` is not inherited."""
    server = config.server(directive)
    if server is None or directive.parent is not server.block or not server.is_whole:
        return False
    return config.router.locations(server).find("/nginxlint-no-such-file/").location is None


def _another_takes(tail: str, location: Location) -> bool:
    """Can a URI with `tail` behind it belong to a regex location, so that it does not come back here?"""
    import re

    if location.modifier == "^~":
        return any(inner.is_regex for inner in location.nested)
    patterns = [one.pattern for one in (*location.server.locations, *location.nested) if one.is_regex]
    try:
        return any(re.search(pattern, f"/x{tail}", re.IGNORECASE) for pattern in patterns)
    except re.error:
        return True  # PCRE knows more than Python; who knows what it matches
