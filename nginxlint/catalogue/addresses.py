"""Addresses, networks and URLs as nginx parses them (ngx_parse_url, ngx_ptocidr, ngx_inet6_addr), without any lookup."""

from __future__ import annotations

from nginxlint.catalogue.numbers import parse_number

_SUN_PATH = 108  # sizeof(sun_path) on Linux
_MAPPED = bytes(10) + b"\xff\xff"  # before an IPv4 address in an IPv6 one


class Url:
    """What `ngx_parse_url` makes of a text: `error` as nginx words it, or the parts.

    `host` is without port, a unix socket has family "unix" and its path there; `literal` is the address in bytes
    where the host is one; `wildcard` = all addresses; `no_port`: the default port was taken.
    """

    __slots__ = ("error", "family", "host", "last_port", "literal", "no_port", "port", "uri", "wildcard")

    def __init__(self) -> None:
        self.error = ""
        self.family = "inet"
        self.host = ""
        self.literal: bytes | None = None
        self.no_port = False
        self.port = 0
        self.last_port = 0
        self.uri = ""
        self.wildcard = False

    @property
    def needs_lookup(self) -> bool:
        """The host is a name: nginx asks the system's resolver when it loads the configuration."""
        return self.literal is None and self.family != "unix" and not self.wildcard


def parse_url(text: str, *, listen: bool = False, uri_part: bool = False, default_port: int = 0) -> Url:
    """Take an `address[:port][/uri]` apart."""
    url = Url()
    if text[:5].lower() == "unix:":
        _parse_unix(url, text[5:], uri_part)
    elif text.startswith("["):
        _parse_inet6(url, text, listen, uri_part, default_port)
    else:
        _parse_inet(url, text, listen, uri_part, default_port)
    return url


def _parse_unix(url: Url, path: str, uri_part: bool) -> None:
    url.family = "unix"
    if uri_part:
        path, _, url.uri = path.partition(":")
    url.host = path
    if not path:
        url.error = "no path in the unix domain socket"
    elif len(path.encode("utf-8", "surrogateescape")) + 1 > _SUN_PATH:
        url.error = "too long path in the unix domain socket"


def _uri_start(text: str, begin: int) -> int:
    found = [at for at in (text.find("/", begin), text.find("?", begin)) if at >= 0]
    return min(found) if found else -1


def _parse_port(url: Url, text: str, listen: bool) -> bool:
    if listen and "-" in text:
        text, _, last = text.partition("-")
        number = parse_number(last)
        if number is None or not 1 <= number <= 65535:
            url.error = "invalid port"
            return False
        url.last_port = number
    number = parse_number(text)
    if number is None or not 1 <= number <= 65535:
        url.error = "invalid port"
        return False
    if url.last_port and number > url.last_port:
        url.error = "invalid port range"
        return False
    url.port = number
    return True


def _parse_inet(url: Url, text: str, listen: bool, uri_part: bool, default_port: int) -> None:
    end = len(text)
    colon = text.find(":")
    uri = _uri_start(text, 0)
    if uri >= 0:
        if listen or not uri_part:
            url.error = "invalid host"
            return
        url.uri = text[uri:]
        end = uri
        if uri < colon:
            colon = -1
    if colon >= 0:
        if not _parse_port(url, text[colon + 1 : end], listen):
            return
        end = colon
    else:
        if uri < 0 and listen:
            first, dash, last = text.partition("-")
            if not dash or parse_number(last) is not None:
                if dash and not 1 <= int(last) <= 65535:
                    url.error = "invalid port"
                    return
                if parse_number(first) is not None:
                    if _parse_port(url, text, listen):
                        url.wildcard = True
                        url.literal = bytes(4)
                    return
        url.no_port = True
        url.port = default_port
    url.host = text[:end]
    if end == 0:
        url.error = "no host"
    elif listen and url.host == "*":
        url.wildcard = True
        url.literal = bytes(4)
    else:
        url.literal = inet_address(url.host)
        if url.literal == b"\xff\xff\xff\xff":
            url.literal = None
        url.wildcard = url.literal == bytes(4)


def _parse_inet6(url: Url, text: str, listen: bool, uri_part: bool, default_port: int) -> None:
    url.family = "inet6"
    bracket = text.find("]")
    if bracket < 0:
        url.error = "invalid host"
        return
    end = len(text)
    uri = _uri_start(text, bracket + 1)
    if uri >= 0:
        if listen or not uri_part:
            url.error = "invalid host"
            return
        url.uri = text[uri:]
        end = uri
    if bracket + 1 < end:
        if text[bracket + 1] != ":":
            url.error = "invalid host"
            return
        if not _parse_port(url, text[bracket + 2 : end], listen):
            return
    else:
        url.no_port = True
        url.port = default_port
    inner = text[1:bracket]
    url.host = text[: bracket + 1]
    if not inner:
        url.error = "no host"
        return
    url.literal = inet6_address(inner)
    if url.literal is None:
        url.error = "invalid IPv6 address"
    url.wildcard = url.literal == bytes(16)


def inet_address(text: str) -> bytes | None:
    """`ngx_inet_addr`: four octets with three dots (nginx reads an empty octet as 0); None is INADDR_NONE."""
    if text[-1:] not in "0123456789.":
        return None  # most hosts are names
    parts = text.split(".")
    if len(parts) != 4:
        return None
    octets = []
    for part in parts:
        if part and not (part.isascii() and part.isdigit()):
            return None
        value = int(part or "0") if len(part) < 40 else 256
        if value > 255:
            return None
        octets.append(value)
    return bytes(octets)


