"""The mail proxy's auth_http: what nginxlint predicts is what real nginx logs, and who can log in is never called dead."""

from __future__ import annotations

import os
import socket
import time

import pytest

from nginxlint.demo.http_behaviours import answers
from nginxlint.demo.upstreams import World
from nginxlint.online.options import Options
from nginxlint.online.stage import run
from nginxlint.testing import config_of
from tests.oracle.nginx import HOST, MAIL_MODULE, PROGRAM, Nginx, free_port

# behaviour → (verdict, what the log line holds)
TABLE = {
    "auth-denies": ("ok", ""),
    "refusing": ("failed", "(111: Connection refused) while in http auth state"),
    "accept-queue-full": ("failed", "timed out (110: Connection timed out) while in http auth state"),
    "silent": ("failed", "timed out (110: Connection timed out) while in http auth state"),
    "half-header": ("failed", "timed out (110: Connection timed out) while in http auth state"),
    "closes-after-request": ("failed", ""),
    "resets-after-request": ("failed", "recv() failed (104: Connection reset by peer) while in http auth state"),
    "ssh": ("failed", "sent invalid header in response while in http auth state"),
    "status-404": ("degraded", "did not send server or port while in http auth state"),
    "status-500": ("degraded", "did not send server or port while in http auth state"),
}
DENIES = answers(b"HTTP/1.0 200 OK\r\nAuth-Status: Invalid login or password\r\nAuth-Wait: 3\r\n\r\n")


def _login(port: int) -> bytes:
    with socket.create_connection((HOST, port), 4) as sock:
        sock.settimeout(4)
        for line in (b"USER someone\r\n", b"PASS nothing\r\n"):
            sock.recv(200)
            sock.sendall(line)
        return sock.recv(200)


@pytest.mark.skipif(
    not PROGRAM or not os.path.exists(MAIL_MODULE), reason=f"no nginx with mail here: {len(TABLE)} behaviours not tried"
)
def test_what_is_predicted_of_auth_http_comes_true() -> None:
    with World({"auth-denies": DENIES}) as world:
        ports = {name: free_port() for name in TABLE}
        servers = "\n".join(
            f"server {{ listen {HOST}:{port}; protocol pop3; auth_http {HOST}:{world.port(name)}/auth; }}"
            for name, port in ports.items()
        )
        text = f"mail {{ auth_http_timeout 1s; server_name mail.test; pop3_auth plain;\n{servers}\n}}"
        nginx = Nginx(f"server {{ listen {HOST}:{{port}}; }}", main=f"load_module {MAIL_MODULE};", rest=text)
        rows = run(config_of(nginx.config.read_text(), version=(1, 22, 1)), Options(retry_pause=0.0)).targets_json
        predicted = dict(zip(TABLE, rows, strict=True))
        with nginx:
            for name, (verdict, log) in TABLE.items():
                before = len(nginx.log())
                said = _login(ports[name])
                time.sleep(0.05)
                lines = [line for line in nginx.log()[before:] if "[error]" in line]
                found = predicted[name]
                assert (found["verdict"], found["predicted_status"]) == (verdict, None), (name, found)
                assert log in (found["predicted_log"] or ""), (name, found)
                assert any(log in line for line in lines) if log else not lines, (name, lines)
                wanted = b"Invalid login" if verdict == "ok" else b"internal server error"
                assert wanted in said, (name, said)
