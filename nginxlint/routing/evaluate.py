"""The values of variables for one request: captures, `set`, map, geo, split_clients and the built-in ones."""

from __future__ import annotations

from nginxlint.catalogue.addresses import client_address
from nginxlint.catalogue.numbers import MAX, number_or
from nginxlint.regex import Regex, RegexLimit, compile_regex
from nginxlint.routing.request import lines_of, split_port
from nginxlint.routing.scope import Scope
from nginxlint.routing.variables import REFERENCE
from nginxlint.routing.visit import Unsure, Visit, like
from nginxlint.syntax import Block, Directive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from nginxlint.config import Config
    from nginxlint.routing.servers import Location

_MAX_DEPTH = 12
# From this version on $http_* and HTTP_* hold all lines of a header (CHANGES); of these $http_* always did.
ALL_LINES = (1, 23, 0)
_JOINED = ("cookie", "x_forwarded_for")
_NO_COMMAS = (1, 29, 6)  # in the Cookie header (CHANGES)
_SECURE = {"https": "on", "http": ""}
# What nginx evaluates once, though the realip module may replace the client's address afterwards.
_KEPT = frozenset(("remote_addr", "proxy_add_x_forwarded_for"))


def expand(config: Config, visit: Visit, text: str, *, quote_captures: bool = False, depth: int = 0) -> str:
    """A text with its variables filled in; `Unsure` where one of them is unknown."""
    if "$" not in text:
        return text
    parts: list[str] = []
    why: list[str] = []
    at = 0
    for match in REFERENCE.finditer(text):
        name = match[1] or match[2]
        parts.append(text[at : match.start()])
        at = match.end()
        if not match[1] and name[0].isdigit():
            at = match.start() + 2  # only one digit belongs to $1
            name = name[0]
        value = value_of(config, visit, name, quote_captures=quote_captures, depth=depth)
        if isinstance(value, Unsure):
            why.append(value.why)
        parts.append(value)
    parts.append(text[at:])
    joined = "".join(parts)
    return Unsure(joined, why[0]) if why else joined


def value_of(config: Config, visit: Visit, name: str, *, quote_captures: bool = False, depth: int = 0) -> str:
    """The value of one variable (its name without `$`)."""
    if name.isdigit():
        return visit.capture(number_or(name, MAX), quote_captures)
    name = name.lower()
    if name == "args" or name == "query_string":
        return visit.args
    if name in visit.variables:
        return visit.variables[name]
    if name in visit.cached:
        return visit.cached[name]
    if depth > _MAX_DEPTH:
        return Unsure("", f"${name} refers to itself")
    for definition in config.variable_definitions().get(name, ()):
        if definition.name in _BLOCKS and isinstance(definition, Block):
            value = _BLOCKS[definition.name](config, visit, definition, depth + 1)
            if not definition.child("volatile"):
                visit.cached[name] = value
            return value
    if any(definition.name == "set" for definition in config.variable_definitions().get(name, ())):
        return ""  # the `set` has not run
    value = _built_in(config, visit, name)
    if name in _KEPT:
        visit.cached[name] = value
    return value


def header(visit: Visit, name: str) -> str:
    """A request header; `Unsure` where nobody said whether it is sent."""
    value = visit.headers.get(name)
    if value is not None:
        return value
    return (
        "" if visit.request.complete or name == "host" else Unsure("", f"the request header {name} is not given (-H)")
    )


def _header_variable(config: Config, visit: Visit, name: str) -> str:
    """$http_NAME: the lines of the headers that are written so, with `_` for `-`; before 1.23.0 the first one."""
    plain = header(visit, name.replace("_", "-"))
    if isinstance(plain, Unsure) or name in _JOINED:
        return plain
    lines = [line for key, line in visit.lines() if key.replace("-", "_") == name]
    return ", ".join(lines if config.version >= ALL_LINES else lines[:1])


