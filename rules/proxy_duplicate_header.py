from nginxlint import (
    Bad,
    Config,
    Diagnostic,
    Directive,
    Fix,
    Good,
    Iterator,
    Rule,
    Severity,
    delete,
    names_in_bucket,
    note,
)

# A list may be sent in several lines: the backend joins them.
_LISTS = tuple("accept via forwarded x-forwarded-for cache-control pragma link cookie x-forwarded-via".split())
_ONE_HOST = (1, 31, 4)


class ProxyDuplicateHeader(Rule):
    """One block sets the same request header twice: both lines are sent.

    A later `proxy_set_header` does not replace an earlier one of the same block, and case makes no difference. Two Host
    lines are refused by nearly every backend with 400 (nginx 1.31.4 sends one only); of others it takes the first, the
    last, or joins them with a comma. Keep one. Often one of them comes from an included file. Where two names of that
    length do not go into one bucket of nginx's table it also warns, whatever the size of the table: "could not build
    optimal proxy_headers_hash".
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
        Bad(
            "location / {\n proxy_set_header Accept-Encoding gzip;\n proxy_set_header Accept-Encoding ''; # here\n"
            " proxy_pass http://a;\n}"
        ),
        Good("location / { proxy_set_header X-Id a; proxy_set_header X-Id ''; proxy_pass http://a; }"),
        Good("location / { proxy_set_header Accept a/b; proxy_set_header Accept c/d; proxy_pass http://a; }"),
        Good(
            "location / { proxy_headers_hash_bucket_size 128; proxy_set_header Accept-Encoding gzip;"
            " proxy_set_header Accept-Encoding br; proxy_pass http://a; }"
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
        times: dict[str, int] = {}
        sent: dict[str, Directive] = {}
        for line in lines:
            if len(line.values) != 2:
                continue
            name = line.values[0].lower()
            other = first.setdefault(name, line)
            times[name] = times.get(name, 0) + 1
            warning = self._warning(config, line, times[name]) if other is not line else None
            if line.values[1] and (other := sent.setdefault(name, line)) is not line and self._hurts(config, line):
                yield self._finding(line, other, name == "host", warning)
            elif warning:  # nothing is wrong with what is sent
                yield self.report(
                    line,
                    f"nginx warns that it cannot keep so many {line.values[0]} in one place of its table",
                    severity=Severity.WARNING,
                    related=(note(first[name], "the first one"),),
                    help="keep one of them"
                    if line.name == "grpc_set_header"
                    else "keep one of them, or write proxy_headers_hash_bucket_size 128;",
                    nginx_message=warning,
                )

    def _hurts(self, config: Config, line: Directive) -> bool:
        """Is it no list, and would nginx send both? (An empty value is not sent.)"""
        name = line.values[0].lower()
        one_host = name == "host" and line.name == "proxy_set_header" and config.version >= _ONE_HOST
        return not one_host and not name.startswith(_LISTS)

    def _warning(self, config: Config, line: Directive, times: int) -> str | None:
        """What nginx logs where that many elements of one name do not fit into a bucket."""
        table, size, largest = "grpc_headers_hash", 64, "512"
        if line.name == "proxy_set_header" and line.parent is not None:
            scope = config.scope(line.parent)
            table = "proxy_headers_hash"
            size = -(-scope.size(f"{table}_bucket_size", 64) // 64) * 64
            largest = scope.value(f"{table}_max_size") or "512"
        if times <= names_in_bucket(len(line.values[0]), size):
            return None
        return (
            f"could not build optimal {table}, you should increase either {table}_max_size: {largest} or "
            f"{table}_bucket_size: {size}; ignoring {table}_bucket_size"
        )

    def _finding(self, line: Directive, other: Directive, is_host: bool, warning: str | None) -> Diagnostic:
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
            nginx_message=warning,
        )
