"""The client's address where a proxy in front tells it: `set_real_ip_from`, `real_ip_header`, `real_ip_recursive`.

Source: ngx_http_realip_handler (ngx_http_realip_module.c) and ngx_http_get_forwarded_addr.
"""

from __future__ import annotations

from nginxlint.catalogue.addresses import in_network, parse_address_port, parse_network, print_address
from nginxlint.expressions import compiled
from nginxlint.routing.evaluate import header
from nginxlint.routing.request import lines_of
from nginxlint.routing.visit import Unsure, Visit

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from collections.abc import Sequence

    from nginxlint.config import Config
    from nginxlint.routing.match import Socket

# From this version on an IPv6 address in brackets needs no port (CHANGES).
_BARE_BRACKETS = (1, 27, 3)
_BETWEEN = "(?!^)[ ,]+"  # nginx does not look whether the first character is one


def replace_client(config: Config, visit: Visit, socket: Socket) -> None:
    """The phases post_read and preaccess: what a trusted proxy tells becomes the client's address, once."""
    assert visit.block is not None
    connection, scope = visit.connection, config.scope(visit.block)
    trusted = scope.effective("set_real_ip_from")
    if connection.replaced or not trusted:
        return
    name = scope.value("real_ip_header", "X-Real-IP")
    told = _told(visit, name, socket)
    client = _forwarded(
        connection.client,
        told if scope.on("real_ip_recursive") else told[:1],
        [line.values[0] for line in trusted if line.values],
        bare=config.version >= _BARE_BRACKETS,
    )
    if client is not None:
        connection.client, connection.replaced = client, True
        why = client.why if isinstance(client, Unsure) else f"the client is {client}"
        visit.say(f"real_ip_header {name}: {why}", trusted[0])


def _told(visit: Visit, name: str, socket: Socket) -> list[str]:
    """The addresses of a header, the last one first."""
    if name == "proxy_protocol":
        return [Unsure("", "the PROXY protocol header is not given")] if socket.proxy_protocol else []
    value = header(visit, name.lower())
    if isinstance(value, Unsure):
        return [value]
    lines = lines_of(value) if name == "X-Forwarded-For" else lines_of(value)[:1]
    return [address for line in lines for address in compiled(_BETWEEN).split(line.rstrip(" ,"))][::-1]


def _forwarded(client: str, told: Sequence[str], trusted: Sequence[str], *, bare: bool) -> str | None:
    """The client those tell who are trusted; None where nobody tells one."""
    found: str | None = None
    for word in told:
        if isinstance(client, Unsure):
            return client
        if not any(in_network(client, network) for network in trusted):
            name = next((one for one in trusted if one != "unix:" and parse_network(one) is None), None)
            return found if name is None else Unsure("", f"the addresses of {name} are not known")
        if isinstance(word, Unsure):
            return word
        address = parse_address_port(word, bare=bare)
        if address is None:
            break
        client = found = print_address(address)
    return found
