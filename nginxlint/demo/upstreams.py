"""The demo world: faulty and healthy upstreams on loopback ports, started one by one as they are asked for.

    with World() as world:
        port = world.port("silent")             # a TCP port with that behaviour
        twin = world.port("healthy", copy=1)    # another server of the same kind
        path = world.path("unix-healthy")       # a unix socket
        seen = world.requests("silent")         # what clients sent to it

The servers live in one background thread, so a world serves synchronous and asynchronous callers alike.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import stat
import tempfile
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from nginxlint.demo import http_behaviours, other_protocols, tls_behaviours
from nginxlint.demo.peer import Peer, Talk
from nginxlint.demo.secure import SecureChannel

HOST = "127.0.0.1"

SPECIAL: dict[str, str] = {
    "refusing": "nothing listens on the port",
    "accept-queue-full": "the accept queue is full, new connections get no answer",
    tls_behaviours.MIXED[0]: tls_behaviours.MIXED[1],
}
UNIX: dict[str, str] = {
    "unix-healthy": "answers 200 on a unix socket",
    "unix-missing": "there is no such socket file",
    "unix-forbidden": "the socket file has no rights for others",
    "unix-stale": "the socket file is there, nobody listens",
    "unix-regular-file": "the path is a regular file",
}
TALKS: dict[str, tuple[str, Talk]] = {
    **http_behaviours.BEHAVIOURS,
    **other_protocols.BEHAVIOURS,
    **tls_behaviours.BEHAVIOURS,
}

_START_LIMIT = 10.0
_CONNECTION_LIMIT = 120.0
_TLS_HANDSHAKE = b"\x16"
_Result = TypeVar("_Result")
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def behaviours() -> dict[str, str]:
    """Every TCP behaviour by name, with what it does."""
    talks = {name: summary for name, (summary, _) in {**TALKS, **tls_behaviours.CONTEXTS}.items()}
    return {**talks, **SPECIAL}


class World:
    """A set of upstreams on loopback; all of them are gone when the `with` block ends."""

    def __init__(
        self, more: Mapping[str, Talk] | None = None, secure: Mapping[str, tls_behaviours.ContextMaker] | None = None
    ) -> None:
        """`more` are behaviours of the caller's own, by name; `secure` TLS servers that are healthy inside."""
        self._more = more or {}
        self._secure = secure or {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="demo world", daemon=True)
        self._folder = Path(tempfile.mkdtemp(prefix="nginxlint-demo-"))
        self._ports: dict[tuple[str, int], int] = {}
        self._servers: list[asyncio.Server] = []
        self._sockets: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._heads: dict[str, list[bytes]] = {}
        self._connections: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wait(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_LIMIT)
        for sock in self._sockets:
            sock.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def port(self, name: str, copy: int = 0) -> int:
        """The TCP port of this behaviour; the server is started by the first call. `copy` tells twins apart."""
        key = (name, copy)
        if key not in self._ports:
            self._ports[key] = self._wait(self._start(name))
        return self._ports[key]

    def serve(self, name: str, talk: Talk, context: ssl.SSLContext | None = None) -> int:
        """Start a server with a behaviour of the caller's own; its requests are kept under `name`."""
        return self._wait(self._listen(name, talk, context))

    def path(self, name: str) -> Path:
        """The path of this unix socket behaviour."""
        path = self._folder / f"{name}.sock"
        if (name, 0) not in self._ports:
            if name not in UNIX:
                raise KeyError(f"no unix behaviour {name!r}; known: {', '.join(UNIX)}")
            self._ports[(name, 0)] = 0
            self._wait(self._unix(name, path))
        return path

    @property
    def folder(self) -> Path:
        """Where the unix sockets live."""
        return self._folder

    def requests(self, name: str) -> list[bytes]:
        """The request heads that reached this behaviour, oldest first."""
        return list(self._heads.get(name, ()))

    def connections(self, name: str) -> int:
        """How many connections this behaviour accepted."""
        return self._connections.get(name, 0)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        # A client that breaks a handshake is the normal case here; nobody wants to read about it on standard error.
        self._loop.set_exception_handler(lambda _loop, _context: None)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    def _wait(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_START_LIMIT)

    async def _start(self, name: str) -> int:
        if name == "refusing":
            return self._reserve()
        if name == "accept-queue-full":
            return await self._fill_queue()
        if name == tls_behaviours.MIXED[0]:
            on_plain = http_behaviours.answers(tls_behaviours.PLAIN_ON_TLS)
            return await self._listen(name, http_behaviours.healthy, tls_behaviours.shows("good")(), on_plain)
        if name in tls_behaviours.CONTEXTS:
            return await self._listen(name, http_behaviours.healthy, tls_behaviours.CONTEXTS[name][1]())
        if name in self._secure:
            return await self._listen(name, http_behaviours.healthy, self._secure[name]())
        if name in self._more:
            return await self._listen(name, self._more[name])
        if name in TALKS:
            return await self._listen(name, TALKS[name][1])
        raise KeyError(f"no behaviour {name!r}; known: {', '.join(sorted(behaviours()))}")

    def _reserve(self) -> int:
        """A bound socket that does not listen keeps the port for us and refuses every connection."""
        sock = socket.socket()
        sock.bind((HOST, 0))
        self._sockets.append(sock)
        return int(sock.getsockname()[1])

    async def _fill_queue(self) -> int:
        """Fill the accept queue of a listener that never accepts: the kernel then drops further SYN packets."""
        listener = socket.socket()
        listener.bind((HOST, 0))
        listener.listen(0)
        self._sockets.append(listener)
        address = listener.getsockname()
        for _ in range(4):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(address)
            self._sockets.append(sock)
            await asyncio.sleep(0.01)
        return int(address[1])

    async def _listen(
        self, name: str, talk: Talk, context: ssl.SSLContext | None = None, on_plain: Talk | None = None
    ) -> int:
        server = await asyncio.start_server(self._connected(name, talk, context, on_plain), HOST, 0, backlog=1024)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def _unix(self, name: str, path: Path) -> None:
        # mkdtemp made the folder private; the worker of a real nginx runs as another user and has to get in.
        self._folder.chmod(0o755)
        if name == "unix-missing":
            return
        if name == "unix-regular-file":
            path.write_text("not a socket\n")
        elif name == "unix-stale":
            sock = socket.socket(socket.AF_UNIX)
            sock.bind(str(path))
            sock.close()
        else:
            server = await asyncio.start_unix_server(self._connected(name, http_behaviours.healthy, None), str(path))
            self._servers.append(server)
        if path.exists():
            path.chmod(stat.S_IRUSR | stat.S_IWUSR if name == "unix-forbidden" else 0o666)

    def _connected(self, name: str, talk: Talk, context: ssl.SSLContext | None, on_plain: Talk | None = None) -> Serve:
        heads = self._heads.setdefault(name, [])

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._connections[name] = self._connections.get(name, 0) + 1
            task = asyncio.current_task()
            assert task is not None
            self._tasks.add(task)
            try:
                async with asyncio.timeout(_CONNECTION_LIMIT):
                    if context is None:
                        await talk(Peer(reader, writer, heads))
                    else:
                        await _serve_secure(Peer(reader, writer, heads), reader, writer, heads, talk, context, on_plain)
                    writer.close()
                    await writer.wait_closed()
            except (OSError, EOFError, TimeoutError, asyncio.CancelledError):
                # The other side went away or the world ends: both are how a conversation stops here.
                writer.close()
            finally:
                self._tasks.discard(task)

        return serve

    async def _stop(self) -> None:
        for server in self._servers:
            server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _serve_secure(
    plain: Peer,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    heads: list[bytes],
    talk: Talk,
    context: ssl.SSLContext,
    on_plain: Talk | None,
) -> None:
    """Shake hands, then talk inside; a client that does not speak TLS gets `on_plain` when there is such an answer."""
    first = await reader.read(1)
    if first != _TLS_HANDSHAKE and on_plain is not None:
        await on_plain(plain)
        return
    channel = SecureChannel(reader, writer, context)
    await channel.handshake(first)
    pump = asyncio.ensure_future(channel.pump())
    try:
        await talk(Peer(reader, writer, heads, channel))
        await channel.close()
    finally:
        pump.cancel()
