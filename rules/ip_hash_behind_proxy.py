from nginxlint import (
    Bad,
    Block,
    Confidence,
    Config,
    Diagnostic,
    Directive,
    Good,
    Iterator,
    Rule,
    Severity,
    note,
    proxies_in_front,
    references,
    sees_visitors,
)

_ADDRESS = ("remote_addr", "binary_remote_addr")


class IpHashBehindProxy(Rule):
    """A group is balanced by the visitor's address, but nginx sees the address of a proxy in front of it.

    `ip_hash` (the first three bytes of an IPv4 address) and `hash $remote_addr` then send nearly all requests to one
    server of the group. Say whom nginx may believe: `set_real_ip_from NETWORK; real_ip_header X-Forwarded-For;` (or
    proxy_protocol), or hash something else. That there is a proxy is read from the configuration: a `listen` with
    proxy_protocol, or headers such as X-Forwarded-Proto that are read from the request.
    Source: documentation of ip_hash and set_real_ip_from.
    """

    id = "ip-hash-behind-proxy"
    group = "upstream"
    severity = Severity.WARNING
    confidence = Confidence.MEDIUM
    directives = ("ip_hash", "hash")
    examples = (
        Bad(
            "upstream app { ip_hash; server a:1; server b:1; } # here\n"
            "server { listen 80 proxy_protocol; location / { proxy_pass http://app; } }"
        ),
        Bad(
            "upstream app { hash $remote_addr consistent; server a:1; server b:1; } # here\n"
            "server { location / { proxy_set_header X-Forwarded-Proto $http_x_forwarded_proto; proxy_pass http://app; } }"
        ),
        Bad(
            "upstream app { ip_hash; server a:1; server b:1; } # here\n"
            'server { if ($http_x_forwarded_proto != "https") { return 301 https://$host$request_uri; }\n'
            "location / { proxy_pass http://app; } }"
        ),
        Good(
            "upstream app { ip_hash; server a:1; server b:1; }\nserver { listen 80 proxy_protocol;\n"
            "set_real_ip_from 10.0.0.0/8; real_ip_header proxy_protocol; location / { proxy_pass http://app; } }"
        ),
        Good(
            "upstream app { ip_hash; server a:1; server b:1; }\n"
            "server { location / { proxy_set_header X-Forwarded-For $http_x_forwarded_for; proxy_pass http://app; } }"
        ),
        Good("upstream app { ip_hash; server a:1; server b:1; }\nserver { location / { proxy_pass http://app; } }"),
        Good(
            "map $http_x_forwarded_proto $proto { default $http_x_forwarded_proto; '' $scheme; }\n"
            "upstream app { ip_hash; server a:1; server b:1; }\nserver { location / { proxy_pass http://app; } }"
        ),
        Good(
            "upstream app { hash $request_uri; server a:1; server b:1; }\n"
            "server { listen 80 proxy_protocol; location / { proxy_pass http://app; } }"
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        signs: dict[Block | None, Directive] | None = None
        for group in config.upstreams:
            method = group.methods[-1] if group.methods else None
            if method is None or len(group.peers) < 2 or not _by_address(method):
                continue
            signs = proxies_in_front(config) if signs is None else signs
            for use in config.uses(group):
                server = config.server(use.target.directive)
                sign = signs.get(server.block if server is not None else None) or signs.get(None)
                if sign is None or sees_visitors(config.scope(use.target.directive)):
                    continue
                yield self.report(
                    method,
                    f"nginx sees the address of the proxy in front of it, not the visitor's: {method.name} sends nearly "
                    f'all requests to one server of "{group.name}"',
                    related=(note(sign, "a proxy in front"), note(use.target.directive, "the group is used here")),
                    help="write set_real_ip_from NETWORK; and real_ip_header X-Forwarded-For; or hash something else",
                )
                break


def _by_address(method: Directive) -> bool:
    if method.name == "ip_hash":
        return True
    key = method.values[0] if method.name == "hash" and method.values else ""
    return bool(references(key)) and all(name in _ADDRESS for name in references(key))
