from nginxlint import Bad, Config, Diagnostic, Directive, Good, Iterator, Rule, Severity, compiled, references

_ALWAYS = frozenset(
    "http_authorization http_proxy_authorization http_cookie http_x_api_key http_x_auth_token sent_http_set_cookie"
    " upstream_http_set_cookie".split()
)
# Tokens of forms and of lists of pages let nobody in; nor does what is said about a session.
_SECRET = (
    r"(?:arg|cookie|http)_(?!\w*(?:csrf|xsrf|page|next|contin|cursor|sync))"
    r"\w*(?:passw|passwd|password|secret|token|session|session_?id|sessid|jwt|apikey|api_key)"
)
_BODIES = ("request_body",)


class LogHoldsSecrets(Rule):
    """A log format writes passwords, tokens or session cookies into the log: who may read the log can sign in as the visitor.

    `$http_authorization` holds the password of `auth_basic` (base64) or the bearer token, `$http_cookie` the session. Logs are
    kept for long, copied to other machines and read by many. Take them out, or log only whether they are there, by a `map`:
    `map $http_authorization $signed_in { "" 0; default 1; }`. `$request_body` holds what is typed into forms (information only).
    Source: documentation of log_format; RFC 7617, 4 (the password is not encrypted).
    """

    id = "log-holds-secrets"
    group = "security"
    directives = ("log_format",)
    texts = ("$",)
    examples = (
        Bad("log_format full '$remote_addr \"$request\" $http_authorization'; # here"),
        Bad('log_format full escape=json \'{"cookie":"$http_cookie"}\'; # here'),
        Bad("log_format api '$uri ${arg_access_token}'; # here"),
        Bad("log_format forms '$request $request_body'; # here"),
        Good("log_format main '$remote_addr \"$request\" $cookie_lang $arg_page $http_user_agent';"),
        Good("map $http_authorization $signed_in { '' 0; default 1; } log_format main '$request $signed_in';"),
        Good("log_format main '$request $http_x_csrf_token $arg_page_token $arg_session_length';"),
        Good("log_format tls '$ssl_session_id $ssl_session_reused $remote_user';"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for form in config.find(*self.directives):
            names = references(" ".join(form.values[1:]))
            secret = next((one for one in names if one in _ALWAYS or compiled(_SECRET).fullmatch(one)), None)
            shown = secret or next((one for one in names if one in _BODIES), None)
            if shown is None or _is_unused(config, form):
                continue
            yield self.report(
                form.args[0],
                f"${shown} goes into the log: who may read that can "
                + ("use it as the visitor does" if secret else "read what visitors type into forms, passwords too"),
                severity=None if secret else Severity.INFO,
                help=f"take ${shown} out of the format",
            )


def _is_unused(config: Config, form: Directive) -> bool:
    """Does no log of a whole configuration name it?"""
    if config.partial or not config.http_servers():
        return False
    return all(line.values[1:2] != form.values[:1] for line in config.find("access_log"))
