from nginxlint import (
    Bad,
    Block,
    Config,
    Diagnostic,
    Fix,
    Good,
    Iterator,
    Rule,
    Severity,
    access_rules,
    insert_line_after,
    refusing_some,
)


class AllowWithoutDeny(Rule):
    """`allow` without any `deny` in its block keeps nobody out: everybody else is let in as well.

    nginx takes the first rule that matches, and lets in whom none matches. A block with rules of its own does not inherit
    those around it, so that a `deny all` in the server does not count there. End the list with `deny all`. Silent
    about `allow all`, and under `satisfy any` with a way to sign in for the others.
    Source: ngx_http_access_handler, ngx_http_access_merge_loc_conf.
    """

    id = "allow-without-deny"
    group = "security"
    severity = Severity.ERROR
    directives = ("allow",)
    examples = (
        Bad(
            "server {\n    location /admin/ {\n        allow 10.0.0.0/8; # here\n    }\n}",
            "server {\n    location /admin/ {\n        allow 10.0.0.0/8;\n        deny all; # here\n    }\n}",
        ),
        Bad("server {\n deny all;\n location / {\n  allow 127.0.0.1;\n  allow ::1; # here\n }\n}"),
        Bad("server { location / { limit_except GET {\n allow 192.0.2.0/24; # here\n } } }"),
        Bad("stream { server {\n allow 10.0.0.0/8; # here\n listen 3306; proxy_pass db:3306;\n} }"),
        Good("server { location / { allow 10.0.0.0/8; deny all; } location /open/ { allow all; } }"),
        Good("server { location / { allow 0.0.0.0/0; allow ::/0; } }"),
        Good("server { satisfy any; auth_basic a; auth_basic_user_file f; location / { allow 10.0.0.0/8; } }"),
        Bad("server { location = /status { satisfy any; stub_status;\n allow 10.0.0.0/8; # here\n } }"),
        Good("server { location / { allow 10.0.0.0/8; include snippets/deny-*.conf; } }"),
        Good("location / { allow 10.0.0.0/8; }"),
        Good("server { location / { allow 10.0.0.0/8; return 403; } }"),
        Good("server { allow 10.0.0.0/8; location / { deny all; } location /a { allow all; } }"),
        Good("rtmp { server { application live { allow 10.0.0.0/8; } } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        choosy = None
        for block in dict.fromkeys(one.parent for one in config.find("allow")):
            if block is None or block.child("deny") is not None or _may_go_on(config, block):
                continue
            rules = access_rules(block)
            if not rules or any(rule.values[0] == "all" or rule.values[0].endswith("/0") for rule in rules):
                continue
            scope = config.scope(block)
            signs_in = any(guard.name not in ("deny", "ssl_verify_client") for guard in scope.guards)
            if (signs_in and scope.value("satisfy").lower() == "any") or block.child("return") is not None:
                continue
            if block.name == "server" and _is_answered_elsewhere(block):
                continue
            choosy = refusing_some(config) if choosy is None else choosy
            last = rules[-1]
            fix = Fix("end the list with deny all", (insert_line_after(last, "deny all;"),), safe=False)
            yield self.report(
                last,
                "no address is kept out: no deny follows in this block, and those around it do not count here",
                fix if last.source is block.source else None,
                label="lets these in, and keeps nobody out",
                help="write deny all; below",
                severity=Severity.WARNING if scope.is_restricted or _is_kept(config, block, choosy) else None,
            )


def _is_answered_elsewhere(server: Block) -> bool:
    """Has every location rules of its own?"""
    locations = server.blocks("location")
    return bool(locations) and all(one.child("allow", "deny") is not None for one in locations)


def _is_kept(config: Config, block: Block, choosy: set[Block]) -> bool:
    """Does something else keep visitors out: an `if`, an address of this machine, `internal`?"""
    server = config.server(block)
    around = (block, *block.ancestors())
    return (
        (server is not None and server.is_local) or block.child("internal") is not None or not choosy.isdisjoint(around)
    )


def _may_go_on(config: Config, block: Block) -> bool:
    """May more rules stand in what was not found, or does a part of the surroundings lack?"""
    server = config.server(block)
    whole = server is not None and server.is_whole and block not in config.gaps
    return config.broken or block.has_gap or not whole
