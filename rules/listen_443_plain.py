from nginxlint import (
    Bad,
    Confidence,
    Config,
    Diagnostic,
    Fix,
    Good,
    Iterator,
    Listen,
    Rule,
    Server,
    insert_after,
    is_public,
    note,
    proxies_in_front,
    read_listen,
)


class Listen443Plain(Rule):
    """A server listens on port 443 without `ssl`: it speaks plain HTTP there, and browsers show a TLS error.

    `listen 443;` alone does not make a server speak TLS, with or without `ssl_certificate`: write `listen 443 ssl;`. One
    such line is enough for all servers of the socket. Not reported: sockets that some server makes TLS or that await the
    PROXY protocol, `ssl on` of old versions, servers that do nothing but `return 444`, addresses of a local network and
    servers behind another proxy, unless they have a certificate (then 8443 counts, too).
    Source: documentation "Configuring HTTPS servers".
    """

    id = "listen-443-plain"
    group = "tls"
    directives = ("listen",)
    texts = ("443\0",)
    examples = (
        Bad(
            "server {\n listen 443; # here\n ssl_certificate a.pem;\n ssl_certificate_key a.key;\n}",
            "server {\n listen 443 ssl; # here\n ssl_certificate a.pem;\n ssl_certificate_key a.key;\n}",
        ),
        Bad(
            "server {\n listen 443 ssl;\n listen [::]:443; # here\n ssl_certificate a.pem;\n ssl_certificate_key a.key;\n}"
        ),
        Bad("events { }\nhttp {\n server {\n listen 80;\n listen 443; # here\n root /srv; } }"),
        Good("server { listen 443 ssl; ssl_certificate a.pem; } server { listen 443; ssl_certificate b.pem; }"),
        Good("server { listen 443; ssl on; ssl_certificate a.pem; }", version=(1, 22, 1)),
        Good("events { } http { server { listen 443 default_server; return 444; } }"),
        Good("events { } http { server { listen 443 proxy_protocol; root /srv; } }"),
        Good("events { } http { server { listen 10.0.0.1:443; listen 127.0.0.1:443; listen 8443; root /srv; } }"),
        Good("events { } http { server { listen 443; proxy_set_header X-Forwarded-Proto $http_x_forwarded_proto; } }"),
        Good("server { listen 443 quic; listen unix:/run/443; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        ports = (443, 8443) if "ssl_certificate" in config.names else (443,)
        proxied: set[object] | None = None
        for directive in config.saying(lambda values: _plain_port(values) in ports, "listen"):
            server = config.server(directive)
            if server is None or directive.parent is not server.block:
                continue  # it stands where nginx takes none
            if server.kind != "http" or server.scope.on("ssl"):
                continue
            certificate = server.block.child("ssl_certificate")
            listen = read_listen(directive.values, directive)
            if certificate is None:
                if config.partial or listen.port != 443 or not _is_public(listen) or _closes(server):
                    continue
                proxied = set(proxies_in_front(config)) if proxied is None else proxied
                if not proxied.isdisjoint((None, server.block)):
                    continue
            listener = config.listeners.at(server, listen)
            if listener.ssl or listener.proxy_protocol:
                continue
            yield self.report(
                directive,
                f"browsers show a TLS error for https:// here: without ssl nginx speaks plain HTTP on port {listen.port}",
                Fix("write ssl", (insert_after(directive.args[0].span, " ssl"),), safe=False) if certificate else None,
                related=() if certificate is None else (note(certificate, "never used on this port"),),
                help=f"write listen {directive.values[0]} ssl;"
                + ("" if certificate else ", and ssl_certificate with ssl_certificate_key"),
                confidence=Confidence.HIGH if certificate else Confidence.MEDIUM,
            )


def _plain_port(values: tuple[str, ...]) -> int:
    """The port, where the line says nothing that makes it speak another protocol than HTTP."""
    if not values or not values[0].endswith("443") or {"ssl", "quic", "proxy_protocol"} & set(values[1:]):
        return 0
    return read_listen(values).port


def _is_public(listen: Listen) -> bool:
    """May visitors come to it directly?"""
    return listen.address in ("*", "[::]") or is_public(listen.address.strip("[]"))


def _closes(server: Server) -> bool:
    return any(one.values[:1] == ("444",) for one in server.block.children("return"))
