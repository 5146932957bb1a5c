from nginxlint import (
    PROTOCOLS,
    Bad,
    Config,
    Diagnostic,
    Fix,
    Good,
    Iterator,
    Listen,
    Listener,
    Rule,
    Severity,
    insert_after,
    note,
    read_listen,
)

_NGINX_WARNS = (1, 23, 4)


class ListenProtocolMismatch(Rule):
    """Servers of one socket say different things of `ssl`, `http2` or `proxy_protocol`: the socket does all of it, for all.

    nginx puts the parameters of all `listen`s of a socket together. `listen 80 ssl` in one server makes every site on
    port 80 speak TLS, and `http://` gets 400; `proxy_protocol` in one closes the connection of every visitor who comes
    to another one without that header. From 1.23.4 nginx warns where the lines contradict each other (`protocol options
    redefined for 0.0.0.0:443`). Where one line says it all and the others nothing, as on port 443, there is no harm.
    Source: ngx_http_add_addresses; ngx_stream_add_addresses (nginx 1.25.5).
    """

    id = "listen-protocol-mismatch"
    group = "correctness"
    directives = ("listen",)
    texts = ("\0ssl\0", "\0http2\0", "\0proxy_protocol\0")
    examples = (
        Bad("server { listen 80; server_name a.test; }\nserver { listen 80 ssl; server_name b.test; } # here"),
        Bad(
            "server { listen 80 proxy_protocol; server_name a.test; } # here\nserver { listen 80; server_name b.test; }"
        ),
        Bad(
            "server { listen 443 ssl; server_name a.test; }\nserver { listen 443; server_name b.test; }\n"
            "server { listen 443 ssl; server_name c.test; } # here",
            version=(1, 23, 4),
        ),
        Good("server { listen 443 ssl; server_name a.test; } server { listen 443; server_name b.test; }"),
        Good("server { listen 443 ssl; http2 on; } server { listen 443 ssl; server_name a.test; }"),
        Good("server { listen 80; } server { listen 443 ssl; } server { listen 443 quic; server_name a.test; }"),
        Good("server { listen 443 ssl http2; } server { listen 443 ssl; server_name a.test; }", version=(1, 22, 1)),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        mixed = _mixed(config)
        for listener in config.listeners if mixed else ():
            if listener.socket not in mixed:
                continue
            if not str(listener.listens[0].port).endswith("443"):  # there everybody means TLS
                plain = ", and http:// gets 400" if listener.kind == "http" else ""
                yield from self._shared(listener, "ssl", f"speak TLS{plain}", Severity.WARNING)
            yield from self._shared(
                listener, "proxy_protocol", "close every connection that does not begin with that header", Severity.INFO
            )
            for listen in listener.redefined() if config.version >= _NGINX_WARNS else ():
                yield from self._redefined(listener, listen)

    def _shared(self, listener: Listener, option: str, consequence: str, severity: Severity) -> Iterator[Diagnostic]:
        """One server brings a parameter that others of the socket do not have."""
        saying = [one for one in listener.listens if option in one.options and one.directive]
        others = [one for one in listener.listens if option not in one.options]
        if not saying or not others or saying[0].directive is None:
            return
        count = "another server" if len(others) == 1 else f"{len(others)} other servers"
        yield self.report(
            saying[0].directive,
            f"{option} here makes {count} on {saying[0].address_text} {consequence}",
            related=tuple(note(one.directive, f"has no {option}") for one in others[:1] if one.directive is not None),
            help=f"write {option} in all of them, or give this server a socket of its own",
            severity=severity,
        )

    def _redefined(self, listener: Listener, listen: Listen) -> Iterator[Diagnostic]:
        """One of the lines that nginx warns of."""
        if listen.directive is None:
            return
        first = listener.listens[0]
        said = [one for one in _ORDER if any(one in other.options for other in listener.listens)]
        missing = [one for one in said if one not in listen.options]
        fix = None
        if missing and "http2" not in missing:
            fix = Fix("say all of it", (insert_after(listen.directive.head_span, f" {' '.join(missing)}"),), safe=True)
        yield self.report(
            listen.directive,
            f"nginx warns of this line: the servers on {listen.address_text} contradict each other, and all get "
            f"{' '.join(said)}",
            fix,
            related=() if first.directive is None else (note(first.directive, "the first one"),),
            help="write the same of ssl, http2 and proxy_protocol everywhere, or all of it once and nothing elsewhere",
            nginx_message=f"protocol options redefined for {listen.address_text}",
        )


_ORDER = ("ssl", "http2", "proxy_protocol")


def _mixed(config: Config) -> set[str]:
    """The sockets of which different things are said: mostly none, so look at different lines only."""
    said: dict[str, frozenset[str]] = {}
    mixed: set[str] = set()
    for values in config.alike("listen"):
        listen = read_listen(values)
        options = PROTOCOLS.intersection(listen.options)
        if said.setdefault(listen.socket, options) != options:
            mixed.add(listen.socket)
    return mixed
