from collections.abc import Iterator

from nginxlint import Bad, Block, Confidence, Config, Diagnostic, Directive, Fix, Good, Rule, Severity, note, replace

_APPENDED = "$proxy_add_x_forwarded_for"
# The header → the values that are what the visitor wrote, and what nginx knows itself.
_COPIES = {
    "x-forwarded-for": ("$http_x_forwarded_for", _APPENDED),
    "x-real-ip": ("$http_x_real_ip", "$remote_addr"),
    "x-client-ip": ("$http_x_client_ip", "$remote_addr"),
    "true-client-ip": ("$http_true_client_ip", "$remote_addr"),
}
# What only a proxy in front sets; a copy of the X-Forwarded-For that came is kept at the edge, too.
_FROM_IN_FRONT = (
    "$http_x_forwarded_proto",
    "$http_x_forwarded_host",
    "$http_x_forwarded_port",
    "$http_x_forwarded_ssl",
)
# What a value begins with that says something of the client's address.
_TOLD = ("$http_x_", "$http_true_", "$remote_addr", "$realip_", "$proxy_add_")


class ForwardedForTrust(Rule):
    """The backend gets the client's address as the client wrote it, or not the client's at all.

    `proxy_set_header X-Forwarded-For $http_x_forwarded_for;` hands on what the visitor sent: whoever writes
    `X-Forwarded-For: 10.0.0.1` is that address for the application's limits and logs, and everybody else is nobody.
    Append the address that nginx sees: `$proxy_add_x_forwarded_for`. Where nginx itself stands behind a proxy, `$remote_addr`
    is that proxy: append there, too, or make the real address known by `set_real_ip_from`, after which nothing is
    reported. On request (low confidence) the first place that appends what any visitor sent is named, too: a backend
    that takes the first address of the list is fooled.
    Source: documentation of ngx_http_proxy_module ($proxy_add_x_forwarded_for) and of ngx_http_realip_module.
    """

    id = "forwarded-for-trust"
    group = "security"
    confidence = Confidence.MEDIUM
    directives = ("proxy_set_header",)
    examples = (
        Bad(
            "location / {\n proxy_set_header X-Forwarded-For $http_x_forwarded_for; # here\n proxy_pass http://app;\n}",
            "location / {\n proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; # here\n proxy_pass http://app;\n}",
        ),
        Bad("location / { proxy_set_header X-Real-IP $http_x_real_ip; proxy_pass http://app; } # here"),
        Bad(
            "location / { proxy_set_header X-Forwarded-Proto $http_x_forwarded_proto;\n"
            " proxy_set_header X-Forwarded-For $remote_addr; # here\n proxy_pass http://app; }"
        ),
        Good(
            "set_real_ip_from 10.0.0.1; location / { proxy_set_header X-Real-IP $http_x_real_ip; proxy_pass http://app; }"
        ),
        Good("location / { proxy_set_header X-Forwarded-For $remote_addr; proxy_pass http://app; }"),
        Good(
            "location / { proxy_set_header X-Forwarded-For $remote_addr; proxy_pass http://app;"
            " proxy_set_header X-Original-Forwarded-For $http_x_forwarded_for; }"
        ),
        Good("location / { proxy_set_header X-Original-For $http_x_forwarded_for; proxy_pass http://app; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        behind: dict[Block | None, Directive] = {}
        found: dict[Directive, str] = {}
        appended: list[Directive] = []
        for line in config.find("proxy_set_header"):
            if len(line.values) != 2 or not line.values[1].startswith(_TOLD):
                continue
            copied = _COPIES.get(line.values[0].lower())
            if line.values[1].startswith(_FROM_IN_FRONT) and copied is None:
                behind.setdefault(line.parent, line)
            elif copied is None:
                continue
            elif line.values[1] == copied[0]:
                found[line] = copied[1]
            elif copied[1] == _APPENDED and line.values[1] in ("$remote_addr", "$realip_remote_addr"):
                found[line] = ""
            elif line.values[1] == _APPENDED:
                appended.append(line)
        for line, right in found.items():
            if config.scope(line).effective("set_real_ip_from"):
                continue  # $remote_addr is the visitor then, and the header comes from somebody trusted
            if right:
                yield self._copied(line, right)
            elif (other := behind.get(line.parent)) is not None:
                yield self._overwritten(line, other)
        if config.partial or not any("ssl" in listen.values for listen in config.find("listen")):
            return
        at_the_edge = next((line for line in appended if _is_edge(config, line)), None)
        if at_the_edge is not None:
            yield self.report(
                at_the_edge,
                "what a visitor wrote into X-Forwarded-For reaches the backend in front of the address nginx adds",
                severity=Severity.INFO,
                confidence=Confidence.LOW,
                help="write $remote_addr where nothing stands in front of nginx, or let the backend take the last address",
            )

    def _copied(self, line: Directive, right: str) -> Diagnostic:
        return self.report(
            line,
            f"the backend gets the {line.values[0]} that the visitor wrote, and never the address nginx sees",
            Fix(f"send {right}", (replace(line.args[1].span, right),), safe=False),
            help=f"write {right}, or name the proxy in front by set_real_ip_from",
        )

    def _overwritten(self, line: Directive, other: Directive) -> Diagnostic:
        return self.report(
            line,
            "the backend gets the address of the proxy in front of nginx, not the visitor's",
            Fix("append to what that proxy says", (replace(line.args[1].span, _APPENDED),), safe=False),
            related=(note(other, "handed on from a proxy in front"),),
            help=f"write {_APPENDED}, or name the proxy by set_real_ip_from",
        )


def _is_edge(config: Config, line: Directive) -> bool:
    """Does TLS end here, without a word of anybody in front?"""
    server = config.server(line)
    if server is None or config.scope(line).effective("set_real_ip_from"):
        return False
    return any(listen.ssl and "proxy_protocol" not in listen.options for listen in server.listens)
