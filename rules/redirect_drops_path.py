from nginxlint import Bad, Block, Config, Diagnostic, Directive, Fix, Good, Iterator, Rule, compiled, replace

_CODES = ("301", "302", "303", "307", "308")
_HOST_ONLY = r"(?i)(?:https|\$scheme|\$\{scheme\})://([^/?#]+)/?$"
_OWN = ("$host", "${host}", "$http_host", "${http_host}", "$server_name", "${server_name}")


class RedirectDropsPath(Rule):
    """The redirect from http to https leaves the path out: every link and bookmark ends at the front page.

    `return 301 https://a.test;` sends a visitor of http://a.test/shop/7?ref=mail to https://a.test/. With 301 browsers and search
    engines keep that for good. Write `return 301 https://a.test$request_uri;`. Not reported: redirects to another site,
    in a location for one path, or under a condition.
    Source: documentation of return and $request_uri.
    """

    id = "redirect-drops-path"
    group = "correctness"
    directives = ("return", "rewrite")
    texts = ("https://", "$scheme", "${scheme}")
    examples = (
        Bad(
            "server {\n listen 80; server_name a.test;\n return 301 https://a.test; # here\n}",
            "server {\n listen 80; server_name a.test;\n return 301 https://a.test$request_uri; # here\n}",
        ),
        Bad(
            "server {\n listen 80; location / {\n return 302 https://$host/; # here\n }\n}",
            "server {\n listen 80; location / {\n return 302 https://$host$request_uri; # here\n }\n}",
        ),
        Bad("server {\n listen 80; server_name a.test;\n return https://www.a.test; # here\n}"),
        Bad("server {\n listen 80; server_name a.test;\n rewrite ^ https://$server_name/? permanent; # here\n}"),
        Good("server { listen 80; server_name a.test; return 301 https://a.test$request_uri; }"),
        Good(
            "server { listen 80; server_name a.test; rewrite ^/b(.*) https://a.test/b$1; return 301 https://a.test; }"
        ),
        Good(
            "server { listen 80; server_name a.test; location /b { root /b; } location / { return 301 https://a.test; } }"
        ),
        Good("server { listen 80; server_name a.test; return 301 $scheme://a.test/; }"),
        Good("server { listen 80; server_name old.test; return 301 https://new.test; }"),
        Good("server { listen 80; server_name a.test; location = / { return 301 https://a.test/; } }"),
        Good("server { listen 80; server_name a.test; if ($arg_a) { return 302 https://a.test; } }"),
        Good("server { listen 80; server_name a.test; rewrite ^/old$ https://a.test permanent; }"),
        Good("server { listen 443 ssl; server_name a.test; location /gone { return 301 https://a.test/; } }"),
        Good(
            "server { listen 80; server_name a.test; error_page 404 @home; location @home { return 302 https://a.test; } }"
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for line in (*config.saying(_returns, "return"), *config.saying(_rewrites, "rewrite")):
            server, block = config.server(line), line.parent
            if server is None or block is None or server.kind != "http" or any(one.ssl for one in server.listens):
                continue
            location = config.location(line)
            if block.name not in ("server", "location") or (location is not None and location.pattern != "/"):
                continue
            if location is not None and location.modifier not in ("", "^~"):
                continue
            if _leads_elsewhere(server.block, line) or (block is not server.block and _leads_elsewhere(block, line)):
                continue
            word = line.args[1 if line.name == "rewrite" else -1]
            found = compiled(_HOST_ONLY).match(word.text.removesuffix("?"))
            if found is None or not _is_own(found[1].lower(), {name.text.lower() for name in server.names}):
                continue
            names = (*_OWN, *(name.text.lower() for name in server.names))
            if word.text.startswith("$") and found[1].lower() in names:
                continue  # to the same scheme and host: a loop, rather
            yield self._finding(line, found[1])

    def _finding(self, line: Directive, host: str) -> Diagnostic:
        word = line.args[1 if line.name == "rewrite" else -1]
        scheme = word.text.partition("://")[0]
        meant = f"{scheme}://{host}$request_uri" + ("?" if line.name == "rewrite" else "")
        fix = Fix("keep the path", (replace(word.span, meant),), safe=False) if word.span.text == word.text else None
        return self.report(
            word,
            "every link ends at the front page: the redirect leaves out the path that was asked for",
            fix,
            help=f"write {meant}",
        )


def _leads_elsewhere(block: Block, line: Directive) -> bool:
    """Do some requests keep their paths, or are answered here? (All but those of ACME.)"""
    before = (one for one in block.body if one is not line and one is not line.parent)
    return any(
        one.name in ("if", "rewrite", "include")
        or (
            one.name == "location"
            and ".well-known" not in "".join(one.values)
            and not "".join(one.values).startswith("@")
        )
        for one in before
    )


def _is_own(host: str, names: set[str]) -> bool:
    """Is it the site itself, with or without www?"""
    return host in _OWN or any(one in names for one in (host, host.removeprefix("www."), f"www.{host}"))


def _returns(values: tuple[str, ...]) -> bool:
    if not values or "_uri" in values[-1] or (values[0] not in _CODES and len(values) > 1):
        return False  # nearly all of them
    return compiled(_HOST_ONLY).match(values[-1]) is not None


def _rewrites(values: tuple[str, ...]) -> bool:
    if len(values) < 2 or values[0] not in ("^", "^/", "^(.*)$", "^/(.*)$", "(.*)", ".*", "^.*$", "^/.*$"):
        return False
    return compiled(_HOST_ONLY).match(values[1].removesuffix("?")) is not None
