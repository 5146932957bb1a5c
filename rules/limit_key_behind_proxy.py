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

_ADDRESS = ("remote_addr", "binary_remote_addr")
# What a key may hold besides: the same for all visitors of a page.
_OF_THE_SITE = ("server_name", "server_port", "host", "http_host", "uri", "request_uri", "request_method", "scheme")


class LimitKeyBehindProxy(Rule):
    """A limit counts all visitors as one: its key is a fixed text, or the address of a proxy in front of nginx.

    One busy visitor then gets everybody 503. A key without `$` is a fixed text: write `$binary_remote_addr`. Behind
    another proxy say whom nginx may believe: `set_real_ip_from NETWORK; real_ip_header X-Forwarded-For;`. That there is
    a proxy is read from the configuration: a `listen` with proxy_protocol, or headers such as X-Forwarded-Proto that
    are read from the request.
    Source: documentation of limit_req_zone, limit_conn_zone and set_real_ip_from.
    """

    id = "limit-key-behind-proxy"
    group = "correctness"
    severity = Severity.WARNING
    directives = ("limit_req_zone", "limit_conn_zone")
    examples = (
        Bad(
            "limit_req_zone binary_remote_addr zone=one:10m rate=1r/s; # here\nserver { limit_req zone=one; }",
            "limit_req_zone $binary_remote_addr zone=one:10m rate=1r/s; # here\nserver { limit_req zone=one; }",
        ),
        Bad("limit_conn_zone all zone=one:10m; # here\nserver { limit_conn one 10; }"),
        Bad(
            "limit_req_zone $binary_remote_addr zone=one:10m rate=1r/s; # here\n"
            "server { listen 80 proxy_protocol; limit_req zone=one; }"
        ),
        Good(
            "map $http_x_forwarded_for $who { '' $binary_remote_addr; default $http_x_forwarded_for; }"
            " limit_req_zone $who zone=one:1m rate=1r/s; server { listen 80 proxy_protocol; limit_req zone=one; }"
        ),
        Good(
            "limit_req_zone $binary_remote_addr zone=one:10m rate=1r/s;\n"
            "server { listen 80 proxy_protocol; set_real_ip_from 10.0.0.0/8; limit_req zone=one; }"
        ),
        Good("limit_req_zone $binary_remote_addr zone=one:10m rate=1r/s;\nserver { limit_req zone=one; }"),
        Good("limit_req_zone $server_name zone=one:10m rate=1r/s;\nserver { limit_req zone=one; }"),
        Good(
            "limit_req_zone $http_cf_connecting_ip zone=one:10m rate=1r/s;\n"
            "server { listen 80 proxy_protocol; limit_req zone=one; }"
        ),
        Good(
            "limit_req_zone $binary_remote_addr zone=one:10m rate=1r/s;\n"
            "server { listen 80 proxy_protocol; }\nserver { listen 81; limit_req zone=one; }"
        ),
    )

    def check(self, config: Config) -> Iterator[Diagnostic]:
        signs: dict[Block | None, Directive] | None = None
        for zone in config.find(*self.directives):
            if len(zone.values) < 2 or zone.values[0].startswith("zone="):
                continue
            names = references(zone.values[0])
            if not names:
                yield self._fixed_key(zone)
            elif _counts_addresses(config, names):
                signs = proxies_in_front(config) if signs is None else signs
                yield from self._of_proxy(config, zone, signs) if signs else ()

    def _fixed_key(self, zone: Directive) -> Diagnostic:
        key = zone.args[0]
        fixes: tuple[Fix, ...] = ()
        if key.text.strip("{}") in (*_ADDRESS, "server_name", "host", "uri", "request_uri"):
            fixes = (Fix(f"write ${key.text}", (replace(key.span, f"${key.text}"),), safe=False),)
        return self.report(
            key,
            f'"{key.text}" is a fixed text, so all visitors share one limit',
            *fixes,
            label="no variable",
            help="write $binary_remote_addr to limit each visitor",
        )

    def _of_proxy(self, config: Config, zone: Directive, signs: dict[Block | None, Directive]) -> Iterator[Diagnostic]:
        name = next((text[5:].partition(":")[0] for text in zone.values if text.startswith("zone=")), "")
        for limit in config.find(zone.name.removesuffix("_zone")):
            if name not in (value.removeprefix("zone=") for value in limit.values[:2]):
                continue
            server = limit.enclosing("server")
            sign = signs.get(server) or (signs.get(None) if server is not None else None)
            if sign is None or sees_visitors(config.scope(limit)):
                continue
            yield self.report(
                zone.args[0],
                "nginx sees the address of the proxy in front of it, not the visitor's: all visitors share one limit",
                confidence=Confidence.MEDIUM,
                related=(note(sign, "a proxy in front"), note(limit, "the limit is used here")),
                help="write set_real_ip_from NETWORK; and real_ip_header X-Forwarded-For;",
            )
            return


def _counts_addresses(config: Config, names: list[str]) -> bool:
    """Does the key tell visitors apart by nothing but their address? A map that leaves some of them out does, too."""
    rest = [name for name in names if name not in _OF_THE_SITE]
    return bool(rest) and all(name in _ADDRESS or _is_address_or_text(config, name) for name in rest)


def _is_address_or_text(config: Config, name: str) -> bool:
    """Is the variable the address for some visitors, and a fixed text for all others?"""
    values = [
        value
        for one in config.variable_definitions().get(name, ())
        for line in one.body or ()
        for value in line.values
        if "$" in value
    ]
    return bool(values) and all(value in ("$remote_addr", "$binary_remote_addr") for value in values)
