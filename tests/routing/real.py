"""Real nginx with many ports in front of echo backends on loopback: what it does with a request."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import ssl
import tempfile
from pathlib import Path

from nginxlint.routing.request import Request, lines_of
from tests.oracle.nginx import Nginx, free_port
from tests.routing.echo import Echo, Received

ROOT = "/tmp"


def free_ports(count: int) -> list[int]:
    """That many ports nobody uses right now."""
    return [free_port() for _ in range(count)]


class Site:
    """An nginx for a text that holds `http { }` content, in a folder that may hold files for it."""

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
    """What nginx did: status, Location, the mark of the place that answered, and what the backends received."""

    __slots__ = ("location", "mark", "received", "status")

    def __init__(self, raw: bytes, received: list[Received]) -> None:
        head = raw.partition(b"\r\n\r\n")[0].decode("utf-8", "surrogateescape")
        found = re.match(r"HTTP/1\.[01] (\d+)", head)
        self.status = int(found[1]) if found else None
        headers: dict[str, str] = {}
        for line in head.split("\r\n")[1:]:
            name, _, value = line.partition(": ")
            headers.setdefault(name.lower(), value)
        self.location = headers.get("location")
        self.mark = headers.get("x-mark")
        self.received = sorted(received, key=lambda one: one.number)

    @property
    def up(self) -> Received | None:
        """The last request a backend received."""
        return self.received[-1] if self.received else None


def send(request: Request, echoes: list[Echo]) -> Seen:
    """One request over one connection, exactly as the model is given it."""
    lines = [f"{request.method} {request.target} HTTP/{request.version}"]
    lines += [f"{name}: {line}" for name, value in request.headers.items() for line in lines_of(value)]
    raw = "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")
    for echo in echoes:
        echo.take()
    data = b""
    with socket.create_connection((request.address.strip("[]") or "127.0.0.1", request.port), 5) as plain:
        sock = plain
        if request.scheme == "https":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            sock = context.wrap_socket(plain, server_hostname=request.sni or None)
        with sock:
            sock.settimeout(5)
            sock.sendall(raw)
            with contextlib.suppress(ConnectionResetError):
                while chunk := sock.recv(16384):
                    data += chunk
    return Seen(data, [one for echo in echoes for one in echo.take()])
