"""Signs that visitors come through another proxy, so that the address nginx sees is not theirs."""

from __future__ import annotations

from nginxlint.routing.scope import Scope
from nginxlint.routing.variables import references
from nginxlint.syntax import Block, Directive

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from nginxlint.config import Config

# Headers that a proxy in front of nginx sets; whoever reads one expects such a proxy. X-Forwarded-For is missing: it
# stands in the log format of nearly every configuration.
_SET_IN_FRONT = frozenset(
    f"http_{name}"
    for name in "x_forwarded_proto x_forwarded_host x_forwarded_scheme x_forwarded_ssl x_forwarded_port x_real_ip true_client_ip "
    "cf_connecting_ip cf_connecting_ipv6 cf_visitor cf_ipcountry fastly_client_ip x_azure_clientip "
    "cloudfront_forwarded_proto".split()
)
_READERS = ("if", "set", "proxy_set_header", "grpc_set_header", "fastcgi_param", "uwsgi_param", "scgi_param")


def proxies_in_front(config: Config) -> dict[Block | None, Directive]:
    """By server block, the directive that shows that another proxy stands in front of it; under None, one that is
    about all servers of `http`. A map that falls back to what nginx sees itself shows nothing: it serves both."""
    found: dict[Block | None, Directive] = {}
    for directive in config.saying(lambda values: "proxy_protocol" in values[1:], "listen"):
        found.setdefault(directive.parent, directive)
    for name in _READERS:
        reading = set(filter(_reads, config.alike(name)))  # most lines are the same in every server
        for directive in config.find(name) if reading else ():
            if directive.values in reading:
                found.setdefault(directive.enclosing("server"), directive)
    for block in config.blocks("map"):
        empty = any(line.name == "" or (line.name == "default" and "$" in "".join(line.values)) for line in block.body)
        if block.values and not empty and _reads(block.values[:1]):
            found.setdefault(None, block)
    return found


def sees_visitors(scope: Scope) -> bool:
    """Does nginx put the visitor's address in place of the proxy's here (`set_real_ip_from`)?"""
    return bool(scope.effective("set_real_ip_from"))


def _reads(values: tuple[str, ...]) -> bool:
    return any(name in _SET_IN_FRONT for value in values if "$" in value for name in references(value))
