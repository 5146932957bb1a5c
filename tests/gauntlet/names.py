"""Upstreams whose names are looked up while a request waits."""

from __future__ import annotations

from tests.gauntlet.scenario import Scenario

_RESOLVER = "resolver 127.0.0.1:{dns} ipv6=off; resolver_timeout 1s; "
_CURED = _RESOLVER + "set $up good.demo.test; proxy_pass http://$up:{port};"


def _resolved(name: str, status: int | None, log: str = "", extra: str = "") -> Scenario:
    # `resolver` may stand in a location, so that one nginx can ask in every way.
    passes = f"resolver 127.0.0.1:{{dns}} {extra}; resolver_timeout 1s; set $up {name}.demo.test; "
    return Scenario(f"dns-{name}", "healthy", status, log, passes + "proxy_pass http://$up:{port};", cured=_CURED)


DNS: tuple[Scenario, ...] = (
    _resolved("good", 200),
    _resolved("alias", 200),
    _resolved("alias-only", 200),
    _resolved("truncated", 200),
    _resolved("missing", 502, "dns-not-found"),
    _resolved("no-data", 502, "dns-not-found"),
    _resolved("loop", 502, "dns-not-found"),
    _resolved("only-v6", 502, "dns-not-found", "ipv6=off"),
    _resolved("server-failure", 502, "dns-server-failure"),
    _resolved("refused", 502, "dns-refused"),
    _resolved("silent", 502, "dns-timeout"),
    _resolved("wrong-id", 502, "dns-timeout"),
    _resolved("odd-code", 502, "dns-timeout"),
    _resolved("alias-missing", 502, "dns-not-found"),
    # a family that fails takes the other one with it
    _resolved("v6-nxdomain", 502, "dns-not-found"),
    _resolved("v6-servfail", 502, "dns-server-failure"),
    _resolved("v6-servfail-alias", 502, "dns-server-failure"),
    _resolved("v6-behind-alias", 502, "dns-server-failure"),
    _resolved("v6-refused", 502, "dns-refused"),
    _resolved("v6-notimp", 502, "dns-unimplemented"),
    _resolved("v6-formerr", 502, "dns-timeout"),
    _resolved("v6-silent", 502, "dns-timeout"),
    _resolved("v6-gets-v4", 502, "dns-timeout"),
    _resolved("v4-nxdomain", 502, "dns-not-found"),
    _resolved("no-question", 502, "dns-timeout"),
    _resolved("two-questions", 502, "dns-timeout"),
    _resolved("truncated-twice", 502, "dns-timeout"),
    _resolved("other-records", 502, "dns-timeout"),
    # what a variable brings may be no address at all
    *(
        Scenario(f"value-{kind}", "healthy", 500, "", f"set $up {value}; proxy_pass http://$up;", cured=_CURED)
        for kind, value in (
            ("port-too-large", "127.0.0.1:99999"),
            ("port-zero", "127.0.0.1:0"),
            ("port-empty", "127.0.0.1:"),
            ("port-with-space", "'127.0.0.1:{port} '"),
            ("empty", "''"),
        )
    ),
    Scenario(
        "value-no-port",
        "fastcgi",
        500,
        "",
        "set $up 127.0.0.1; fastcgi_pass $up;",
        cured="fastcgi_pass 127.0.0.1:{port};",
    ),
    Scenario("value-address", "healthy", 200, "", "set $up 127.0.0.1:{port}; proxy_pass http://$up;"),
    Scenario(
        "dns-no-resolver",
        "healthy",
        502,
        "dns-no-resolver",
        "set $up good.demo.test; proxy_pass http://$up:{port};",
        cured=_CURED,
    ),
)
"""Names looked up while a request waits."""
