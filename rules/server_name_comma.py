from nginxlint import Bad, Config, Diagnostic, Fix, Good, Iterator, Rule, Word, replace, wrong_names


class ServerNameComma(Rule):
    """Names in `server_name` with commas between them: the comma is part of the name, which then never matches.

    For `server_name a.test, b.test;` nginx knows the names `a.test,` and `b.test`, and says nothing. Requests for a.test
    get another server, unless this one is the default. Names are separated by spaces.
    Source: documentation of server_name; ngx_http_core_server_name.
    """

    id = "server-name-comma"
    group = "correctness"
    directives = ("server_name",)
    texts = (",",)
    examples = (
        Bad(
            "server { server_name a.test, b.test; } # here\nserver { server_name c.test; }",
            "server { server_name a.test b.test; } # here\nserver { server_name c.test; }",
        ),
        Bad("server { server_name a.test,b.test; } # here", "server { server_name a.test b.test; } # here"),
        Good("server { server_name a.test b.test; }"),
        Good(r'server { server_name "~^[a-z]{1,3}\.a\.test$"; }'),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for word, _, severity in wrong_names(config, _has_comma):
            yield self.report(
                word,
                f'no request has the host "{word.text}": the comma is part of the name, which never matches',
                _fix(word),
                severity=severity,
                help="write spaces between names, and nothing else",
            )


def _has_comma(name: str) -> bool:
    return "," in name and name[:1] != "~"


def _fix(word: Word) -> Fix | None:
    names = " ".join(name for name in word.text.split(",") if name)
    return None if word.quote or not names else Fix(f"write {names}", (replace(word.span, names),), safe=False)
