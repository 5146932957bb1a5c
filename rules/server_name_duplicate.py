from nginxlint import (
    Bad,
    Config,
    Diagnostic,
    Directive,
    Edit,
    Fix,
    Good,
    IgnoredNames,
    Iterator,
    Rule,
    Severity,
    Word,
    delete,
    delete_word,
    note,
    replace,
)


class ServerNameDuplicate(Rule):
    """Two servers of one socket have the same name: only the first one ever answers.

    nginx says `conflicting server name "a.test" on 0.0.0.0:80, ignored` and starts; requests never get to the second
    server. Often a file of sites-enabled was copied, two sites both lack a `server_name`, or a folder is included
    twice. Rename or remove one of them. `.a.test` is `a.test` and `*.a.test` in one: if `a.test` is there before, nginx
    ignores both. A server that is the `default_server` may do without a name: then this is only mentioned.
    Source: ngx_http_server_names, ngx_hash_add_key; ngx_stream_server_names (nginx 1.25.5).
    """

    id = "server-name-duplicate"
    group = "correctness"
    directives = ("server",)
    judges = "ignored_names"
    examples = (
        Bad(
            "server { listen 80; server_name a.test www.a.test; }\n"
            "server { listen 80; server_name b.test WWW.a.test; } # here"
        ),
        Bad("server { listen 80; root /a; }\nserver { root /b; } # here"),
        Bad(
            "server { listen 80; server_name a.test .a.test; } # here\nserver { listen 80; }",
            "server { listen 80; server_name a.test *.a.test; } # here\nserver { listen 80; }",
        ),
        Bad(
            "server { listen 80; server_name a.test b.test a.test; } # here\nserver { listen 80; }",
            "server { listen 80; server_name a.test b.test; } # here\nserver { listen 80; }",
        ),
        Bad("server { listen 80; server_name ''; return 444; }\nserver { listen 80 default_server; } # here"),
        Good("server { listen 80; server_name a.test; } server { listen 443 ssl; server_name a.test; }"),
        Good("server { listen 80; server_name a.test; } server { listen [::]:80; server_name a.test; }"),
        Good("server { listen 80; server_name *.a.test; } server { listen 80; server_name a.test www.a.test; }"),
        Good("server { listen 80; server_name ~^a; } server { listen 80; server_name ~^a; }"),
        Good("server { server_name a.test a.test; }"),  # a server that is alone on its socket needs no names
        Good("events { } stream { server { listen 1; proxy_pass a:1; } server { listen 2; proxy_pass b:1; } }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        twice: dict[Directive, tuple[Directive, list[IgnoredNames]]] = {}
        for ignored in config.ignored_names:
            includes = ignored.includes
            if includes is not None:
                twice.setdefault(includes[1], (includes[0], []))[1].append(ignored)
            elif ignored.server is ignored.other:
                yield self._repeated(ignored)
            else:
                yield self._taken(ignored)
        for include, (before, found) in twice.items():
            yield self.report(
                include,
                f"what this reads was read before: {_count(len(found))} there twice, and nginx ignores the names of the second",
                related=(note(before, "reads the same"), note(found[0].server.block.name_span, "read a second time")),
                help="include every file once, and keep no copies where a pattern reads them",
                nginx_message=next(found[0].logged),
            )

    def _repeated(self, ignored: IgnoredNames) -> Diagnostic:
        """A name that stands twice in one server."""
        words = [word for word in ignored.words if word is not None]
        whole = next((word for word in words if word.text[:1] == "."), None)
        rest = " ".join(ignored.lost)
        if whole is None or not rest:
            return self.report(
                words[0],
                f'"{words[0].text}" stands twice in this server: nothing is lost, but nginx warns of it',
                Fix("write it once", tuple(_without(words)), safe=True) if len(words) < _MANY else None,
                severity=Severity.INFO,
                nginx_message=next(ignored.logged),
            )
        return self.report(
            whole,
            f'nginx ignores all of "{whole.text}", because part of it stands in this server before: {rest} is none of its names',
            Fix(f"write {rest}", (replace(whole.span, rest),), safe=False),
            severity=Severity.INFO if ignored.default else Severity.WARNING,
            help=f"write {rest}, or {whole.text} alone",
            nginx_message=next(ignored.logged),
        )

    def _taken(self, ignored: IgnoredNames) -> Diagnostic:
        """A name that an earlier server has."""
        where = _list([listen.address_text for listen in ignored.listens])
        asked = [host for host in ignored.lost if any(map(str.isalnum, host))]  # nobody asks for "" or "_"
        word, severity = ignored.words[0], Severity.WARNING
        name = "no server_name either" if word is None else f'the name "{word.text}", too'
        if asked:
            word = next(word for word in ignored.words if word is not None and any(map(str.isalnum, word.text)))
            message = f"requests for {_list(asked)} on {where} never get here: an earlier server has the name"
        elif ignored.dead:
            message = f"this server never answers on {where}: it is not the default, and an earlier one has {name}"
        else:
            message = f"nginx warns of this server on {where}: an earlier one has {name}"
            severity = Severity.INFO
        text = "" if word is None else word.text.lower()
        names = ignored.other.names if len(ignored.other.names) < _MANY else ()
        other = next((one for one in names if one.text.lower() == text), None)
        return self.report(
            word or ignored.server.block.name_span,
            message,
            related=(note(other or ignored.other.block.name_span, "the earlier one"),),
            help=_MEND if word else "give it a server_name of its own",
            severity=severity,
            nginx_message=next(ignored.logged),
            at=ignored.server.block if word is None else None,
        )


_MANY = 100
_MEND = "take the name out of one of the two servers, or one of the servers out"


def _list(texts: list[str]) -> str:
    return ", ".join(texts[:3]) + (f" and {len(texts) - 3} more" if len(texts) > 3 else "")


def _count(number: int) -> str:
    return "a server is" if number == 1 else f"{number} servers are"


def _without(words: list[Word]) -> Iterator[Edit]:
    """Take words out of their directives, which go where nothing is left of them."""
    for directive in dict.fromkeys(word.directive for word in words):
        own = [word for word in words if word.directive is directive]
        if len(own) == len(directive.values):
            yield delete(directive)
        else:
            yield from map(delete_word, own)
