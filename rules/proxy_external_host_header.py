from nginxlint import (
    Bad,
    Confidence,
    Config,
    Diagnostic,
    Directive,
    Endpoint,
    Fix,
    Good,
    Iterator,
    Pass,
    Rule,
    Server,
    endpoints,
    is_public_name,
    note,
    replace,
)

_CLIENT = ("$host", "$http_host", "${host}", "$server_name", "$http_host:443", "$host:$server_port")
# Services that choose what to answer by the Host alone, and refuse names that are not theirs.
_PICKY = tuple(
    ".amazonaws.com .cloudfront.net .azurewebsites.net .azureedge.net .windows.net .googleapis.com .run.app .appspot.com "
    ".herokuapp.com .netlify.app .vercel.app .github.io .pages.dev .workers.dev .r2.dev .fastly.net .akamaized.net "
    ".digitaloceanspaces.com .backblazeb2.com .onrender.com .fly.dev .web.app .firebaseapp.com".split()
)


class ProxyExternalHostHeader(Rule):
    """A host of the Internet is asked by https with the visitor's Host, a name it does not know.

    Object stores, CDNs and hosted applications choose the site by the Host header: with `Host $host` they answer 403,
    404 or 421. Send the target's own name, `proxy_set_header Host $proxy_host;`. The line is often inherited from the
    server or comes from an included file. Not reported where the target belongs to the domain of the server itself, and
    so may well know its name.
    Source: documentation of proxy_set_header ($proxy_host); RFC 9110, section 7.4 (421).
    """

    id = "proxy-external-host-header"
    group = "proxy"
    confidence = Confidence.MEDIUM
    directives = ("proxy_pass", "grpc_pass")
    texts = ("https:", "grpcs:", "$")
    examples = (
        Bad(
            "location / {\n proxy_set_header Host $host;\n proxy_pass https://shop.s3.amazonaws.com; # here\n}",
            "location / {\n proxy_set_header Host $proxy_host;\n proxy_pass https://shop.s3.amazonaws.com; # here\n}",
        ),
        Bad("proxy_set_header Host $http_host; location /pay/ { proxy_pass https://api.pay.example.net/; } # here"),
        Bad(
            "upstream pay { server api.pay.example.net:443; }\nserver { location / {\n"
            " proxy_set_header Host $host;\n proxy_pass https://pay; # here\n} }",
            "upstream pay { server api.pay.example.net:443; }\nserver { location / {\n"
            " proxy_set_header Host api.pay.example.net;\n proxy_pass https://pay; # here\n} }",
        ),
        Good("location / { proxy_pass https://shop.s3.amazonaws.com; }"),
        Good(
            "upstream minio { server minio-1.example.net:9000; server minio-2.example.net:9000; }\n"
            "server { location / { proxy_set_header Host $http_host; proxy_pass https://minio; } }"
        ),
        Good("location / { proxy_set_header Host $host; proxy_pass https://ops.example.net:8443; }"),
        Good("location / { proxy_set_header Host $proxy_host; proxy_pass https://shop.s3.amazonaws.com; }"),
        Good(
            "server { server_name www.a.test; proxy_set_header Host $host; location / { proxy_pass https://origin.a.test; } }"
        ),
        Good("location / { proxy_set_header Host $host; proxy_pass https://10.0.0.1; }"),
        Good("location / { proxy_set_header Host $host; proxy_pass https://app.internal:8443; }"),
        Good("location / { proxy_set_header Host $host; proxy_pass http://www.example.net; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for target in config.passes(*self.directives):
            if not target.text.startswith(("https:", "grpcs:", "$")):
                continue
            host = config.request_headers(config.scope(target.directive), target.family).of("host")
            if host is None or host.directive is None or host.value not in _CLIENT:
                continue
            server = config.server(target.directive)
            ends = endpoints(config, target)
            for end in ends:
                if end.scheme not in ("https", "grpcs") or not is_public_name(end.host) or _knows(end.host, server):
                    continue
                grouped = end.directive is not target.directive and end.directive.name == "server"
                if end.host.endswith(_PICKY) or not _of_the_house(end, ends if grouped else [end]):
                    place = host.directive
                    # the variable is of the proxy module, and for a group holds the group's name
                    own = "$proxy_host" if target.family == "proxy" and not grouped else end.host
                    yield self.report(
                        target.directive.args[0],
                        f"{end.host} is asked for {host.value}, a name it does not know: 403, 404 or 421"
                        if end.host.endswith(_PICKY)
                        else f"{end.host} is asked for {host.value}: unless it knows that name it answers 403, 404 or 421",
                        *_fix(place, target, own),
                        confidence=Confidence.HIGH if end.host.endswith(_PICKY) else Confidence.MEDIUM,
                        related=(note(place, "the Host it gets"),),
                        help=f"write {target.family}_set_header Host {own}; in this location, with the other headers it needs",
                    )
                    break


def _fix(line: Directive, target: Pass, own: str) -> Iterator[Fix]:
    """Only where the line is of this location: elsewhere others need it as it is."""
    if line.parent is target.directive.parent and line.source is target.directive.source and "$" not in target.text:
        yield Fix("send the target's own name", (replace(line.args[1].span, own),), safe=False)


def _of_the_house(end: Endpoint, group: list[Endpoint]) -> bool:
    """Is it rather a machine of one's own, on a port of its own or one of several that share the visitors?"""
    return end.port not in (None, 443) or len({one.host for one in group}) > 1


def _knows(host: str, server: Server | None) -> bool:
    """Does the host lie in the domain of one of the server's names? (The last two labels: good enough for a doubt.)"""
    domain = host.rsplit(".", 2)[-2:]
    return server is not None and any(word.text.rsplit(".", 2)[-2:] == domain for word in server.names)
