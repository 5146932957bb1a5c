from nginxlint import Bad, Config, Diagnostic, Good, Iterator, Location, Rule, Severity, note, opening, refusing_some


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
        Good("server { merge_slashes off; if ($request_uri ~ //) { return 404; } location /admin/ { deny all; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        choosy = refusing_some(config)
        for server in config.http_servers():
            setting = server.scope.directive("merge_slashes")
            if setting is None or setting.values[:1] != ("off",) or not server.is_whole or server.block in choosy:
                continue
            if server.block.child("return") is not None:
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
                yield self.report(
                    location.block,
                    f"{path} goes past {guard.name}: it is answered by "
                    f"{'the server' if other is None else ' '.join(('location', *other.block.values))}, which asks nobody",
                    related=(note(setting, "keeps slashes apart"),),
                    help="take merge_slashes off out",
                )


def _keeps_out(location: Location | None, restricted: bool) -> bool:
    if location is None:
        return restricted
    return location.scope.is_restricted or location.block.child("return") is not None or location.internal is not None
