from nginxlint import (
    Bad,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Location,
    Rule,
    Severity,
    compiled,
    insert_after,
    note,
)


class AliasTraversal(Rule):
    """An `alias` under a location without a trailing slash serves its parent folder.

    nginx appends what follows the prefix to the alias as it stands, so with `location /img` and
    `alias /data/img/`, a request for `/img../secret` reads `/data/secret`. End the prefix with a slash. The same
    happens where a regular expression captures what follows the prefix without a slash: `~ ^/img(.*)` with
    `alias /data/img/$1`.
    Source: ngx_http_map_uri_to_path (src/http/ngx_http_core_module.c).
    """

    id = "alias-traversal"
    group = "security"
    severity = Severity.ERROR
    directives = ("alias",)
    examples = (
        Bad("location /img { # here\n alias /d/img/; }", "location /img/ { # here\n alias /d/img/; }"),
        Bad('location ^~ "/img" { # here\n alias /d/img/; }', 'location ^~ "/img/" { # here\n alias /d/img/; }'),
        Bad("location ~ ^/img(.*)$ { # here\n alias /d/img/$1; }"),
        Bad("location ~* ^/img(?<rest>[^?]*) { # here\n alias /d/img/${rest}; }"),
        Good("location /img/ { alias /d/img/; }"),
        Good("location = /img { alias /d/img.html; }"),
        Good("location /img { alias /d/img; }"),
        Good("location ~ ^/img/(\\w+)$ { alias /d/img/$1; }"),
        Good("location ~ ^/img/(.*)$ { alias /d/img/$1; }"),
        Good("location ~ ^/img(/.*)?$ { alias /d/img$1; }"),
        Good("location ~ ^/img(\\d+)$ { alias /d/img/$1; }"),
        Good("location ~ ^/img([^./]+)$ { alias /d/img/$1; }"),
        Good("location ~ ^/(?:a|b)/(.*)$ { alias /d/$1; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for alias in config.find("alias"):
            location = config.location(alias)
            if location is None or not alias.values:
                continue
            if location.is_regex:
                yield from self._check_regex(alias, location)
                continue
            prefix, folder = location.pattern_word, alias.args[0]
            if prefix is None or location.modifier not in ("", "^~"):
                continue
            if location.pattern.endswith("/") or not folder.text.endswith("/"):
                continue
            inner = prefix.part(0, len(prefix.text))
            yield self.report(
                prefix,
                f"a request for {location.pattern}../x reads {folder.text}../x: it leaves the folder",
                Fix("end the prefix with a slash", (insert_after(inner, "/"),), safe=False),
                label="no slash at the end here",
                related=(note(folder, "slash at the end here"),),
                help=f'write "location {location.pattern}/"',
                at=alias,
            )

    def _check_regex(self, alias: Directive, location: Location) -> Iterator[Diagnostic]:
        """Does the alias go on, behind a slash, with a group that may begin with `..` and no slash before it?"""

        word, folder = location.pattern_word, alias.args[0]
        found = compiled(r"(?i)/\$(?:\{(\w+)\}|(\d)|([a-z_]\w*))").search(folder.text)
        if word is None or found is None:
            return
        name = found[1] or found[2] or found[3]
        groups = compiled(r"(?<!\\)\((?!\?(?!P?<\w|'))(?:\?P?[<'](\w+)[>'])?").finditer(location.pattern)
        for number, group in enumerate(groups, 1):
            before, body = location.pattern[: group.start()], location.pattern[group.end() :]
            if name in (str(number), group[1]) and before[-1:].isalnum() and _may_begin_with_dots(body):
                yield self.report(
                    word,
                    f"a request with ../ behind {before.lstrip('^')} leaves the folder {folder.text[: found.start() + 1]}",
                    label=f"what follows {before[-1]} may be ../",
                    related=(note(folder, "appended here behind a slash"),),
                    help="put a slash before the group, or let it match no dot",
                    at=alias,
                )
                return


def _may_begin_with_dots(body: str) -> bool:
    """Can a group, whose text begins `body`, match a text that begins with `../`?"""
    if body.startswith("."):
        return body[1:2] in ("*", "+")
    if not body.startswith("["):
        return False
    end = body.find("]", 2)
    inner, repeat = body[1:end], body[end + 1 : end + 2]
    negated = inner.startswith("^")
    holds = negated != ("." in inner) and negated != ("/" in inner)
    return end > 0 and holds and repeat in ("*", "+")
