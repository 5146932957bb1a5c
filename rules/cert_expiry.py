from nginxlint import Bad, Config, Diagnostic, Good, Iterator, Rule, Severity, Shown, note

_DAY = 86400.0
_SHORT = 30  # days a certificate is for, which is then renewed in the last third of them (RFC 9773, certbot)
_LAST = 253402300799  # of the year 9999


class CertExpiry(Rule):
    """The certificate that visitors are shown has expired, is not valid yet, or expires within 14 days.

    nginx reads it and says nothing; browsers refuse to open the site. Renew it and reload nginx: it reads certificates only
    when it starts or reloads. Only the certificate of the server itself counts, the first one in the file; one with a
    short life is reported in the last third of it. Only looked at where the configuration is that of this machine
    (`--check-files`). Option: `days` (14), how long before the end.
    Source: ngx_ssl_certificate (src/event/ngx_event_openssl.c) does not ask for dates; RFC 5280, section 4.1.2.5.
    """

    id = "cert-expiry"
    group = "tls"
    severity = Severity.WARNING
    directives = ("ssl_certificate",)
    judges = "certificates"
    options = {"days": 14}
    examples = (
        Bad(
            "server {\n listen 443 ssl;\n server_name demo.test;\n ssl_certificate /etc/ssl/expired.pem; # here\n}",
            live=True,
        ),
        Bad(
            "ssl_certificate /etc/ssl/future.pem; # here\nserver { listen 443 ssl; server_name demo.test; }", live=True
        ),
        Good("server { listen 443 ssl; server_name demo.test; ssl_certificate /etc/ssl/good.pem; }", live=True),
        Good("server { listen 80; ssl_certificate /etc/ssl/expired.pem; }", live=True),
        Good("server { listen 443 ssl; ssl_certificate /etc/ssl/$ssl_server_name/expired.pem; }", live=True),
        Good("server { listen 443 ssl; ssl_reject_handshake on; ssl_certificate /etc/ssl/expired.pem; }", live=True),
        Good("server { listen 443 ssl; ssl_certificate /etc/ssl/expired.pem; } # of another machine"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        now = config.clock()
        direct = {one for server in config.certificates if server.direct for one in server.certificates}
        for shown in dict.fromkeys(one for server in config.certificates for one in server.certificates):
            begins, ends = shown.x509.not_before, shown.x509.not_after
            severity = Severity.ERROR if shown in direct else self.severity
            if ends < now:
                yield self._finding(
                    shown, f"expired on {_date(ends)}, {_days(now - ends)} ago: {_refused(shown)}", severity
                )
            elif begins > now:
                said = f"is not valid before {_date(begins)}: until then {_refused(shown)}"
                yield self._finding(shown, said, severity)
            elif ends - now < self._notice(ends - begins, own=shown.x509.self_signed):
                said = f"expires on {_date(ends)}, in {_days(ends - now)}: then {_refused(shown)}"
                yield self._finding(shown, said, self.severity)

    def _notice(self, life: float, *, own: bool) -> float:
        """How long before its end a certificate is reported. What an authority gives out for some days is renewed by a
        program; one that nobody signed is not."""
        days = float(self.option("days")) * _DAY
        return days if own or life > _SHORT * _DAY else min(days, life / 3)

    def _finding(self, shown: Shown, said: str, severity: Severity) -> Diagnostic:
        first, *others = shown.directives
        return self.report(
            first,
            f"the certificate {shown.path} {said}",
            severity=severity,
            related=tuple(note(one, "it is named here as well") for one in others[:3]),
            help="renew it and reload nginx, which reads certificates only then",
        )


def _refused(shown: Shown) -> str:
    if all(block.enclosing("http") is None for block in shown.servers):
        return "clients that verify it refuse the connection"
    return "browsers refuse to open the site"


def _days(seconds: float) -> str:
    days = int(seconds // _DAY)
    return "less than a day" if days == 0 else f"{days} day{'s' if days > 1 else ''}"


def _date(seconds: float) -> str:
    from time import gmtime, strftime

    return strftime("%Y-%m-%d", gmtime(min(seconds, _LAST)))
