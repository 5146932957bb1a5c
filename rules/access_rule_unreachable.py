from nginxlint import (
    Bad,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Rule,
    Severity,
    access_rules,
    delete,
    insert_line_before,
    note,
    overruled,
)


class AccessRuleUnreachable(Rule):
    """An `allow` or `deny` stands behind an opposite one that already decides for all its addresses: it does nothing.

    nginx goes through the rules of a block in the order they stand in and takes the first that matches. Behind
    `deny all` every `allow` is dead and its visitors get 403; behind `allow all` every `deny` is, and they are let in. The same
    holds for a network behind a wider one. Put the narrower rule first. (A rule that repeats what the one above it
    says is dead too, but does no harm: not reported.)
    Source: ngx_http_access_handler (src/http/modules/ngx_http_access_module.c); the stream module is the same.
    """

    id = "access-rule-unreachable"
    group = "security"
    severity = Severity.ERROR
    directives = ("allow",)
    examples = (
        Bad(
            "location /admin/ {\n    deny all;\n    allow 10.0.0.0/8; # here\n}",
            "location /admin/ {\n    allow 10.0.0.0/8;\n    deny all;\n     # here\n}",
        ),
        Bad("location / {\n allow all;\n deny 192.0.2.7; # here\n deny 2001:db8::/32;\n}"),
        Bad("location / {\n allow 10.0.0.0/8;\n deny 10.1.0.0/16; # here\n deny all;\n}"),
        Bad("location / {\n deny 0.0.0.0/0;\n allow 127.0.0.1; # here\n}"),
        Bad("location / {\n allow all;\n deny all; # here\n}"),
        Bad("stream { server {\n listen 3306;\n deny ::/0;\n allow ::1; # here\n proxy_pass db:3306;\n} }"),
        Good("location / { allow 10.1.0.0/16; deny 10.0.0.0/8; allow all; }"),
        Good("location / { allow 10.0.0.0/8; allow 10.1.0.0/16; deny all; }"),
        Good("location / { allow 0.0.0.0/0; allow ::/0; deny all; }"),
        Good("location / { deny 0.0.0.0/0; allow ::1; allow unix:; }"),
        Good("server { deny all; location /open/ { allow all; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        judged: dict[tuple[tuple[str, str], ...], dict[int, int]] = {}
        for block in dict.fromkeys(one.parent for one in config.find("allow")):
            if block is None or block.child("deny") is None:
                continue
            rules = access_rules(block)
            said = tuple((rule.name, rule.values[0]) for rule in rules)
            if said not in judged:
                judged[said] = overruled(said)
            dead: dict[int, list[Directive]] = {}
            for at, by in judged[said].items():
                if rules[at].name != rules[by].name:
                    dead.setdefault(by, []).append(rules[at])
            for by, behind in dead.items():
                yield self._finding(rules[by], behind)

    def _finding(self, first: Directive, behind: list[Directive]) -> Diagnostic:
        """`behind`: the opposite rules that `first` overrules."""
        whom, everybody = behind[0].values[0], behind[0].values == ("all",)
        more = f", and {len(behind) - 1} more" if len(behind) > 1 else ""
        what = "is never reached" if everybody else "is refused" if first.name == "deny" else "is let in"
        fix = None
        if first.values != behind[0].values and all(one.source is first.source for one in behind):
            moved = insert_line_before(first, *(one.span.text for one in behind))
            fix = Fix(f'move it above "{first.name} {first.values[0]}"', (moved, *map(delete, behind)), safe=False)
        return self.report(
            behind[0],
            f'{f"{behind[0].name} all" if everybody else whom} {what}{more}: "{first.name} {first.values[0]}" above decides first',
            fix,
            label="never looked at",
            related=(note(first, "the first rule that matches decides"),),
            help="put the narrower rule first" if fix else "take one of them out",
            severity=Severity.WARNING if everybody and first.name == "deny" else None,  # no door is open
        )
