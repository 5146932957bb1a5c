from nginxlint import Bad, Block, Config, Diagnostic, Directive, Good, Iterator, Rule, compiled, note

_ORIGIN = "access-control-allow-origin"
_CREDENTIALS = "access-control-allow-credentials"
_OF_PREFLIGHTS = ("access-control-allow-headers", "access-control-allow-methods")
_SIGNS_IN = ("auth_basic", "auth_jwt")  # what auth_request asks may let preflights pass
_SERIALIZED = r"[a-z][a-z0-9+.-]*://[^/\s,*]+|file://"
_PLACEHOLDER = r"[<>{}%]|__|\[\["


class CorsBroken(Rule):
    """The headers that let pages of other sites read answers are such that every browser refuses them.

    `Access-Control-Allow-Origin` has to be `*` or the one origin that asks: scheme, host and port, without a path. A list of
    origins, a `*` inside a name, a slash at the end, or the header twice (`add_header` adds a line, it replaces
    none) allow nobody. With `Access-Control-Allow-Credentials: true` no `*` counts, nor one of headers or methods. Choose the
    origin by a `map` of `$http_origin` and send its result, with `Vary: Origin`. A preflight carries no password: where
    `auth_basic` asks for one, answer OPTIONS before.
    Source: Fetch standard, CORS check; ngx_http_add_header.
    """

    id = "cors-broken"
    group = "correctness"
    directives = ("add_header",)
    texts = (f"\0{_ORIGIN}\0",)
    examples = (
        Bad(
            "location / {\n add_header Access-Control-Allow-Origin *; # here\n"
            " add_header Access-Control-Allow-Credentials true;\n}"
        ),
        Bad('location / {\n add_header Access-Control-Allow-Origin "https://a.test, https://b.test"; # here\n}'),
        Bad("location / {\n add_header Access-Control-Allow-Origin https://*.a.test always; # here\n}"),
        Bad("location / {\n add_header Access-Control-Allow-Origin https://a.test/; # here\n}"),
        Bad("location / {\n add_header Access-Control-Allow-Origin a.test; # here\n}"),
        Bad(
            "location / {\n add_header Access-Control-Allow-Origin https://a.test;\n"
            " add_header Access-Control-Allow-Origin https://b.test; # here\n}"
        ),
        Bad(
            "location / {\n auth_basic a; auth_basic_user_file f; add_header Access-Control-Allow-Origin https://a.test;\n"
            " add_header Access-Control-Allow-Headers Authorization always; # here\n}"
        ),
        Bad(
            "location / {\n add_header Access-Control-Allow-Origin https://a.test;\n"
            " add_header Access-Control-Allow-Headers *; # here\n add_header Access-Control-Allow-Credentials true;\n}"
        ),
        Good("location / { add_header Access-Control-Allow-Origin *; }"),
        Good("location / { add_header Access-Control-Allow-Origin *; add_header Access-Control-Allow-Headers *; }"),
        Good(
            "location / { auth_request /a; add_header Access-Control-Allow-Origin https://a.test;"
            " add_header Access-Control-Allow-Methods GET; if ($request_method = OPTIONS) { return 204; } }"
        ),
        Good(
            "location / { auth_basic $realm; auth_basic_user_file f; add_header Access-Control-Allow-Origin https://a.test;"
            " add_header Access-Control-Allow-Methods PUT; }"
        ),
        Good(
            "location / { auth_basic a; auth_basic_user_file f; if ($is_preflight) { return 204; }"
            " add_header Access-Control-Allow-Origin https://a.test; add_header Access-Control-Allow-Methods PUT; }"
        ),
        Good(
            "location / { auth_basic a; auth_basic_user_file f; error_page 401 = @ask;"
            " add_header Access-Control-Allow-Origin https://a.test; add_header Access-Control-Allow-Methods PUT; }"
        ),
        Good(
            "location / { add_header Access-Control-Allow-Origin $cors; add_header Access-Control-Allow-Credentials true;"
            " add_header Access-Control-Allow-Headers *; if ($request_method = OPTIONS) {"
            " add_header Access-Control-Allow-Origin $cors; add_header Access-Control-Allow-Headers X-A; return 204; } }"
        ),
        Good("location / { auth_basic a; auth_basic_user_file f; add_header Access-Control-Allow-Origin *; }"),
        Good(
            "location / { add_header Access-Control-Allow-Origin *; add_header Access-Control-Allow-Credentials false; }"
        ),
        Good("location / { add_header Access-Control-Allow-Origin https://a.test:8443; add_header Vary Origin; }"),
        Good(
            "location / { add_header Access-Control-Allow-Origin $cors; add_header Access-Control-Allow-Origin $other;"
            " add_header Access-Control-Allow-Credentials true; }"
        ),
        Good("location / { add_header Access-Control-Allow-Origin null; add_header Access-Control-Allow-Origin ''; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for block in dict.fromkeys(line.parent for line in config.saying(_is_of_origin, "add_header")):
            lines = (
                [line for line in config.scope(block).effective("add_header") if len(line.values) > 1] if block else []
            )
            origins = [line for line in lines if _is_of_origin(line.values) and line.values[1] != ""]
            constant = [line for line in origins if "$" not in line.values[1]]
            yield from self._preflights(config, block, origins, lines)
            allowing = [
                one for one in lines if one.values[0].lower() == _CREDENTIALS and one.values[1].strip() == "true"
            ]
            stars = [one for one in lines if one.values[0].lower() in _OF_PREFLIGHTS and one.values[1].strip() == "*"]
            preflights = block is not None and (block.name == "if" or block.child("if") is not None)
            if (
                allowing
                and stars
                and origins
                and not preflights
                and not any(one.values[1].strip() == "*" for one in origins)
            ):
                yield self.report(
                    stars[0],
                    f'browsers refuse requests with cookies that need {stars[0].values[0]}: there "*" is taken literally',
                    related=(note(allowing[0], "allows cookies, and with them no *"),),
                    help="name them: GET, PUT, DELETE for methods, Content-Type, X-Requested-With and the like for headers",
                )
            if len(constant) > 1:
                yield self.report(
                    constant[1],
                    "browsers refuse the answer: Access-Control-Allow-Origin is sent twice",
                    related=(note(constant[0], "the first one is sent as well"),),
                    help="send one, chosen by a map of $http_origin",
                )
                continue
            for line in constant:
                yield from self._judge(line, [one for one in lines if one.values[0].lower() == _CREDENTIALS])

    def _preflights(
        self, config: Config, block: Block | None, origins: list[Directive], lines: list[Directive]
    ) -> Iterator[Diagnostic]:
        """A preflight carries neither cookies nor Authorization: where somebody has to sign in, it cannot."""
        asks = [line for line in lines if line.values[0].lower() in _OF_PREFLIGHTS]
        if block is None or not origins or not asks or block.name not in ("server", "location"):
            return
        scope = config.scope(block)
        guard = next((one for one in scope.guards if one.name in _SIGNS_IN), None)
        if guard is None or config.runs_code or "$" in "".join(guard.values) or scope.value("satisfy").lower() == "any":
            return
        around = [one for one in (block, *block.ancestors()) if isinstance(one, Block)]
        if any(test.child("return", "rewrite") for one in around for test in one.blocks("if")):
            return
        if any("401" in page.values for page in scope.effective("error_page")):
            return
        if (
            block.child("limit_except", "return", "rewrite", "include") is not None
            or block.has_gap
            or guard.parent not in around
        ):
            return
        yield self.report(
            asks[0],
            f"browsers refuse every request that needs a preflight: {guard.name} answers it with 401",
            related=(note(guard, "a preflight (OPTIONS) carries no password and no cookies"),),
            help="write if ($request_method = OPTIONS) { … return 204; } with these headers: it runs before",
        )

    def _judge(self, line: Directive, credentials: list[Directive]) -> Iterator[Diagnostic]:
        value = line.values[1].strip()
        if value == "*":
            allowing = next((one for one in credentials if one.values[1].strip() == "true"), None)
            if allowing is not None:
                yield self.report(
                    line,
                    'browsers refuse the answer to a request with cookies: "*" allows no credentials',
                    related=(note(allowing, "asks for the very origin"),),
                    help="send the origin, chosen by a map of $http_origin, or leave the credentials out",
                )
        elif (
            value.lower() != "null"
            and not compiled(_PLACEHOLDER).search(value)
            and not compiled(_SERIALIZED).fullmatch(value.lower())
        ):
            yield self.report(
                line.args[1],
                f'browsers refuse the answer: "{value}" is no origin',
                label="one scheme, host and port without a path, or *",
                help="send one origin (https://example.com), chosen by a map of $http_origin",
            )


def _is_of_origin(values: tuple[str, ...]) -> bool:
    return len(values) > 1 and values[0].lower() == _ORIGIN
