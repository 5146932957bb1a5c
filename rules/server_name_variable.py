from nginxlint import Bad, Config, Diagnostic, Directive, Fix, Good, Iterator, Rule, Severity, compiled, replace

_VARIABLE = r"\$(?:server_name(?!\w)|\{server_name\})"
_REDIRECT = r"(?i)(?:https?|\$scheme|\$\{scheme\})://"


class ServerNameVariable(Rule):
    """`$server_name` stands for a host, and is none: the first name of this server is `_`, a mask or a regular expression.

    nginx puts the first `server_name` there as it is written, whatever host was asked for: `server_name _;` with
    `return 301 https://$server_name$request_uri;` sends visitors to https://_/, and `*.a.test` to https://*.a.test/. Write
    `$host`, the name the visitor asked for.
    Source: documentation of $server_name and $host (ngx_http_core_module).
    """

    id = "server-name-variable"
    group = "correctness"
    severity = Severity.ERROR
    directives = ("return", "rewrite", "proxy_set_header", "grpc_set_header")
    texts = ("server_name",)
    examples = (
        Bad(
            "server {\n listen 80 default_server; server_name _;\n return 301 https://$server_name$request_uri; # here\n}",
            "server {\n listen 80 default_server; server_name _;\n return 301 https://$host$request_uri; # here\n}",
        ),
        Bad("server {\n server_name *.a.test a.test;\n rewrite ^ https://$server_name/ permanent; # here\n}"),
        Bad("server {\n listen 80;\n return 301 https://$server_name$request_uri; # here\n}"),
        Bad(
            "server {\n server_name ~^(www|shop)\\.a\\.test$; location / {\n proxy_set_header Host $server_name; # here\n"
            " proxy_pass http://app;\n } }"
        ),
        Good("server { server_name a.test; return 301 https://$server_name$request_uri; }"),
        Good("server { server_name .a.test; return 301 https://$server_name$request_uri; }"),
        Good("server { server_name _; return 301 https://$host$request_uri; }"),
        Good("server { server_name _; location / { proxy_set_header X-Site $server_name; proxy_pass http://a; } }"),
        Good("location / { return 301 https://$server_name$request_uri; }"),
        Good("server { include names.conf; return 301 https://$server_name$request_uri; }"),
        Good("server { server_name _; return 200 $server_name; }"),
        Good("server { server_name _; return 200 https://$server_name/; }"),
        Good(
            "server { server_name _; proxy_set_header Host $server_name;"
            " location / { proxy_set_header Host $host; proxy_pass http://app; } }"
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for name in self.directives:
            for line in config.saying(_redirects if name in ("return", "rewrite") else _is_host, name):
                server = config.server(line)
                if name.endswith("_set_header") and not any(config.governed(line, f"{name.partition('_')[0]}_pass")):
                    continue
                if server is None or server.kind != "http" or not server.is_whole:
                    continue
                first = server.first_name
                if first in ("", "_") or "*" in first or first.startswith("~") or not first.strip("_"):
                    yield self._finding(line, first)

    def _finding(self, line: Directive, first: str) -> Diagnostic:
        word = next(one for one in line.args if compiled(_VARIABLE).search(one.text))
        who = "visitors are sent to" if line.name in ("return", "rewrite") else "the backend is asked for"
        where = f'the host "{first}"' if first else "no host at all"
        written = word.span.text
        return self.report(
            word,
            f"{who} {where}: $server_name is the first server_name as it is written",
            Fix("write $host", (replace(word.span, compiled(_VARIABLE).sub("$host", written)),), safe=False),
            help="write $host, the name that was asked for",
        )


def _redirects(values: tuple[str, ...]) -> bool:
    if values and values[0].isdigit() and not values[0].startswith("30"):
        return False  # the text of an answer
    return len(values) > 1 and any(_names_host(value) for value in values[:2])


def _names_host(text: str) -> bool:
    scheme = compiled(_REDIRECT).match(text)
    return scheme is not None and compiled(_VARIABLE).match(text, scheme.end()) is not None


def _is_host(values: tuple[str, ...]) -> bool:
    return len(values) == 2 and values[0].lower() == "host" and compiled(_VARIABLE).match(values[1]) is not None
