from nginxlint import (
    PASSES,
    Bad,
    Diagnostic,
    Directive,
    Good,
    Iterator,
    Rule,
    Severity,
    compiled,
    note,
    shapes,
    split_location,
)

# What answers otherwise than by the file, or for a part of the requests.
_OTHERWISE = (
    *PASSES,
    "return",
    "rewrite",
    "try_files",
    "if",
    "internal",
    "location",
    "autoindex",
    "deny",
    "stub_status",
) + (
    ("empty_gif", "random_index", "js_content", "perl", "echo", "fancyindex", "dav_methods")
    + ("content_by_lua", "content_by_lua_block", "content_by_lua_file", "rewrite_by_lua_block", "rewrite_by_lua_file")
)
_EXTENSION = r"\\\.[^/]+\$$"


class AliasRegexConstant(Rule):
    """The `alias` of a regex location holds no capture: every request is for one and the same file or folder.

    In a regex location nginx appends nothing to the alias, which is the whole path: with `location ~ ^/img/` and
    `alias /data/img/;` a request for /img/a.png looks for the folder /data/img/: a redirect to /img/a.png/, then 403. Write
    `location ~ ^/img/(.*)$ { alias /data/img/$1; }`, or a prefix location.
    Source: documentation of alias ("if alias is used inside a location defined with a regular expression …").
    """

    id = "alias-regex-constant"
    group = "correctness"
    severity = Severity.ERROR
    directives = ("alias",)
    examples = (
        Bad("location ~ ^/img/ {\n alias /data/img/; # here\n}"),
        Bad("location ~* \\.(png|jpg)$ {\n alias /data/pictures; # here\n}"),
        Bad("location ~ ^/a { location ~ \\.css$ {\n alias /srv/css/; # here\n} }"),
        Good("location ~ ^/img/(.*)$ { alias /data/img/$1; }"),
        Good("location /img/ { alias /data/img/; }"),
        Good("location ~ ^/(favicon\\.ico|favicon\\.png)$ { alias /data/favicon.png; }"),
        Good("location ~ ^/robots\\.txt$ { alias /data/robots.txt; }"),
        Good("location ~ ^/img/ { alias /data/img/; return 204; }"),
        Good("location ~ ^/api/ { alias /data/api/; proxy_pass http://app; }"),
        Good("location ~ ^/docs/?$ { alias /data/docs/; index index.html; }"),
        Good("location ~ ^/app/ { alias /data/app/index.html; }"),
        Good("location ~ /(\\.well-known/)?apple-app-site-association { alias /data/apple-app-site-association; }"),
        Good("location ~ ^/files/ { alias /data/files/; autoindex on; }"),
        Good("location ~ ^/app/ { alias /data/app/; location ~ ^/app/(.*)$ { alias /data/app/$1; } }"),
    )

    def check_directive(self, alias: Directive) -> Iterator[Diagnostic]:
        location, folder = alias.parent, alias.values[0] if alias.values else "$"
        if location is None or location.name != "location" or "$" in folder or location.has_gap:
            return
        modifier, pattern = split_location(location.values)
        if not modifier.startswith("~") or location.child(*_OTHERWISE) is not None:
            return
        if not folder.endswith("/") and (
            "." in folder.rpartition("/")[2] or compiled(_EXTENSION).search(pattern) is None
        ):
            return  # it is or may be a file
        if pattern.endswith("/$"):
            return  # folders only: their index, or a list
        ways = shapes(pattern) or ()
        if all(way.start and way.end and len(way.runs) == 1 for way in ways):
            return  # one path, or a few
        yield self.report(
            alias,
            f"every request is for {folder} itself, and gets a redirect, 403 or 404: a regex location appends nothing",
            related=(note(location, "a regular expression"),),
            help=f"capture what follows, and write alias {folder.rstrip('/')}/$1;",
        )