def cookie(config: Config, visit: Visit, name: str) -> str:
    """$cookie_NAME (ngx_http_parse_multi_header_lines); before 1.29.6 a comma ends what is another name."""
    whole = header(visit, "cookie")
    ends = ";" if config.version >= _NO_COMMAS else ";,"
    for rest in lines_of(whole):
        while rest:
            if rest[: len(name)].lower() == name:
                rest = rest[len(name) :].lstrip(" ")
                if rest.startswith("="):
                    return rest[1:].lstrip(" ").partition(";")[0]
                rest = rest[1:]
            end = min((at for at in map(rest.find, ends) if at >= 0), default=len(rest))
            rest = rest[end + 1 :].lstrip(" ")
    return Unsure("", whole.why) if isinstance(whole, Unsure) else ""


def argument(args: str, name: str) -> str:
    """$arg_NAME: the first one of that name, as it is written (ngx_http_arg)."""
    for part in args.split("&"):
        key, mark, value = part.partition("=")
        if mark and key.lower() == name:
            return value
    return ""


def _built_in(config: Config, visit: Visit, name: str) -> str:
    known = _VARIABLES.get(name)
    if known is not None:
        return known(visit)
    if name.startswith("arg_"):
        return argument(visit.args, name[4:])
    if name.startswith("http_") or name == "content_type":
        return _header_variable(config, visit, name.removeprefix("http_"))
    if name.startswith("cookie_"):
        return cookie(config, visit, name[7:])
    if name in ("request_filename", "document_root", "realpath_root") and visit.block is not None:
        root = document_root(config, visit, depth=1)
        return root if name != "request_filename" else file_path(config, visit, visit.uri)
    if name in ("fastcgi_script_name", "fastcgi_path_info") and visit.block is not None:
        return _script_names(config, visit)[name == "fastcgi_path_info"]
    if name.startswith("sent_http_"):
        return ""
    return Unsure("", f"${name} is not known beforehand")


def _script_names(config: Config, visit: Visit) -> tuple[str, str]:
    """$fastcgi_script_name and $fastcgi_path_info (ngx_http_fastcgi_split)."""
    assert visit.block is not None
    scope = config.scope(visit.block)
    script, info = visit.uri, ""
    place = scope.directive("fastcgi_split_path_info")
    if place is not None and place.values:
        regex = compile_regex(place.values[0])
        match = regex.search(visit.uri) if isinstance(regex, Regex) and regex.captures >= 2 else None
        if match is not None:
            script, info = match.group(1), match.group(2)
    return script + scope.value("fastcgi_index") if script.endswith("/") else script, info


def document_root(config: Config, visit: Visit, depth: int = 0) -> str:
    scope = config.scope(visit.block) if visit.block is not None else None
    place = root_directive(scope)
    if place is None or not place.values:
        return "html"
    written = place.values[0].removesuffix("/") if place.name == "root" else place.values[0]
    return expand(config, visit, written, depth=depth)


def root_directive(scope: Scope | None) -> Directive | None:
    """The nearest `root` or `alias`: they share one slot."""
    while scope is not None:
        found = scope.own("alias") or scope.own("root")
        if found:
            return found[-1]
        scope = scope.outer
    return None


def file_path(config: Config, visit: Visit, uri: str) -> str:
    """The file a URI names (ngx_http_map_uri_to_path)."""
    root, location = document_root(config, visit), aliased(config, visit)
    if location is None:
        return like(root, root.rstrip("/") + uri)
    if location.is_regex:
        return like(root, root + uri if visit.add_uri_to_alias else root)
    return like(root, root + uri.removeprefix(location.pattern))


def tried_file(config: Config, visit: Visit, text: str) -> tuple[str, str]:
    """The file a word of `try_files` names, and the name it has there (ngx_http_try_files_handler): under an alias
    without the prefix of the location, where a variable may have it."""
    root, location = document_root(config, visit), aliased(config, visit)
    name = expand(config, visit, text)
    if location is not None and not location.is_regex and "$" in text:
        name = like(name, name.removeprefix(location.pattern))
    return like(root, like(name, (root.rstrip("/") if location is None else root) + name)), name


