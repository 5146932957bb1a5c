from nginxlint import (
    Bad,
    Block,
    Confidence,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Rule,
    Scope,
    Severity,
    hands_on,
    insert_line_after,
    note,
    overriding,
)

# Directive -> what its loss means. Each is inherited as a whole set or not at all (the merge functions of the modules).
_SETS = {
    **{f"{family}_param": "the backend no longer gets {}" for family in ("fastcgi", "uwsgi", "scgi")},
    **{f"{family}_hide_header": "visitors see {} again" for family in ("proxy", "fastcgi", "uwsgi", "scgi", "grpc")},
    **{f"{family}_pass_header": "visitors no longer get {}" for family in ("proxy", "fastcgi", "uwsgi", "scgi", "grpc")},
    **{f"{family}_cache_valid": "answers with {} are no longer cached" for family in ("proxy", "fastcgi", "uwsgi", "scgi")},
    "error_page": "the error pages for {} no longer hold",
    "limit_req": "the limit {} no longer holds",
    "limit_conn": "the limit {} no longer holds",
    "sub_filter": "{} is no longer replaced",
    "proxy_redirect": "redirects to {} are no longer rewritten",
    "proxy_cookie_domain": "cookies for {} are no longer rewritten",
    "proxy_cookie_path": "cookies for {} are no longer rewritten",
    "proxy_cookie_flags": "the flags of the cookies {} are no longer set",
    "set_real_ip_from": "{} is no longer trusted to tell the visitor's address",
    "access_log": "nothing is written to {} any more",
    "allow": "whom {} keeps out elsewhere gets in",
}  # fmt: skip
# Without these a FastCGI, uwsgi or SCGI application cannot answer.
_VITAL = frozenset(
    ("script_filename", "request_method", "query_string", "content_length", "content_type", "request_uri")
)
_OF_A_PASS = ("proxy_", "fastcgi_", "uwsgi_", "scgi_", "grpc_")


