from nginxlint import Bad, Config, Diagnostic, Good, Iterator, Rule, note


class LocationUnreachable(Rule):
    """Another location takes every request this one is written for: it never answers.

    nginx remembers the longest prefix, then tries the regular expressions of the level in file order and takes the
    first that matches; the remembered prefix wins only where none does, or where it has `^~`. So a regular expression
    is dead behind a wider one (`\\.php$` above `^/admin/.*\\.php$`) and below a `^~` prefix that holds all of it, a
    prefix location is dead where a regular expression matches all that begins with it, and a nested one that
    begins with something else than the location around it. Put the narrower one first, or write `^~` or `=`.
    Only what can be proved of the patterns is reported.
    Source: ngx_http_core_find_location (src/http/ngx_http_core_module.c).
    """

    id = "location-unreachable"
    group = "correctness"
    directives = ("location",)
    judges = "shadows"
    examples = (
        Bad("location ~ \\.php$ { fastcgi_pass a:9000; }\nlocation ~ ^/admin/.*\\.php$ { deny all; } # here"),
        Bad("location ~* \\.(js|css|png)$ { expires 1d; }\nlocation ~ \\.css$ { expires 2d; } # here"),
        Bad("location ~ /api { proxy_pass http://a; }\nlocation ~ ^/api/v2/ { proxy_pass http://b; } # here"),
        Bad("location ~ ^/api { proxy_pass http://a; }\nlocation /api/v2/ { proxy_pass http://b; } # here"),
        Bad("location ^~ /static/ { expires 1d; }\nlocation ~ ^/static/.*\\.js$ { expires 2d; } # here"),
        Bad("location /api/ { proxy_pass http://a;\n location ~ ^/users/ { proxy_pass http://b; } # here\n}"),
        Good("location ~ ^/admin/.*\\.php$ { deny all; } location ~ \\.php$ { fastcgi_pass a:9000; }"),
        Good("location ~ \\.(js|css)$ { expires 1d; } location ~* \\.css$ { expires 2d; }"),
        Good("location ~ ^/api { proxy_pass http://a; } location ^~ /api/v2/ { return 404; } location = /api { }"),
        Good("location ^~ /static/ { expires 1d; } location ~ \\.js$ { expires 2d; }"),
        Good("location ^~ /a/ { } location /a/b/ { } location ~ ^/a/.*\\.js$ { expires 2d; }"),
        Good("location ~ ^/a[0-9]+/ { expires 1d; } location ~ ^/a1/x { expires 2d; } location /a1/ { }"),
        Good("location /api/ { location ~ /users/ { return 404; } location ~ ^/api/users { return 404; } }"),
        Good("location ~ \\.php$ { return 404; } location /a.php/ { return 404; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for shadow in config.shadows:
            if shadow.kind == "twin":
                continue  # location-duplicate
            said, label, help = _WORDS[shadow.kind]
            yield self.report(
                shadow.block,
                f"this location never answers: {said.format(' '.join(shadow.by.values))}",
                related=(note(shadow.by, label),),
                help=help,
            )


# By kind of shadow: what is said, the label at the other location, what to do.
_WORDS = {
    "wider": (
        '"{}" takes all its requests',
        "matches all that the other one does",
        "put the narrower one first, or give it ^~ or =",
    ),
    "prefix": (
        '"{}" takes all its requests',
        "its ^~ keeps regular expressions from being tried",
        "put it inside that location, or drop the ^~ there",
    ),
    "outside": (
        'it stands in "{}", and nothing that gets there matches it',
        "only requests that begin so get there",
        "write the whole path, in a nested location as well",
    ),
}
