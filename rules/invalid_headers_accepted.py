from collections.abc import Iterator

from nginxlint import PASSES, Bad, Block, Confidence, Config, Diagnostic, Good, Rule, Severity

_SWITCHES = {
    "underscores_in_headers": (
        "on",
        "a visitor's X_Forwarded_For reaches the backend beside the X-Forwarded-For that nginx sets",
        "CGI, WSGI and Rack applications cannot tell the two apart",
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
    (HTTP_X_REAL_IP) takes for the X-Real-IP set by nginx. With `ignore_invalid_headers off` these and names with other
    odd characters pass; object stores (MinIO) and Jenkins ask for it, so it is only mentioned, save before nginx 1.21.1,
    which lets spaces and control characters through as well. Take the line out; where an application needs such a name,
    drop the dangerous ones with `proxy_set_header X_Real_IP "";` and keep the finding silent with a comment.
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
            if line.values[:1] == (value,) and line.parent is not None and _hands_on(line.parent):
                mild = line.name == "ignore_invalid_headers" and config.version >= (1, 21, 1)
                severity = Severity.INFO if mild else Severity.WARNING
                help = "take it out: the default drops such headers"
                yield self.report(line, message, severity=severity, label=label, help=help)


def _hands_on(block: Block) -> bool:
    return any(directive.name in PASSES for directive in block.walk())