def aliased(config: Config, visit: Visit) -> Location | None:
    """The location whose `alias` is in effect; those in it inherit it with the length of its prefix."""
    place = root_directive(config.scope(visit.block)) if visit.block is not None else None
    if place is None or place.name != "alias":
        return None
    location = visit.location
    while location is not None and location.block is not place.parent and location.outer is not None:
        location = location.outer
    return location


def _request_port(visit: Visit) -> str:
    """The port that is written behind the host of the request."""
    authority = visit.target.authority if visit.target else None
    port = split_port(lines_of(visit.headers.get("host", ""))[0] if authority is None else authority)[1]
    return "" if port.strip("0") == "" else port  # nginx takes port 0 for none


def _request_line(visit: Visit) -> str:
    return f"{visit.request.method} {visit.request.target} HTTP/{visit.request.version}"


_VARIABLES: dict[str, Callable[[Visit], str]] = {
    "uri": lambda visit: visit.uri,
    "document_uri": lambda visit: visit.uri,
    "request_uri": lambda visit: visit.target.raw if visit.target else "",
    "is_args": lambda visit: "?" if visit.args else "",
    "host": lambda visit: visit.host or (visit.server.first_name.lstrip(".") if visit.server else ""),
    "request_port": lambda visit: _request_port(visit),
    "is_request_port": lambda visit: ":" if _request_port(visit) else "",
    "server_name": lambda visit: visit.server.first_name.removeprefix(".") if visit.server else "",
    "scheme": lambda visit: visit.request.scheme,
    "https": lambda visit: _SECURE[visit.request.scheme],
    "server_port": lambda visit: str(visit.request.port),
    "server_addr": lambda visit: (
        visit.request.address or Unsure("", "the address the connection arrives at is not given (--on)")
    ),
    "server_protocol": lambda visit: f"HTTP/{visit.request.version}",
    "request_method": lambda visit: (visit.parent or visit).method,
    "request": _request_line,
    "remote_addr": lambda visit: visit.connection.client,
    "realip_remote_addr": lambda visit: visit.connection.peer,
    "proxy_add_x_forwarded_for": lambda visit: _forwarded(visit),
    "http2": lambda visit: "",
    "http3": lambda visit: "",
    "content_length": lambda visit: header(visit, "content-length"),
    "proxy_host": lambda visit: visit.named.get("proxy_host", ""),
    "proxy_port": lambda visit: visit.named.get("proxy_port", ""),
}


def _forwarded(visit: Visit) -> str:
    before, client = header(visit, "x-forwarded-for"), visit.connection.client
    whole = f"{before}, {client}" if "x-forwarded-for" in visit.headers else str(client)
    for part in (before, client):
        if isinstance(part, Unsure):
            return Unsure(whole, part.why)
    return whole


# --- map, geo, split_clients -------------------------------------------------------------------------------------


def _map(config: Config, visit: Visit, block: Block, depth: int) -> str:
    source = expand(config, visit, block.values[0], depth=depth) if block.values else ""
    line = _map_line(config, visit, block, source)
    if line is None:
        return Unsure("", source.why) if isinstance(source, Unsure) else ""
    if not line.values:
        return ""
    value = expand(config, visit, line.values[0], depth=depth)
    if isinstance(source, Unsure) and len({entry.values for entry in block.body}) > 1:
        return Unsure(value, source.why)
    return value


def _map_line(config: Config, visit: Visit, block: Block, source: str) -> Directive | None:
    """The line of a map that a value selects: exact, wildcards where `hostnames`, regexes in order, `default`."""
    table: dict[str, Directive] = {}
    regexes: list[Directive] = []
    default: Directive | None = None
    hostnames = block.child("hostnames") is not None
    for line in block.body:
        if line.name == "default":
            default = line
        elif line.name.startswith("~"):
            regexes.append(line)
        elif line.name not in ("hostnames", "volatile", "include") or line.values:
            table.setdefault(line.name.removeprefix("\\").lower(), line)
    key = source.lower()
    if hostnames:
        key = key.removesuffix(".")
    if key in table:
        return table[key]
    if hostnames:
        for name in _wildcards(key):
            if name in table:
                return table[name]
    for line in regexes:
        caseless = line.name.startswith("~*")
        regex = compile_regex(line.name[2:] if caseless else line.name[1:], caseless=caseless)
        if not isinstance(regex, Regex):
            continue
        try:
            match = regex.search(source)
        except RegexLimit:
            visit.doubt(f'the pattern "{line.name}" needs too many steps', line)
            continue
        if match is not None:
            visit.remember(regex, match, source)
            return line
        if isinstance(source, Unsure):
            visit.forget(regex, source.why)
    return default


