from nginxlint import Bad, Confidence, Config, Diagnostic, Directive, Good, Iterator, Rule, Severity, is_public, note


class RealipIncomplete(Rule):
    """The real address of clients is to be read from a header, and something that needs is missing.

    `real_ip_header` alone does nothing: nginx believes the header only from addresses that `set_real_ip_from` names, so
    logs, limits and `allow` go on seeing the balancer. `real_ip_header proxy_protocol` needs a `listen … proxy_protocol`.
    And with several proxies in a row, `X-Forwarded-For` ends with the address of the first of them: nginx takes the
    last address unless `real_ip_recursive on;`.
    Source: documentation of ngx_http_realip_module.
    """

    id = "realip-incomplete"
    group = "proxy"
    directives = ("real_ip_header",)
    examples = (
        Bad("server { real_ip_header X-Forwarded-For; # here\n location / { return 204; } }"),
        Bad("server { listen 80; set_real_ip_from 10.0.0.1; real_ip_header proxy_protocol; # here\n}"),
        Bad(
            "server { real_ip_header X-Forwarded-For; # here\n set_real_ip_from 10.0.0.0/8; set_real_ip_from 173.245.48.0/20; }"
        ),
        Good("server { real_ip_header X-Forwarded-For; set_real_ip_from 10.0.0.0/8; }"),
        Good("http { real_ip_header X-Real-IP; server { set_real_ip_from 10.0.0.0/8; } }\nevents {}"),
        Good("server { listen 80 proxy_protocol; real_ip_header proxy_protocol; set_real_ip_from 10.0.0.0/8; }"),
        Good(
            "server { real_ip_header CF-Connecting-IP; set_real_ip_from 10.0.0.0/8; set_real_ip_from 173.245.48.0/20; }"
        ),
        Good(
            "server { real_ip_header X-Forwarded-For; real_ip_recursive on;\n"
            " set_real_ip_from 10.0.0.0/8; set_real_ip_from 173.245.48.0/20; }"
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if config.partial:
            return  # networks of a CDN are often included from a file of their own
        for header in config.find("real_ip_header"):
            trusted = _trusted(config, header)
            name = header.values[0].lower() if header.values else ""
            if not trusted:
                yield self.report(
                    header,
                    "nginx goes on taking the proxy's address for the client's: nobody is trusted to send this header",
                    help="write set_real_ip_from with the address of the proxy in front",
                )
            elif name == "proxy_protocol":
                if not any(
                    "proxy_protocol" in listen.options for server in config.servers for listen in server.listens
                ):
                    yield self.report(
                        header,
                        "nginx goes on taking the proxy's address for the client's: no listen here has proxy_protocol",
                        help="write proxy_protocol in the listen, if the balancer in front sends it",
                    )
            elif name == "x-forwarded-for" and _is_chain(trusted) and not config.scope(header).on("real_ip_recursive"):
                yield self.report(
                    header,
                    "with two proxies in a row, the first one is taken for the client",
                    severity=Severity.INFO,
                    confidence=Confidence.MEDIUM,
                    label="the last address in it is taken",
                    related=tuple(note(one, "trusted") for one in trusted[:2]),
                    help="write real_ip_recursive on; if one of them stands behind the other",
                )


def _trusted(config: Config, header: Directive) -> list[Directive]:
    """The `set_real_ip_from` lines that hold where this header does: in effect here, or in a block inside."""
    found = config.scope(header).effective("set_real_ip_from")
    if found:
        return found
    return [
        one for one in config.find("set_real_ip_from") if any(around is header.parent for around in one.ancestors())
    ]


def _is_chain(trusted: list[Directive]) -> bool:
    """Proxies of our own and proxies of the Internet."""
    return len({is_public(one.values[0]) for one in trusted if one.values and one.values[0] != "unix:"}) == 2
