from nginxlint import PASSES, Bad, Confidence, Config, Diagnostic, Directive, Good, Iterator, Rule, Severity

_SWITCHES = {
    "underscores_in_headers": (
        "on",
        "header names with an underscore reach the backend",
        "CGI, WSGI and Rack applications cannot tell X_Real_IP from X-Real-IP",
    ),
    "ignore_invalid_headers": (
        "off",
        "header names that nginx drops by default reach the backend, which may read them as others do",
        "X_Real_IP and X.Real.IP are handed on",
    ),
}


class InvalidHeadersAccepted(Rule):
    """nginx hands on header names that it drops by default, and somebody behind it reads them otherwise.

    With `underscores_in_headers on` a visitor sends `X_Real_IP`, which an application that sees headers as variables
    (HTTP_X_REAL_IP) takes for the X-Real-IP set by nginx; information where nginx sets no such header. With
    `ignore_invalid_headers off` these and names with other odd characters pass; object stores (MinIO) and Jenkins ask
    for it, so it is only mentioned, save before nginx 1.21.1, which lets spaces and control characters through as well.
    Take the line out; where an application needs such a name, drop the dangerous ones with `proxy_set_header X_Real_IP
    "";` and keep the finding silent with a comment.
    Source: documentation of underscores_in_headers and ignore_invalid_headers; changes of nginx 1.21.1.
    """

    id = "invalid-headers-accepted"
    group = "security"
    confidence = Confidence.MEDIUM
    directives = tuple(_SWITCHES)
    examples = (
        Bad("server { underscores_in_headers on; # here\n location / { proxy_pass http://app; } }"),
        Bad("server { ignore_invalid_headers off; # here\n location / { fastcgi_pass unix:/run/app.sock; } }"),
        Good("server { underscores_in_headers on; location / { root /srv; } }"),
        Good("server { underscores_in_headers off; ignore_invalid_headers on; location / { proxy_pass http://app; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for line in config.find(*self.directives):
            value, message, label = _SWITCHES[line.name]
            inside = line.parent.walk() if line.values[:1] == (value,) and line.parent is not None else ()
            targets = [directive for directive in inside if directive.name in PASSES]
            if not targets:
                continue
            mild = line.name == "ignore_invalid_headers" and config.version >= (1, 21, 1)
            if line.name == "underscores_in_headers":
                name = next((name for target in targets if (name := _own_header(config, target))), "")
                mild = not name
                if name:
                    message = (
                        f"a visitor's {name.replace('-', '_')} reaches the backend beside the {name} that nginx sets"
                    )
            severity = Severity.INFO if mild else Severity.WARNING
            help = "take it out: the default drops such headers"
            yield self.report(line, message, severity=severity, label=label, help=help)


def _own_header(config: Config, target: Directive) -> str:
    """A header with a hyphen that nginx itself sends there: another spelling of it comes from the visitor."""
    family = target.name.removesuffix("_pass")
    for line in config.scope(target).effective(f"{family}_set_header"):
        if "-" in line.values[0] and line.values[1:] != ("",):
            return line.values[0]
    return ""
