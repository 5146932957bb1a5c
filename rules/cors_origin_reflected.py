from nginxlint import (
    Bad,
    Block,
    Config,
    Diagnostic,
    Directive,
    Good,
    Iterator,
    Rule,
    Severity,
    compiled,
    matches,
    note,
    references,
    refusing_some,
    shapes,
    split_condition,
)

_ALLOWED, _CREDENTIALS = "access-control-allow-origin", "access-control-allow-credentials"
_ORIGIN = "http_origin"
_DOMAIN = r"localhost|[\w-]+(?:\.[\w-]+)+"
_BARE_DOT = r"(?<!\\)\.(?![*+?{])"
_REGISTRIES = ("co", "com", "org", "net", "ac", "gov", "edu")  # as in co.uk
_READ = "read what a signed-in visitor gets"
_ANY = "."  # a test that every origin passes
_MAX_STEPS = 4

_Test = tuple[str, bool, Directive]  # a pattern for origins, whether it is caseless, and where it stands


class CorsOriginReflected(Rule):
    """Pages of foreign sites may read what a signed-in visitor gets: nginx repeats whatever origin asks, and allows credentials.

    `Access-Control-Allow-Origin: $http_origin` with `Access-Control-Allow-Credentials: true` switches the protection of
    browsers off. So does a test of the origin that foreign names pass: `example\\.com` without anchors matches
    https://example.com.evil.test, `^https://.*example\\.com$` matches https://evilexample.com. Write
    `map $http_origin $cors { ~^https://(www\\.)?example\\.com$ $http_origin; }` and send `$cors`; a header whose value is
    empty is not sent. In an `if` for OPTIONS it lets them send what they like, with the visitor's cookies. Silent without
    credentials: an open API says `*`.
    Source: Fetch standard, CORS check and credentials; ngx_http_map_module.
    """

    id = "cors-origin-reflected"
    group = "security"
    severity = Severity.ERROR
    directives = ("add_header",)
    texts = (f"\0{_CREDENTIALS}\0",)
    examples = (
        Bad(
            "location / {\n add_header Access-Control-Allow-Origin $http_origin always; # here\n"
            " add_header Access-Control-Allow-Credentials true always;\n}"
        ),
        Bad(
            "map $http_origin $cors { default $http_origin; }\nserver {\n add_header Access-Control-Allow-Origin $cors; # here\n"
            " add_header Access-Control-Allow-Credentials true;\n}"
        ),
        Bad(
            "map $http_origin $cors { ~^https://.*example\\.com$ $http_origin; }\n"
            "server {\n add_header Access-Control-Allow-Origin $cors; # here\n"
            " add_header Access-Control-Allow-Credentials true;\n}"
        ),
        Bad(
            "location / {\n if ($http_origin ~* (www\\.example\\.com)) { set $ok 1; }\n if ($ok = 1) {\n"
            "  add_header Access-Control-Allow-Origin $http_origin; # here\n"
            "  add_header Access-Control-Allow-Credentials true;\n } }"
        ),
        Bad(
            "location / {\n set $cors '';\n if ($http_origin ~ ^https://api.example\\.com$) { set $cors $http_origin; }\n"
            " add_header Access-Control-Allow-Origin $cors; # here\n add_header Access-Control-Allow-Credentials true;\n}"
        ),
        Bad(
            "location / {\n add_header Access-Control-Allow-Origin null; # here\n"
            " add_header Access-Control-Allow-Credentials true;\n}"
        ),
        Good(
            "map $http_origin $cors { ~^https?://(\\w+\\.)?a\\.test(:\\d+)?$ $http_origin; https://b.test $http_origin; }"
            "server { add_header Access-Control-Allow-Origin $cors; add_header Access-Control-Allow-Credentials true; }"
        ),
        Good(
            "server { set $cors $http_origin; if ($http_origin !~ ^https://(a|b)\\.test$) { set $cors ''; }"
            " add_header Access-Control-Allow-Origin $cors; add_header Access-Control-Allow-Credentials true; }"
        ),
        Good(
            "map $http_origin $cors { default $scheme://$host; https://b.test $http_origin; }"
            "server { add_header Access-Control-Allow-Origin $cors; add_header Access-Control-Allow-Credentials true; }"
        ),
        Good("location / { add_header Access-Control-Allow-Origin $http_origin; }"),
        Good(
            "location / { if ($http_origin ~ \\.example\\.com$) { set $ok 1; } if ($ok) {"
            " add_header Access-Control-Allow-Origin $http_origin; add_header Access-Control-Allow-Credentials true; } }"
        ),
        Good(
            "location / { if ($http_origin = https://a.test) { add_header Access-Control-Allow-Origin $http_origin;"
            " add_header Access-Control-Allow-Credentials true; } }"
        ),
        Good(
            "location / { add_header Access-Control-Allow-Origin $http_origin;"
            " add_header Access-Control-Allow-Credentials false; }"
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        choosy = None
        for block in dict.fromkeys(line.parent for line in config.saying(_allows_credentials, "add_header")):
            choosy = refusing_some(config) if choosy is None else choosy
            if block is None or not choosy.isdisjoint((block, *block.ancestors())):
                continue
            for line in config.scope(block).own("add_header"):
                if len(line.values) > 1 and line.values[0].lower() == _ALLOWED:
                    yield from self._judge(config, line)

    def _judge(self, config: Config, line: Directive) -> Iterator[Diagnostic]:
        if line.values[1].strip().lower() == "null":
            yield self.report(
                line,
                "every page can have the origin null, in a frame with sandbox, and so reads what a signed-in visitor gets",
                help="take the line out, or let a map of $http_origin choose among the origins that are meant",
            )
            return
        for pattern, caseless, place in _tests(config, line):
            foreign = "https://evil.test" if pattern == _ANY else _foreign(pattern, caseless)
            if foreign is None:
                continue
            may = "send what they like as a signed-in visitor" if _is_preflight(line.parent) else _READ
            yield self.report(
                line,
                f"pages of {foreign} may {may}: "
                + ("every origin is allowed" if pattern == _ANY else f'"{pattern}" matches that origin, too'),
                related=() if place is line else (note(place, "here the origin is let pass"),),
                severity=Severity.WARNING if _is_preflight(line.parent) else None,
                help="let a map of $http_origin choose by whole names, as ~^https://(www\\.)?example\\.com$",
            )
            return


def _is_preflight(block: Block | None) -> bool:
    """Is it for OPTIONS only? What that allows is to send; who may read stands in the answers to other methods."""
    return block is not None and block.name == "if" and split_condition(block.values)[1:] == ["=", "OPTIONS"]


def _allows_credentials(values: tuple[str, ...]) -> bool:
    return len(values) > 1 and values[0].lower() == _CREDENTIALS and values[1].strip().lower() == "true"


def _tests(config: Config, line: Directive) -> Iterator[_Test]:
    """What an origin has to pass so that `line` repeats it."""
    names = references(line.values[1])
    around = line.parent if line.parent is not None and line.parent.name == "if" else None
    if len(names) != 1:
        return
    if names[0] != _ORIGIN:
        yield from _makers(config, line, names[0], None)
    elif around is None:
        yield _ANY, False, line
    else:
        yield from _condition(config, around)


def _makers(config: Config, place: Directive, name: str, wanted: str | None, depth: int = 0) -> Iterator[_Test]:
    """What an origin has to pass so that a variable gets the value `wanted` ("": a true one, None: one with variables)."""
    assigned = config.assignments(name).get(place.enclosing("server"), ())
    if assigned and config.runs_code:
        return
    taken_back = any(made.parent is not None and made.parent.name == "if" for made in assigned)
    for made in assigned:
        if not _is(made.values[1], wanted):
            continue
        if made.parent is not None and made.parent.name == "if":
            if wanted is None and not _repeats(made):
                continue
            yield from _condition(config, made.parent, depth + 1)
        elif _ORIGIN in references(made.values[1]) and not taken_back:
            yield _ANY, False, made
    for block in config.other_definitions(name):
        if block.name == "map" and isinstance(block, Block) and references(block.values[0]) == [_ORIGIN]:
            for line in block.body:
                if not line.values or not _is(line.values[0], wanted):
                    continue
                if line.name == "default" and (wanted is not None or _ORIGIN in references(line.values[0])):
                    yield _ANY, False, line
                elif line.name.startswith("~") and (wanted is not None or _repeats(line)):
                    yield line.name.lstrip("~").removeprefix("*"), line.name.startswith("~*"), line


def _repeats(line: Directive) -> bool:
    """Is the value made of the origin, or of what a test of it captured?"""
    fixed = ("scheme", "host", "http_host", "server_name", "server_port")
    return not all(name in fixed for name in references(line.values[-1]))


def _is(value: str, wanted: str | None) -> bool:
    if wanted is None:
        return "$" in value
    return value == wanted if wanted else value not in ("", "0")


def _condition(config: Config, test: Block, depth: int = 0) -> Iterator[_Test]:
    """What an origin has to pass so that a condition is true; nothing where that is not known."""
    variable, operator, value = (*split_condition(test.values), "", "", "")[:3]
    names = references(variable)
    if depth > _MAX_STEPS or len(names) != 1:
        return
    if names[0] != _ORIGIN:
        if not depth and not config.variable_definitions().get(names[0]):
            yield _ANY, False, test  # $request_method says nothing of the origin
        elif not operator or (operator == "=" and value):
            yield from _makers(config, test, names[0], value, depth)
    elif operator in ("~", "~*"):
        yield value, operator == "~*", test
    elif not operator or (operator == "!=" and value == ""):
        yield _ANY, False, test


def _foreign(pattern: str, caseless: bool) -> str | None:
    """An origin that somebody else can have and the pattern matches."""
    dotted = compiled(_BARE_DOT).sub("\\\\.", pattern)
    texts = [pattern.replace("\\.", "."), *(shape.example for shape in shapes(dotted) or ())]
    names = dict.fromkeys(compiled(_DOMAIN).findall(" ".join(texts).lower()))
    for host in ("evil.test", *(one for name in list(names)[:8] for one in _neighbours(name))):
        for origin in (f"https://{host}", f"http://{host}"):
            if matches(pattern, origin, caseless=caseless):
                return origin
    return None


def _neighbours(name: str) -> Iterator[str]:
    """Hosts of somebody else that look like a name."""
    yield f"{name}.evil.test"
    labels = name.split(".")
    own = 3 if len(labels) > 2 and labels[-2] in _REGISTRIES else 2
    site = ".".join(labels[-own:])
    if len(labels) >= own:
        yield from (f"evil{site}", f"www.evil{site}")
    if len(labels) > own:
        yield f"{labels[-own - 1]}x{site}"
