from nginxlint import (
    PASSES,
    Bad,
    Block,
    Confidence,
    Config,
    Diagnostic,
    Fix,
    Good,
    Iterator,
    Location,
    Rule,
    Severity,
    answers_itself,
    insert_before,
    insert_into,
    note,
    shapes,
)


class AssetRegexStealsProxy(Rule):
    """A regex location for files takes the scripts, styles and pictures of an application that is proxied.

    A regular expression wins over a prefix location. `location ~* \\.(js|css)$ { expires 30d; }` therefore also gets
    /app/main.js of `location /app/ { proxy_pass …; }`, has no pass of its own, looks for the file below the local
    `root` and answers 404. Write `location ^~ /app/`, or repeat the pass in the regex location. Not reported: a
    regex location that says where its files are (unless / has the same root), and one beside a proxied `/` where the
    server has a `root`.
    Source: documentation of location; ngx_http_core_find_location.
    """

    id = "asset-regex-steals-proxy"
    group = "proxy"
    severity = Severity.ERROR
    directives = PASSES
    examples = (
        Bad(
            "location /app/ {\n proxy_pass http://app;\n}\nlocation ~* \\.(js|css)$ { # here\n expires 30d;\n}",
            "location ^~ /app/ {\n proxy_pass http://app;\n}\nlocation ~* \\.(js|css)$ { # here\n expires 30d;\n}",
        ),
        Bad(
            "server {\nlocation / {\n proxy_pass http://app;\n}\nlocation ~ \\.png$ { # here\n expires 30d;\n}\n}",
            "server {\nlocation / {\n proxy_pass http://app;\n}\n"
            "location ~ \\.png$ {\n proxy_pass http://app; # here\n expires 30d;\n}\n}",
        ),
        Bad("root /srv/site;\nlocation /app/ { uwsgi_pass app:1; }\nlocation ~ \\.js$ { expires 30d; } # here"),
        Good("location ^~ /app/ { proxy_pass http://app; } location ~ \\.js$ { expires 30d; }"),
        Good("location /app/ { proxy_pass http://app; } location ~ \\.js$ { root /srv/app/public; }"),
        Good("location /app/ { proxy_pass http://app; } location ~ \\.js$ { proxy_pass http://app; }"),
        Good("root /srv/app/public; location / { proxy_pass http://app; } location ~ ^/assets/ { expires 30d; }"),
        Good("location /app/ { proxy_pass http://app; } location ~ ^/static/.*\\.js$ { expires 30d; }"),
        Good("location /app/ { proxy_pass http://app; } location ~ /\\.ht { deny all; }"),
        Good("server { location / { proxy_pass http://app; } location ~ /.well-known { allow all; } }"),
        Good("location /app/ { proxy_pass http://app; location ~ \\.js$ { proxy_pass http://app; } } location ~ x { }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        passing = {one.parent for one in config.find(*PASSES)}
        around = {block.parent for block in passing if block is not None and block.name == "location"}
        rooted = {one.parent for one in config.alike("location").members(("/",)) if one in passing}
        open_ones: dict[Block, list[Location]] = {}
        for block in config.saying(_may_steal, "location"):
            if block.parent not in around or block in passing or not isinstance(block, Block):
                continue
            if block.child("location", "return", "deny", *(("root",) if block.parent in rooted else ())) is not None:
                continue
            regex = config.location(block)
            if regex is None or regex.outer is not None or _has_own_files(regex):
                continue
            near = open_ones.get(regex.server.block)
            if near is None:
                near = open_ones[regex.server.block] = [one for one in regex.server.locations if _is_open(one)]
            stolen = _stolen(regex, near)
            if stolen:
                yield self._finding(regex, stolen)

    def _finding(self, regex: Location, stolen: list[Location]) -> Diagnostic:
        root = regex.scope.directive("root")
        certain = root is None and regex.server.is_whole
        first = stolen[0]
        rare = all(any(part in _API for part in one.pattern.split("/")) for one in stolen)
        below = f"below {root.values[0]}" if root is not None and root.values else "in nginx's own html folder"
        return self.report(
            regex.block,
            f"takes its files from the application in location {first.pattern}: they are looked for {below}, else 404",
            *_fixes(regex, stolen),
            severity=Severity.ERROR if certain else Severity.WARNING,
            confidence=Confidence.LOW if rare else Confidence.HIGH if certain else Confidence.MEDIUM,
            related=tuple(note(one.block, "a regular expression wins over this prefix") for one in stolen[:4]),
            help=f"write location ^~ {first.pattern}, or repeat the pass here, or say with root where the files are",
        )


def _has_own_files(regex: Location) -> bool:
    """Does it say where its files are? The root from which / is served says nothing of an application's files."""
    if answers_itself(regex, but="root"):
        return True
    if regex.block.child("root") is None:
        return False
    site = next((one for one in regex.server.locations if one.pattern == "/" and one.modifier == ""), None)
    if site is None or site.block.child(*PASSES) is not None:
        return True
    return site.scope.value("root") != regex.scope.value("root")


def _may_steal(values: tuple[str, ...]) -> bool:
    """Is it a regex, but none for files that a client of an ACME authority writes for nginx, wherever it has been told
    to?"""
    return "".join(values)[:1] == "~" and ".well-known" not in values[-1].replace("\\", "")


_MANY = 16  # so many places are no quick mending any more
# Paths that seldom hold files.
_API = "api graphql rpc ws wss websocket hook hooks webhook webhooks auth oauth oauth2 health healthz metrics v1 v2 v3".split()


def _is_open(location: Location) -> bool:
    """A proxied prefix location that nothing protects from the regular expressions beside it."""
    if location.modifier != "" or location.block.child(*PASSES) is None:
        return False
    return not any(nested.is_regex for nested in location.nested)


def _stolen(regex: Location, near: list[Location]) -> list[Location]:
    """Those of which the regex matches something."""
    caseless = regex.modifier == "~*"
    starts = {shape.runs[0] if shape.start else "" for shape in shapes(regex.pattern) or ()}
    texts = tuple(start.lower() if caseless else start for start in starts)
    if not regex.server.is_whole or regex.scope.directive("root") is not None:
        near = [one for one in near if one.pattern != "/"]  # files from the root, the rest from the application: usual
    if "" in starts:
        return near
    prefixes = [(one.pattern.lower() if caseless else one.pattern, one) for one in near]
    return [
        one for prefix, one in prefixes if prefix.startswith(texts) or any(text.startswith(prefix) for text in texts)
    ]


def _fixes(regex: Location, stolen: list[Location]) -> tuple[Fix, ...]:
    if len(stolen) > _MANY:
        return ()
    if all(one.pattern != "/" for one in stolen):
        words = [word for one in stolen if (word := one.pattern_word) is not None]
        return (Fix("write ^~", tuple(insert_before(word.span, "^~ ") for word in words), safe=False),)
    target = next(one for one in stolen if one.pattern == "/").block.child(*PASSES)
    assert target is not None
    text = target.head_span.text
    if (
        target.name == "proxy_pass"
        and "$" not in text
        and (uri := text.partition("://")[2].partition("/")[1:]) != ("", "")
    ):
        if uri != ("/", "") or not text.endswith("/"):
            return ()
        text = text[:-1]
    return (Fix(f"repeat {target.name}", (insert_into(regex.block, f"{text};"),), safe=False),)
