from nginxlint import (
    Bad,
    Confidence,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Rule,
    Severity,
    Span,
    Word,
    compiled,
    replace,
)

_NAME = compiled(r"(?ai)\$((?:sent_|upstream_)?http|arg|cookie|upstream_cookie)_(\w*)((?:-\w+)+)")
# Headers that are no headers without what follows the hyphen.
_HEADERS = tuple(
    "x_ user_agent accept_ if_ content_ sec_ cf_ true_client cache_control access_control last_ early_data fastly_ "
    "upgrade_insecure proxy_authorization forwarded_for real_ip retry_after set_cookie strict_transport".split()
)


class VariableHyphen(Rule):
    """A variable is written with hyphens: its name ends at the first one, and the rest is plain text.

    `$http_x-forwarded-for` is `$http_x`, the header "X" that nobody sends, followed by the text "-forwarded-for". The name
    of a header's variable is that of the header in lower case with underscores: `$http_x_forwarded_for`. An `if` takes
    the whole word for the name, and then finds no header: it is always empty. Parameters (`$arg_`) and cookies whose names
    hold hyphens are reached by a map on `$args` or `$http_cookie` only.
    Source: ngx_http_script_compile (src/http/ngx_http_script.c), ngx_http_variable_unknown_header.
    """

    id = "variable-hyphen"
    severity = Severity.ERROR
    judges = "hyphenated"
    examples = (
        Bad(
            "location / {\n proxy_set_header X-Forwarded-Host $http_x-forwarded-host; # here\n proxy_pass http://app;\n}",
            "location / {\n proxy_set_header X-Forwarded-Host $http_x_forwarded_host; # here\n proxy_pass http://app;\n}",
        ),
        Bad('if ($http_x-forwarded-proto != "https") { return 301 https://a.test$request_uri; } # here'),
        Bad("map $http_user-agent $bot { default 0; ~bot 1; } # here", context="http"),
        Bad("location / { proxy_set_header X-Id $arg_user-id; proxy_pass http://app; } # here"),
        Good("location / { add_header X-Key $http_host-cache; return 200 $arg_w-$arg_h; }"),
        Good("location / { rewrite ^ /thumbs/$arg_w-small.jpg break; } # not $http_x-forwarded-for"),
        Good("if ($arg_user-id) { return 204; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for directive in config.hyphenated:
            for word in directive.args:
                for match in _NAME.finditer(word.text):
                    span = word.part(match.start(), match.end())
                    yield from self._judge(directive, word, span, match[0], *match.groups())

    def _judge(
        self, directive: Directive, word: Word, span: Span, written: str, kind: str, begin: str, rest: str
    ) -> Iterator[Diagnostic]:
        kind = kind.lower()
        is_whole = word.text.strip("()") == written
        in_condition = directive.name == "if" and is_whole
        effect = "is always empty" if in_condition else f'gives the text "{rest}" behind an empty value'
        if not kind.endswith("http") and is_whole and not in_condition:
            yield self.report(
                span,
                f'{written} reads ${kind}_{begin} and adds the text "{rest}": variables have no hyphens',
                severity=Severity.WARNING,
                confidence=Confidence.MEDIUM,
                help="read a name with hyphens by a map on " + ("$args" if kind == "arg" else "$http_cookie"),
                at=directive,
            )
        if kind.endswith("http") and (begin + rest).replace("-", "_").lower().startswith(_HEADERS):
            fixed = written.replace("-", "_")
            yield self.report(
                span,
                f"{written} {effect}: the variable of that header is {fixed}",
                Fix("write underscores", (replace(span, fixed),), safe=False) if span.text == written else None,
                label=f"the name of the variable ends here, as ${kind}_{begin}" if not in_condition else "",
                help=f"write {fixed}",
                at=directive,
            )
