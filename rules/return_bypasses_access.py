from nginxlint import Bad, Block, Config, Diagnostic, Directive, Good, Iterator, Rule, Scope, note, opening

_GUARDS = ("deny", "auth_basic", "auth_request", "auth_jwt", "auth_ldap", "auth_pam")
_STATUSES = ("200", "201", "202", "203")
_REFUSALS = (("401",), ("403",), ("404",), ("410",), ("444",))


class ReturnBypassesAccess(Rule):
    """A `return` with content beside `allow`, `deny` or a password: everybody gets the content.

    nginx runs `return` with the rewrite directives, before it looks at addresses and passwords; these are never asked
    about. Let `try_files` lead to a named location that returns the content: it comes after them. Not reported:
    redirects and refusals, which disclose nothing, a `return` under a condition, one that has no text, and a location
    without guards of its own (a health check in a protected server is mostly open on purpose).
    Source: the order of phases in ngx_http_core_module.h; ngx_http_rewrite_handler.
    """

    id = "return-bypasses-access"
    group = "security"
    directives = ("return",)
    texts = tuple(f"\0{status}\0" for status in _STATUSES)
    examples = (
        Bad('location = /stats {\n allow 10.0.0.0/8; deny all;\n return 200 "$connections_active"; # here\n}'),
        Bad("location /keys {\n auth_basic a; auth_basic_user_file users;\n return 200 secret; # here\n}"),
        Bad("location /keys {\n auth_request /ask;\n return 200 secret; # here\n}"),
        Bad("server {\n deny all;\n location / {\n  return 200 internal; # here\n }\n}"),
        Good(
            "location = /stats { allow 10.0.0.0/8; deny all; try_files /none @stats; } location @stats { return 200 a; }"
        ),
        Good("server { auth_request /ask; location / { root /srv; } location = /health { return 200 ok; } }"),
        Good("location /a { deny all; return 404; } location /b { deny all; return 301 https://$host$request_uri; }"),
        Good("location / { deny all; if ($request_method = OPTIONS) { return 200 allowed; } }"),
        Good("location / { deny all; if ($http_x_key != secret) { return 403; } return 200 content; }"),
        Good("location /a { allow all; return 200 ok; } location /b { auth_basic off; return 200 ok; }"),
        Good("location /a { internal; deny all; return 200 ok; } location /b { deny all; return 204; }"),
        Good("server { ssl_verify_client on; return 200 $ssl_client_s_dn; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if config.names.isdisjoint(_GUARDS):
            return
        for answer in config.saying(_is_content, "return"):
            block = answer.parent
            if block is None or block.name not in ("server", "location") or _is_kept_otherwise(config, block):
                continue
            guard = next((one for one in _guards(config.scope(block)) if _is_idle(config, one, block)), None)
            if guard is not None:
                yield self.report(
                    answer,
                    f"everybody gets this: return answers before {guard.name} is looked at",
                    label="runs first",
                    related=(note(guard, "never looked at"),),
                    help="write try_files /none @content; and return it from location @content { }",
                )


def _is_content(values: tuple[str, ...]) -> bool:
    return len(values) == 2 and values[0] in _STATUSES and values[1] != ""


def _is_kept_otherwise(config: Config, block: Block) -> bool:
    """Is it not for visitors, or does a condition refuse some of them?"""
    location = config.location(block)
    if location is not None and (location.modifier == "@" or location.internal):
        return True
    return any(
        statement.name == "return" and statement.values[:1] in _REFUSALS
        for around in (block, *block.ancestors())
        for condition in around.blocks("if")
        for statement in condition.body
    )


def _guards(scope: Scope) -> Iterator[Directive]:
    """What the access phase asks about: one after the other."""
    for guard in scope.guards:
        if guard.name == "deny" and (guard.parent is None or opening(guard.parent)):
            continue  # everybody is let in
        if guard.name == "auth_basic" and not scope.effective("auth_basic_user_file"):
            continue
        if guard.name != "ssl_verify_client":  # asked about before anything else
            yield guard


def _is_idle(config: Config, guard: Directive, block: Block) -> bool:
    """Does a guard do nothing: stands it beside the `return`, or in a server of which every location returns?"""
    if guard.parent is block:
        return True
    server = config.server(block)
    if server is None or guard.parent is not server.block or not server.is_whole:
        return False
    found = [location for location in server.locations if location.modifier != "@"]
    takes_all = any(location.modifier in ("", "^~") and location.pattern == "/" for location in found)
    return takes_all and all(location.block.child("return") and not location.nested for location in found)
