"""The one door to the network: connecting, sending, receiving, looking names up. Everything else only asks for it."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import stat
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

from nginxlint.online.types import Address, Target

if TYPE_CHECKING:
    from nginxlint.online.machine import Machine
    from nginxlint.online.ordinary import Look

# Mistakes of this machine, never of the peer.
OUR_FAULTS: dict[int, str] = {
    errno.EMFILE: "this process has no free file descriptor",
    errno.ENFILE: "this machine has no free file descriptor",
    errno.ENOBUFS: "this machine has no buffer space",
    errno.ENOMEM: "this machine has no memory",
    errno.EADDRNOTAVAIL: "this machine has no free local port or no address of that family",
    errno.EAFNOSUPPORT: "this machine does not speak that address family",
    errno.EPERM: "a local firewall or sandbox forbids the connection",
    errno.EACCES: "a local firewall or sandbox forbids the connection",
    errno.ENETDOWN: "the network of this machine is down",
}
LOOKUP_THREADS = 8


class Stream(Protocol):
    """One connection. `receive` gives at most `size` bytes, empty at the end; a reset is ConnectionResetError."""

    async def send(self, data: bytes) -> None: ...

    async def receive(self, size: int) -> bytes: ...

    def close(self) -> None: ...


class Network(Protocol):
    """What the probes need. Deadlines are kept by the caller; errors are OSError as the system gives them."""

    async def connect(self, address: Address) -> Stream: ...

    async def lookup(self, host: str) -> list[str]:
        """All addresses the system knows for a name (getaddrinfo). Raises socket.gaierror."""
        ...

    async def ask(self, server: tuple[str, int], query: bytes, *, tcp: bool) -> bytes:
        """Send one DNS message to a server and return its answer; what does not answer this query is ignored."""
        ...

    async def trace(self, address: Address) -> str:
        """A sentence on the way to an address that gave no answer."""
        ...

    async def ordinary(self, address: Address, target: Target, limit: float, *, websocket: bool = False) -> Look | None:
        """What an ordinary HTTP client gets there, or a WebSocket client; None where nothing, or no client is here."""
        ...

    def search_domains(self) -> tuple[str, ...]:
        """What the system appends to short names (and nginx's resolver does not)."""
        ...

    def unix_state(self, path: str) -> int | None:
        """The mode bits of the file at `path`, None where there is none. Raises OSError."""
        ...

    def machine(self, addresses: Iterable[Address], *, count: bool) -> Machine | None:
        """What the kernel of this machine knows of these addresses; None where it does not tell. `count`: connections
        are to be counted, however many there are."""
        ...

    def close(self) -> None: ...


class SocketStream:
    """A non-blocking socket of the running loop."""

    __slots__ = ("_loop", "_socket")

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
        self._loop = loop
        self._socket = sock

    async def send(self, data: bytes) -> None:
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            await self._loop.sock_sendall(self._socket, data[sent:])

    async def receive(self, size: int) -> bytes:
        return await self._loop.sock_recv(self._socket, size)

    def close(self) -> None:
        # No lingering close: a hostile peer could stall it. The kernel drops what is unread with a reset.
        self._socket.close()


class RealNetwork:
    """Sockets and the system resolver of this machine."""

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None

    async def connect(self, address: Address) -> Stream:
        loop = asyncio.get_running_loop()
        family = socket.AF_UNIX if address.unix else socket.AF_INET6 if ":" in address.host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            where = address.unix.encode("utf-8", "surrogateescape") if address.unix else (address.host, address.port)
            if family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # Not loop.sock_connect, which takes the address apart and waits in any case: on this machine the second
            # call already finds the connection made.
            code = sock.connect_ex(where)
            if code == errno.EINPROGRESS and (code := sock.connect_ex(where)) == errno.EALREADY:
                await _writable(loop, sock.fileno())
                code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code not in (0, errno.EISCONN):
                raise OSError(code, os.strerror(code))
        except BaseException:
            sock.close()
            raise
        return SocketStream(loop, sock)

    async def lookup(self, host: str) -> list[str]:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(LOOKUP_THREADS, thread_name_prefix="lookup")
        found = await asyncio.get_running_loop().run_in_executor(self._threads, _getaddrinfo, host)
        return list(dict.fromkeys(found))

    async def ask(self, server: tuple[str, int], query: bytes, *, tcp: bool) -> bytes:
        return await (_ask_tcp(self, server, query) if tcp else _ask_udp(server, query))

    async def ordinary(self, address: Address, target: Target, limit: float, *, websocket: bool = False) -> Look | None:
        # httpx takes longer to import than many a run takes without it
        from nginxlint.online.ordinary import look

        return await look(address, target, limit, websocket=websocket)

    async def trace(self, address: Address) -> str:
        from nginxlint.online.trace import trace

        return await trace(address)

    def search_domains(self) -> tuple[str, ...]:
        try:
            with open("/etc/resolv.conf", encoding="utf-8", errors="replace") as file:
                lines = [line.split() for line in file.read(65536).splitlines()]
        except OSError:
            return ()
        # resolv.conf(5): domain and search exclude each other, the last one counts
        found = [words[1:] for words in lines if words[:1] in (["search"], ["domain"])]
        return tuple(name.rstrip(".") for name in found[-1] if name != ".") if found else ()

    def unix_state(self, path: str) -> int | None:
        try:
            return os.stat(path).st_mode
        except FileNotFoundError:
            return None

    def machine(self, addresses: Iterable[Address], *, count: bool) -> Machine | None:
        from nginxlint.online.machine import look

        return look(addresses, count=count)

    def close(self) -> None:
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            _forget_threads(self._threads)


async def _writable(loop: asyncio.AbstractEventLoop, sock: int) -> None:
    """Wait until a socket is connected, or is known not to be."""
    told: asyncio.Future[None] = loop.create_future()
    loop.add_writer(sock, _tell, told)
    try:
        await told
    finally:
        loop.remove_writer(sock)


def _tell(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


def _getaddrinfo(host: str) -> list[str]:
    # As nginx does it (ngx_inet_resolve_host): both families where this machine has them.
    answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return [str(answer[4][0]) for answer in answers]


def _forget_threads(pool: ThreadPoolExecutor) -> None:
    """A lookup that hangs in the C library must not keep the interpreter from ending."""
    import concurrent.futures.thread as module

    registry = getattr(module, "_threads_queues", None)
    for thread in getattr(pool, "_threads", ()):
        if registry is not None:
            registry.pop(thread, None)


async def _ask_udp(server: tuple[str, int], query: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as sock:
        # A connected socket takes datagrams of this server only, and learns of a closed port.
        await loop.sock_connect(sock, server)
        await loop.sock_sendall(sock, query)
        while True:
            answer = await loop.sock_recv(sock, 65535)
            if _answers(answer, query):
                return answer


async def _ask_tcp(network: Network, server: tuple[str, int], query: bytes) -> bytes:
    stream = await network.connect(Address(server[0], server[1]))
    try:
        await stream.send(len(query).to_bytes(2, "big") + query)
        size = int.from_bytes(await exactly(stream, 2), "big")
        answer = await exactly(stream, size)
    finally:
        stream.close()
    if not _answers(answer, query):
        raise ConnectionResetError(errno.ECONNRESET, "the answer is for another question")
    return answer


def _answers(answer: bytes, query: bytes) -> bool:
    """The same id, marked as an answer, and the same question (servers may leave the question out of an error)."""
    if len(answer) < 12 or answer[:2] != query[:2] or not answer[2] & 0x80:
        return False
    question = query[12 : _question_end(query)]
    return answer[4:6] == b"\0\0" or answer[12 : 12 + len(question)].lower() == question.lower()


def _question_end(query: bytes) -> int:
    at = 12
    while at < len(query) and query[at]:
        at += query[at] + 1
    return at + 5


async def exactly(stream: Stream, count: int) -> bytes:
    """Exactly so many bytes. Raises ConnectionResetError where the peer ends before."""
    data = b""
    while len(data) < count:
        chunk = await stream.receive(count - len(data))
        if not chunk:
            raise ConnectionResetError(errno.ECONNRESET, "closed early")
        data += chunk
    return data


def close_quietly(stream: Stream) -> None:
    """Close what may already be broken."""
    with contextlib.suppress(OSError):
        stream.close()


def is_socket(mode: int) -> bool:
    return stat.S_ISSOCK(mode)
