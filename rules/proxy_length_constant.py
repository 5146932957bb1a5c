from nginxlint import PASSES, Bad, Config, Diagnostic, Directive, Fix, Good, Iterator, Rule, delete, refusing_some

_OWN = ("$content_length", "${content_length}", "$http_content_length", "${http_content_length}")


class ProxyLengthConstant(Rule):
    """The backend is told a length of the body, or a framing, that is not the one of the body it gets.

    `proxy_set_header Content-Length 5;` also goes with a GET, which has no body: the backend waits for five bytes until the
    visitor gets 504. Of a longer body it reads five bytes and takes the rest for the next request on that connection.
    `Content-Length 0` beside a body does the same, and so does `Transfer-Encoding chunked`, since nginx sends no
    chunks. nginx states the length by itself: take the line out. CONTENT_LENGTH of FastCGI, uwsgi and SCGI is
    `$content_length`. Not reported: an empty value, `0` where no body is passed on, and beside `proxy_set_body`.
    Source: ngx_http_proxy_create_request; RFC 9112, 6.
    """

    id = "proxy-length-constant"
    group = "proxy"
    directives = ("proxy_set_header", "grpc_set_header", "fastcgi_param", "uwsgi_param", "scgi_param")
    texts = ("\0content-length\0", "\0transfer-encoding\0", "\0content_length\0")
    examples = (
        Bad(
            "location / {\n proxy_set_header Content-Length 5; # here\n proxy_pass http://app;\n}",
            "location / {\n  # here\n proxy_pass http://app;\n}",
        ),
        Bad("proxy_set_header transfer-encoding chunked; # here\nlocation / { proxy_pass http://app; }"),
        Bad("location / { proxy_set_header Content-Length 0; proxy_pass http://app; } # here"),
        Bad("location / { proxy_set_header Transfer-Encoding $http_transfer_encoding; proxy_pass http://app; } # here"),
        Bad("location / { fastcgi_param CONTENT_LENGTH 5; fastcgi_pass php:9000; } # here"),
        Bad("location / { include fastcgi_params; fastcgi_param CONTENT_LENGTH 0; fastcgi_pass php:9000; } # here"),
        Bad(
            "location /a {\n proxy_pass_request_body off;\n proxy_set_header Content-Length $content_length; # here\n"
            " proxy_pass http://app;\n}"
        ),
        Good('location / { proxy_set_header Content-Length ""; proxy_pass_request_body off; proxy_pass http://app; }'),
        Good("location / { proxy_set_header Content-Length 0; proxy_pass_request_body off; proxy_pass http://app; }"),
        Good("location / { proxy_set_header Content-Length 5; proxy_set_body hello; proxy_pass http://app; }"),
        Good("location / { proxy_set_header Content-Length $content_length; proxy_pass http://app; }"),
        Good("location / { fastcgi_param CONTENT_LENGTH $content_length; fastcgi_pass php:9000; }"),
        Good('location / { proxy_set_header Transfer-Encoding ""; proxy_pass http://app; }'),
        Good("location / { proxy_set_header Content-Length 5; return 204; }"),
        Good("location = /a { internal; proxy_set_header Content-Length 0; proxy_pass http://sso; }"),
        Good("location / { limit_except GET { deny all; } proxy_set_header Content-Length 0; proxy_pass http://app; }"),
        Good(
            "location / { proxy_request_buffering off; proxy_http_version 1.1;"
            " proxy_set_header Transfer-Encoding $http_transfer_encoding; proxy_pass http://app; }"
        ),
        Good("location / { proxy_set_header Transfer-Encoding $encoding; proxy_pass http://app; }"),
        Good("location / { proxy_set_header Content-Length $length; proxy_pass http://app; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for line in config.saying(_frames, *self.directives):
            family = line.name.partition("_")[0]
            if f"{family}_pass" not in PASSES or not any(
                self._is_wrong(config, line, family, target.directive)
                for target in config.governed(line, f"{family}_pass")
            ):
                continue
            yield self.report(
                line,
                _consequence(line),
                Fix("take the line out", (delete(line),), safe=False) if _is_for_nginx(line) else None,
                help="take the line out: nginx states the length by itself"
                if _is_for_nginx(line)
                else f'write {line.name} {line.values[0]} "";'
                if line.values[1] in _OWN
                else f"write {line.name} CONTENT_LENGTH $content_length;",
            )

    def _is_wrong(self, config: Config, line: Directive, family: str, target: Directive) -> bool:
        scope = config.scope(target)
        if (scope.block.has_gap and family in ("proxy", "grpc")) or scope.directive(f"{family}_set_body") is not None:
            return False
        if line.values[0].lower() == "transfer-encoding":  # unbuffered, what came in chunks goes on in chunks
            return family == "proxy" and (line.values[1] == "chunked" or scope.on("proxy_request_buffering", True))
        if line.values[1] == "0" and _sends_no_body(config, target):
            return False
        dropped = not scope.on(f"{family}_pass_request_body", True)
        if family != "proxy" and line.values[1] in _OWN:
            return False  # proxy-body-dropped says so
        return line.values[1] != "0" if dropped else line.values[1] not in _OWN


def _frames(values: tuple[str, ...]) -> bool:
    """Does it state a length, or a transfer encoding? (Of a variable of the configuration nobody knows.)"""
    if len(values) < 2 or not values[1]:
        return False
    if values[0].lower() == "transfer-encoding":
        return values[1].lower() in ("chunked", "$http_transfer_encoding", "${http_transfer_encoding}")
    return values[0].lower() in ("content-length", "content_length") and (values[1] in _OWN or values[1].isdigit())


def _sends_no_body(config: Config, target: Directive) -> bool:
    """A question of auth_request or a mirror, or methods that have none."""
    around = list(target.ancestors())
    return (
        any(block.child("internal", "limit_except") is not None for block in around if block.name == "location")
        or config.scope(target).directive("proxy_method") is not None
        or not refusing_some(config).isdisjoint(around)
        or any("request_method" in " ".join(test.values) for block in around for test in block.blocks("if"))
    )


def _is_for_nginx(line: Directive) -> bool:
    return line.name.endswith("_header") and line.values[1] not in _OWN


def _consequence(line: Directive) -> str:
    name, value = line.values[:2]
    if name.lower() == "transfer-encoding":
        return "the backend is told to expect chunks where nginx sends none: requests with a body fail or hang"
    if value in _OWN:
        return "the backend is told to expect a body that is not passed on: POST requests hang"
    if value == "0":
        return "the backend is told that there is no body: what is posted is lost, or taken for the next request"
    return (
        f"the backend is told to expect {value} bytes with every request: "
        "if it waits for them where none come, as with GET, visitors get 504"
    )
