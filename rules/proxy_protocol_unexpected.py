from nginxlint import Bad, Config, Diagnostic, Good, Iterator, Rule, Severity, endpoints, note


class ProxyProtocolUnexpected(Rule):
    """A pass of `stream` sends a PROXY protocol header to one of our own listeners that does not await one.

    The listener takes the header for the request, or for the TLS handshake: every visitor gets 400, or a TLS error. Write
    `proxy_protocol` in the `listen` of the inner server (and `set_real_ip_from` and `real_ip_header proxy_protocol;`, so that
    the address in it is used), or take `proxy_protocol on;` out.
    Source: documentation of proxy_protocol (ngx_stream_proxy_module) and listen.
    """

    id = "proxy-protocol-unexpected"
    group = "proxy"
    severity = Severity.ERROR
    directives = ("proxy_protocol",)
    texts = ("\0on\0",)
    examples = (
        Bad(
            "events { }\nhttp { server { listen 127.0.0.1:8443 ssl; } }\n"
            "stream { server { listen 443; proxy_protocol on;\n proxy_pass 127.0.0.1:8443; # here\n} }"
        ),
        Bad(
            "events { }\nhttp { server { listen unix:/run/web.sock; } }\n"
            "stream { proxy_protocol on; upstream web { server unix:/run/web.sock; }\n"
            "server { listen 80;\n proxy_pass web; # here\n} }"
        ),
        Good(
            "events { } http { server { listen 8443 ssl proxy_protocol; } }"
            "stream { server { listen 443; proxy_protocol on; proxy_pass 127.0.0.1:8443; } }"
        ),
        Good(
            "events { } http { server { listen 8443 ssl; } }"
            "stream { server { listen 443; proxy_pass 127.0.0.1:8443; } }"
        ),
        Good(
            "events { } http { server { listen 8443; } }"
            "stream { server { listen 443; proxy_protocol on; proxy_pass 10.0.0.9:8443; } }"
        ),
        Good(
            "stream { server { listen 443; proxy_protocol on; proxy_pass 127.0.0.1:91; }"
            " server { listen 91; proxy_pass 10.0.0.9:443; } }"
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if config.partial:
            return  # a listen elsewhere may await it, for all servers of its socket
        for target in config.passes("proxy_pass"):
            if target.kind != "stream" or not config.scope(target.directive).on("proxy_protocol"):
                continue
            for end in endpoints(config, target):
                found = [
                    one for one in config.listeners.behind(end) if one.proxy_protocol is None and one.kind == "http"
                ]
                if not found:
                    continue
                listen = found[0].listens[0]
                place = listen.directive
                yield self.report(
                    target.directive.args[0],
                    f"whoever is passed on there gets {'a TLS error' if found[0].ssl else '400'}: {listen.socket} awaits no "
                    "PROXY protocol header, and takes this one for the request",
                    label="sends a PROXY protocol header",
                    related=() if place is None else (note(place, "awaits none"),),
                    help="write proxy_protocol in that listen",
                )
                break