def inet6_address(text: str) -> bytes | None:
    """`ngx_inet6_addr`: None where nginx finds it invalid."""
    if not text:
        return None
    words: list[int] = []
    zero = -1
    digit = -1
    nibbles = word = at = 0
    end = len(text)
    if text[0] == ":":
        at = 1
    tail_done = False
    while at < end:
        character = text[at]
        at += 1
        if character == ":":
            if nibbles:
                digit = at
                words.append(word)
                if len(words) < 8:
                    nibbles = word = 0
                    continue
            elif zero < 0:
                digit = at
                zero = len(words)
                continue
            return None
        if character == "." and nibbles:
            if len(words) > 6 or digit < 0:
                return None
            tail = inet_address(text[digit:])
            if tail is None or tail == b"\xff\xff\xff\xff":
                return None
            words += [tail[0] << 8 | tail[1], tail[2] << 8 | tail[3]]
            tail_done = True
            break
        nibbles += 1
        if nibbles > 4:
            return None
        value = "0123456789abcdef".find(character.lower())
        if value < 0:
            return None
        word = word << 4 | value
    if not tail_done:
        if nibbles == 0 and zero < 0:
            return None
        words.append(word)
    if len(words) < 8:
        if zero < 0:
            return None
        fill = 8 - len(words)
        words[zero:zero] = [0] * fill
    elif zero >= 0 or len(words) > 8:
        return None
    return b"".join(word.to_bytes(2, "big") for word in words)


def parse_address(text: str) -> bytes | None:
    """`ngx_parse_addr`: an address of either family; None where it is none."""
    address = inet_address(text)
    return inet6_address(text) if address in (None, b"\xff\xff\xff\xff") else address


def parse_address_port(text: str, *, bare: bool) -> bytes | None:
    """`ngx_parse_addr_port`: an address, with or without a port, for which IPv6 needs brackets. `bare`: brackets need no
    port, as since nginx 1.27.3."""
    address = parse_address(text)
    if address is not None:
        return address
    if bare and text.startswith("[") and text.endswith("]"):
        return inet6_address(text[1:-1])
    host, mark, port = text[1:].partition("]:") if text.startswith("[") else text.partition(":")
    number = parse_number(port)
    return parse_address(host) if mark and number is not None and 1 <= number <= 65535 else None


class Network:
    """An address with a mask. `host_bits`: bits are set that the mask makes meaningless (nginx warns)."""

    __slots__ = ("address", "bits", "host_bits")

    def __init__(self, address: bytes, bits: int) -> None:
        self.bits = bits
        number = int.from_bytes(address, "big")
        width = 8 * len(address)
        kept = number >> (width - bits) << (width - bits)
        self.host_bits = kept != number
        self.address = kept.to_bytes(len(address), "big")

    def lies_in(self, other: Network) -> bool:
        """Is every address of this network one of the other?"""
        if len(self.address) != len(other.address) or self.bits < other.bits:
            return False
        shift = 8 * len(self.address) - other.bits
        return int.from_bytes(self.address, "big") >> shift == int.from_bytes(other.address, "big") >> shift


def parse_network(text: str) -> Network | None:
    """`ngx_ptocidr`: an address or a network of either family; None where it is none."""
    host, slash, mask = text.partition("/")
    address = parse_address(host)
    if address is None:
        return None
    width = 8 * len(address)
    bits = parse_number(mask) if slash else width
    return Network(address, bits) if bits is not None and bits <= width else None


def client_address(text: str) -> bytes | None:
    """An address as nginx looks it up in networks: one of IPv4 also where it is written as one of IPv6."""
    address = parse_address(text)
    return address[12:] if address is not None and address.startswith(_MAPPED) else address


def in_network(client: str, network: str) -> bool:
    """Is the address a client comes from in a network, or is both `unix:`? (ngx_cidr_match, ngx_http_access_handler)"""
    if "unix:" in (client, network):
        return client == network
    address, around = client_address(client), parse_network(network)
    return address is not None and around is not None and Network(address, 8 * len(address)).lies_in(around)


# Networks nobody on the Internet is reached by. Source: the IANA special-purpose address registries.
_SPECIAL = (
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 "
    "192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3 ::/127 ::ffff:0:0/96 64:ff9b:1::/48 "
    "100::/64 2001:db8::/32 fc00::/7 fe80::/10 ff00::/8"
)


def is_public(text: str) -> bool:
    """Is it an address or a network of the Internet (neither private, loopback, link-local nor for documentation)?"""
    network = parse_network(text)
    return network is not None and not any(network.lies_in(special) for special in _special())


# Endings of names that only a local network knows (RFC 2606, RFC 6762, RFC 8375, Kubernetes, common practice).
_LOCAL_NAMES = (
    ".internal", ".local", ".lan", ".svc", ".localdomain", ".localhost", ".test", ".invalid", ".home.arpa", ".intranet",
    ".corp", ".home", ".private", ".consul",
)  # fmt: skip


def is_public_name(host: str) -> bool:
    """Is it a host name of the Internet: with a domain, no address, and none that only a local network knows?"""
    host = host.rstrip(".").lower()
    return "." in host and ":" not in host and bool(host.strip("0123456789.")) and not host.endswith(_LOCAL_NAMES)


_special_networks: list[Network] = []  # read when somebody asks


def _special() -> list[Network]:
    if not _special_networks:
        _special_networks.extend(network for text in _SPECIAL.split() if (network := parse_network(text)) is not None)
    return _special_networks


def print_address(literal: bytes, port: int | None = None) -> str:
    """`ngx_sock_ntop`: the address as nginx writes it in its messages."""
    from _socket import AF_INET, AF_INET6, inet_ntop

    if len(literal) == 4:
        text = inet_ntop(AF_INET, literal)
    else:
        text = inet_ntop(AF_INET6, literal)
        if port is not None:
            text = f"[{text}]"
    return text if port is None else f"{text}:{port}"
