from nginxlint import (
    PASSES,
    Bad,
    Block,
    Confidence,
    Config,
    Diagnostic,
    Fix,
    Good,
    Iterator,
    Rule,
    Scope,
    Severity,
    added_header,
    insert_line_after,
    note,
)

_PARAMS = {"fastcgi_pass": "fastcgi_param", "uwsgi_pass": "uwsgi_param", "scgi_pass": "scgi_param"}


class SubFilterCompressed(Rule):
    """`sub_filter` on a proxied answer, and the backend may compress that answer: nothing is replaced then.

    Browsers send `Accept-Encoding: gzip`, nginx hands it on, and the filter looks for its text in compressed bytes; it
    works with curl and fails in every browser. `gunzip on` does not help: it unpacks only for clients that do not take
    gzip. Write `proxy_set_header Accept-Encoding "";`.
    Source: documentation of sub_filter and gunzip; ngx_http_sub_header_filter, ngx_http_gunzip_header_filter.
    """

    id = "sub-filter-compressed"
    group = "proxy"
    severity = Severity.WARNING
    confidence = Confidence.MEDIUM
    directives = ("sub_filter",)
    examples = (
        Bad(
            "location / {\n    sub_filter a b; # here\n    sub_filter c d;\n    proxy_pass http://app;\n}",
            "location / {\n    sub_filter a b; # here\n    sub_filter c d;\n    proxy_pass http://app;\n"
            '    proxy_set_header Accept-Encoding "";\n}',
        ),
        Bad("gunzip on;\nsub_filter a b; # here\nlocation / { proxy_pass http://app; }"),
        Bad("location / { sub_filter a b; # here\n proxy_set_header Accept-Encoding gzip; proxy_pass http://app; }"),
        Bad("location / { sub_filter a b; # here\n fastcgi_pass unix:/s; }"),
        Good('location / { sub_filter a b; proxy_set_header Accept-Encoding ""; proxy_pass http://app; }'),
        Good("location / { sub_filter a b; proxy_set_header Accept-Encoding identity; proxy_pass http://app; }"),
        Good("location / { sub_filter a b; proxy_pass_request_headers off; proxy_pass http://app; }"),
        Good("location / { sub_filter a b; root /srv; }"),
        Good('location / { sub_filter a b; fastcgi_param HTTP_ACCEPT_ENCODING ""; fastcgi_pass unix:/s; }'),
        Good("location / { sub_filter a b; uwsgi_pass_request_headers off; uwsgi_pass unix:/s; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        told: set[Block | None] = set()
        for line in config.find("sub_filter"):
            if line.parent in told:
                continue
            told.add(line.parent)
            for target in config.governed(line, *PASSES):
                scope, family = config.scope(target.directive), target.family
                if scope.block.has_gap or not _asks_for_compression(config, scope, target.directive.name):
                    continue
                fixes: tuple[Fix, ...] = ()
                if family == "proxy" and "accept-encoding" not in config.request_headers(scope).configured:
                    lines = added_header(scope, family, "Accept-Encoding", '""')
                    fixes = (
                        Fix("ask for uncompressed answers", (insert_line_after(target.directive, *lines),), safe=False),
                    )
                yield self.report(
                    line,
                    "nothing is replaced where the backend compresses its answer, as it may for every browser",
                    *fixes,
                    related=(note(target.directive, "Accept-Encoding of the browser is handed on here"),),
                    help=f'write {_PARAMS.get(target.directive.name, "")} HTTP_ACCEPT_ENCODING "";'
                    if target.directive.name in _PARAMS
                    else f'write {family}_set_header Accept-Encoding "";',
                )
                break


def _asks_for_compression(config: Config, scope: Scope, name: str) -> bool:
    """Does the upstream learn that gzip is welcome?"""
    if name in _PARAMS:
        given = [
            one.values[1:2] for one in scope.effective(_PARAMS[name]) if one.values[:1] == ("HTTP_ACCEPT_ENCODING",)
        ]
        if given:
            return given[-1] not in ((), ("",), ("identity",))
        return scope.on(f"{name.removesuffix('_pass')}_pass_request_headers", True)
    if name not in ("proxy_pass", "grpc_pass"):
        return False
    header = config.request_headers(scope, name.removesuffix("_pass")).of("Accept-Encoding")
    return header is not None and header.value.lower() not in ("identity", "identity;q=1", "none")
