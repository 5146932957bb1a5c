"""Backends on loopback that note what they receive and answer 200: HTTP, FastCGI, uwsgi, SCGI and memcached."""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import struct
import threading
from collections.abc import Callable

LIMIT = 1 << 16
_NUMBERS = itertools.count()


class Received:
    """One request as a backend saw it. `line` is the request line, or the key; `headers` are what was sent by name
    in order; for FastCGI and kin they are the parameters."""

    __slots__ = ("backend", "headers", "line", "number")

    def __init__(self, backend: str, line: str, headers: list[tuple[str, str]]) -> None:
        self.number = next(_NUMBERS)
        self.backend = backend
        self.line = line
        self.headers = headers

    def __repr__(self) -> str:
        return f"{self.backend}: {self.line} {self.headers}"


class Echo:
    """A backend called `name`. `path`: a unix socket instead of a port; `tls`: a certificate and its key."""

    def __init__(self, name: str = "up", protocol: str = "http", path: str = "", tls: str = "") -> None:
        self.name = name
        self._speak = _PROTOCOLS[protocol]
        self._received: list[Received] = []
        self.path = path
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if tls else None
        if self._tls is not None:
            self._tls.load_cert_chain(tls)
        self.answer = b""  # more header lines for the next answer
        if path:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(path)
            self._listener.listen(256)
            self.port = 0
        else:
            self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
            self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def take(self) -> list[Received]:
        """What came since the last call."""
        taken, self._received = self._received, []
        return taken

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.settimeout(3)
            with contextlib.suppress(OSError, ValueError, struct.error), self._secured(client) as talk:
                more, self.answer = self.answer, b""
                line, headers, answer = self._speak(_Reader(talk), more)
                self._received.append(Received(self.name, line, headers))
                talk.sendall(answer)

    def _secured(self, client: socket.socket) -> socket.socket:
        return client if self._tls is None else self._tls.wrap_socket(client, server_side=True)


class _Reader:
    """Exactly so many bytes, or up to a mark."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._data = b""

    def take(self, count: int) -> bytes:
        while len(self._data) < count:
            self._more()
        taken, self._data = self._data[:count], self._data[count:]
        return taken

    def until(self, mark: bytes) -> bytes:
        while mark not in self._data:
            self._more()
        taken, _, self._data = self._data.partition(mark)
        return taken

    def _more(self) -> None:
        chunk = self._sock.recv(8192)
        if not chunk or len(self._data) > LIMIT:
            raise ValueError("the request is cut off or too long")
        self._data += chunk


Spoken = tuple[str, list[tuple[str, str]], bytes]


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _http(reader: _Reader, more: bytes) -> Spoken:
    line, *lines = reader.until(b"\r\n\r\n").split(b"\r\n")
    headers = []
    for text in lines:
        name, _, value = text.partition(b":")
        headers.append((_text(name), _text(value.removeprefix(b" "))))
    length = next((value for name, value in headers if name.lower() == "content-length"), "0")
    reader.take(int(length))
    return _text(line), headers, b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n" + more + b"\r\n"


def _fastcgi(reader: _Reader, more: bytes) -> Spoken:
    packed = b""
    while True:
        _, kind, _, length, padding, _ = struct.unpack(">BBHHBB", reader.take(8))
        content = reader.take(length)
        reader.take(padding)
        if kind == 4:
            packed += content
        if kind == 5 and not length:
            break
    params, at = [], 0
    while at < len(packed):
        sizes = []
        for _ in range(2):
            size, at = packed[at], at + 1
            if size & 0x80:
                size, at = (size & 0x7F) << 24 | int.from_bytes(packed[at : at + 3], "big"), at + 3
            sizes.append(size)
        name, at = packed[at : at + sizes[0]], at + sizes[0]
        value, at = packed[at : at + sizes[1]], at + sizes[1]
        params.append((_text(name), _text(value)))
    body = b"Status: 200 OK\r\n" + more + b"\r\n"
    body += b"\0" * (-len(body) % 8)
    answer = (
        struct.pack(">BBHHBB", 1, 6, 1, len(body), 0, 0) + body + struct.pack(">BBHHBB", 1, 3, 1, 8, 0, 0) + bytes(8)
    )
    return "fastcgi", params, answer


def _uwsgi(reader: _Reader, more: bytes) -> Spoken:
    _, size, _ = struct.unpack("<BHB", reader.take(4))
    packed, params, at = reader.take(size), [], 0
    while at < len(packed):
        pair = []
        for _ in range(2):
            length = int.from_bytes(packed[at : at + 2], "little")
            pair.append(_text(packed[at + 2 : at + 2 + length]))
            at += 2 + length
        params.append((pair[0], pair[1]))
    return "uwsgi", params, b"HTTP/1.0 200 OK\r\n" + more + b"\r\n"


def _scgi(reader: _Reader, more: bytes) -> Spoken:
    words = _text(reader.take(int(reader.until(b":")))).split("\0")
    return "scgi", list(zip(words[::2], words[1::2], strict=False)), b"HTTP/1.0 200 OK\r\n" + more + b"\r\n"


def _memcached(reader: _Reader, more: bytes) -> Spoken:
    key = reader.until(b"\r\n").removeprefix(b"get ")
    return _text(key), [], b"VALUE " + key + b" 0 0\r\n\r\nEND\r\n"


def _grpc(reader: _Reader, more: bytes) -> Spoken:
    reader.until(b"\r\n\r\nSM\r\n\r\n")  # enough to know who was called; no answer: nginx says 502
    return "grpc", [], b""


_PROTOCOLS: dict[str, Callable[[_Reader, bytes], Spoken]] = {
    "http": _http,
    "fastcgi": _fastcgi,
    "uwsgi": _uwsgi,
    "scgi": _scgi,
    "memcached": _memcached,
    "grpc": _grpc,
}
