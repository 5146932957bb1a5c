from nginxlint import PASSES, Bad, Config, Diagnostic, Directive, Fix, Good, Iterator, Rule, Severity, replace

_NO_BODY = ("204", "304")


class HeaderContentType(Rule):
    """`add_header Content-Type` adds a second Content-Type to the one nginx or the backend sends.

    The answer then has two, and browsers differ in which they believe: an API is shown as a download, JSON is parsed as
    text. Set the type where it comes from: `default_type application/json;` for `return` and files,
    `proxy_hide_header Content-Type;` beside the `add_header` for a backend. Not reported: answers without a body.
    Source: ngx_http_add_header (ngx_http_headers_filter_module), ngx_http_header_filter.
    """

    id = "header-content-type"
    group = "correctness"
    severity = Severity.INFO
    directives = ("add_header",)
    texts = ("content-type",)
    examples = (
        Bad(
            "location /health {\n add_header Content-Type application/json; # here\n return 200 '{}';\n}",
            "location /health {\n default_type application/json; # here\n return 200 '{}';\n}",
        ),
        Bad("location / {\n add_header content-type text/html always; # here\n proxy_pass http://app;\n}"),
        Good("location /health { default_type application/json; return 200 '{}'; }"),
        Good(
            "location / { proxy_hide_header Content-Type; add_header Content-Type text/html; proxy_pass http://app; }"
        ),
        Good("location / { if ($request_method = OPTIONS) { add_header Content-Type text/plain; return 204; } }"),
        Good("location / { default_type ''; add_header Content-Type text/x; return 200 '{}'; }"),
        Good("location / { add_header X-Content-Type-Options nosniff; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for header in config.find("add_header"):
            block = header.parent
            if len(header.values) < 2 or header.values[0].lower() != "content-type" or block is None:
                continue
            scope = config.scope(header)
            ending = block.child("return")
            if ending is not None and ending.values[:1] and ending.values[0] in _NO_BODY:
                continue
            passes = [name for name in PASSES if scope.effective(name)]
            hidden = any(
                line.values and line.values[0].lower() == "content-type"
                for name in passes
                for line in scope.effective(name.replace("_pass", "_hide_header"))
            )
            if hidden or (not passes and scope.directive("default_type") and not scope.value("default_type")):
                continue
            yield self._finding(header, passes[0] if passes else "", ending)

    def _finding(self, header: Directive, handler: str, ending: Directive | None) -> Diagnostic:
        block, value = header.parent, header.args[1].span.text
        plain = not handler and ending is not None and block is not None and block.name == "location"
        fixes: tuple[Fix, ...] = ()
        if plain and block is not None and not block.child("default_type", "types"):
            edit = replace(header.head_span, f"default_type {value}")
            fixes = (Fix("set the type with default_type", (edit,), safe=False),)
        hide = handler.replace("_pass", "_hide_header")
        return self.report(
            header,
            "visitors get two Content-Type headers: add_header does not replace the one of the answer",
            *fixes,
            label="a second one",
            help=f"write {hide} Content-Type; beside it" if handler else f"write default_type {value}; instead",
        )