class DirectiveInheritance(Rule):
    """One line in a block drops all lines of the same directive of the blocks around it.

    Parameters for the backend, hidden headers, error pages, limits, allow and deny and their like are inherited as a
    whole set: a location with one `fastcgi_param` of its own sends no other, one with its own `error_page 404` loses
    the server's page for 502. Repeat the inherited lines (an `include` does well). What `off` or `all` says on purpose
    is not reported; see add-header-inheritance and proxy-set-header-inheritance for those two.
    Source: the merge functions (ngx_http_*_merge_loc_conf) of the nginx modules.
    """

    id = "directive-inheritance"
    group = "correctness"
    severity = Severity.WARNING
    directives = (*_SETS, "deny")
    examples = (
        Bad(
            "fastcgi_param SCRIPT_FILENAME /a.php;\nlocation / {\n fastcgi_param X_A b; # here\n fastcgi_pass app:9000;\n}",
            "fastcgi_param SCRIPT_FILENAME /a.php;\nlocation / {\n fastcgi_param X_A b;\n"
            " fastcgi_param SCRIPT_FILENAME /a.php; # here\n fastcgi_pass app:9000;\n}",
        ),
        Bad(
            "error_page 404 /404.html;\nerror_page 500 502 /50x.html;\nlocation / {\n error_page 404 /none.html; # here\n}",
            "error_page 404 /404.html;\nerror_page 500 502 /50x.html;\nlocation / {\n error_page 404 /none.html;\n"
            " error_page 500 502 /50x.html; # here\n}",
        ),
        Bad("deny 192.0.2.1;\nlocation / {\n allow 10.0.0.0/8; # here\n}"),
        Bad(
            "proxy_hide_header X-Powered-By;\nlocation / {\n proxy_hide_header Server; # here\n proxy_pass http://app;\n}"
        ),
        Bad(
            "limit_req_zone $uri zone=a:1m rate=1r/s;\nlimit_req_zone $uri zone=b:1m rate=1r/s;\n"
            "limit_req zone=a;\nserver { location / {\n limit_req zone=b burst=5; # here\n} }"
        ),
        Good("fastcgi_param A b;\nlocation / { fastcgi_param A c; fastcgi_pass app:9000; }"),
        Good("fastcgi_param A b;\nlocation / { fastcgi_param B c; root /srv; }"),
        Good("deny 192.0.2.1;\nlocation / { allow 10.0.0.0/8; deny all; }"),
        Good("allow 10.0.0.0/8; deny all;\nlocation /public/ { allow all; }"),
        Good("proxy_redirect http://a/ /;\nlocation / { proxy_redirect off; proxy_pass http://app; }"),
        Good("access_log /var/log/a.log;\nlocation /health { access_log off; }"),
        Good("limit_req zone=all;\nlocation /login { limit_req zone=all burst=5; limit_req zone=login; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for name in _SETS:
            for block in overriding(config, name, "deny") if name == "allow" else overriding(config, name):
                if not block.has_gap and not any(line.values[:1] == ("off",) for line in block.named(name)):
                    yield from self._check_block(config, block, name)

    def _check_block(self, config: Config, block: Block, name: str) -> Iterator[Diagnostic]:
        scope = config.scope(block)
        own, lost = _access(scope) if name == "allow" else _lost(scope, name)
        if not lost or (name.startswith(_OF_A_PASS) and not hands_on(config, block, f"{name.partition('_')[0]}_pass")):
            return
        lines = tuple(f"{line.head_span.text};" for line in lost)
        keys = ", ".join(dict.fromkeys(_shown(line) for line in lost))
        vital = name.endswith("_param") and any(line.values[0].lower() in _VITAL for line in lost)
        fixes: tuple[Fix, ...] = ()
        if own[-1].source is block.source:
            fixes = (Fix("repeat the inherited ones", (insert_line_after(own[-1], *lines),), safe=False),)
        yield self.report(
            own[0],
            f"{_SETS[name].format(keys)} here: one {own[0].name} drops all inherited ones",
            *fixes,
            severity=Severity.WARNING if vital or name == "allow" else Severity.INFO,
            confidence=Confidence.LOW if name == "access_log" else Confidence.HIGH,
            label="replaces every one of the blocks around",
            related=tuple(note(line, "does not hold here") for line in lost[:4]),
            help="repeat them in this block: " + " ".join(lines[:4]),
        )


def _lost(scope: Scope, name: str) -> tuple[list[Directive], list[Directive]]:
    """The block's own lines, and the inherited ones that say something they do not."""
    own = scope.own(name)
    around = scope.outer.effective(name) if scope.outer is not None else []
    inherited = [line for line in around if line.values and line.values[0] not in ("off", "default")]
    kept = {key for line in own for key in _keys(line)}
    return own, [line for line in inherited if not kept.issuperset(_keys(line))]


def _access(scope: Scope) -> tuple[list[Directive], list[Directive]]:
    """The same of allow and deny, whose order counts: lost is what denies, unless the block settles all addresses."""
    own = sorted(scope.own("allow") + scope.own("deny"), key=scope.block.body.index)
    if scope.outer is None or any(line.values == ("all",) for line in own):
        return own, []
    denied = {line.values for line in own}
    return own, [line for line in scope.outer.effective("deny") if line.values not in denied]


def _keys(line: Directive) -> tuple[str, ...]:
    """What tells two lines of one directive apart."""
    values = line.values
    if line.name == "error_page":
        return tuple(value for value in values[:-1] if not value.startswith("="))
    if line.name == "limit_req":
        return tuple(value for value in values if value.startswith("zone="))
    if line.name.endswith("_cache_valid"):
        return values[:-1] or ("200", "301", "302")
    return (values[0].lower(),) if values else ()


def _shown(line: Directive) -> str:
    if line.name in ("error_page", "limit_req") or line.name.endswith("_cache_valid"):
        return " ".join(_keys(line)).replace("zone=", "")
    return " ".join(("deny", *line.values) if line.name == "deny" else line.values[:1])
