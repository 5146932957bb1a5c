from nginxlint import PASSES, Bad, Config, Diagnostic, Directive, Good, Iterator, Rule, Server, Severity, note


class NamedLocationUndefined(Rule):
    """`@name` is used in a server that has no such location: those requests get 500.

    nginx looks for it only when it is needed, and only in the same server: "could not find named location". The
    configuration test does not notice.
    Source: ngx_http_named_location (src/http/ngx_http_core_module.c).
    """

    id = "named-location-undefined"
    group = "correctness"
    severity = Severity.ERROR
    directives = ("try_files", "error_page", "post_action")
    texts = ("@",)
    examples = (
        Bad("server {\n location / { try_files $uri @app; } # here\n}"),
        Bad("server {\n error_page 502 @down; # here\n location / { proxy_pass http://app; }\n}"),
        Good(
            "error_page 502 @down; server { return 301 https://a.test; } server { location / { root /srv; } }"
            " server { location / { proxy_pass http://app; } location @down { return 503; } }"
        ),
        Good("server { location / { try_files $uri @app; } location @app { proxy_pass http://app; } }"),
        Good("server { error_page 404 = @a; location @a { return 404; } }"),
        Good("server { location / { try_files $uri /@scope/index.html; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for directive in config.find(*self.directives):
            if not directive.values or directive.values[-1][:1] != "@" or "$" in directive.values[-1]:
                continue
            word = directive.args[-1]
            for server in _servers_of(config, directive):
                if config.broken or server.block.synthetic or server.block.has_gap:
                    continue
                names = {location.pattern for location in server.locations if location.modifier == "@"}
                if word.text in names:
                    continue
                known = ", ".join(sorted(names))
                yield self.report(
                    word,
                    f"requests that get here are answered 500: this server has no location {word.text}",
                    help=(f"this server has {known}",) if known else ("named locations of other servers do not count",),
                    nginx_message=f'could not find named location "{word.text}"',
                    related=() if directive.enclosing("server") else (note(server.block, "has no such location"),),
                )
                break


def _servers_of(config: Config, directive: Directive) -> list[Server]:
    """The server it stands in; of a line in `http` those that inherit it."""
    server = config.server(directive)
    if server is not None:
        return [server]
    return [
        one
        for one in config.http_servers()
        if directive in config.scope(one.block).effective(directive.name) and _may_need_it(one, directive)
    ]


def _may_need_it(server: Server, page: Directive) -> bool:
    """Can the server come to these codes? One that only redirects comes to none, those of upstreams need a pass."""
    if server.block.child("return") is not None:
        return False
    of_upstreams = {"500", "502", "503", "504"}.issuperset(page.values[:-1])
    return not of_upstreams or any(one.name in PASSES for one in server.block.walk())
