from nginxlint import Bad, Config, Diagnostic, Fix, Good, Iterator, Location, Pass, Rule, insert_after, note


class ProxySlashMismatch(Rule):
    """The location ends with a slash and the path of its `proxy_pass` does not, or the other way round.

    nginx replaces exactly the text of the location by the path of the target. `location /api` with `http://app/`
    turns /api/users into //users and takes /apiusers, too; `location /v/` with `http://app/x` turns /v/users into
    /xusers. End both with a slash, or neither. Not reported: targets without a path, with a query or with variables,
    exact and regex locations, `rewrite … break` (it puts the path out of action), and a location without a slash that
    has a twin with one beside it.
    Source: proxy_pass (ngx_http_proxy_module), ngx_http_proxy_create_request.
    """

    id = "proxy-slash-mismatch"
    group = "proxy"
    directives = ("proxy_pass",)
    judges = "passes_with_uri"
    examples = (
        Bad(
            "location /api { # the prefix\n proxy_pass http://app/; # here\n}",
            "location /api/ { # the prefix\n proxy_pass http://app/; # here\n}",
        ),
        Bad(
            'location ^~ "/v/" {\n proxy_pass "http://unix:/s:/x"; # here\n}',
            'location ^~ "/v/" {\n proxy_pass "http://unix:/s:/x/"; # here\n}',
        ),
        Bad("location / {\n proxy_pass http://a/v1; # here\n}", "location / {\n proxy_pass http://a/v1/; # here\n}"),
        Good("location /api { proxy_pass http://app/v1; }"),
        Good("location /api/ { proxy_pass http://app/; }"),
        Good("location /api { proxy_pass http://app; }"),
        Good("location = /api { proxy_pass http://app/; }"),
        Good("location /api { proxy_pass http://app/; } location /api/ { proxy_pass http://app/; }"),
        Good("location /favicon.ico { proxy_pass http://app/; }"),
        Good("location /i/ { proxy_pass http://app/resize?src=; } location /j/ { proxy_pass http://app/p-; }"),
        Good("location /old/ { rewrite ^/old/(.*) /new/$1 break; proxy_pass http://app/x; }"),
        Good("location /a/ { set $b app; proxy_pass http://$b/x; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for target in config.passes_with_uri:
            uri, location = target.uri, config.location(target.directive)
            if location is None or uri is None or location.modifier not in ("", "^~"):
                continue
            prefix, uri = location.pattern, uri.partition("#")[0]
            if target.directive.parent is not location.block or not prefix.startswith("/") or not uri.startswith("/"):
                continue
            if prefix.endswith("/") == uri.endswith("/") or "?" in uri or _uri_is_ignored(location):
                continue
            if prefix.endswith("/"):
                if not uri[-1].isalnum():
                    continue  # http://app/page- : the rest is meant to be appended
                example = f"{prefix}users arrives as {uri}users"
            else:
                if _is_file(prefix) or _has_twin(location):
                    continue
                example = f"{prefix}/users arrives as {uri}/users, and {prefix}users as {uri}users"
            yield self._finding(target, location, uri, example)

    def _finding(self, target: Pass, location: Location, uri: str, example: str) -> Diagnostic:
        pattern, word = location.pattern_word, target.directive.args[0]
        assert pattern is not None
        short = pattern if uri.endswith("/") else word
        fix = Fix("end both with a slash", (insert_after(short.part(0, len(short.text)), "/"),), safe=False)
        return self.report(
            word,
            f"only one of location and target ends with a slash: {example}",
            fix,
            label="a slash at the end here" if uri.endswith("/") else "no slash at the end here",
            related=(note(pattern, "no slash at the end here" if uri.endswith("/") else "a slash at the end here"),),
            help=f'write "location {location.pattern}/"' if uri.endswith("/") else f'write "{word.text}/"',
        )


def _uri_is_ignored(location: Location) -> bool:
    """A rewrite with break changes the path, and nginx then leaves the target's aside."""
    return any(rewrite.values[-1:] == ("break",) for rewrite in location.scope.own("rewrite"))


def _is_file(prefix: str) -> bool:
    """/favicon.ico: nobody asks for something below it."""
    return prefix.rpartition("/")[2].rpartition(".")[2].isalpha() and "." in prefix.rpartition("/")[2]


def _has_twin(location: Location) -> bool:
    siblings = location.outer.nested if location.outer is not None else location.server.locations
    twin = f"{location.pattern}/"
    return any(other.pattern == twin and other.modifier in ("", "^~") for other in siblings)
