from nginxlint import Bad, Config, Diagnostic, Fix, Good, Iterator, Rule, Server, insert_line_after, note


class ListenIpv6Elsewhere(Rule):
    """Who comes by IPv6 gets another site: on this port the server listens with IPv4 only, and others with both.

    The names of a site have an IPv6 address where one of its servers listens on `[::]` (for the redirect on port 80, say). With
    `listen 443 ssl;` alone, visitors with IPv6 meet the default server of `[::]:443`: its pages, and its
    certificate. Write `listen [::]:443 ssl;` beside it. Not reported: names that no server listens for on `[::]`, and ports
    on which nobody does (the connection fails, and browsers turn to IPv4).
    Source: documentation of listen; ngx_http_find_virtual_server.
    """

    id = "listen-ipv6-elsewhere"
    group = "correctness"
    directives = ("listen",)
    texts = ("[::]",)
    examples = (
        Bad(
            "server { listen 80; listen [::]:80; server_name a.test b.test; return 301 http://$host:81$request_uri; }\n"
            "server { listen 81; listen [::]:81; server_name b.test; root /b; }\n"
            "server {\n listen 81; # here\n server_name a.test; root /a;\n}",
            "server { listen 80; listen [::]:80; server_name a.test b.test; return 301 http://$host:81$request_uri; }\n"
            "server { listen 81; listen [::]:81; server_name b.test; root /b; }\n"
            "server {\n listen 81;\n listen [::]:81; # here\n server_name a.test; root /a;\n}",
        ),
        Bad(
            "server { listen 443; listen [::]:443; server_name a.test; }\nserver { listen [::]:80 default_server; }\n"
            "server {\n server_name a.test; listen 80; # here\n}"
        ),
        Good(
            "server { listen 80; listen [::]:80; server_name a.test; }"
            "server { listen 443 ssl; listen [::]:443 ssl; server_name a.test; }"
        ),
        Good(
            "server { listen [::]:80 default_server; listen 80 default_server; } server { listen 80; server_name a.test; }"
        ),
        Good(
            "server { listen [::]:80; listen 80; server_name a.test; } server { listen 443 ssl; server_name a.test; }"
        ),
        Good(
            "server { listen [::]:80; listen 80; server_name a.test; } server { listen [::]:81; server_name b.test; }"
            "server { listen 127.0.0.1:81; server_name a.test; }"
        ),
        Good(
            "server { listen [::]:80; server_name a.test; } server { listen [::]:81; server_name b.test; }"
            "server { listen [::]:81; server_name *.test; } server { listen 81; server_name a.test; }"
        ),
        Good(
            "server { listen [::]:80; server_name a.test; } server { listen [::]:443 ssl; server_name a.test; }"
            "server { listen 443 ssl; server_name a.test; }"
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        masks: set[int] = set()  # ports of [::] with a name that may take others
        defaults: dict[int, Server] = {}
        ports: dict[str, set[int]] = {}
        likely: list[Server] = []
        for server in config.http_servers():
            sixth = [listen for listen in server.listens if listen.address.startswith("[") and not listen.udp]
            for listen in sixth:
                if listen.address == "[::]":
                    defaults.setdefault(listen.port, config.listeners.at(server, listen).default)
                if not server.is_whole or any(_is_mask(name.text) for name in server.names):
                    masks.add(listen.port)
                for name in server.names:
                    ports.setdefault(name.text.lower(), set()).add(listen.port)
            if len(sixth) < len(server.listens):
                likely.append(server)
        for server in likely if ports else ():
            for listen in server.listens:
                other = defaults.get(listen.port)
                if listen.address != "*" or listen.udp or listen.directive is None or other is None or other is server:
                    continue
                if listen.port in masks or not server.is_whole:
                    continue
                asked = next((one.text for one in server.names if ports.get(one.text.lower())), "")
                if asked.strip("_") in ("", "localhost") or any(
                    listen.port in ports.get(one.text.lower(), ()) for one in server.names
                ):
                    continue
                kept = [one for one in listen.options if one in ("ssl", "http2", "proxy_protocol")]
                written = " ".join((f"[::]:{listen.port}", *kept))
                yield self.report(
                    listen.directive,
                    f"who comes by IPv6 for {asked} gets the server {other.first_name or 'without a name'}: "
                    "only IPv4 is listened on here",
                    Fix(
                        "listen with IPv6, too",
                        (insert_line_after(listen.directive, f"listen {written};"),),
                        safe=False,
                    ),
                    related=(note(other.block.name_span, f"the default of [::]:{listen.port}"),),
                    help=f"write listen {written};",
                )


def _is_mask(name: str) -> bool:
    return name.startswith(("~", "*", ".")) or name.endswith("*")
