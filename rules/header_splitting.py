from nginxlint import (
    Bad,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Note,
    Rule,
    Severity,
    Span,
    Word,
    compiled,
    note,
    path_is_raw,
    references,
    replace,
)

_DECODED = ("uri", "document_uri")
_ARGUMENTS = ("$is_args$args", "${is_args}${args}", "?$args", "?$query_string")
_TO_BACKEND = ("proxy_set_header", "grpc_set_header", "proxy_pass")


class HeaderSplitting(Rule):
    """A header or a request line is made of `$uri`, which is decoded: a visitor can put a line break into it.

    `$uri` and `$document_uri` hold the path after `%0d%0a` has become a line break. In a redirect or an `add_header`
    that ends the header, and what follows becomes headers of the attacker's choice (response splitting); in a
    `proxy_set_header` or the URI of a `proxy_pass` the backend gets them. A group with a negated class (`[^/]+`) lets
    line breaks through too, save where nginx escapes it again (`$1` in a `rewrite` or a `set`). Use `$request_uri`,
    which is what the visitor sent, still encoded.
    Source: documentation of $uri and $request_uri (ngx_http_core_module); ngx_http_script_copy_capture_code.
    """

    id = "header-splitting"
    group = "security"
    severity = Severity.ERROR
    directives = ("return", "rewrite", "add_header", *_TO_BACKEND)
    examples = (
        Bad(
            "location / { return 301 https://$host$uri; } # here",
            "location / { return 301 https://$host$request_uri; } # here",
        ),
        Bad(
            "location / { return 302 https://a.test$uri$is_args$args; } # here",
            "location / { return 302 https://a.test$request_uri; } # here",
        ),
        Bad(
            "location / { rewrite ^ https://a.test$document_uri permanent; } # here",
            "location / { rewrite ^ https://a.test$request_uri? permanent; } # here",
        ),
        Bad("location / { add_header X-Path $uri; } # here"),
        Bad("location / { set $to $uri;\n return 302 https://a.test$to; # here\n }"),
        Bad("location / { proxy_set_header X-Path $uri; proxy_pass http://app; } # here"),
        Bad("location / { proxy_pass http://app/v1$uri$is_args$args; } # here"),
        Bad("location ~ ^/go/(?<where>[^.]*)$ { return 302 http://a.test/$where; } # here"),
        Good("location ~ ^/go/(?<where>[^.\\r\\n]*)$ { return 302 http://a.test/$where; }"),
        Good("location ~ ^/go/(.*)$ { return 302 http://a.test/$1; }"),
        Good("location / { rewrite ^/go/([^/]+)$ http://a.test/$1 permanent; }"),
        Good("location ~ ^/go/([^/]+)$ { set $x $1; return 302 http://a.test/$x; }"),
        Good("location / { return 301 https://$host$request_uri; }"),
        Good('location / { return 200 "you asked for $uri"; }'),
        Good("location / { rewrite ^/a /b$uri last; }"),
        Good("location / { return 301 https://$host$uri_path; }"),
        Good("location / { add_header X-Path $request_uri; proxy_pass http://$uri_host$request_uri; }"),
        Good("location /x { rewrite ^ $request_uri; rewrite ^/x(/.*) $1 break; proxy_pass http://app$uri; }"),
        Good("location = /old { return 301 https://a.test$uri; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        carriers = tuple(
            one.values[0].removeprefix("$").lower()
            for one in config.find("set")
            if len(one.values) == 2 and any(_find(one.values[1], name) for name in _DECODED)
        ) + tuple(
            block.values[1].removeprefix("$").lower()
            for block in config.blocks("map")
            if len(block.values) == 2 and any(_is_decoded(line) for line in block.body)
        )
        loose = set(config.saying(lambda values: "[^" in "".join(values[-1:]), "location"))
        suspicious = [name for name in self.directives if _is_suspect(config.said(name), carriers)]
        suspects = dict.fromkeys(
            config.saying(lambda values: _is_suspect(" ".join(values).lower(), carriers), *suspicious)
        )
        for directive in config.find(*self.directives) if loose else suspects:
            if directive not in suspects and directive.enclosing("location") not in loose:
                continue
            word = _header_text(directive)
            if word is None or "$" not in word.text or path_is_raw(directive):
                continue
            location = directive.enclosing("location")
            if location is not None and "".join(location.values).startswith("="):
                continue  # the path is the one written there
            for name in _loose_captures(directive):
                if (at := _find(word.text, name)) is not None:
                    help = "leave line breaks out of the group: [^…\\r\\n]"
                    yield self._report(directive, word.part(*at), "its group [^…] matches a line break too", help)
                    break
            else:
                yield from self._check_decoded(directive, word, config)

    def _check_decoded(self, directive: Directive, word: Word, config: Config) -> Iterator[Diagnostic]:
        for name in dict.fromkeys(references(word.text)):
            source = None if name in _DECODED else _decoded_source(config, directive, name)
            if (at := _find(word.text, name)) is None or (name not in _DECODED and source is None):
                continue
            fixes: tuple[Fix, ...] = ()
            if source is None and directive.name in ("return", "rewrite"):
                tail = next((tail for tail in _ARGUMENTS if word.text.startswith(tail, at[1])), "")
                end = at[1] + len(tail)
                place = word.part(at[0], end)
                # a rewrite appends the query of the request to what does not end in a question mark
                new = "$request_uri?" if directive.name == "rewrite" and end == len(word.text) else "$request_uri"
                if place.text == word.text[at[0] : end]:
                    fixes = (Fix(f"use {new}", (replace(place, new),), safe=False),)
            related = () if source is None else (note(source, "comes from the decoded path"),)
            help = "use $request_uri (what the visitor sent, still encoded; the query is in it)"
            label = "decoded: %0d%0a has become a line break"
            yield self._report(directive, word.part(*at), label, help, *fixes, related=related)
            return

    def _report(
        self, directive: Directive, place: Span, label: str, help: str, *fixes: Fix, related: tuple[Note, ...] = ()
    ) -> Diagnostic:
        what = "the request to the backend" if directive.name in _TO_BACKEND else "this response"
        message = f"a visitor can add headers to {what}: {place.text} may hold a line break"
        return self.report(place, message, *fixes, label=label, help=help, related=related, at=directive)


def _is_suspect(text: str, carriers: tuple[str, ...]) -> bool:
    """A quick look that spares nearly every directive the close one: do its arguments hold a variable worth a question,
    or a pattern (of a rewrite) that is?"""
    if "$" not in text:
        return False
    text = text.replace("$request_uri", "")
    return "uri" in text or "[^" in text or any(name in text for name in carriers)


def _header_text(directive: Directive) -> Word | None:
    """The argument that becomes a header or a request line, if there is one."""
    args = directive.args
    if directive.name == "return":
        if len(args) == 1:
            return None if args[0].text.isdigit() else args[0]
        return args[1] if len(args) == 2 and args[0].text in ("301", "302", "303", "307", "308") else None
    if directive.name == "rewrite":
        external = len(args) >= 2 and args[1].text.startswith(("http://", "https://", "$scheme"))
        flagged = len(args) == 3 and args[2].text in ("redirect", "permanent")
        return args[1] if external or flagged else None
    if directive.name == "proxy_pass":
        return args[0] if args and directive.enclosing("stream") is None else None
    return args[1] if len(args) >= 2 else None


def _find(text: str, name: str) -> tuple[int, int] | None:
    """Where a text refers to a variable."""
    text = text.lower()
    for written in (f"${{{name.lower()}}}", f"${name.lower()}"):
        at = text.find(written)
        while at >= 0:
            end = at + len(written)
            if (
                written.endswith("}")
                or name.isdigit()
                or not (text[end : end + 1].isalnum() or text[end : end + 1] == "_")
            ):
                return at, end
            at = text.find(written, end)
    return None


def _decoded_source(config: Config, place: Directive, name: str) -> Directive | None:
    """The `set` of this server, or the line of a map, that gives a variable the decoded path."""
    server = place.enclosing("server")
    for definition in config.variable_definitions().get(name, ()):
        if definition.name == "map":
            return next((line for line in definition.body or () if _is_decoded(line)), None)
        decoded = (
            definition.name == "set"
            and len(definition.values) == 2
            and any(_find(definition.values[1], one) for one in _DECODED)
        )
        if decoded and definition.enclosing("server") is server:
            return definition
    return None


def _is_decoded(line: Directive) -> bool:
    return any(_find(value, name) for value in line.values for name in _DECODED)


def _loose_captures(directive: Directive) -> list[str]:
    """The captures in effect whose group holds a negated class that lets a line break through (`.` never does)."""
    location = directive.enclosing("location")
    pattern = directive.values[0] if directive.name == "rewrite" else ""
    if directive.name != "rewrite" and location is not None and location.values and location.values[0].startswith("~"):
        pattern = location.values[-1]
    if "[^" not in pattern:
        return []
    pattern = pattern.replace("(?<", "(?P<")
    names = []
    for number, group in enumerate(compiled(r"(?<!\\)\((?!\?[:=!#|]|\?P?<[=!])(?:\?P<(\w+)>)?").finditer(pattern), 1):
        classes = compiled(r"\[\^([^\]]*)\]").findall(pattern[group.end() :].split(")", 1)[0])
        if any(not compiled(r"\\[nrsvR]|\n|\\x0[aAdD]").search(one) for one in classes):
            # nginx escapes $1 again in a rewrite, a variable it never does
            names += [] if directive.name == "rewrite" else [str(number)]
            names += [group[1]] if group[1] else []
    return names
