"""The request nginx would send for a location: the client's URI, what becomes of it, and the Host header."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nginxlint.online.policy import SENT_HEADERS
from nginxlint.routing.variables import REFERENCE, fold

if TYPE_CHECKING:
    from nginxlint.config import Config
    from nginxlint.routing.headers import RequestHeaders
    from nginxlint.routing.scope import Scope
    from nginxlint.routing.servers import Location, Server
    from nginxlint.syntax import Directive

_REGEX_META = re.compile(r"[\\.^$*+?{}()|\[\]]")
_UNSAFE = re.compile(r"[^!-~]")


class Client:
    """The visitor we imagine: the scheme, name and port of a server, and a URI of one of its locations."""

    __slots__ = ("host", "port", "schemes", "uri")

    def __init__(self, server: Server | None, location: Location | None) -> None:
        listens = server.listens if server is not None else []
        secure = [listen for listen in listens if listen.ssl]
        self.schemes = tuple(dict.fromkeys("https" if listen.ssl else "http" for listen in listens)) or ("http",)
        self.port = (secure or listens)[0].port if listens else 80
        self.host = concrete_name(server)
        self.uri = sample_uri(location)

    @property
    def scheme(self) -> str:
        return "https" if "https" in self.schemes else "http"

    def variables(self) -> dict[str, str]:
        """What nginx's variables are for this visitor."""
        return {
            "host": self.host,
            "http_host": self.host,
            "server_name": self.host,
            "ssl_server_name": self.host,
            "scheme": self.scheme,
            "https": "on" if self.scheme == "https" else "",
            "server_port": str(self.port),
            "request_uri": self.uri,
            "uri": self.uri,
            "document_uri": self.uri,
            "request_method": "GET",
            "is_args": "",
            "args": "",
            "query_string": "",
        }


def concrete_name(server: Server | None) -> str:
    """The first name of a server that a visitor could ask for; `localhost` where it has none."""
    names = [word.text.lower().rstrip(".") for word in server.names] if server is not None else []
    usable = [name for name in names if not name.startswith("~") and "$" not in name and name not in ("", "_", "*")]
    for name in usable:
        if "*" not in name:
            return name.lstrip(".")
    for name in usable:
        return f"www{name[1:]}" if name.startswith("*.") else f"{name[:-2]}.com"
    return "localhost"


def sample_uri(location: Location | None) -> str:
    """A URI the location surely gets: its prefix, or the literal start of its regular expression."""
    if location is None or location.modifier == "@":
        return "/"
    if not location.is_regex:
        return location.pattern if location.pattern.startswith("/") else "/"
    pattern = location.pattern
    if not pattern.startswith("^/"):
        return "/"
    match = _REGEX_META.search(pattern, 1)
    literal = pattern[1 : match.start()] if match else pattern[1:]
    if match and match[0] in "*+?{|":
        literal = literal[:-1] if match[0] != "|" else "/"
    return literal or "/"


def expand(config: Config, place: Directive, text: str, known: dict[str, str]) -> str | None:
    """`text` with its variables put in; None where one is neither known nor finite."""
    if "$" not in text:
        return text
    result, at = [], 0
    for match in REFERENCE.finditer(text):
        name = (match[1] or match[2]).lower()
        value = known.get(name)
        if value is None:
            folded = fold(config, place, match[0])
            if not folded:
                return None
            value = folded[0].text
        result.append(text[at : match.start()])
        result.append(value)
        at = match.end()
    return "".join([*result, text[at:]])


def upstream_uri(
    config: Config, directive: Directive, uri: str | None, has_variables: bool, client: Client, scope: Scope
) -> str:
    """The request target nginx sends for the client's sample URI (upstream-semantics.md D)."""
    rewritten = _rewritten(scope, client.uri)
    if uri is not None and has_variables and "$" in uri:
        text = expand(config, directive, uri, client.variables())
        path = text if text is not None else client.uri
    elif uri is not None and rewritten is None:
        path = uri
    else:
        path = rewritten or client.uri
    if path.startswith("?"):
        path = "/" + path
    return safe_target(path)


def _rewritten(scope: Scope, uri: str) -> str | None:
    """What `rewrite … break` in the location makes of the URI; None where none applies."""
    for rewrite in scope.own("rewrite"):
        values = rewrite.values
        if len(values) != 3 or values[2] != "break" or not values[1].startswith("/"):
            continue
        try:
            match = re.search(values[0], uri)
        except (re.error, RecursionError):
            continue
        if match is None:
            continue
        groups = [group or "" for group in match.groups()]
        text = values[1]
        for number in range(len(groups), 0, -1):
            text = text.replace(f"${number}", groups[number - 1])
        return None if "$" in text else text
    return None


def safe_target(path: str) -> str:
    """A request target that stays one word on the request line."""
    text = path if path.startswith("/") else f"/{path}"
    return _UNSAFE.sub(lambda m: "".join(f"%{b:02X}" for b in m[0].encode("utf-8", "surrogateescape")), text)


def host_header(
    config: Config, sent: RequestHeaders, directive: Directive, proxy_host: str, client: Client
) -> str | None:
    """The Host nginx would send; None: no Host header at all."""
    host = sent.of("host")
    if host is None:
        return None
    known = {**client.variables(), "proxy_host": proxy_host, "proxy_port": proxy_host.rpartition(":")[2]}
    text = expand(config, host.directive or directive, host.value, known)
    if text is None or (not text and sent.host_falls_back):
        return proxy_host
    return one_line(text) if text else None


def forwarded_headers(config: Config, sent: RequestHeaders, client: Client) -> tuple[tuple[str, str], ...]:
    """X-Forwarded-Proto and its kin as configured: they decide between an answer and a redirect loop."""
    result = []
    for name, lines in sent.configured.items():
        for line in lines if name in SENT_HEADERS else ():
            text = expand(config, line.directive, line.value, client.variables()) if line.directive else None
            if text:
                result.append((line.name, one_line(text)))
    return tuple(result)


def one_line(text: str) -> str:
    """A header value that cannot start another header."""
    return re.sub(r"[\x00-\x1f\x7f]", "", text)
