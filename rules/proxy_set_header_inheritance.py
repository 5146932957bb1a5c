from nginxlint import (
    Bad,
    Config,
    Diagnostic,
    Fix,
    Good,
    Iterator,
    Rule,
    Severity,
    hands_on,
    insert_line_after,
    note,
    replaced,
)

_GRAVE = ("host", "x-forwarded-", "x-real-ip", "authorization", "upgrade", "connection", "forwarded")
_PASS = {"proxy_set_header": "proxy_pass", "grpc_set_header": "grpc_pass"}
_DEFAULTS = {("host", "$proxy_host"), ("connection", "close")}


class ProxySetHeaderInheritance(Rule):
    """One `proxy_set_header` in a block drops all those of the blocks around it.

    The directive is inherited as a whole set. A location that sets one header of its own no longer sends the Host or
    X-Forwarded-For of its server: the backend sees the group's name as Host, or the proxy as the visitor. Repeat the
    inherited ones (an `include` of a common file does well).
    Source: ngx_http_proxy_init_headers (src/http/modules/ngx_http_proxy_module.c), documentation of proxy_set_header.
    """

    id = "proxy-set-header-inheritance"
    group = "proxy"
    severity = Severity.WARNING
    directives = tuple(_PASS)
    examples = (
        Bad(
            "proxy_set_header Host $host;\nlocation / {\n    proxy_set_header X-A b; # here\n    proxy_pass http://app;\n}",
            "proxy_set_header Host $host;\nlocation / {\n    proxy_set_header X-A b;\n"
            "    proxy_set_header Host $host; # here\n    proxy_pass http://app;\n}",
        ),
        Bad("proxy_set_header X-Tenant a;\nlocation / { proxy_set_header Host $host; proxy_pass http://app; } # here"),
        Good("proxy_set_header Host $host;\nlocation / { proxy_set_header HOST $http_host; proxy_pass http://app; }"),
        Good("proxy_set_header Host $host;\nlocation / { proxy_pass http://app; }"),
        Good("proxy_set_header Host $proxy_host;\nlocation / { proxy_set_header X-A b; proxy_pass http://app; }"),
        Good("proxy_set_header Host $host;\nlocation / { proxy_set_header X-A b; return 200; }"),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        for block, own, inherited in replaced(config, *_PASS):
            name = own[0].name
            lost = [
                one
                for one in inherited
                if len(one.values) == 2 and (one.values[0].lower(), one.values[1]) not in _DEFAULTS
            ]
            if not lost or not hands_on(config, block, _PASS[name]):
                continue
            names = ", ".join(dict.fromkeys(line.values[0] for line in lost))
            grave = any(line.values[0].lower().startswith(_GRAVE) for line in lost)
            lines = tuple(f"{line.head_span.text};" for line in lost)
            edit = insert_line_after(own[-1], *lines)
            in_one_file = block.source is own[-1].source is own[0].source
            yield self.report(
                own[0],
                f"the backend no longer gets {names} here: one {name} drops all inherited ones",
                Fix("repeat the inherited ones", (edit,), safe=False) if in_one_file else None,
                severity=Severity.WARNING if grave else Severity.INFO,
                label="replaces every one of the blocks around",
                related=tuple(note(directive, "not sent here") for directive in lost[:4]),
                help="repeat them in this block: " + " ".join(lines[:4]),
            )
