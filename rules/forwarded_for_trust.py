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
    Severity,
    note,
    proxies_in_front,
    references,
    replace,
    sees_visitors,
)

_APPENDED = "$proxy_add_x_forwarded_for"
# The header → the values that are what the visitor wrote, and what nginx knows itself.
_COPIES = {
    "x-forwarded-for": (("$http_x_forwarded_for",), _APPENDED),
    "x-real-ip": (("$http_x_real_ip", "$http_x_forwarded_for"), "$remote_addr"),
    "x-client-ip": (("$http_x_client_ip",), "$remote_addr"),
    "true-client-ip": (("$http_true_client_ip",), "$remote_addr"),
}


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
    directives = ("proxy_set_header", "grpc_set_header")
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
        Bad(
            "server { listen 81 proxy_protocol; location / {\nproxy_set_header X-Forwarded-For $remote_addr; # here\n} }"
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
        found: dict[Directive, str] = {}
        appended: list[Directive] = []
        for values, lines in [*config.alike("proxy_set_header").groups(), *config.alike("grpc_set_header").groups()]:
            copies, right = _COPIES.get(values[0].lower(), ((), "")) if len(values) == 2 else ((), "")
            value = _value(config, values[1]) if right and values[1][:1] == "$" else ""
            if value in copies:
                found.update(dict.fromkeys(lines, right))
            elif right == _APPENDED and value in ("$remote_addr", "$realip_remote_addr"):
                found.update(dict.fromkeys(lines, ""))
            elif right == value == _APPENDED:
                appended += lines
        signs = proxies_in_front(config) if found else {}
        for line, right in found.items():
            if sees_visitors(config.scope(line)):
                continue  # $remote_addr is the visitor then, and the header comes from somebody trusted
            sign = signs.get(line.enclosing("server"), signs.get(None))
            if right:
                server = config.server(line)
                behind = (sign is not None and sign is not line) or (server is not None and server.is_local)
                yield self._copied(line, right, behind=behind)
            elif sign is not None:
                yield self._overwritten(line, sign)
        if config.partial or not appended or not any("ssl" in listen for listen in config.alike("listen")):
            return
        signs = signs or proxies_in_front(config)
        at_the_edge = next((line for line in appended if _is_edge(config, line, signs)), None)
        if at_the_edge is not None:
            yield self.report(
                at_the_edge,
                "what a visitor wrote into X-Forwarded-For reaches the backend in front of the address nginx adds",
                severity=Severity.INFO,
                confidence=Confidence.LOW,
                help="write $remote_addr where nothing stands in front of nginx, or let the backend take the last address",
            )

    def _copied(self, line: Directive, right: str, *, behind: bool) -> Diagnostic:
        return self.report(
            line,
            f"the backend gets the {line.values[0]} that the visitor wrote, and never the address nginx sees",
            Fix(f"send {right}", (replace(line.args[1].span, right),), safe=False),
            confidence=Confidence.LOW if behind else self.confidence,  # a proxy in front may write it anew
            help=f"write {right}, or name the proxy in front by set_real_ip_from",
        )

    def _overwritten(self, line: Directive, other: Directive) -> Diagnostic:
        return self.report(
            line,
            "the backend gets the address of the proxy in front of nginx, not the visitor's",
            Fix("append to what that proxy says", (replace(line.args[1].span, _APPENDED),), safe=False),
            related=(note(other, "a proxy in front"),),
            help=f"write {_APPENDED}, or name the proxy by set_real_ip_from",
        )


def _value(config: Config, text: str) -> str:
    """The variable that is sent, without braces, and followed through a `set` that only gives it another name."""
    names = references(text)
    if len(names) != 1 or text.replace("{", "").replace("}", "").lower() != f"${names[0]}":
        return text
    definitions = config.variable_definitions().get(names[0], ())
    return definitions[0].values[-1] if len(definitions) == 1 and definitions[0].name == "set" else f"${names[0]}"


def _is_edge(config: Config, line: Directive, signs: dict[Block | None, Directive]) -> bool:
    """Does TLS end here, without a word of anybody in front?"""
    server = config.server(line)
    if server is None or server.block in signs or None in signs or sees_visitors(config.scope(line)):
        return False
    return any(listen.ssl for listen in server.listens)
