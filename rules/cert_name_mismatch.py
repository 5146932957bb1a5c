from nginxlint import (
    Bad,
    Config,
    Diagnostic,
    Good,
    Iterator,
    Presented,
    Rule,
    Server,
    Word,
    address_of,
    note,
    visited_names,
)

_SHOWN_NAMES = 3


class CertNameMismatch(Rule):
    """No certificate of a server is for one of its names: browsers warn everybody who comes by it.

    A server that only redirects shows its certificate first, too. Get a certificate with all names of the server, or move
    the others to a server with their own. Browsers look at the alternative names only: `*` in one stands for one label,
    and a common name for none. Not judged: regular expressions, names without a domain, addresses beside names, and names
    that another server of the socket takes. Only looked at where the configuration is that of this machine
    (`--check-files`).
    Source: RFC 6125, section 6.4; RFC 9525.
    """

    id = "cert-name-mismatch"
    group = "tls"
    directives = ("ssl_certificate",)
    judges = "certificates"
    examples = (
        Bad("server {\n listen 443 ssl;\n server_name other.test; # here\n ssl_certificate good.pem;\n}", live=True),
        Bad(
            "ssl_certificate good.pem;\nserver { listen 443 ssl; server_name demo.test a.b.demo.test; } # here",
            live=True,
        ),
        Bad(
            "ssl_certificate good.pem;\nserver { listen 443 ssl; server_name www.demo.org; return 301 https://demo.test; } # here",
            live=True,
        ),
        Bad(
            "ssl_certificate name-in-subject-only.pem;\nserver { listen 443 ssl; server_name app.demo.test; } # here",
            live=True,
        ),
        Bad("ssl_certificate good.pem;\nserver { listen 443 ssl; server_name 192.0.2.1; } # here", live=True),
        Good("ssl_certificate good.pem; server { listen 443 ssl; server_name demo.test *.demo.test; }", live=True),
        Good(
            "ssl_certificate good.pem; server { listen 443 ssl; server_name .demo.test www.demo.* xn--a.demo.test; }",
            live=True,
        ),
        Good('ssl_certificate good.pem; server { listen 443 ssl; server_name _ "" localhost ~^(.+)$; }', live=True),
        Good("ssl_certificate good.pem; server { listen 443 ssl; server_name demo.test 192.0.2.1 [::1]; }", live=True),
        Good("ssl_certificate address.pem; server { listen 443 ssl; server_name 127.0.0.1; }", live=True),
        Good("ssl_certificate good.pem; server { listen 80; server_name other.test; }", live=True),
        Good(
            "ssl_certificate good.pem; ssl_certificate wrong-name.pem; server { listen 443 ssl; server_name other.example.test; }",
            live=True,
        ),
        Good("ssl_certificate good.pem; server { listen 443 ssl; server_name other.test; } # of another machine"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        taken: set[tuple[str, str]] = set()
        for presented in config.certificates:
            server = config.server(presented.block)
            if server is None or server.kind != "http" or not presented.whole:
                continue
            missing = []
            for word in visited_names(server):
                name = word.text.lower()
                asked = {(listen.socket, name) for listen in presented.listens} - taken
                taken.update(asked)
                if asked and presented.direct and not any(one.covers(name) for one in presented.certificates):
                    missing.append(word)
            if missing and (address_of(missing[0].text) is None or _is_default(config, presented, server)):
                yield self._finding(presented, missing)

    def _finding(self, presented: Presented, missing: list[Word]) -> Diagnostic:
        shown = presented.certificates[-1]
        names = ", ".join(word.text for word in missing[:_SHOWN_NAMES])
        if len(missing) > _SHOWN_NAMES:
            names += f" and {len(missing) - _SHOWN_NAMES} more"
        held = [*shown.names[:_SHOWN_NAMES], *(["others"] if len(shown.names) > _SHOWN_NAMES else [])]
        what = f"is for {', '.join(held)}" if held else "has no alternative names, the only ones browsers look at"
        return self.report(
            missing[0],
            f"browsers warn visitors of {names}: the certificate {shown.path} {what}",
            related=tuple(note(line, "the certificate") for line in list(shown.directives)[:1]),
            help="get a certificate with this name, or move the name to a server with its own certificate",
        )


def _is_default(config: Config, presented: Presented, server: Server) -> bool:
    """Does it answer visitors who come by an address, and so send no name in the handshake?"""
    return any(config.listeners.at(server, listen).default is server for listen in presented.listens)
