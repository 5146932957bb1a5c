from nginxlint import Bad, Block, Config, Diagnostic, Directive, Good, Iterator, Rule, note, references, split_condition

_HEADERS = ("http_x_forwarded_for", "http_x_client_ip", "http_client_ip", "http_x_originating_ip", "http_forwarded")
_REFUSALS = ("401", "403", "404", "410", "444")
_DIGITS = frozenset("0123456789")


class ForwardedForGate(Rule):
    """Who may come in is decided by a header in which every visitor writes what he likes.

    `if ($http_x_forwarded_for !~ ^10\\.) { return 403; }` lets in whoever sends `X-Forwarded-For: 10.0.0.1`, and a proxy in front
    mostly appends to what he sent. Say which proxies nginx may believe (`set_real_ip_from NETWORK;
    real_ip_header X-Forwarded-For; real_ip_recursive on;`), and ask for the address itself: `allow`, `deny`, or a `geo` without
    a variable of its own. `proxy 10.0.0.0/8;` inside a `geo` does the same. Not reported: lists of those who are kept out.
    Source: documentation of ngx_http_realip_module and ngx_http_geo_module; RFC 7239, 8.1.
    """

    id = "forwarded-for-gate"
    group = "security"
    directives = ("if", "geo", "map")
    texts = _HEADERS
    examples = (
        Bad("location /admin { if ($http_x_forwarded_for !~ ^10\\.) { return 403; } # here\n proxy_pass http://app; }"),
        Bad(
            "geo $http_x_forwarded_for $in { default 0; 10.0.0.0/8 1; } # here\n"
            "server { location / { if ($in = 0) { return 403; } root /srv; } }"
        ),
        Bad(
            "map $http_x_forwarded_for $in { default 0; ~^192\\.0\\.2\\. 1; } # here\n"
            "server { if ($in != 1) { return 444; } root /srv; }"
        ),
        Good("location / { if ($http_x_forwarded_for ~ ^10\\.) { return 403; } root /srv; }"),
        Good("location / { if ($http_x_forwarded_for != '') { return 403; } root /srv; }"),
        Good("geo $in { default 0; 10.0.0.0/8 1; } server { if ($in = 0) { return 403; } }"),
        Good(
            "map $http_x_forwarded_for $who { '' $remote_addr; default $http_x_forwarded_for; } server { root /srv; }"
        ),
        Good("map $http_x_forwarded_for $in { default 1; 192.0.2.1 0; } server { if ($in = 0) { return 403; } }"),
        Good("map $http_forwarded_host $ok { default 0; www1.a.test 1; } server { if ($ok = 0) { return 403; } }"),
        Good(
            'map "$http_x_forwarded_for:$http_x_key" $in { default 0; "~^10\\.1\\..*:secret$" 1; }'
            "server { if ($in = 0) { return 403; } }"
        ),
        Good(
            "server { allow 10.0.0.1; deny all; if ($http_x_forwarded_for !~ ^192\\.0\\.2\\.) { return 403; } root /srv; }"
        ),
        Good(
            "server { listen 127.0.0.1:81; location / { if ($http_x_forwarded_for !~ ^10\\.) { return 403; } root /srv; } }"
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for test in config.saying(_names_header, "if"):
            words = split_condition(test.values)
            if (
                isinstance(test, Block)
                and words[1:2] in (["!~"], ["!~*"], ["!="])
                and _tells_address(words[-1])
                and _refuses(test)
            ):
                yield from self._finding(config, test, test)
        for made in config.saying(lambda values: len(values) == 2 and _names_header(values[:1]), "geo", "map"):
            if not isinstance(made, Block) or made.child("proxy", "include"):
                continue
            let_in = {line.values[0] for line in made.body if line.values and _tells_address(line.name)}
            kept_out = next((line.values[0] for line in made.body if line.name == "default" and line.values), "")
            if kept_out in let_in:
                continue
            name = made.values[1][1:].lower()
            for test in config.blocks("if"):
                if name in references(" ".join(test.values)) and _refuses(test) and _keeps_out(test, kept_out):
                    yield from self._finding(config, made, test)
                    break

    def _finding(self, config: Config, place: Directive, test: Directive) -> Iterator[Diagnostic]:
        server = config.server(test)
        if (server is not None and server.is_local) or config.scope(test).is_restricted:
            return  # who else is let in is the affair of the proxies that are let in, or of a password
        (name,) = references(place.values[0])
        header = "-".join(part.capitalize() for part in name.split("_")[1:])
        yield self.report(
            place,
            f"every visitor gets in who sends {header} with an address of this list",
            related=() if test is place else (note(test, "the others are refused here"),),
            help="write set_real_ip_from for the proxies in front, and ask for the address itself: allow, deny, geo $in { … }",
        )


def _names_header(values: tuple[str, ...]) -> bool:
    return bool(values) and [name in _HEADERS for name in references(values[0])] == [True]


def _tells_address(text: str) -> bool:
    return not _DIGITS.isdisjoint(text) and ("." in text or ":" in text)


def _refuses(test: Block) -> bool:
    return any(answer.values[:1] and answer.values[0] in _REFUSALS for answer in test.named("return"))


def _keeps_out(test: Block, value: str) -> bool:
    """Is the condition true for who is not in the list?"""
    words = split_condition(test.values)
    if len(words) == 1:
        return value not in ("", "0")
    return (words[1] == "=" and words[-1] == value) or (words[1] == "!=" and words[-1] != value)
