from nginxlint import (
    Bad,
    Block,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Pass,
    Rule,
    Scope,
    Severity,
    add_to_set,
)

_PARAMS = {"fastcgi_pass": "fastcgi_param", "uwsgi_pass": "uwsgi_param", "scgi_pass": "scgi_param"}


class Httpoxy(Rule):
    """A visitor's `Proxy:` header reaches the application as HTTP_PROXY, which many programs take for their own proxy.

    FastCGI, uwsgi and SCGI turn every request header into a parameter HTTP_NAME. Old PHP, CGI scripts (fcgiwrap) and
    libraries that read the environment then send their own outgoing requests through whoever the visitor named. Send it
    empty: `fastcgi_param HTTP_PROXY "";`. Current PHP and frameworks protect themselves, so this is a note; behind
    fcgiwrap it is a warning.
    Source: CVE-2016-5385 and its siblings, https://httpoxy.org/.
    """

    id = "httpoxy"
    group = "security"
    severity = Severity.INFO
    directives = tuple(_PARAMS)
    examples = (
        Bad(
            "location / {\n    fastcgi_pass unix:/run/app.sock;\n    fastcgi_param SCRIPT_FILENAME /srv/app; # here\n}",
            "location / {\n    fastcgi_pass unix:/run/app.sock;\n    fastcgi_param SCRIPT_FILENAME /srv/app;\n"
            '    fastcgi_param HTTP_PROXY ""; # here\n}',
        ),
        Bad("location /cgi/ { scgi_param SCRIPT_NAME $uri; scgi_pass unix:/run/fcgiwrap.socket; } # here"),
        Good('location / { fastcgi_param HTTP_PROXY ""; fastcgi_pass unix:/run/app.sock; }'),
        Good('fastcgi_param HTTP_PROXY ""; location / { fastcgi_pass unix:/run/app.sock; }'),
        Good("location / { uwsgi_pass_request_headers off; uwsgi_param A b; uwsgi_pass unix:/run/app.sock; }"),
        Good("location / { set $proxy ''; fastcgi_param HTTP_PROXY $proxy; fastcgi_pass unix:/run/app.sock; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        if config.partial:
            return
        safe = {line.parent for line in config.saying(lambda values: "HTTP_PROXY" in values[:1], *_PARAMS.values())}
        told: set[Block | None] = set()
        for target in config.passes(*_PARAMS):
            if target.directive.parent in safe:
                continue
            param = _PARAMS[target.directive.name]
            block = config.setter(param, target.directive)
            if block in safe or block in told:
                continue
            scope = config.scope(target.directive)
            if scope.on(param.replace("param", "pass_request_headers"), True):
                told.add(block)
                yield self._finding(target, scope, param, [] if block is None else block.named(param))

    def _finding(self, target: Pass, scope: Scope, param: str, lines: list[Directive]) -> Diagnostic:
        line = f'{param} HTTP_PROXY "";'
        own = [one for one in lines if one.parent is not None and one.source is one.parent.source]
        return self.report(
            own[-1] if own else target.directive,
            "the application gets a visitor's Proxy header as HTTP_PROXY, and may send its own requests through it",
            Fix("send it empty", (add_to_set(scope, line, target.directive),), safe=False),
            severity=Severity.WARNING if "fcgiwrap" in target.text else Severity.INFO,
            help=f"write {line}",
        )
