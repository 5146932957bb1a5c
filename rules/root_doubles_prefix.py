from nginxlint import (
    PASSES,
    Bad,
    Block,
    Confidence,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Rule,
    replace,
    split_location,
)

# What answers without the folder, or puts files there by the same path.
_OTHER = (
    *("rewrite", "return", "location", "internal", "alias", "stub_status", "empty_gif", "js_content", "perl"),
    *("dav_methods", "proxy_store", "error_page"),
)


class RootDoublesPrefix(Rule):
    """The `root` of a location ends with the location's own prefix: files are looked for in a folder inside that folder.

    nginx appends the whole URI to `root`: with `location /static/ { root /srv/app/static/; }` a request for /static/a.css reads
    /srv/app/static/static/a.css, which is mostly not there: 404. Write `root /srv/app;` or `alias /srv/app/static/;`.
    Source: documentation of root and alias.
    """

    id = "root-doubles-prefix"
    group = "correctness"
    confidence = Confidence.MEDIUM
    directives = ("root",)
    texts = ("/",)
    examples = (
        Bad(
            "location /static/ {\n root /srv/app/static/; # here\n}",
            "location /static/ {\n root /srv/app; # here\n}",
        ),
        Bad(
            "location ^~ /a/img {\n root /var/www/a/img; # here\n expires 1d;\n}",
            "location ^~ /a/img {\n root /var/www; # here\n expires 1d;\n}",
        ),
        Good("location /static/ { root /srv/app; }"),
        Good("location /static/ { alias /srv/app/static/; }"),
        Good("location /tic/ { root /srv/app/static/; }"),
        Good("location / { root /srv/app; }"),
        Good("location /app { root /srv/app; rewrite ^/app(.*)$ $1 break; }"),
        Good("location /app/ { root /srv/app; proxy_pass http://app; }"),
        Good("location /app { root /srv/app; try_files /index.html =404; }"),
        Good("location /app { root /srv/app; include app.conf; }"),
        Good("location /app { root /srv/app; content_by_lua_file a.lua; }"),
        Good("location /app { root /srv/app; if ($arg_a) { rewrite ^/app(.*)$ $1 break; } }"),
        Good("location /tiles { root /var/tiles; error_page 404 = @make; }"),
        Good("location = /app { root /srv/app; }"),
        Good("location /app { root /srv/app; location ~ \\.css$ { expires 1d; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for root in config.find("root"):
            location = root.parent
            if location is not None and location.name == "location" and root.values and location.values:
                prefix = location.values[-1].lstrip("^~").rstrip("/")
                if prefix and root.values[0].rstrip("/").endswith(prefix):
                    yield from self._judge(root, location)

    def _judge(self, root: Directive, location: Block) -> Iterator[Diagnostic]:
        folder = root.values[0].rstrip("/")
        modifier, pattern = split_location(location.values)
        prefix = pattern.rstrip("/")
        if "$" in folder or modifier not in ("", "^~") or not prefix.startswith("/"):
            return
        if location.has_gap or location.child(*PASSES, *_OTHER) is not None:
            return
        if any("_by_lua" in one.name for one in location.body) or any(
            test.child("rewrite") for test in location.blocks("if")
        ):
            return
        tried = location.child("try_files")
        if tried is not None and not any("$uri" in value for value in tried.values):
            return
        meant = folder.removesuffix(prefix)
        if not meant:
            return  # below /, where everything is
        written = root.args[0].span.text.strip("'\"")
        yield self.report(
            root,
            f"{prefix}/a.png is looked for in {folder}{prefix}/a.png: root is followed by the whole path",
            Fix(f"write root {meant}", (replace(root.args[0].span, meant),), safe=False)
            if written == root.values[0]
            else None,
            help=f"write root {meant}; or alias {folder}/;",
        )
