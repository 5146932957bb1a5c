from nginxlint import (
    Bad,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Rule,
    Scope,
    Severity,
    note,
    opening,
    replace,
)

_SIGNS_IN = ("auth_basic", "auth_request", "auth_jwt")


class SatisfyAnyOpen(Rule):
    """`satisfy any` beside `allow all`: the address is good enough for everybody, and no password is ever asked for.

    With `satisfy any` nginx lets a request pass as soon as one of the checks does: the address, the password, the
    question to `auth_request`. `allow all` is one that always does. Write the addresses that need no password, then
    `deny all`: who has another address is asked for it. Silent where the `allow` stands deeper than the
    password: that opens one location on purpose.
    Source: ngx_http_core_access_phase (src/http/ngx_http_core_module.c); documentation of satisfy.
    """

    id = "satisfy-any-open"
    group = "security"
    severity = Severity.ERROR
    directives = ("satisfy",)
    texts = ("\0any\0",)
    examples = (
        Bad(
            "location / {\n satisfy any;\n allow all; # here\n auth_basic a;\n auth_basic_user_file users;\n}",
            "location / {\n satisfy any;\n deny all; # here\n auth_basic a;\n auth_basic_user_file users;\n}",
        ),
        Bad("server {\n satisfy any;\n allow 10.0.0.0/8; allow 0.0.0.0/0; # here\n location / { auth_request /a; }\n}"),
        Bad("satisfy any; auth_request /a; location / {\n allow all; # here\n auth_request /b;\n}"),
        Good("location / { satisfy any; allow 10.0.0.0/8; deny all; auth_basic a; auth_basic_user_file users; }"),
        Good("location / { satisfy any; allow 10.0.0.0/8; auth_basic a; auth_basic_user_file users; }"),
        Good("location / { satisfy all; allow all; auth_basic a; auth_basic_user_file users; }"),
        Good("location / { satisfy any; allow all; } location /b { satisfy any; allow all; auth_basic off; }"),
        Good("satisfy any; allow 10.0.0.0/8; deny all; auth_request /a; location /open { allow all; }"),
        Good("location / { satisfy any; deny 192.0.2.0/24; allow all; auth_request /a; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        told = set()
        for block in dict.fromkeys(one.parent for one in config.find("satisfy", *_SIGNS_IN)):
            if block is None or config.scope(block).value("satisfy").lower() != "any":
                continue
            allow, signing_in = _everybody(config.scope(block)), _signing_in(config.scope(block))
            if (
                allow is None
                or signing_in is None
                or allow in told
                or allow.parent not in tuple(signing_in.ancestors())
            ):
                continue
            told.add(allow)
            yield self.report(
                allow,
                f"everybody is let in without {signing_in.name}: with satisfy any the address alone is good enough",
                Fix("deny the others, so that they are asked", (replace(allow.name_span, "deny"),), safe=False),
                label="everybody has such an address",
                related=(note(signing_in, "nobody gets this far"),),
                help="allow those addresses only that need no password, and deny all others",
            )


def _everybody(scope: Scope) -> Directive | None:
    """The `allow` in effect that lets everybody in."""
    rules = scope.effective("allow")
    return opening(rules[0].parent) if rules and rules[0].parent is not None else None


def _signing_in(scope: Scope) -> Directive | None:
    """What asks who the visitor is; a realm without a file of users does not."""
    found = [one for name in _SIGNS_IN if (one := scope.directive(name)) is not None and one.values[:1] != ("off",)]
    return next((one for one in found if one.name != "auth_basic" or scope.effective("auth_basic_user_file")), None)
