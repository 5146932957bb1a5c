from nginxlint import Bad, Config, Diagnostic, Fix, Good, Iterator, Rule, Word, replace, wrong_names


class ServerNameWithPort(Rule):
    """A `server_name` with a port: nginx takes the port off the Host before it compares, so the name never matches.

    Requests for `a.test:8080` have the host a.test. They get another server, unless this one is the default, and nginx
    says nothing. The port is chosen by `listen`; write the host alone. An IPv6 address stands in brackets, in the Host
    and here. Source: ngx_http_validate_host.
    """

    id = "server-name-with-port"
    group = "correctness"
    directives = ("server_name",)
    texts = (":",)
    examples = (
        Bad(
            "server { listen 8080; server_name a.test:8080; } # here\nserver { listen 8080; server_name b.test; }",
            "server { listen 8080; server_name a.test; } # here\nserver { listen 8080; server_name b.test; }",
        ),
        Bad("server { server_name 2001:db8::1; } # here", "server { server_name [2001:db8::1]; } # here"),
        Good("server { server_name [2001:db8::1]; }"),
        Good(r"server { server_name ~^(?:www\.)?a\.test$; }"),
        Good("server { server_name https://a.test:8443/; }"),  # server-name-with-scheme-or-path
        Good("server { server_name ${HOST:-a.test}; }"),  # a template
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for word, _, severity in wrong_names(config, _has_port):
            better = _better(word.text)
            yield self.report(
                word,
                f'no request has the host "{word.text}": nginx takes the port off before it compares names',
                _fix(word, better),
                severity=severity,
                help=f"write {better}" if better else "write the host alone",
            )


def _has_port(name: str) -> bool:
    """Is there a colon outside of brackets? (Not in regular expressions, URLs and templates.)"""
    return ":" in name.partition("]")[2 if name[:1] == "[" else 0] and name[:1] != "~" and not set(name) & set("/${<%")


def _better(name: str) -> str:
    host, _, port = name.rpartition(":")
    if port.isdigit() and host and (":" not in host or host[-1] == "]"):
        return host
    return f"[{name}]" if name.count(":") > 1 and not name.strip("0123456789abcdefABCDEF:.") else ""


def _fix(word: Word, better: str) -> Fix | None:
    if not better or word.quote:
        return None
    return Fix(f"write {better}", (replace(word.span, better),), safe=False)
