from nginxlint import Bad, Config, Diagnostic, Fix, Good, Iterator, Rule, Severity, insert_after, note


class AliasSlashMismatch(Rule):
    """The location ends with a slash and its `alias` does not.

    nginx puts what follows the location's prefix right behind the alias: with `location /img/` and `alias /data/img`,
    /img/a.png is looked for in /data/imga.png, and visitors get 404. End the alias with a slash. (The other way round
    is a hole: see alias-traversal.) Not reported: an alias that names a file.
    Source: alias (ngx_http_core_module), ngx_http_map_uri_to_path.
    """

    id = "alias-slash-mismatch"
    group = "correctness"
    severity = Severity.WARNING
    directives = ("alias",)
    examples = (
        Bad(
            "location /img/ { # the prefix\n alias /data/img; # here\n}",
            "location /img/ { # the prefix\n alias /data/img/; # here\n}",
        ),
        Bad(
            'location ^~ /img/ {\n alias "/data/v1.2"; # here\n}',
            'location ^~ /img/ {\n alias "/data/v1.2/"; # here\n}',
        ),
        Good("location /img/ { alias /data/img/; }"),
        Good("location /img { alias /data/img; }"),
        Good("location = /img/ { alias /data/img; }"),
        Good("location ~ ^/img/(.*)$ { alias /data/img/$1; }"),
        Good("location /img/ { alias /data/$host; }"),
        Good("location /docs/ { alias /data/index.html; }"),
        Good("location /img/ { alias /data/img-; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for alias in config.find("alias"):
            location = config.location(alias)
            if location is None or location.modifier not in ("", "^~") or alias.parent is not location.block:
                continue
            path = "".join(alias.values)
            last = path.rpartition("/")[2]
            if not location.pattern.endswith("/") or not last[-1:].isalnum() or "$" in last or _names_a_file(path):
                continue
            word, pattern = alias.args[0], location.pattern_word
            end = word.part(0, len(word.text))
            yield self.report(
                word,
                f"{location.pattern}a.png is looked for in {path}a.png: visitors get 404",
                Fix("end the alias with a slash", (insert_after(end, "/"),), safe=False),
                label="no slash at the end here",
                related=(note(pattern, "a slash at the end here"),) if pattern is not None else (),
                help=f'write "{path}/"',
            )


def _names_a_file(path: str) -> bool:
    """/data/index.html: its extension is a word (not the 2 of v1.2)."""
    stem, _, extension = path.rpartition("/")[2].rpartition(".")
    return bool(stem) and extension.isalpha()
