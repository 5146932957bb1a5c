from nginxlint import (
    OWN_PROTOCOLS,
    Bad,
    Config,
    Diagnostic,
    Directive,
    Good,
    Iterator,
    Listener,
    Rule,
    Server,
    Version,
    note,
)

_TLS13_BY_DEFAULT = (1, 23, 4)
_ONLY_NEW_BY_DEFAULT = (1, 27, 3)


class DefaultOnlyDirective(Rule):
    """A setting stands in a server that is not the default of its socket, and nginx takes that of the default server.

    nginx chooses the protocol of a TLS connection before it looks which server the name in the handshake means: the
    `ssl_protocols` of the default server hold for all on that socket, until nginx 1.29.2. Without TLS it reads
    the request line before it knows the Host: `merge_slashes` is that of the default server, too. Write it in `http` or
    in the default server. Source: documentation of merge_slashes; ngx_http_ssl_servername, ngx_http_process_request_uri;
    nginx change log 1.29.2.
    """

    id = "default-only-directive"
    group = "correctness"
    directives = ("ssl_protocols", "merge_slashes")
    examples = (
        Bad(
            "server { listen 80; server_name a.test; }\nserver { listen 80; server_name b.test; merge_slashes off; } # here"
        ),
        Bad(
            "server { listen 443 ssl; server_name a.test; }\n"
            "server { listen 443 ssl; server_name b.test; ssl_protocols TLSv1.3; } # here",
            version=(1, 22, 1),
        ),
        Good(
            "server { listen 443 ssl; server_name a.test; }"
            "server { listen 443 ssl; server_name b.test; ssl_protocols TLSv1.3; }",
            version=(1, 29, 2),
        ),
        Good("server { listen 80; merge_slashes off; } server { listen 80; server_name a.test; }"),
        Good(
            "events { } http { server { listen 80; } server { listen 443 ssl; server_name a.test; merge_slashes off; } }"
        ),
        Good(
            "server { listen 443 ssl; ssl_protocols TLSv1.2 TLSv1.3; }"
            "server { listen 443; server_name b.test; ssl_protocols TLSv1.3 TLSv1.2; }",
            version=(1, 22, 1),
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for directive in () if config.partial else config.find(*self.directives):
            if directive.name == "ssl_protocols" and config.version >= OWN_PROTOCOLS:
                continue
            server = config.server(directive) if directive.parent and directive.parent.name == "server" else None
            listener = None if server is None else _decided_elsewhere(config, directive, server)
            if listener is None:
                continue
            default = listener.default
            theirs = default.scope.directive(directive.name)
            yield self.report(
                directive,
                f"{directive.name} has no effect on {listener.listens[0].address_text}: nginx takes that of the default server "
                "there, before it knows which server is meant",
                related=(note(theirs or default.block.name_span, "in effect" if theirs else "the default server"),),
                help="write it in http, or in the default server",
            )


def _decided_elsewhere(config: Config, directive: Directive, server: Server) -> Listener | None:
    """A socket where the default server has another value."""
    for listen in server.listens:
        listener = config.listeners.at(server, listen)
        if listener.default is server or (listener.ssl is None) is (directive.name == "ssl_protocols"):
            continue
        theirs = listener.default.scope.directive(directive.name)
        values = theirs.values if theirs else _by_default(directive.name, config.version)
        if {value.lower() for value in values} != {value.lower() for value in directive.values}:
            return listener
    return None


def _by_default(name: str, version: Version) -> tuple[str, ...]:
    if name == "merge_slashes":
        return ("on",)
    if version >= _ONLY_NEW_BY_DEFAULT:
        return ("TLSv1.2", "TLSv1.3")
    return ("TLSv1", "TLSv1.1", "TLSv1.2", *(("TLSv1.3",) if version >= _TLS13_BY_DEFAULT else ()))
