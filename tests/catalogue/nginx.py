"""Ask the installed nginx what it thinks of a configuration: the judge in the differential tests."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

from tests.oracle.nginx import MAIL_MODULE, STREAM_MODULE

NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
_LINE = re.compile(r"\[(emerg|warn)\] (?:\d+#\d+: )?(.*?)(?: in (\S+):(\d+))?$", re.M)
_MODULES = (STREAM_MODULE, MAIL_MODULE)
PRELUDE = "".join(f"load_module {module}; " for module in _MODULES)


class Verdict:
    """`message` and `line` of the first [emerg]; `ok`: nginx accepts it; `warnings`: the texts of its [warn] lines."""

    __slots__ = ("line", "message", "ok", "output", "warnings")

    def __init__(self, ok: bool, output: str, folder: str) -> None:
        self.ok = ok
        self.output = output
        self.message: str | None = None
        self.line: int | None = None
        self.warnings: list[tuple[str, int | None]] = []
        for level, message, _, line in _LINE.findall(output):
            if level == "warn":
                self.warnings.append((message, int(line) if line else None))
            elif self.message is None:
                self.message = message
                self.line = int(line) if line else None

    def __repr__(self) -> str:
        return "ok" if self.ok else f"{self.message} (line {self.line})"


CACHES = "/var/cache/"  # `nginx -t` makes the folders that a text names; here it makes them in the folder of the test


def installed() -> bool:
    return os.access(NGINX, os.X_OK) and all(map(os.path.exists, _MODULES))


def judge(text: str, files: dict[str, str] | None = None) -> Verdict:
    """What `nginx -t` says about this main configuration; modules are loaded on its first line."""
    folder = tempfile.mkdtemp(prefix="nginxlint-t-")
    try:
        for name, content in (files or {}).items():
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(content)
        path = os.path.join(folder, "nginx.conf")
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as stream:
            stream.write(PRELUDE + text.replace(CACHES, f"{folder}/"))
        done = subprocess.run(
            [NGINX, "-t", "-c", path, "-p", folder, "-e", "stderr", "-g", f"pid {folder}/pid;"],
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=20,
        )
        return Verdict(done.returncode == 0, done.stderr, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def judge_all(texts: list[str]) -> list[Verdict]:
    """The verdicts for many texts, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(judge, texts))
