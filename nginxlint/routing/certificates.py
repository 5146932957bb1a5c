"""The certificates visitors are shown: the files of the servers that speak TLS, each looked at once."""

from __future__ import annotations

from nginxlint.catalogue.addresses import inet6_address, inet_address
from nginxlint.catalogue.files import LARGEST, SCHEMES
from nginxlint.files import beginning_of
from nginxlint.routing.front import sees_visitors
from nginxlint.routing.servers import parse_listen
from nginxlint.unix_rights import readable_by_all
from nginxlint.x509 import X509, read_pem

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from collections.abc import Iterator

    from nginxlint.config import Config
    from nginxlint.routing.servers import Listen, Server
    from nginxlint.syntax import Block, Directive, Word

# From this version on ssl_protocols of a server that is not the default of its socket count (with OpenSSL 1.1.1).
OWN_PROTOCOLS = (1, 29, 2)
_UNTIL_SSL_ON = (1, 25, 1)  # `ssl on` is no directive any more
_LONGEST_NAME = 255  # of DNS
_OF_NAMES = "abcdefghijklmnopqrstuvwxyz0123456789-._*"
# Names to which no visitor comes (RFC 2606, RFC 6761).
_NOBODYS = ("_", ".invalid", ".localdomain", ".localhost")


class Shown:
    """One certificate file: `path` as written, what is in it, the directives that name it (a set in file order), and the
    blocks of the servers that show it. `names` are its alternative names for hosts; browsers look at nothing else."""

    __slots__ = ("_exact", "_heads", "_tails", "directives", "path", "servers", "x509")

    def __init__(self, path: str, x509: X509) -> None:
        self.path = path
        self.x509 = x509
        self.directives: dict[Directive, None] = {}
        self.servers: list[Block] = []
        self._exact: set[str] | None = None
        self._tails: set[str] = set()  # the domains that hold a name
        self._heads: set[str] = set()  # how names begin, label by label

    @property
    def names(self) -> list[str]:
        return self.x509.dns_names

    def covers(self, name: str) -> bool:
        """Is it for this `server_name` (lower-case)? A name with `*` or a dot in front stands for many: for one of them.
        As browsers compare (RFC 6125): `*` in a certificate is one whole label, addresses are alternative names of
        their own."""
        address = address_of(name)
        if address is not None:
            return address in self.x509.addresses
        if self._exact is None:
            self._read()
        assert self._exact is not None
        if name.startswith("."):
            return name[1:] in self._exact or name[1:] in self._tails
        if name.startswith("*."):
            return name[2:] in self._tails
        if name.endswith(".*"):
            head, others = name[:-2], f"*.{name[:-2].partition('.')[2]}".rstrip(".")
            return head in self._heads or others in self._heads
        return name in self._exact or f"*.{name.partition('.')[2]}" in self._exact

    def _read(self) -> None:
        names = {name.lower().rstrip(".") for name in self.names if len(name) <= _LONGEST_NAME}
        self._exact = names
        for name in names:
            labels = name.split(".")
            self._tails.update(".".join(labels[at:]) for at in range(1, len(labels)))
            self._heads.update(".".join(labels[:at]) for at in range(1, len(labels)))

    def __repr__(self) -> str:
        return f"<certificate {self.path}>"


class Presented:
    """What one server shows where it `listens` for TLS: `certificates`, one for each kind of key. `whole` is false where another
    one could not be read. `direct` is false where a proxy in front speaks TLS with it, which may not look at names."""

    __slots__ = ("block", "certificates", "direct", "listens", "whole")

    def __init__(
        self, block: Block, listens: list[Listen], certificates: list[Shown], *, whole: bool, direct: bool
    ) -> None:
        self.block = block
        self.listens = listens
        self.certificates = certificates
        self.whole = whole
        self.direct = direct


def presented(config: Config) -> list[Presented]:
    """What every server with TLS shows, as far as the files can be read here. Of two certificates for the same kind of
    key OpenSSL takes the last (SSL_CTX_use_certificate); variables are left aside, nginx reads those files later."""
    read: dict[str, Shown | None] = {}
    found = []
    for block, listens in tls_servers(config):
        scope = config.scope(block)
        lines = [line for line in scope.effective("ssl_certificate") if line.values]
        if any("$" in line.values[0] for line in lines) or scope.on("ssl_reject_handshake"):
            continue
        kinds: dict[bytes, tuple[Shown, Directive]] = {}
        for line in lines:
            path = line.values[0]
            if path not in read:
                read[path] = _read(config, path)
            shown = read[path]
            if shown is not None:
                kinds[shown.x509.algorithm] = shown, line
        for shown, line in kinds.values():
            shown.directives[line] = None
            shown.servers.append(block)
        if kinds:
            certificates = [shown for shown, _ in kinds.values()]
            whole = all(read[line.values[0]] for line in lines)
            direct = not sees_visitors(scope) or any("proxy_protocol" in listen.options for listen in listens)
            found.append(Presented(block, listens, certificates, whole=whole, direct=direct))
    return found


def _read(config: Config, path: str) -> Shown | None:
    if not path or path.startswith(SCHEMES) or config.locate is None:
        return None
    place = config.locate(path)
    x509 = read_pem(beginning_of(place, LARGEST) or b"") if place else None
    return None if x509 is None else Shown(path, x509)


def tls_servers(config: Config) -> Iterator[tuple[Block, list[Listen]]]:
    """The servers to which visitors speak TLS, with the sockets they do it on: `ssl` of one `listen` holds for all servers
    of its socket."""
    sockets = {(server.kind, listen.socket) for server in config.servers for listen in server.listens if listen.ssl}
    switched = "ssl" in config.names and config.version < _UNTIL_SSL_ON
    for server in config.servers:
        if switched and server.kind == "http" and server.scope.on("ssl"):
            yield server.block, server.listens
        elif listens := [listen for listen in server.listens if (server.kind, listen.socket) in sockets]:
            yield server.block, listens
    for block in config.blocks("server") if "mail" in config.names else ():
        if block.parent is not None and block.parent.name == "mail":
            scope = config.scope(block)
            every = (switched and scope.on("ssl")) or scope.value("starttls") in ("on", "only")
            listens = [parse_listen(line) for line in scope.own("listen")]
            if listens := [listen for listen in listens if every or listen.ssl]:
                yield block, listens


def visited_names(server: Server) -> list[Word]:
    """The names of a server that visitors can ask for, as far as they can be told: no regular expressions, no names
    without a domain or of nobody. Addresses only where it has no other name: with one, they are there for strays."""
    hosts, addresses = [], []
    for word in server.names:
        name = word.text.lower()
        if address_of(name) is not None:
            addresses.append(word)
        elif (
            "." in name.strip("*.")
            and len(name) <= _LONGEST_NAME
            and not name.endswith(_NOBODYS)
            and not name.strip(_OF_NAMES)
        ):
            hosts.append(word)
    return hosts or addresses


def address_of(name: str) -> bytes | None:
    """The address a host name is; IPv6 in brackets."""
    if name.startswith("["):
        return inet6_address(name[1:-1])
    return inet_address(name)


def exposed_key(config: Config, path: str) -> bool:
    """Does the file hold a private key without a pass phrase, and may every user of this machine read it? In a copied tree
    (`--root`) the folders above it do not count."""
    place = config.locate(path) if config.locate is not None else ""
    above = place.removesuffix(path) if path.startswith("/") else ""
    if not place or not readable_by_all(place, below=above if above != place else ""):
        return False
    data = beginning_of(place, LARGEST) or b""
    return b"PRIVATE KEY-----" in data and b"ENCRYPTED" not in data
