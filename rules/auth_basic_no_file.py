from nginxlint import Bad, Block, Config, Diagnostic, Good, Iterator, Rule, Severity, note


class AuthBasicNoFile(Rule):
    """`auth_basic` without `auth_basic_user_file`: nobody is asked for a password, everybody is let in.

    nginx asks for one only where both are in effect; a realm alone does nothing and is no fault to `nginx -t`. Each is
    inherited by itself: a realm in the server and the file in one location leave all other locations open. Write
    `auth_basic_user_file` beside `auth_basic`, or `auth_basic off` where nobody needs a password.
    Source: ngx_http_auth_basic_handler (src/http/modules/ngx_http_auth_basic_module.c).
    """

    id = "auth-basic-no-file"
    group = "security"
    severity = Severity.ERROR
    directives = ("auth_basic",)
    examples = (
        Bad("location /admin/ {\n auth_basic admins; # here\n proxy_pass http://app;\n}"),
        Bad("server {\n auth_basic admins; # here\n location / { proxy_pass http://app; }\n}"),
        Bad(
            "server {\n auth_basic admins; # here\n location /a/ { auth_basic_user_file users; }\n location /b/ { root /b; }\n}"
        ),
        Bad("location / { limit_except GET {\n auth_basic writers; # here\n } }"),
        Bad("location / {\n satisfy any; deny all;\n auth_basic admins; # here\n}"),
        Good("auth_basic_user_file users; server { location /admin/ { auth_basic admins; } }"),
        Good("server { auth_basic admins; auth_basic_user_file users; location /open/ { auth_basic off; } }"),
        Good("server { auth_basic off; location / { root /srv; } }"),
        Good(
            "server { auth_basic a; location / { auth_basic_user_file users; } location @b { proxy_pass http://b; } }"
        ),
        Good(
            "server { auth_basic a; location / { auth_basic_user_file users; } location /b { auth_basic off; } "
            "location = /c { internal; } location /d { return 404; } location /e { deny all; } }"
        ),
        Good("server { auth_basic a; include snippets/*.conf; location / { proxy_pass http://app; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if config.partial:
            return
        gaps = _places_with_gaps(config)
        for realm in config.saying(lambda values: values[:1] not in ((), ("off",)), "auth_basic"):
            block = realm.parent
            if block is None or config.setter("auth_basic_user_file", realm) is not None:
                continue
            if block in gaps or not gaps.isdisjoint(block.ancestors()):
                continue
            closed = [one for one in block.walk() if one.name == "auth_basic_user_file"]
            left = next(_left_open(config, block), None) if closed else block
            if left is None:
                continue
            others = [guard for guard in config.scope(left).guards if guard is not realm]
            yield self.report(
                realm,
                "nobody is asked for a password: no auth_basic_user_file is in effect "
                + (f"in {left.name} {' '.join(left.values)}".rstrip() if closed else "here"),
                label="a realm alone does nothing",
                related=(note(left, "open"), note(closed[0], "the file is known here only")) if closed else (),
                help="write auth_basic_user_file beside it",
                severity=Severity.WARNING if others else None,
            )


def _places_with_gaps(config: Config) -> set[Block]:
    """The blocks in or around which a pattern found no file to include: the file of users may be named there."""
    around = {block for gap in config.gaps for block in (gap, *gap.ancestors())}
    return {block for block in around if block.name != "http"}


def _left_open(config: Config, block: Block) -> Iterator[Block]:
    """The servers and locations inside a block that inherit its realm, have no file, and answer visitors."""
    for inner in block.blocks("server", "location"):
        if inner.child("auth_basic", "auth_basic_user_file") is not None:
            continue
        nested = inner.blocks("location")
        location = config.location(inner)
        if nested or inner.name == "server":
            yield from _left_open(config, inner)
        elif location is None or location.modifier == "@" or location.internal or inner.child("return"):
            continue
        elif not any(rule.values == ("all",) for rule in inner.named("deny")):
            yield inner