def _wildcards(host: str) -> list[str]:
    """The names that may stand for a host in a map with `hostnames`, best first."""
    labels = host.split(".")
    names = [f".{host}"]
    for at in range(1, len(labels)):
        suffix = ".".join(labels[at:])
        names += [f"*.{suffix}", f".{suffix}"]
    names += [".".join(labels[:at]) + ".*" for at in range(len(labels) - 1, 0, -1)]
    return names


def _geo(config: Config, visit: Visit, block: Block, depth: int) -> str:
    import ipaddress

    if len(block.values) > 1:
        text = value_of(config, visit, block.values[0].removeprefix("$"), depth=depth)
    else:
        text = visit.connection.client
    values = {line.values for line in block.body if line.name not in ("proxy", "delete", "ranges", "proxy_recursive")}
    default = next((line.values[0] for line in block.body if line.name == "default" and line.values), "")
    if isinstance(text, Unsure):
        return Unsure(default, text.why) if len(values) > 1 or not default else default
    if block.child("proxy", "include") is not None:
        return Unsure(default, f"{block.values[-1]} hangs on {'a proxy or ' if block.child('proxy') else ''}a file")
    address = ipaddress.ip_address(client_address(text) or b"\xff\xff\xff\xff")
    best, length, ranges = default, -1, block.child("ranges") is not None
    for line in block.body:
        if not line.values or line.name == "default":
            continue
        try:
            if ranges and "-" in line.name:
                low, high = (ipaddress.ip_address(part.strip()) for part in line.name.split("-", 1))
                inside, size = low.version == address.version and int(low) <= int(address) <= int(high), 0
            else:
                network = ipaddress.ip_network(line.name, strict=False)
                inside, size = address in network, network.prefixlen
        except ValueError:
            continue
        if inside and size >= length:
            best, length = line.values[0], size
    return best


def _split_clients(config: Config, visit: Visit, block: Block, depth: int) -> str:
    source = expand(config, visit, block.values[0], depth=depth) if block.values else ""
    mark = murmur2(source.encode("utf-8", "surrogateescape"))
    total = 0
    chosen = ""
    for line in block.body:
        if line.name == "*":
            chosen = line.values[0] if line.values else ""
            break
        share = line.name.removesuffix("%")
        whole, _, part = share.partition(".")
        if not (whole or "0").isdecimal() or not (part or "0").isdecimal():
            continue
        total += number_or(whole or "0", MAX) * 100 + int((part + "00")[:2])
        if mark < total * 0xFFFFFFFF // 10000:
            chosen = line.values[0] if line.values else ""
            break
    value = expand(config, visit, chosen, depth=depth)
    return Unsure(value, source.why) if isinstance(source, Unsure) else value


def murmur2(data: bytes) -> int:
    """ngx_murmur_hash2."""
    mask, mix = 0xFFFFFFFF, 0x5BD1E995
    left = len(data)
    result = left & mask
    at = 0
    while left >= 4:
        word = int.from_bytes(data[at : at + 4], "little") * mix & mask
        word = (word ^ word >> 24) * mix & mask
        result = (result * mix & mask) ^ word
        at += 4
        left -= 4
    if left:
        result = (result ^ int.from_bytes(data[at:], "little")) * mix & mask
    result = (result ^ result >> 13) * mix & mask
    return result ^ result >> 15


_BLOCKS: dict[str, Callable[[Config, Visit, Block, int], str]] = {
    "map": _map,
    "geo": _geo,
    "split_clients": _split_clients,
}
