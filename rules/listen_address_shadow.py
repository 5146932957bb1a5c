from nginxlint import Bad, Config, Diagnostic, Good, Iterator, Rule, Server, note

_LOOPBACK = ("127.", "[::1]", "localhost")


class ListenAddressShadow(Rule):
    """One server listens on an address, others on the wildcard of the same port: on that address they do not exist.

    nginx first takes the socket a connection came in on, and looks for names only among its servers. For
    `listen 192.0.2.1:80` in one server and `listen 80` in the others, every request that arrives at 192.0.2.1 gets the
    first, whatever its Host. Listen everywhere the same way, or add the address to the others. Not reported: loopback
    addresses, and servers on the wildcard that only catch what has no name.
    Source: documentation "How nginx processes a request"; ngx_http_find_virtual_server.
    """

    id = "listen-address-shadow"
    group = "correctness"
    directives = ("listen",)
    judges = "listen_addresses"
    examples = (
        Bad("server { listen 80; server_name a.test; }\nserver { listen 192.0.2.1:80; server_name b.test; } # here"),
        Bad(
            "server { listen [::]:80; server_name a.test b.test; }\n"
            "server { listen [2001:db8::1]:80; server_name b.test; } # here"
        ),
        Good("server { listen 80; server_name a.test; } server { listen 80; server_name b.test; }"),
        Good("server { listen 80; server_name a.test; } server { listen 127.0.0.1:80; location / { stub_status; } }"),
        Good("server { listen 80; server_name a.test; } server { listen 192.0.2.1:8080; server_name b.test; }"),
        Good("server { listen 80 default_server; return 444; } server { listen 192.0.2.1:80; server_name b.test; }"),
        Good("server { listen 80; listen 192.0.2.1:80; server_name a.test; }"),
        Good("server { listen 80; server_name a.test; } server { listen 192.0.2.1:443 quic; server_name b.test; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if all(map(_is_wild, config.listen_addresses)):
            return
        sockets = {listener.socket: listener.servers for listener in config.listeners if listener.kind == "http"}
        for socket, servers in sockets.items():
            listen = next(one for one in servers[0].listens if one.socket == socket)
            if listen.address in ("*", "[::]") or listen.address.startswith(("unix:", *_LOOPBACK)):
                continue
            wild = "[::]" if listen.address.startswith("[") else "*"
            others = sockets.get(socket.replace(listen.address, wild, 1), [])
            known = {name for server in servers for name in _names(server)}
            hidden = [(server, _names(server) - known) for server in others if server not in servers]
            hidden = [(server, names) for server, names in hidden if names]
            if not hidden or listen.directive is None:
                continue
            names = ", ".join(sorted(name for _, found in hidden for name in found)[:3])
            more = sum(len(found) for _, found in hidden) - 3
            yield self.report(
                listen.directive,
                f"requests that arrive at {listen.address} port {listen.port} never reach {names}"
                f"{f' and {more} more' if more > 0 else ''}: only servers that listen on this very address are searched",
                related=(note(hidden[0][0].block, "listens on the wildcard address only"),),
                help="write the same address everywhere, or add this listen to the others",
            )


def _is_wild(where: str) -> bool:
    """Is it every address of this host? (A quick look; the model reads it exactly.)"""
    return where.startswith(("[::]", "*:", "0.0.0.0:", "unix:"))


def _names(server: Server) -> set[str]:
    """The names a visitor can mean."""
    return {word.text.lower() for word in server.names if word.text not in ("", "_", "~", "~^", "~.*", "~^.*$")}
