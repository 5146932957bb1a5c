from nginxlint import (
    Bad,
    Block,
    Confidence,
    Config,
    Diagnostic,
    Directive,
    Good,
    Iterator,
    Rule,
    compiled,
    definitions_of,
    group_text,
    made_of,
    note,
    patterns_behind,
)

_PLACES = (
    "return",
    "proxy_pass",
    "grpc_pass",
    "alias",
    "root",
    "set",
    "proxy_set_header",
    "fastcgi_param",
    "add_header",
)
_INHERITED = ("root", "proxy_set_header", "fastcgi_param", "add_header")
_DIGIT = r"\$\{?([1-9])"


class CaptureMissing(Rule):
    """`$1` is used where no group is captured: it is empty, and a part of the path is lost.

    In a `rewrite` the digits are groups of its own expression, and of no other: in `location ~ ^/user/(\\d+)$` the line
    `rewrite ^ /profile/$1 break;` sends every request to /profile/. Elsewhere they are groups of the expression that matched
    last: that of the location, or of a `rewrite` or `if` beside. Put parentheses around what is meant, or give the group a
    name (`(?<id>\\d+)` and `$id`), which holds on.
    Source: ngx_http_rewrite (ngx_http_script_regex_start_code); ngx_http_regex_exec.
    """

    id = "capture-missing"
    group = "correctness"
    directives = ("rewrite", *_PLACES)
    texts = tuple(f"${digit}" for digit in range(1, 10)) + tuple(f"${{{digit}}}" for digit in range(1, 10))
    examples = (
        Bad("location ~ ^/user/(\\d+)$ {\n rewrite ^ /profile/$1 break; # here\n proxy_pass http://app;\n}"),
        Bad("server {\n rewrite ^/old/.*$ /new/$1 permanent; # here\n}"),
        Bad("location ~ ^/a/ {\n return 301 https://a.test/$1; # here\n}"),
        Bad("location ~* ^/img/.+\\.png$ {\n alias /srv/img/$1; # here\n}"),
        Bad("server {\n rewrite ^/(?:old|older)/(.*)$ /new/$2 last; # here\n}"),
        Good("location ~ ^/user/(\\d+)$ { rewrite ^/user/(.*)$ /profile/$1 break; proxy_pass http://app; }"),
        Good("location ~ ^/user/(\\d+)$ { proxy_pass http://app/profile/$1; }"),
        Good("location ~ ^/user/(?<id>\\d+)$ { rewrite ^ /profile/$id break; proxy_pass http://app; }"),
        Good("location ~ ^/a/ { if ($arg_b ~ (.*)) { return 301 /b/$1; } }"),
        Good("map $uri $to { ~^/a/(.*)$ /b/$1; } server { location ~ ^/a/ { return 301 $to; } }"),
        Good("server { if ($host ~ ^www\\.(.*)$) { return 301 https://$1$request_uri; } }"),
        Good("location ~ ^/x { set $a $uri; if ($a ~ ^/x/(.*)$) { set $b $1; } add_header X-B $1; }"),
        Good("location ~ ^/img/ { add_header X-A $1; location ~ ^/img/(.*)$ { root /srv; } }"),
        Good(
            "map $uri $hit { ~^/t/(.+)$ 1; default 0; }"
            "server { location ~ ^/t/ { if ($hit) { return 301 /new/$1; } set $a $hit$1; } }"
        ),
        Good('location /p { add_header X-Price "$1"; } location @n { return 302 /$1; }'),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        wanted = compiled(_DIGIT)
        for line in config.saying(lambda values: any(map(wanted.search, values)), *self.directives):
            if line.name == "rewrite":
                patterns = [(line.values[0], line)] if len(line.values) > 1 else []
                text = line.values[1] if patterns else ""
            else:
                text = " ".join(line.values)
                patterns = patterns_behind(line, "1")
                if not any(by is line.parent or by.parent is line.parent for _, by in patterns):
                    continue  # a named location keeps what was captured before
                if line.parent is None or _is_unsure(config, line, line.parent):
                    continue
            missing = [
                digit for digit in dict.fromkeys(wanted.findall(text)) if patterns and not _captured(patterns, digit)
            ]
            if missing:
                pattern, place = patterns[0]
                yield self.report(
                    line,
                    f'${missing[0]} is empty: "{pattern}" has no group of that number',
                    related=() if place is line else (note(place, "the expression that matched"),),
                    help="put parentheses around what is meant, or use a named group: (?<rest>.*) and $rest",
                    confidence=Confidence.MEDIUM if len(patterns) > 1 else None,
                )


def _is_unsure(config: Config, line: Directive, block: Block) -> bool:
    """Can another expression have matched last: that of a location inside, of a missing file, or of a map?"""
    if block.has_gap or (line.name in _INHERITED and block.child("location") is not None):
        return True
    used = made_of(config, " ".join(value for one in (block, *block.body) for value in one.values))
    maps = (one for name in used for one in definitions_of(config, name) if one.name == "map")
    return any(entry.name.startswith("~") for one in maps for entry in one.body or ())


def _captured(patterns: list[tuple[str, Directive]], digit: str) -> bool:
    return any(group_text(pattern, digit) is not None for pattern, _ in patterns)
