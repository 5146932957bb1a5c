"""A request as a client sends it, and what nginx makes of its target: ngx_http_parse_complex_uri, validate_host."""

from __future__ import annotations

from nginxlint.catalogue.numbers import MAX, number_or
from nginxlint.error import NginxlintError
from nginxlint.expressions import compiled
from nginxlint.routing.names import lower

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from collections.abc import Iterable

_STRICT_HOST = r"(?:\[[A-Za-z0-9._~!$&'()*+,;=:-]*\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(?::[0-9]*)?\Z"
_AUTHORITY = r"(?:\[[A-Za-z0-9._~!$&'()*+,;=:-]*\]|[A-Za-z0-9.-]*):[0-9]*\Z"


class BadRequest(Exception):
    """nginx answers 400 before any location is looked at; the text says why."""


class Lines(str):
    """The value of a header that is sent in several `lines`, one behind the other; as a text, what they are together."""

    __slots__ = ("lines",)

    lines: tuple[str, ...]

    def __new__(cls, lines: tuple[str, ...], between: str) -> Lines:
        made = super().__new__(cls, between.join(lines))
        made.lines = lines
        return made


def lines_of(value: str) -> tuple[str, ...]:
    return value.lines if isinstance(value, Lines) else (value,)


def gathered(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by name; one that is there more than once has `Lines`."""
    found: dict[str, str] = {}
    for name, value in headers:
        before = lines_of(found[name]) if name in found else ()
        found[name] = Lines((*before, value), "; " if name.lower() == "cookie" else ", ") if before else value
    return found


class Request:
    """What is known of one request. `target` is the request target as sent (query included); `headers` are
    lower-cased names; `complete` says that headers not listed are not sent (else they are unknown); `address` is
    the local address the connection arrives at, empty where unknown; `client` the one it comes from; `version` that
    of HTTP; `sni` the server name of the TLS handshake. `reply` holds headers that the first upstream answers with
    (Location, X-Accel-Redirect), lower-cased. A request without Host has no "host" among its headers."""

    __slots__ = (
        "address",
        "client",
        "complete",
        "headers",
        "method",
        "port",
        "reply",
        "scheme",
        "sni",
        "target",
        "version",
    )

    def __init__(
        self,
        target: str,
        *,
        host: str = "",
        scheme: str = "http",
        port: int = 80,
        address: str = "",
        method: str = "GET",
        headers: dict[str, str] | None = None,
        complete: bool = False,
        client: str = "",
        version: str = "1.1",
        sni: str = "",
        reply: dict[str, str] | None = None,
    ) -> None:
        self.target = target
        self.scheme = scheme
        self.port = port
        self.address = address
        self.method = method
        given = {name.lower(): value for name, value in (headers or {}).items()}
        self.headers = {"host": host, **given} if host and "host" not in given else given
        self.complete = complete
        self.client = client
        self.version = version
        self.sni = sni or (split_port(host)[0] if scheme == "https" and not is_address(host) else "")
        self.reply = {name.lower(): value for name, value in (reply or {}).items()}

    @property
    def host(self) -> str:
        """The first Host header; empty where it is empty or not sent."""
        return lines_of(self.headers.get("host", ""))[0]

    @property
    def url(self) -> str:
        """The URL a visitor would type for it."""
        ordinary = self.port in (0, 443 if self.scheme == "https" else 80)
        return f"{self.scheme}://{self.host}{'' if ordinary else f':{self.port}'}{self.target}"


def request_of_url(
    url: str,
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    complete: bool = False,
    on: str = "",
    client: str = "",
) -> Request:
    """The request a browser sends for a URL (no scheme: http). The path is sent as it is written, the fragment is not.

    `on` is the ADDRESS:PORT (or just the port) the connection arrives at. Raises NginxlintError for what is no URL
    or no address.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, rest = "http", url
    scheme = scheme.lower()
    if scheme not in ("http", "https"):
        raise NginxlintError(f'"{url}" is no http or https URL')
    rest = rest.partition("#")[0]
    end = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
    authority, target = rest[:end].rpartition("@")[2], rest[end:]
    if not authority:
        raise NginxlintError(f'"{url}" has no host: write http://HOST/PATH')
    if not target.startswith("/"):
        target = "/" + target
    name, port = split_port(authority)
    number = 443 if scheme == "https" else 80
    if port:
        number = number_or(port, 0)
        if not 0 < number < 65536:
            raise NginxlintError(f'"{url}": "{port}" is no port')
    address = name if is_address(name) else ""
    if on:
        address, arrival = split_port(on)
        if on.isdecimal():
            address, arrival = "", on
        if arrival:
            number = number_or(arrival, 0)
            if not 0 < number < 65536:
                raise NginxlintError(f'"{on}": write ADDRESS:PORT')
        if address and not is_address(address):
            raise NginxlintError(f'"{on}": write ADDRESS:PORT, with the address in numbers')
    if client and client != "unix:" and not _is_ip(client):
        raise NginxlintError(f'"{client}" is no address that a visitor can have')
    default = (scheme == "https" and port == "443") or (scheme == "http" and port == "80")
    return Request(
        target,
        host=name if default or not port else authority,
        scheme=scheme,
        port=number,
        address=address,
        method=method,
        headers=headers,
        complete=complete,
        client=client,
    )


def split_port(authority: str) -> tuple[str, str]:
    """Host (brackets kept) and port of `host[:port]`."""
    if authority.startswith("["):
        host, _, rest = authority.partition("]")
        return host + "]", rest.removeprefix(":")
    host, _, port = authority.partition(":")
    return host, port


def _is_ip(text: str) -> bool:
    from ipaddress import ip_address

    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def is_address(host: str) -> bool:
    """Is it an IPv4 address or a bracketed IPv6 one?"""
    if host.startswith("["):
        return True
    parts = host.split(".")
    return len(parts) == 4 and all(part.isdecimal() and number_or(part, MAX) < 256 for part in parts)


def valid_host(text: str, *, strict: bool = False) -> str:
    """The host nginx looks servers up by: lower-cased, without port and final dot. `strict`: read by RFC 3986, as
    nginx does since 1.29.4. Raises BadRequest."""
    if strict and text and not compiled(_STRICT_HOST).match(text):
        raise BadRequest(f'the host "{text}" is none by RFC 3986')
    if strict and number_or(split_port(text)[1] or "0", MAX) > 65535:
        raise BadRequest(f'the host "{text}" has a port above 65535')
    host, state, dot = "", "usual", -2
    end = len(text)
    for at, character in enumerate(text):
        if character == ".":
            if dot == at - 1:
                raise BadRequest(f'the host "{text}" has two dots in a row')
            dot = at
        elif character == ":" and state == "usual":
            end, state = at, "rest"
        elif character == "[" and at == 0:
            state = "literal"
        elif character == "]" and state == "literal":
            end, state = at + 1, "rest"
        elif character == "/" or character <= " " or character == "\x7f":
            raise BadRequest(f'the host "{text}" has a character no host has')
    if dot == end - 1:
        end -= 1
    host = text[:end]
    if not host:
        raise BadRequest("the host is empty")
    return lower(host)


def valid_headers(headers: dict[str, str], *, underscores: bool, invalid: bool) -> dict[str, str]:
    """The headers nginx keeps (ngx_http_parse_header_line): `underscores_in_headers`, `ignore_invalid_headers`."""
    kept = {}
    for name, value in headers.items():
        plain = name.replace("-", "")
        if underscores:
            plain = plain.replace("_", "")
        if invalid or (plain.isalnum() and plain.isascii()) or not plain:
            kept[name] = value
    return kept


class Target:
    """A request target taken apart. `uri` is the decoded, normalised path; `quoted` and `plus` say what the raw
    one held (escaping later depends on it); `pristine`: the raw target may be passed on as it is; `authority` is
    that of an absolute target, else None."""

    __slots__ = ("args", "authority", "plus", "pristine", "quoted", "raw", "uri")

    def __init__(self, text: str, merge_slashes: bool, *, connect: bool = False) -> None:
        """`connect`: CONNECT has nothing but the authority."""
        self.authority: str | None = None
        self.pristine = True
        raw = text
        if connect:
            if not compiled(_AUTHORITY).match(text):
                raise BadRequest(f'"{text}" is no HOST:PORT for CONNECT')
            self.authority, raw = text, "/"
        elif not text.startswith("/"):
            scheme, separator, rest = text.partition("://")
            signs = scheme.translate({ord(sign): None for sign in "+-."})
            if not separator or not scheme[:1].isalpha() or not signs.isalnum() or not scheme.isascii():
                raise BadRequest(f'the request target "{text}" does not start with a slash')
            end = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
            self.authority, raw = rest[:end], rest[end:]
            name, port = split_port(self.authority)
            plain = name.replace(".", "").replace("-", "")
            if not name.startswith("[") and plain and not (plain.isalnum() and plain.isascii()):
                raise BadRequest(f'"{name}" in the request line has a character nginx takes for no part of a host')
            if port and not (port.isdecimal() and port.isascii()):
                raise BadRequest(f'"{port}" in the request line is no port')
            if not raw.startswith("/"):
                self.pristine = not raw
                raw = raw or "/"
        if any(character <= " " or character == "\x7f" for character in raw):
            raise BadRequest("a request line cannot hold a space or a control character: write %20")
        self.raw = raw
        self.quoted = "%" in raw.partition("?")[0].partition("#")[0]
        path = raw if raw.startswith("/") else "/" + raw
        self.uri, self.args, self.plus = normalise(path, merge_slashes)


def normalise(raw: str, merge_slashes: bool) -> tuple[str, str, bool]:
    """Path, query and "is there a plus?" of a raw target (ngx_http_parse_complex_uri). Raises BadRequest."""
    path, mark, args = raw.partition("?")
    if "#" in path:
        path, mark, args = path.partition("#")[0], "", ""
    args = args.partition("#")[0] if mark else ""
    plus = "+" in path
    if "%" not in path and "//" not in path and "/." not in path:
        return path, args, plus
    out = bytearray()
    state = "usual"
    for byte, literal in _bytes(path.encode("utf-8", "surrogateescape")):
        plus = plus or byte == 0x2B
        if literal:
            out.append(byte)
            state = "usual"
        elif byte == 0x2F:
            if state == "dot":
                out.pop()
            elif state == "dots":
                _up(out)
            elif state == "usual" or not merge_slashes:
                out.append(byte)
            state = "slash"
        elif byte == 0x2E and state in ("slash", "dot"):
            out.append(byte)
            state = "dot" if state == "slash" else "dots"
        else:
            out.append(byte)
            state = "usual"
    if state == "dot":
        out.pop()
    elif state == "dots":
        _up(out)
    return out.decode("utf-8", "surrogateescape"), args, plus


def unsafe_uri(text: str) -> tuple[str, str] | None:
    """Path and query of an X-Accel-Redirect, or None where nginx calls it unsafe (ngx_http_parse_unsafe_uri)."""
    path, _, args = text.partition("?")
    raw = path.encode("utf-8", "surrogateescape")
    decoded = bytearray()
    at = 0
    while at < len(raw):
        digits = raw[at + 1 : at + 3]
        if raw[at] == 0x25 and len(digits) == 2 and all(digit in b"0123456789abcdefABCDEF" for digit in digits):
            decoded.append(int(digits, 16))
            at += 3
            continue
        decoded.append(raw[at])
        at += 1
    whole = decoded.decode("utf-8", "surrogateescape")
    if not path or "\0" in whole or ".." in path.split("/") or ".." in whole.split("/"):
        return None
    return whole, args


def _bytes(raw: bytes) -> list[tuple[int, bool]]:
    """The bytes of a path with %XX decoded; true where a decoded one means only itself."""
    result = []
    at = 0
    while at < len(raw):
        byte = raw[at]
        if byte != 0x25:
            result.append((byte, False))
            at += 1
            continue
        digits = raw[at + 1 : at + 3]
        try:
            decoded = int(digits, 16) if len(digits) == 2 and digits.isalnum() else -1
        except ValueError:
            decoded = -1
        if decoded <= 0:
            raise BadRequest(f'"%{digits.decode("latin-1")}" is no valid escape')
        result.append((decoded, decoded in b"%#?"))
        at += 3
    return result


def _up(out: bytearray) -> None:
    """Leave the folder that `/..` stands in."""
    at = len(out) - 4
    while at >= 0 and out[at] != 0x2F:
        at -= 1
    if at < 0:
        raise BadRequest('the path leaves the root with ".."')
    del out[at + 1 :]
