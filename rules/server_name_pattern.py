from nginxlint import (
    Bad,
    Config,
    Diagnostic,
    Fix,
    Good,
    Iterator,
    Rule,
    Word,
    hashable,
    insert_before,
    wrong_names,
)

_SIGNS = "^()|\\+?"


class ServerNamePattern(Rule):
    """A `server_name` that is meant as a pattern and is none: it stands for itself, and no request has it as its host.

    A regular expression begins with `~`; without it `^www` is seven letters of a name. A wildcard stands for whole labels
    at the beginning or the end (`*.a.test`, `www.a.*`). nginx sees a wrong one only where a second server shares the
    socket: adding that server, in whatever file, then makes the reload fail (`invalid server name or wildcard`).
    Source: documentation "Server names"; ngx_http_core_server_name, ngx_hash_add_key.
    """

    id = "server-name-pattern"
    group = "correctness"
    directives = ("server_name",)
    texts = ("*", "..", "$\0", *_SIGNS)
    examples = (
        Bad(
            r"server { server_name ^(www\.)?a\.test$; } # here",
            r"server { server_name ~^(www\.)?a\.test$; } # here",
        ),
        Bad("server { server_name a.test|b.test; } # here\nserver { server_name c.test; }"),
        Bad("server { listen 80; server_name www*.a.test; } # here\nserver { listen 81; }"),
        Good(r"server { server_name ~^(www\.)?a\.test$ *.b.test .c.test www.d.*; }"),
        Good("server { listen 80; server_name www.*.test; } server { listen 80; }"),  # nginx refuses it itself
        Good("server { server_name ${NAME} <your|name> $hostname $name; }"),  # templates
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for word, server, severity in wrong_names(config, _is_wrong):
            if hashable(word.text):
                yield self.report(
                    word,
                    f'no request has the host "{word.text}": without ~ it is a name like any other, which never matches',
                    _fix(word),
                    severity=severity,
                    help="write ~ before a regular expression, or several names",
                )
            elif not any(len(config.listeners.at(server, listen).servers) > 1 for listen in server.listens):
                yield self.report(
                    word,
                    f'nginx refuses "{word.text}" as soon as a second server listens here: it is no name that can match',
                    severity=severity,
                    help="a wildcard stands for whole labels at the beginning or the end; write ~ and an expression",
                )


def _fix(word: Word) -> Fix | None:
    if word.text[0] != "^" and word.text[-1] != "$":
        return None
    return Fix("make it a regular expression", (insert_before(word.part(0, 0), "~"),), safe=False)


def _is_wrong(name: str) -> bool:
    """(Not what a template will fill in, nor what nginx refuses at once.)"""
    if not name or name[0] in "~$" or any(sign in name for sign in ("${", "{{", "<", "%")):
        return False
    if not hashable(name):
        return True
    return name[-1:] == "$" or any(sign in name for sign in _SIGNS)
