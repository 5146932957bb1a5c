"""JSON files of our own in the user's cache folder: written whole, readable by nobody else, and never believed blindly."""

from __future__ import annotations

import errno
import json
import os
import stat
from typing import Any

from nginxlint.online.records import RecordFault, decode

MAX_BYTES = 32 * 1024 * 1024
CLOCKS_DIFFER = 60.0


def read_private(path: str, kind: str, schema: int, now: float) -> dict[str, Any]:
    """The document of this kind and schema at `path`. Raises FileNotFoundError where there is none, RecordFault or
    OSError where it is not to be trusted: a link, no file, of somebody else, damaged, from the future."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise RecordFault("a link") from None
        raise
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise RecordFault("not a file")
        if status.st_uid != os.geteuid() or status.st_mode & 0o022:
            raise RecordFault("somebody else could have written it")
        if status.st_size > MAX_BYTES:
            raise RecordFault(f"larger than {MAX_BYTES // 1024 // 1024} MiB")
        data = file.read(MAX_BYTES)
    try:
        document: Any = json.loads(data)
    except (ValueError, RecursionError):
        raise RecordFault("damaged") from None
    if not isinstance(document, dict) or (document.get("nginxlint"), document.get("schema")) != (kind, schema):
        raise RecordFault("not of this version")
    if decode(float, document.get("made_at"), "made_at") > now + CLOCKS_DIFFER:
        raise RecordFault("from the future")
    return document


def write_private(path: str, kind: str, schema: int, now: float, content: dict[str, Any]) -> None:
    """Write it beside itself and rename. Raises OSError, and leaves nothing behind."""
    text = json.dumps({"nginxlint": kind, "schema": schema, "made_at": now, **content})
    beside = f"{path}.{os.getpid()}.tmp"
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
        os.replace(beside, path)
    except OSError:
        os.unlink(beside)
        raise
