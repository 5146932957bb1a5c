"""A scripted DNS server on a loopback port (UDP and TCP): every name has a behaviour of its own.

    with NameServer({"shop.demo.test": addresses("127.0.0.1"), "gone.demo.test": fails("NXDOMAIN")}) as names:
        names.port, names.asked("shop.demo.test")

A name that is not in the script does not exist (NXDOMAIN).
"""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

HOST = "127.0.0.1"

Script = Callable[[dns.message.Message, bool], "bytes | None"]
"""What one name does: (query, came over TCP) → the bytes to send, or None for silence."""
CODES = ("NXDOMAIN", "SERVFAIL", "REFUSED", "FORMERR", "NOTIMP")


def addresses(*literals: str, ttl: int = 60) -> Script:
    """These A and AAAA records; the type that has none gets an empty answer."""

    def script(query: dns.message.Message, _tcp: bool) -> bytes:
        kind = query.question[0].rdtype
        wanted = [x for x in literals if (":" in x) == (kind == dns.rdatatype.AAAA)]
        answer = dns.message.make_response(query)
        if wanted and kind in (dns.rdatatype.A, dns.rdatatype.AAAA):
            answer.answer.append(dns.rrset.from_text(query.question[0].name, ttl, "IN", kind, *wanted))
        return answer.to_wire()

    return script


def no_data() -> Script:
    """The name exists and has no address."""
    return addresses()


def fails(rcode: str) -> Script:
    """An answer with this code: NXDOMAIN, SERVFAIL, REFUSED, FORMERR, NOTIMP."""

    def script(query: dns.message.Message, _tcp: bool) -> bytes:
        answer = dns.message.make_response(query)
        answer.set_rcode(dns.rcode.from_text(rcode))
        return answer.to_wire()

    return script


def silence() -> Script:
    """No answer at all."""
    return lambda _query, _tcp: None


def alias(*chain: str, address: str = "", ttl: int = 60) -> Script:
    """A CNAME chain; without an `address` the asker has to ask again for the last name, as nginx does.

    A chain that ends with the name asked for is a loop.
    """

    def script(query: dns.message.Message, _tcp: bool) -> bytes:
        answer = dns.message.make_response(query)
        owner = query.question[0].name
        for name in chain:
            answer.answer.append(dns.rrset.from_text(owner, ttl, "IN", "CNAME", name + "."))
            owner = dns.name.from_text(name)
        if address and query.question[0].rdtype == dns.rdatatype.A:
            answer.answer.append(dns.rrset.from_text(owner, ttl, "IN", "A", address))
        return answer.to_wire()

    return script


def truncated(*literals: str) -> Script:
    """Over UDP only a truncated answer, the whole over TCP."""
    whole = addresses(*literals)

    def script(query: dns.message.Message, tcp: bool) -> bytes | None:
        if tcp:
            return whole(query, tcp)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.TC
        return answer.to_wire()

    return script


def rotates(*literals: str) -> Script:
    """Another single address each time, with a TTL of 0."""
    turn = itertools.cycle([addresses(x, ttl=0) for x in literals])

    def script(query: dns.message.Message, tcp: bool) -> bytes | None:
        return next(turn)(query, tcp) if query.question[0].rdtype == dns.rdatatype.A else no_data()(query, tcp)

    return script


def by_type(**scripts: Script) -> Script:
    """Another script for each type that is asked for: `by_type(A=addresses("127.0.0.1"), AAAA=fails("SERVFAIL"))`."""
    return lambda query, tcp: scripts[dns.rdatatype.to_text(query.question[0].rdtype)](query, tcp)


def records(kind: str, *data: str) -> Script:
    """Records of this type, whatever was asked for."""

    def script(query: dns.message.Message, _tcp: bool) -> bytes:
        answer = dns.message.make_response(query)
        answer.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", kind, *data))
        return answer.to_wire()

    return script


def asks_back(script: Script, count: int) -> Script:
    """The same answer with so many copies of the question."""

    def changed(query: dns.message.Message, tcp: bool) -> bytes:
        answer = dns.message.from_wire(script(query, tcp) or b"")
        answer.question = [query.question[0]] * count
        return answer.to_wire()

    return changed


def always_truncated(script: Script) -> Script:
    """The whole answer, said to be truncated, over TCP as well."""

    def changed(query: dns.message.Message, tcp: bool) -> bytes:
        answer = dns.message.from_wire(script(query, tcp) or b"")
        answer.flags |= dns.flags.TC
        return answer.to_wire()

    return changed


def wrong_id(*literals: str) -> Script:
    """A good answer to a question nobody asked: the id is another one."""
    whole = addresses(*literals)

    def script(query: dns.message.Message, tcp: bool) -> bytes | None:
        answer = whole(query, tcp) or b""
        return ((query.id + 1) % 65536).to_bytes(2, "big") + answer[2:]

    return script


def garbage() -> Script:
    """The id of the question, then noise."""
    return lambda query, _tcp: query.id.to_bytes(2, "big") + b"\x81\x80" + b"\xff" * 20


class NameServer:
    """The server; it lives in two background threads while its `with` block runs."""

    def __init__(self, script: Mapping[str, Script]) -> None:
        self._script = {name.lower().rstrip("."): what for name, what in script.items()}
        self._asked: dict[str, int] = {}
        self._udp, self._tcp = _same_port()
        self._done = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._serve_udp, self._serve_tcp)]
        self.port: int = self._udp.getsockname()[1]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join(2)
        self._udp.close()
        self._tcp.close()

    def asked(self, name: str) -> int:
        """How many questions about this name came in."""
        return self._asked.get(name.lower().rstrip("."), 0)

    def _serve_udp(self) -> None:
        while not self._done.is_set():
            try:
                data, sender = self._udp.recvfrom(4096)
            except OSError:
                # The short time-out that lets us look at `_done`, or the ICMP echo of an asker that has gone.
                continue
            answer = self._answer(data, tcp=False)
            if answer is not None:
                self._udp.sendto(answer, sender)

    def _serve_tcp(self) -> None:
        while not self._done.is_set():
            try:
                sock, _ = self._tcp.accept()
            except TimeoutError:
                continue
            with sock:
                sock.settimeout(1)
                try:
                    self._converse(sock)
                except OSError:
                    # One asker that hangs or resets must not end the server.
                    continue

    def _converse(self, sock: socket.socket) -> None:
        with sock.makefile("rb") as stream:
            while len(size := stream.read(2)) == 2:
                answer = self._answer(stream.read(int.from_bytes(size, "big")), tcp=True)
                if answer is not None:
                    sock.sendall(len(answer).to_bytes(2, "big") + answer)

    def _answer(self, data: bytes, *, tcp: bool) -> bytes | None:
        try:
            query = dns.message.from_wire(data)
        except dns.exception.DNSException:
            return None
        if not query.question:
            return None
        name = query.question[0].name.to_text(omit_final_dot=True).lower()
        self._asked[name] = self._asked.get(name, 0) + 1
        return self._script.get(name, fails("NXDOMAIN"))(query, tcp)


def _same_port() -> tuple[socket.socket, socket.socket]:
    """A UDP and a listening TCP socket on one port number."""
    for _ in range(20):
        tcp = socket.create_server((HOST, 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind((HOST, tcp.getsockname()[1]))
        except OSError:
            # Somebody else has the UDP port of that number: try another one.
            tcp.close()
            udp.close()
            continue
        tcp.settimeout(0.1)
        udp.settimeout(0.1)
        return udp, tcp
    raise OSError("no port is free for both UDP and TCP")
