"""Real nginx on loopback: write a configuration, start it, ask it over a raw socket, read its log, stop it.

with Nginx(http="server { listen 127.0.0.1:{port}; location / { return 204; } }") as nginx:
    reply = nginx.ask("/")
    nginx.log_of("/")
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

PROGRAM = shutil.which("nginx") or next((x for x in ("/usr/sbin/nginx",) if os.path.exists(x)), "")
STREAM_MODULE, MAIL_MODULE = (f"/usr/lib/nginx/modules/ngx_{name}_module.so" for name in ("stream", "mail"))
HOST = "127.0.0.1"


def _version() -> tuple[int, int, int]:
    said = subprocess.run([PROGRAM, "-v"], capture_output=True, text=True, check=False).stderr if PROGRAM else ""
    found = re.search(r"nginx/(\d+)\.(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2]), int(found[3])) if found else (1, 22, 1)


VERSION = _version()
"""Of the installed nginx; Debian 12's where there is none."""
WRAPPED = bool(PROGRAM) and Path(PROGRAM).read_bytes()[:2] == b"#!"
"""Is it a script that starts it, as below tools/with-nginx? The program that runs is the loader then."""
START_LIMIT = 10.0

MAIN = """\
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
{main}
events {{ worker_connections 1024; }}
{http}
{rest}
"""
HTTP = """\
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{http}
}}
"""


@dataclass(frozen=True)
class Reply:
    """What the client read. `status` is None when the answer has no status line (nginx passed raw bytes on)."""

    raw: bytes
    status: int | None
    closed: bool


class NginxRefusal(Exception):
    """nginx did not start; the text is what it said."""


class Nginx:
    """One running nginx in a folder of its own. `{port}` and `{folder}` in the texts are filled in."""

    def __init__(self, http: str = "", *, main: str = "", rest: str = "") -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="nginxlint-oracle-"))
        # The worker runs as another user and has to reach its temporary files.
        self.folder.chmod(0o755)
        self.port = free_port()
        self.config = self.folder / "nginx.conf"
        block = HTTP.format(folder=self.folder, http=_filled(http, self.port, self.folder)) if http else ""
        self.config.write_text(
            MAIN.format(folder=self.folder, main=main, http=block, rest=_filled(rest, self.port, self.folder))
        )
        self._owned = True
        self._globals = ""
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def of(cls, config: Path, port: int) -> Nginx:
        """An nginx for a configuration that is there already; its error log has to be error.log next to it."""
        nginx = cls.__new__(cls)
        nginx.folder, nginx.config, nginx.port = config.parent, config, port
        nginx._owned, nginx._globals, nginx._process = False, "daemon off;", None
        return nginx

    def __enter__(self) -> Nginx:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def test(self) -> tuple[bool, str]:
        """`nginx -t`: accepted, and what it said. Nothing is started; a folder of our own is removed."""
        try:
            done = subprocess.run(self._command("-t"), capture_output=True, text=True, timeout=30, check=False)
            return done.returncode == 0, done.stderr
        finally:
            self._stop()

    def refusal(self) -> str:
        """What it says when it does not start though its configuration is fine: it gives up after a while."""
        try:
            done = subprocess.run(self._command(), capture_output=True, text=True, timeout=START_LIMIT, check=False)
            return done.stderr
        finally:
            self._stop()

    def discard(self) -> None:
        """Remove the folder of an nginx that was never started."""
        self._stop()

    def ask(self, path: str, *, port: int = 0, limit: float = 8.0, host: str = "demo.test") -> Reply:
        """One GET over a raw socket; reads to the end, 64 KiB or the time limit, whichever is first."""
        request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
        return self.exchange(request, port=port, limit=limit)

    def exchange(self, request: bytes, *, port: int = 0, limit: float = 8.0) -> Reply:
        """Send bytes, read the answer."""
        deadline = time.monotonic() + limit
        data, closed = b"", False
        with socket.create_connection((HOST, port or self.port), limit) as sock:
            sock.sendall(request)
            while len(data) < 65536 and (left := deadline - time.monotonic()) > 0:
                sock.settimeout(left)
                try:
                    chunk = sock.recv(8192)
                except TimeoutError:
                    break
                except ConnectionResetError:
                    closed = True
                    break
                if not chunk:
                    closed = True
                    break
                data += chunk
        found = re.match(rb"HTTP/1\.[01] (\d{3})[ \r\n]", data)
        return Reply(data, int(found[1]) if found else None, closed)

    def log(self, name: str = "error.log") -> list[str]:
        """Every line of a log so far."""
        path = self.folder / name
        return path.read_text("utf-8", "replace").splitlines() if path.exists() else []

    def log_of(self, path: str) -> list[str]:
        """The error log lines about requests for `path`; waits a moment, since nginx may log after it answered."""
        mark = f'request: "GET {path} HTTP/'
        for _ in range(5):
            lines = [line for line in self.log() if mark in line]
            if lines:
                return lines
            time.sleep(0.02)
        return []

    def _command(self, *words: str) -> list[str]:
        return [
            PROGRAM,
            "-p",
            str(self.folder),
            "-e",
            str(self.folder / "start.log"),
            "-c",
            str(self.config),
            "-g",
            self._globals,
            *words,
        ]

    def _start(self) -> None:
        self._process = subprocess.Popen(self._command(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        deadline = time.monotonic() + START_LIMIT
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                said = self._process.stderr.read().decode("utf-8", "replace") if self._process.stderr else ""
                raise NginxRefusal(said)
            try:
                socket.create_connection((HOST, self.port), 1).close()
                if _has_children(self._process.pid):
                    return
            except ConnectionRefusedError:
                pass
            time.sleep(0.02)
        raise NginxRefusal(f"nginx did not listen on port {self.port} within {START_LIMIT} s")

    def _stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(5)
            if self._process.stderr:
                self._process.stderr.close()
        if self._owned:
            shutil.rmtree(self.folder, ignore_errors=True)


def _has_children(process: int) -> bool:
    """Has nginx made its workers? It does when it listens on all its ports, which it opens one after the other. True
    where the system does not tell."""
    children = Path(f"/proc/{process}/task/{process}/children")
    return not children.exists() or bool(children.read_text())


_ports = itertools.count(os.getpid() * 61)


def free_port() -> int:
    """A port nobody uses right now, below those the system gives to clients. Each process starts counting elsewhere,
    so that test runs at the same time do not take each other's."""
    for port in _ports:
        port = 15000 + port % 17000
        with socket.socket() as sock:
            try:
                sock.bind(("0.0.0.0", port))
            except OSError:
                continue
            return port
    raise AssertionError("counting does not end")


def _filled(text: str, port: int, folder: Path) -> str:
    return text.replace("{port}", str(port)).replace("{folder}", str(folder))
