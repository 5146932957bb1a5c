from nginxlint import Bad, Confidence, Config, Diagnostic, Good, Iterator, Rule, Severity, note


class ProxyCycle(Rule):
    """Passes of several servers or locations lead to one another in a circle: a request never leaves this nginx.

    Each target is an address this nginx listens on, and the last one leads to the first again. Every round takes more
    connections until `worker_connections` are used up; visitors of all sites then get 500 or 502. One of
    the passes has the wrong port or sends the wrong Host.
    Reported where the simulator follows a request round and round; see proxy-self-loop for a single pass.
    Source: ngx_http_upstream_connect; upstream-semantics A9-10.
    """

    id = "proxy-cycle"
    group = "proxy"
    severity = Severity.ERROR
    directives = ("proxy_pass", "grpc_pass")
    judges = "circles"
    examples = (
        Bad(
            "server { listen 81; location / { proxy_pass http://127.0.0.1:82; } } # here\n"
            "server { listen 82; location / { proxy_pass http://127.0.0.1:81; } }"
        ),
        Bad(
            "upstream front { server localhost:81; }\n"
            "server { listen 81; location /a/ { proxy_pass http://127.0.0.1:82; } } # here\n"
            "server { listen 82; location / { proxy_set_header Host a.test; proxy_pass http://front; } }"
        ),
        Bad(
            "stream { server { listen 81; proxy_pass 127.0.0.1:82; } }\n"
            "http { server { listen 82; location / { proxy_pass http://127.0.0.1:83; } } # here\n"
            "server { listen 83; location / { proxy_pass http://127.0.0.1:81; } } }",
            context="main",
        ),
        Good(
            "server { listen 81; location / { proxy_pass http://127.0.0.1:82; } }\n"
            "server { listen 82; location / { proxy_pass http://127.0.0.1:83; } }"
        ),
        Good(
            "server { listen 81; location / { proxy_pass http://127.0.0.1:82; } location /b/ { root /srv; } }\n"
            "server { listen 82; location / { proxy_pass http://127.0.0.1:81/b/; } }"
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for circle in config.circles:
            if len(circle.passes) < 2:
                continue
            first, *others = sorted(circle.passes, key=lambda one: (one.source.path, one.start))
            yield self.report(
                first.args[0],
                f"{circle.url or 'every connection'} goes in a circle through {len(circle.passes)} of our own passes until "
                "no connection is left: 500 or 502 for all",
                confidence=Confidence.HIGH if circle.certain else Confidence.MEDIUM,
                related=tuple(note(one, "leads on to another of our own listeners") for one in others),
                help="one of them has the wrong port, or sends the wrong Host",
            )
