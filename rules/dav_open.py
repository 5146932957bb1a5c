from nginxlint import (
    PASSES,
    Bad,
    Block,
    Config,
    Diagnostic,
    Directive,
    Good,
    Iterator,
    Rule,
    Severity,
    opening,
    refusing_some,
)

_WRITING = frozenset(("PUT", "DELETE", "MKCOL", "COPY", "MOVE"))

# What may answer or refuse by rules of its own.
_SCRIPTS = ("rewrite_by_lua", "content_by_lua", "js_content", "perl", "modsecurity", "upload_pass")


class DavOpen(Rule):
    """Everybody may write or delete files: WebDAV methods are on, and nobody is kept out.

    `dav_methods PUT DELETE …` lets every visitor put a page or a script below the `root` (`curl -T shell.php`), and take files
    away. Ask for a password where it is on (`auth_basic` with `auth_basic_user_file`), or let others only read:
    `limit_except GET HEAD { allow 10.0.0.0/8; deny all; }`.
    Source: documentation of ngx_http_dav_module and limit_except.
    """

    id = "dav-open"
    group = "security"
    severity = Severity.ERROR
    directives = ("dav_methods",)
    examples = (
        Bad("location / {\n root /srv/dav;\n dav_methods PUT DELETE MKCOL COPY MOVE; # here\n}"),
        Bad("server {\n dav_methods put; # here\n location /a { root /srv; auth_basic a; auth_basic_user_file f; }\n}"),
        Bad("location / {\n allow all; dav_methods DELETE; # here\n}"),
        Bad("location / {\n dav_methods PUT; # here\n limit_except GET PUT { deny all; }\n}"),
        Good("location / { dav_methods PUT DELETE; auth_basic a; auth_basic_user_file f; }"),
        Good("location / { dav_methods PUT; limit_except GET HEAD { auth_basic a; auth_basic_user_file f; } }"),
        Good("location / { dav_methods off; }"),
        Good("location / { dav_methods PUT; allow 10.0.0.0/8; deny all; }"),
        Good("location / { dav_methods PUT; if ($http_x_key != secret) { return 403; } }"),
        Good("server { listen 127.0.0.1:80; dav_methods PUT; }"),
        Good("server { dav_methods PUT; auth_request /ask; location / { root /srv; } }"),
        Good("location / { dav_methods PUT; auth_digest a; auth_digest_user_file f; }"),
        Good("location /a { internal; dav_methods PUT; }"),
        Good("server { dav_methods PUT; location / { proxy_pass http://app; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        choosy = refusing_some(config)
        for dav in config.find(*self.directives):
            methods = _WRITING.intersection(map(str.upper, dav.values))
            server = config.server(dav)
            if not methods or (server is not None and server.is_local):
                continue
            if any(_is_open(config, place, methods, choosy) for place in _places(config, dav)):
                yield self.report(
                    dav,
                    f"everybody may {'write' if methods != {'DELETE'} else 'delete'} files here",
                    help="ask for a password here, or write limit_except GET HEAD { deny all; }"
                    + (" in the location" if dav.parent is not None and dav.parent.name != "location" else ""),
                )


def _places(config: Config, dav: Directive) -> Iterator[Block]:
    """The blocks it is in effect in, and that may answer."""
    server, block = config.server(dav), dav.parent
    if server is None or block is None:
        return
    around = server.all_locations()
    if block.name != "server" or not any(one.pattern == "/" for one in around):
        yield block
    for location in around:
        if location.block is not block and location.scope.directive("dav_methods") is dav:
            yield location.block


def _is_open(config: Config, block: Block, methods: frozenset[str], choosy: set[Block]) -> bool:
    location = config.location(block)
    if block.has_gap or block.child(*PASSES, "return") or (location is not None and location.internal):
        return False
    if any(line.name.startswith(_SCRIPTS) for around in (block, *block.ancestors()) for line in around.body):
        return False
    if not choosy.isdisjoint((block, *block.ancestors())):
        return False
    guards = [
        guard
        for guard in config.scope(block).guards
        if guard.name != "deny" or guard.parent is None or not opening(guard.parent)
    ]
    kept = [one for one in block.blocks("limit_except") if not methods <= set(map(str.upper, one.values))]
    return not guards and not any(config.scope(one).is_restricted for one in kept)
