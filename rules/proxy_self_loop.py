from nginxlint import Bad, Confidence, Config, Diagnostic, Good, Iterator, Rule, Severity, note


class ProxySelfLoop(Rule):
    """A pass leads back to the very location it stands in: one request becomes as many as there are connections.

    The target is an address this nginx listens on, and the Host it is sent selects the same server and location again.
    Each round takes two connections until `worker_connections` are used up; visitors of all sites then get 500 or
    502. Mend the port of the target, or the Host (`proxy_set_header Host`) that should lead to another server.
    Reported where the simulator follows a request round and round; a header that ends the round is seen.
    Source: ngx_http_upstream_connect; upstream-semantics A9-10.
    """

    id = "proxy-self-loop"
    group = "proxy"
    severity = Severity.ERROR
    directives = ("proxy_pass", "grpc_pass")
    judges = "circles"
    examples = (
        Bad("server { listen 8080; location / { proxy_pass http://127.0.0.1:8080; } } # here"),
        Bad("server { location / { proxy_set_header Host $host; proxy_pass http://localhost; } } # here"),
        Bad(
            "upstream a { server 127.0.0.1:81; }\nserver { listen 81; location /a/ { proxy_pass http://a/a/x/; } } # here"
        ),
        Bad(
            "server { listen 81; location / { try_files $uri @a; }\n location @a { proxy_pass http://127.0.0.1:81; } # here\n}"
        ),
        Bad("stream { server { listen 3306; proxy_pass 127.0.0.1:3306; } } # here", context="main"),
        Good("location / { proxy_pass http://127.0.0.1; }"),
        Good("server { listen 8080; location / { proxy_pass http://127.0.0.1:8081; } }"),
        Good("server { listen 80; location /api/ { proxy_pass http://127.0.0.1/x/; } location /x/ { return 204; } }"),
        Good(
            "server { listen 80; server_name a.test; location / { proxy_pass http://127.0.0.1; } }\n"
            "server { listen 80 default_server; location / { root /srv; } }"
        ),
        Good(
            "server { listen 81; location / { if ($http_x_round) { return 508; }\n"
            "proxy_set_header X-Round 1; proxy_pass http://127.0.0.1:81; } }"
        ),
        Good("server { listen 443 ssl; location / { proxy_pass http://127.0.0.1:443; } }"),
        Good("server { listen 192.0.2.1:80; location / { proxy_pass http://127.0.0.1:80; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for circle in config.circles:
            if len(circle.passes) > 1:
                continue
            listen = circle.listener.listens[0].directive
            what = circle.url or ("what is sent there" if circle.partly else "every connection")
            stream = circle.passes[0].enclosing("stream") is not None
            yield self.report(
                circle.passes[0].args[0],
                f"{'part of ' if circle.partly else ''}{what} comes back to this very place, round after round, until no "
                f"connection is left: {'all are closed' if stream else '500 or 502 for all'}",
                confidence=Confidence.HIGH if circle.certain else Confidence.MEDIUM,
                related=() if listen is None else (note(listen, "this is where it leads: our own listener"),),
                help="mend the address or the port" + ("" if stream else ", or send a Host that another server has"),
            )
