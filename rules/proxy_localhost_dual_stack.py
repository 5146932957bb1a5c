from nginxlint import Bad, Config, Diagnostic, Directive, Fix, Good, Iterator, Rule, Severity, endpoints, replace

_PASSES = ("proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass")


class ProxyLocalhostDualStack(Rule):
    """`localhost` is two addresses, and nginx uses both.

    The system gives 127.0.0.1 and ::1 for it, and each becomes a peer. A backend that listens on one of them only
    refuses every other first attempt: `connect() failed (111: Connection refused) … [::1]` in the log, a second try for
    the visitor, and no peer left at the first slow moment. Write the address the backend listens on, mostly 127.0.0.1.
    Source: ngx_inet_resolve_host (all addresses of a name), reference upstream semantics C.4.
    """

    id = "proxy-localhost-dual-stack"
    group = "proxy"
    severity = Severity.INFO
    directives = (*_PASSES, "server")
    texts = ("localhost",)
    examples = (
        Bad(
            "location / {\n proxy_pass http://localhost:3000/x; # here\n}",
            "location / {\n proxy_pass http://127.0.0.1:3000/x; # here\n}",
        ),
        Bad("upstream app {\n server LOCALHOST:81; # here\n}", "upstream app {\n server 127.0.0.1:81; # here\n}"),
        Bad("location / {\n fastcgi_pass localhost:9000; # here\n}"),
        Good("location / { proxy_pass http://127.0.0.1:3000; }"),
        Good("upstream localhost { server 127.0.0.1:81; } server { location / { proxy_pass http://localhost; } }"),
        Good("location / { set $b localhost:81; proxy_pass http://$b; }"),
        Good("server { listen 81; listen [::]:81; } server { location / { proxy_pass http://localhost:81; } }"),
        Good("location / { proxy_pass http://localhost.test; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for target in config.passes(*_PASSES):
            if target.host.lower() != "localhost" or target.group(config) is not None:
                continue
            if any(len(config.listeners.behind(end)) == 2 for end in endpoints(config, target)):
                continue  # our own, on both addresses
            yield self._finding(target.directive)
        for group in config.upstreams:
            for peer in group.peers:
                if peer.host.lower() == "localhost":
                    yield self._finding(peer.directive)

    def _finding(self, directive: Directive) -> Diagnostic:
        word = directive.args[0]
        at = word.text.lower().find("localhost")
        place = word.part(at, at + len("localhost"))
        return self.report(
            place,
            "localhost is 127.0.0.1 and ::1: where the backend listens on one of them only, every other first attempt "
            "is refused",
            Fix("write 127.0.0.1", (replace(place, "127.0.0.1"),), safe=False),
            label="becomes two peers",
            help="write the address the backend listens on, mostly 127.0.0.1",
            at=directive,
        )
