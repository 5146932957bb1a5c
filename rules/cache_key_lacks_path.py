from nginxlint import (
    Bad,
    Block,
    CachedPass,
    Confidence,
    Config,
    Diagnostic,
    Good,
    Iterator,
    Location,
    Rule,
    compiled,
    definitions_of,
    made_of,
    note,
    shapes,
)

_WHOLE = frozenset(("request_uri", "request"))
_QUERY = _WHOLE | {"args", "query_string", "is_args"}
# Variables that are the same for every page of a site.
_OF_THE_SITE = frozenset(
    (
        "scheme",
        "host",
        "http_host",
        "proxy_host",
        "proxy_port",
        "server_name",
        "server_port",
        "server_addr",
        "request_method",
    )
    + (
        "https",
        "hostname",
        "is_https",
        "ssl_server_name",
        "server_protocol",
        "http_accept_encoding",
        "http_x_forwarded_proto",
    )
)
_FILES = (
    r"(?i)static|asset|media|image|img|thumb|font|css|js\b|upload|download|file|dist|package|simple|mirror|repo|pool|tile|"
    r"archive|hls|dash|live|vod|video|stream|segment|chunk|avatar|photo|icon|logo|badge|blob|manifest|layer|\\\.|\.\w+$"
)


class CacheKeyLacksPath(Rule):
    """The cache key leaves out the path or the query string: many pages share one entry.

    With `proxy_cache_key $scheme$host$uri;` /list?page=2 gets what was stored for /list?page=1, and a search gets the answer
    to the first one; with `$host` alone all pages are one. Write `$request_uri`, which holds both, or `$uri$is_args$args`.
    Not reported: a query that is not sent to the backend or switches the cache off, keys with some argument
    (`$arg_page`), and files (by the name of the location, or sent in slices), whose query is mostly a version.
    Source: documentation of proxy_cache_key; ngx_http_file_cache_create_key.
    """

    id = "cache-key-lacks-path"
    group = "cache"
    confidence = Confidence.MEDIUM
    directives = tuple(f"{family}_cache_key" for family in ("proxy", "fastcgi", "uwsgi", "scgi"))
    judges = "cached_passes"
    examples = (
        Bad("location / { proxy_cache z; proxy_pass http://app;\nproxy_cache_key $scheme$host$uri; # here\n}"),
        Bad("location / { proxy_cache z; proxy_pass http://app;\nproxy_cache_key $host; # here\n}"),
        Bad(
            "location / { fastcgi_cache z; fastcgi_pass a:9; fastcgi_param QUERY_STRING $query_string;\n"
            'fastcgi_cache_key "$host$uri"; # here\n}'
        ),
        Good("location / { proxy_cache z; proxy_cache_key $host$request_uri; proxy_pass http://app; }"),
        Good("location / { proxy_cache z; proxy_cache_key $host$uri$is_args$args; proxy_pass http://app; }"),
        Good("location / { proxy_cache z; proxy_cache_key $host$uri$arg_page; proxy_pass http://app; }"),
        Good("location /static/ { proxy_cache z; proxy_cache_key $uri; proxy_pass http://app; }"),
        Good("location ~ \\.png$ { proxy_cache z; proxy_cache_key $uri; proxy_pass http://app; }"),
        Good("location / { proxy_cache z; proxy_cache_key $uri; resolver 192.0.2.1; proxy_pass http://$host$uri; }"),
        Good("location / { proxy_cache z; proxy_cache_key $uri; proxy_no_cache $args; proxy_pass http://a; }"),
        Good("location / { slice 1m; proxy_cache z; proxy_cache_key $uri$slice_range; proxy_pass http://app; }"),
        Good("location / { set $args ''; proxy_cache z; proxy_cache_key $uri; proxy_pass http://app; }"),
        Good(
            "map $request_uri $page { default $request_uri; }"
            "server { location / { proxy_cache z; proxy_cache_key $page; proxy_pass http://a; } }"
        ),
        Good(
            "location / { rewrite ^ /index.html break; proxy_cache z; proxy_cache_key $host; proxy_pass http://app; }"
        ),
        Good("location = /feed { proxy_cache z; proxy_cache_key $host$uri; proxy_pass http://app; }"),
        Good(
            "location /pay/ { secure_link $arg_sum; secure_link_md5 $uri; proxy_cache z; proxy_cache_key $uri;"
            " proxy_pass http://app; }"
        ),
        Good(
            "location / { if ($args) { return 301 $uri; } proxy_cache z; proxy_cache_key $uri; proxy_pass http://app; }"
        ),
        Good("location = /a { proxy_cache z; proxy_cache_key one; proxy_pass http://app; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        reported = set()
        for cached in config.cached_passes:
            key = cached.directive("cache_key")
            if key is None or key in reported or cached.scope.block.has_gap:
                continue
            variables = made_of(config, cached.key)
            location = config.location(cached.target.directive)
            if location is not None and (
                location.internal or location.modifier == "=" or _is_scripted(config, variables)
            ):
                continue
            made = {name: definitions_of(config, name) for name in variables}
            followed = {name for name, by in made.items() if by and all(one.name in ("set", "map") for one in by)}
            if variables and variables - followed <= _OF_THE_SITE:
                if _is_one_page(config, cached, location):
                    continue
                said = "all pages of a site share one entry: everybody gets the one that was stored first"
            elif _lacks_query(config, cached, variables):
                if location is not None and compiled(_FILES).search(location.pattern):
                    continue
                said = "pages that differ in the query string share one entry: ?page=2 gets what was stored for ?page=1"
            else:
                continue
            reported.add(key)
            yield self.report(
                key,
                said,
                related=(note(cached.cache, "the cache in effect"),),
                help=f'write {key.name} "$scheme$host$request_uri";',
            )


def _is_scripted(config: Config, names: set[str]) -> bool:
    return config.runs_code and any(one.name == "set" for name in names for one in definitions_of(config, name))


def _is_one_page(config: Config, cached: CachedPass, location: Location | None) -> bool:
    """Is the backend asked for the same page always, or can nobody tell?"""
    block, target = cached.target.directive.parent, cached.target
    if block is None or block.child("rewrite") is not None:
        return True
    if target.has_variables and made_of(config, target.text).isdisjoint(("uri", "document_uri", "request_uri")):
        return True
    if location is None or not location.is_regex:
        return location is not None and "." in location.pattern
    return all(way.start and way.end and len(way.runs) == 1 for way in shapes(location.pattern) or ())


def _lacks_query(config: Config, cached: CachedPass, variables: set[str]) -> bool:
    """Does the backend get a query string that the key does not hold?"""
    if variables & (_QUERY | {"slice_range"}) or any(name.startswith("arg_") or name.isdigit() for name in variables):
        return False
    if not variables & {"uri", "document_uri", "request_filename", "fastcgi_script_name"}:
        return False
    switches = made_of(config, " ".join(cached.words("cache_bypass") + cached.words("no_cache")))
    if switches & _QUERY or any(name.startswith("arg_") for name in switches):
        return False
    block, target = cached.target.directive.parent, cached.target
    if block is None or any("?" in one.values[1] for one in block.children("rewrite") if len(one.values) > 1):
        return False
    if config.variable_definitions().get("args") or cached.scope.directive("secure_link") is not None:
        return False
    if any(name.startswith("upstream_") for name in made_of(config, target.text)):
        return False  # an address that a backend named
    for around in (block, *block.ancestors()):
        if any("?" in one.values[1] for one in around.children("rewrite") if len(one.values) > 1):
            return False
        if any(_asks_for_query(config, test) for test in around.blocks("if")):
            return False
    if cached.family == "proxy":  # with a path made of variables nginx sends no query of its own
        return not target.has_variables or (
            target.uri is None and not made_of(config, target.text) & {"uri", "document_uri"}
        )
    params = cached.scope.effective(f"{cached.family}_param")
    return bool(made_of(config, " ".join(one.values[1] for one in params if len(one.values) > 1)) & _QUERY)


def _asks_for_query(config: Config, test: Block) -> bool:
    names = made_of(config, " ".join(test.values))
    return not names.isdisjoint(_QUERY) and test.child("return", "rewrite") is not None
