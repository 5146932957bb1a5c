from collections.abc import Iterator

from nginxlint import PASSES, Bad, Block, Confidence, Config, Diagnostic, Good, Rule

_SWITCHES = {
    "underscores_in_headers": (
        "on",
        "a visitor's X_Forwarded_For reaches the backend beside the X-Forwarded-For that nginx sets",
        "CGI, WSGI and Rack applications cannot tell the two apart",
    ),
    "ignore_invalid_headers": (
        "off",
        "header lines that break the rules are handed on, and the backend may read them otherwise than nginx",
        "the way to smuggle a second request past nginx",
    ),
}


class InvalidHeadersAccepted(Rule):
    """nginx hands on header names that it drops by default, and somebody behind it reads them otherwise.

    With `underscores_in_headers on` a visitor sends `X_Real_IP`, which an application that sees headers as variables
    (HTTP_X_REAL_IP) takes for the X-Real-IP set by nginx. With `ignore_invalid_headers off` names with odd characters
    pass, too. Take the line out; where an application needs a name with underscores, drop the dangerous ones with
    `proxy_set_header X_Real_IP "";` and keep the finding silent with a comment.
    Source: documentation of underscores_in_headers and ignore_invalid_headers; "Missing (disappearing) HTTP headers".
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
                yield self.report(line, message, label=label, help="take it out: the default drops such headers")


def _hands_on(block: Block) -> bool:
    return any(directive.name in PASSES for directive in block.walk())
