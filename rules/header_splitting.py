from collections.abc import Iterator

from nginxlint import Bad, Confidence, Diagnostic, Directive, Fix, Good, Rule, Severity, Word, replace

_DECODED = ("$uri", "${uri}", "$document_uri", "${document_uri}")
_ARGUMENTS = ("$is_args$args", "${is_args}${args}", "?$args", "?$query_string")


class HeaderSplitting(Rule):
    """A response header is made of `$uri`, which is decoded: a visitor can put a line break into it.

    `$uri` and `$document_uri` hold the path after `%0d%0a` has become a line break. In a redirect or an `add_header`
    that ends the header, and what follows becomes headers of the attacker's choice (response splitting). Use
    `$request_uri`, which is what the visitor sent, still encoded.
    Source: documentation of $uri and $request_uri (ngx_http_core_module).
    """

    id = "header-splitting"
    group = "security"
    severity = Severity.ERROR
    directives = ("return", "rewrite", "add_header")
    examples = (
        Bad(
            "location / { return 301 https://$host$uri; } # here",
            "location / { return 301 https://$host$request_uri; } # here",
        ),
        Bad(
            "location / { return 302 https://a.test$uri$is_args$args; } # here",
            "location / { return 302 https://a.test$request_uri; } # here",
        ),
        Bad("location / { rewrite ^ https://a.test$document_uri permanent; } # here"),
        Bad("location / { add_header X-Path $uri; } # here"),
        Good("location / { return 301 https://$host$request_uri; }"),
        Bad("location ~ ^/go/(?<where>[^.]*)$ { return 302 http://a.test/$where; } # here"),
        Good("location ~ ^/go/(?<where>[^.\\r\\n]*)$ { return 302 http://a.test/$where; }"),
        Good("location ~ ^/go/(.*)$ { return 302 http://a.test/$1; }"),
        Good('location / { return 200 "you asked for $uri"; }'),
        Good("location / { rewrite ^/a /b$uri last; }"),
        Good("location / { return 301 https://$host$uri_path; }"),
        Good("location / { add_header X-Path $request_uri; }"),
    )

    def check_directive(self, directive: Directive) -> Iterator[Diagnostic]:
        word = _header_text(directive)
        if word is None:
            return
        for name in _loose_captures(directive):
            at = word.text.find(name)
            if at >= 0 and not _goes_on(word.text[at + len(name) :]):
                yield self.report(
                    word.part(at, at + len(name)),
                    f"a visitor can add headers to this response: {name} may hold a line break",
                    label="its group [^…] matches a line break too",
                    help="leave line breaks out of the group: [^…\\r\\n]",
                    at=directive,
                )
                return
        for name in _DECODED:
            at = word.text.find(name)
            if at < 0 or (not name.endswith("}") and _goes_on(word.text[at + len(name) :])):
                continue
            end = at + len(name)
            tail = next((tail for tail in _ARGUMENTS if word.text.startswith(tail, end)), "")
            fixes: tuple[Fix, ...] = ()
            if directive.name != "add_header":
                place = word.part(at, end + len(tail))
                fixes = (Fix("use $request_uri", (replace(place, "$request_uri"),), safe=False),)
            yield self.report(
                word.part(at, end),
                f"a visitor can add headers to this response: {name} may hold a line break",
                *fixes,
                label="decoded: %0d%0a has become a line break",
                help="use $request_uri (what the visitor sent, still encoded; the query is in it)",
                confidence=Confidence.HIGH,
                at=directive,
            )
            return


def _header_text(directive: Directive) -> Word | None:
    """The argument that becomes a response header, if there is one."""
    args = directive.args
    if directive.name == "return":
        if len(args) == 1:
            return None if args[0].text.isdigit() else args[0]
        return args[1] if len(args) == 2 and args[0].text in ("301", "302", "303", "307", "308") else None
    if directive.name == "rewrite":
        external = len(args) >= 2 and args[1].text.startswith(("http://", "https://", "$scheme"))
        flagged = len(args) == 3 and args[2].text in ("redirect", "permanent")
        return args[1] if external or flagged else None
    return args[1] if len(args) >= 2 else None


def _loose_captures(directive: Directive) -> list[str]:
    """The captures in effect whose group holds a negated class that lets a line break through (`.` never does)."""
    location = directive.enclosing("location")
    pattern = directive.values[0] if directive.name == "rewrite" else ""
    if directive.name != "rewrite" and location is not None and location.values and location.values[0].startswith("~"):
        pattern = location.values[-1]
    if "[^" not in pattern:
        return []
    import re

    names = []
    for number, group in enumerate(
        re.finditer(r"(?<!\\)\((?!\?[:=!#|]|\?P?<[=!])(?:\?P<(\w+)>)?", pattern.replace("(?<", "(?P<")), 1
    ):
        body = pattern.replace("(?<", "(?P<")[group.end() :].split(")", 1)[0]
        classes = re.findall(r"\[\^([^\]]*)\]", body)
        if any(not re.search(r"\\[nrsvR]|\n|\\x0[aAdD]", one) for one in classes):
            names += [f"${number}", *([f"${group[1]}"] if group[1] else [])]
    return names


def _goes_on(rest: str) -> bool:
    return bool(rest) and (rest[0].isalnum() or rest[0] == "_")
