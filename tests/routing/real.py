"""Real nginx with many ports in front of one echo backend on loopback: what it does with a request."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import tempfile
import threading
from pathlib import Path

from tests.oracle.nginx import Nginx, free_port

ROOT = "/tmp"


class Echo:
    """A backend that answers every request with its request line and Host, in hexadecimal headers."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, contextlib.suppress(OSError):
                client.settimeout(3)
                data = b""
                while b"\r\n\r\n" not in data and len(data) < 65536 and (chunk := client.recv(8192)):
                    data += chunk
                head, _, _ = data.partition(b"\r\n\r\n")
                line, _, rest = head.partition(b"\r\n")
                host = re.search(rb"(?im)^host: ?([^\r\n]*)", rest)
                client.sendall(
                    b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nX-Up: %b\r\nX-Up-Host: %b\r\n\r\n"
                    % (line.hex().encode(), (host[1] if host else b"").hex().encode())
                )

    def close(self) -> None:
        self._listener.close()


def free_ports(count: int) -> list[int]:
    """That many ports nobody uses right now."""
    return [free_port() for _ in range(count)]


class Site:
    """An nginx for a text that holds `http { }` content; files can be laid out below `folder`/www."""

    def __init__(self, http: str, port: int, folder: Path) -> None:
        self.folder = folder
        self.text = (
            f"worker_processes 1;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log crit;\n"
            "events { worker_connections 4096; }\nhttp {\naccess_log off;\n"
            f"client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;\n"
            f"uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n{http}\n}}\n"
        )
        (folder / "nginx.conf").write_text(self.text, "utf-8", "surrogateescape")
        self.nginx = Nginx.of(folder / "nginx.conf", port)


def new_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="nginxlint-route-", dir=ROOT))
    folder.chmod(0o755)
    return folder


def remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def look(path: str) -> str:
    """What a path is, for the router."""
    return "folder" if os.path.isdir(path) else "file" if os.path.isfile(path) else ""


class Seen:
    """What nginx did: status, Location, the marks of server and location, and what the backend received."""

    __slots__ = ("host", "location", "mark", "status", "up")

    def __init__(self, raw: bytes) -> None:
        head = raw.partition(b"\r\n\r\n")[0].decode("utf-8", "surrogateescape")
        found = re.match(r"HTTP/1\.[01] (\d+)", head)
        self.status = int(found[1]) if found else None
        headers = {}
        for line in head.split("\r\n")[1:]:
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        self.location = headers.get("location")
        self.mark = headers.get("x-mark")
        up = headers.get("x-up")
        self.up = None if up is None else bytes.fromhex(up).decode("utf-8", "surrogateescape")
        self.host = bytes.fromhex(headers.get("x-up-host", "")).decode("utf-8", "surrogateescape")


def send(
    port: int, target: str, host: str, headers: dict[str, str], method: str = "GET", address: str = "127.0.0.1"
) -> Seen:
    """One request over one connection."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in headers.items())]
    request = "\r\n".join([*lines, "Connection: close", "", ""]).encode("utf-8", "surrogateescape")
    data = b""
    with socket.create_connection((address, port), 5) as sock:
        sock.settimeout(5)
        sock.sendall(request)
        with contextlib.suppress(ConnectionResetError):
            while chunk := sock.recv(16384):
                data += chunk
    return Seen(data)
