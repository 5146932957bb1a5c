from nginxlint import Bad, Config, Diagnostic, Directive, Fix, Good, Iterator, Rule, Severity, delete, note

# A list may be sent in several lines: the backend joins them.
_LISTS = tuple("accept via forwarded x-forwarded-for cache-control pragma link cookie x-forwarded-via".split())
_ONE_HOST = (1, 31, 4)


class ProxyDuplicateHeader(Rule):
    """One block sets the same request header twice: both lines are sent.

    A later `proxy_set_header` does not replace an earlier one of the same block, and case makes no difference. Two Host
    lines are refused by nearly every backend with 400 (nginx 1.31.4 sends one only); of others it takes the first, the
    last, or joins them with a comma. Keep one. Often one of them comes from an included file.
    Source: ngx_http_proxy_init_headers (src/http/modules/ngx_http_proxy_module.c); RFC 9112, section 3.2.
    """

    id = "proxy-duplicate-header"
    group = "proxy"
    directives = ("proxy_set_header", "grpc_set_header")
    examples = (
        Bad(
            "location / {\n proxy_set_header Host $host;\n proxy_set_header host $http_host; # here\n proxy_pass http://a;\n}",
            "location / {\n proxy_set_header host $http_host; # here\n proxy_pass http://a;\n}",
            version=(1, 26, 0),
        ),
        Bad("location / {\n proxy_set_header X-Id a;\n proxy_set_header X-Id b; # here\n proxy_pass http://a;\n}"),
        Good("location / { proxy_set_header Host $host; proxy_set_header Host $http_host; proxy_pass http://a; }"),
        Good("location / { proxy_set_header X-Id a; proxy_set_header X-Id ''; proxy_pass http://a; }"),
        Good(
            "location / { proxy_set_header Accept-Encoding gzip; proxy_set_header Accept-Encoding br; proxy_pass http://a; }"
        ),
        Good("proxy_set_header X-Id a; location / { proxy_set_header X-Id b; proxy_pass http://a; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for setter in self.directives:
            for lines, blocks in config.sets(setter).groups():
                if len({values[0].lower() for values in lines if values}) < len(lines):
                    for block in blocks:
                        yield from self._judge(config, config.scope(block).own(setter))

    def _judge(self, config: Config, lines: list[Directive]) -> Iterator[Diagnostic]:
        first: dict[str, Directive] = {}
        for line in lines:
            if len(line.values) != 2 or not line.values[1]:
                continue  # an empty value is not sent
            name = line.values[0].lower()
            other = first.setdefault(name, line)
            if other is line or name.startswith(_LISTS):
                continue
            if name == "host" and line.name == "proxy_set_header" and config.version >= _ONE_HOST:
                continue
            yield self._finding(line, other, name == "host")

    def _finding(self, line: Directive, other: Directive, is_host: bool) -> Diagnostic:
        name = line.values[0]
        seen = "most backends answer 400" if is_host else "backends take the first, the last, or both"
        mendable = other.source is line.source and other.start != line.start
        return self.report(
            line,
            f"the backend gets two {name} lines from here: {seen}",
            Fix("keep the last one", (delete(other),), safe=False) if mendable else None,
            severity=Severity.ERROR if is_host else Severity.WARNING,
            label="sent beside the other one, not in its place",
            related=(note(other, "the first one"),),
            help="keep one of them",
        )
