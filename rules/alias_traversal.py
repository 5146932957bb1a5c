from collections.abc import Iterator

from nginxlint import Bad, Config, Diagnostic, Fix, Good, Rule, Severity, insert_after, note


class AliasTraversal(Rule):
    """An `alias` under a location without a trailing slash serves its parent folder.

    nginx appends what follows the prefix to the alias as it stands, so with `location /img` and
    `alias /data/img/`, a request for `/img../secret` reads `/data/secret`. End the prefix with a slash.
    Source: ngx_http_map_uri_to_path (src/http/ngx_http_core_module.c).
    """

    id = "alias-traversal"
    group = "security"
    severity = Severity.ERROR
    directives = ("alias",)
    examples = (
        Bad("location /img { # here\n alias /d/img/; }", "location /img/ { # here\n alias /d/img/; }"),
        Bad('location ^~ "/img" { # here\n alias /d/img/; }', 'location ^~ "/img/" { # here\n alias /d/img/; }'),
        Good("location /img/ { alias /d/img/; }"),
        Good("location = /img { alias /d/img.html; }"),
        Good("location /img { alias /d/img; }"),
        Good("location ~ ^/img/(\\w+)$ { alias /d/img/$1; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for alias in config.find("alias"):
            location = config.location(alias)
            if location is None or location.modifier not in ("", "^~") or not alias.values:
                continue
            prefix, folder = location.pattern_word, alias.args[0]
            if prefix is None or location.pattern.endswith("/") or not folder.text.endswith("/"):
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
