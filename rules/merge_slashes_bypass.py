from nginxlint import (
    PASSES,
    Bad,
    Block,
    Config,
    Diagnostic,
    Good,
    Iterator,
    Location,
    Rule,
    Severity,
    note,
    opening,
    refusing_some,
)


class MergeSlashesBypass(Rule):
    """With `merge_slashes off` one more slash leads past a protected location: //admin/ is not /admin/.

    nginx then compares paths as they were written. `location /admin/ { deny all; }` does not match //admin/users, another location
    does, and the file system, like most applications, takes both for one path. Take `merge_slashes off` out, or protect
    what answers instead: a location `~ ^/+admin/` with the same guards.
    Source: documentation of merge_slashes ("compression is essential for the correct matching of prefix string and regular
    expression locations").
    """

    id = "merge-slashes-bypass"
    group = "security"
    severity = Severity.ERROR
    directives = ("merge_slashes",)
    texts = ("\x00off\x00",)
    examples = (
        Bad("server {\n root /srv; merge_slashes off;\n location /admin/ { deny all; } # here\n location / { }\n}"),
        Bad(
            "merge_slashes off;\nserver { location / { proxy_pass http://app; }\n"
            " location ^~ /admin { auth_basic a; auth_basic_user_file f; proxy_pass http://app; } } # here"
        ),
        Bad("server {\n merge_slashes off; root /srv;\n location = /key { allow ::1; deny all; } # here\n}"),
        Good("server { merge_slashes on; root /srv; location /admin/ { deny all; } }"),
        Good("server { merge_slashes off; root /srv; location ~ /admin/ { deny all; } }"),
        Good("server { merge_slashes off; location / { return 404; } location /admin/ { deny all; } }"),
        Good("server { merge_slashes off; root /srv; deny all; location /admin/ { auth_basic a; } }"),
        Good("server { merge_slashes off; root /srv; location /admin/ { deny all; } location ~ ^//+ { return 400; } }"),
        Good(
            "server { merge_slashes off; root /srv; rewrite ^(.*)//(.*)$ $1/$2 permanent; location /admin/ { deny all; } }"
        ),
        Good(
            "server { merge_slashes off; if ($uri ~ //) { return 301 /; } location /admin/ { deny all; } location / { } }"
        ),
        Good("server { merge_slashes off; location /a/ { deny all; } location / { if ($uri ~ //) { return 404; } } }"),
        Good(
            "server { merge_slashes off; root /srv; location /a/ { deny all; proxy_pass http://app; } location / { } }"
        ),
        Good(
            "server { merge_slashes off; root /srv; location /a/ { deny all; } location / { try_files /index.html =404; } }"
        ),
        Good("server { merge_slashes off; if ($request_uri ~ //) { return 404; } location /admin/ { deny all; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        choosy = refusing_some(config)
        for server in config.http_servers():
            setting = server.scope.directive("merge_slashes")
            if setting is None or setting.values[:1] != ("off",) or not server.is_whole or server.block in choosy:
                continue
            if server.is_local or _looks_at_slashes(server.block):
                continue
            for location in server.locations:
                path = f"/{location.pattern}"
                if location.modifier not in ("", "^~", "=") or not path.startswith("//") or len(path) < 3:
                    continue
                guard = next((one for one in location.scope.guards if one.parent is location.block), None)
                if guard is None or (guard.name == "deny" and opening(location.block) is not None):
                    continue
                other = config.router.locations(server).find(path).location
                if other is location or _keeps_out(other, server.scope.is_restricted):
                    continue
                answering = server.block if other is None else other.block
                if (
                    answering in choosy
                    or _looks_at_slashes(answering)
                    or not _is_alike(config, location.block, answering)
                ):
                    continue
                yield self.report(
                    location.block,
                    f"{path} goes past {guard.name}: it is answered by "
                    f"{'the server' if other is None else ' '.join(('location', *other.block.values))}, which asks nobody",
                    related=(note(setting, "keeps slashes apart"),),
                    help="take merge_slashes off out",
                    severity=Severity.WARNING
                    if answering.child(*PASSES) is not None
                    else None,  # it may tell them apart
                )


def _looks_at_slashes(block: Block) -> bool:
    """May it mend such paths, or answer before a location does?"""
    return block.child("return", "rewrite") is not None or any(
        test.child("return", "rewrite") is not None and any("//" in value for value in test.values)
        for test in block.blocks("if")
    )


def _is_alike(config: Config, guarded: Block, other: Block) -> bool:
    """Does the same folder or backend answer?"""
    tried = config.scope(other).directive("try_files")
    if tried is not None and not any("uri" in value for value in tried.values):
        return False  # one page for all
    names = ("root", "alias", *sorted(PASSES))
    return all(config.scope(guarded).value(name) == config.scope(other).value(name) for name in names)


def _keeps_out(location: Location | None, restricted: bool) -> bool:
    if location is None:
        return restricted
    return location.scope.is_restricted or location.block.child("return") is not None or location.internal is not None
