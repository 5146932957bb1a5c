from nginxlint import Bad, Block, Config, Diagnostic, Directive, Good, Iterator, Rule, note, opening, refusing_some

_GUARDS = ("deny", "auth_basic", "auth_request", "auth_jwt", "auth_ldap", "auth_pam")
_STATUSES = ("200", "201", "202", "203")


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
        choosy = refusing_some(config)
        idle = _Idle(config)
        for answer in config.saying(_is_content, "return"):
            block = answer.parent
            if block is None or block.name not in ("server", "location"):
                continue
            location = config.location(block)
            if location is not None and (location.modifier == "@" or location.internal):
                continue
            guard = idle.guard(block) if choosy.isdisjoint((block, *block.ancestors())) else None
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


class _Idle:
    """The guards that are never looked at. What concerns a whole server is found out once."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._open: dict[Block, bool] = {}
        self._returns: dict[Block, bool] = {}

    def guard(self, block: Block) -> Directive | None:
        """One in effect beside a `return`: it stands there, or in a server of which every location returns."""
        for guard in self._config.scope(block).guards:
            around = guard.parent
            if around is not None and self._guards(guard, around) and (around is block or self._only_returns(around)):
                return guard
        return None

    def _guards(self, guard: Directive, block: Block) -> bool:
        """Would it keep anybody out, in the access phase?"""
        if guard.name == "deny":
            if block not in self._open:
                self._open[block] = opening(block) is not None
            return not self._open[block]
        if guard.name == "auth_basic":
            return bool(self._config.scope(block).effective("auth_basic_user_file"))
        return guard.name != "ssl_verify_client"  # which is asked about before anything else

    def _only_returns(self, block: Block) -> bool:
        if block not in self._returns:
            server = self._config.server(block) if block.name == "server" else None
            found = [] if server is None or not server.is_whole else server.locations
            self._returns[block] = any(one.modifier in ("", "^~") and one.pattern == "/" for one in found) and all(
                one.modifier == "@" or (one.block.child("return") and not one.nested) for one in found
            )
        return self._returns[block]
