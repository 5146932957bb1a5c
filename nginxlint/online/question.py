"""What is asked about a target, as data: the same text for the same question, in plans, recordings and the cache."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from typing import Any, cast

from nginxlint.online.literal import as_literal
from nginxlint.online.policy import METHODS, SENT_HEADERS
from nginxlint.online.records import RecordFault, decode, encode
from nginxlint.online.types import Target, Where

# Of a target, what belongs to the configuration at hand and changes nothing that is sent.
_OF_THE_PLACE: dict[str, Any] = {
    "id": "",
    "defined_at": cast("Where", None),  # a question that came from afar has no place here
    "used_at": (),
    "upstream": "",
    "role": None,
    "next_upstream": frozenset(),
    "tries": 0,
    "next_timeout": 0.0,
    "surroundings": "",
    "skip": None,
    "note": "",
    "maybe_group": False,
}
_WITHOUT = frozenset(_OF_THE_PLACE)
PROTOCOLS = ("http", "grpc", "fastcgi", "uwsgi", "scgi", "memcached", "tcp", "udp", "dns")
_RESOLUTIONS = ("startup", "runtime", "literal", "unix")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# Surrogates that stand for no byte of a configuration.
_NO_BYTES = re.compile(r"[\ud800-\udc7f\udd00-\udfff]")
_TARGET = re.compile(r"(?:/[!-~]*)?")
_MOST_SECONDS = 86_400.0


def question_of(target: Target) -> dict[str, Any]:
    """Everything about a target that decides what is looked up, dialled and sent."""
    found: dict[str, Any] = encode(target, _WITHOUT)
    return found


def question_id(target: Target) -> str:
    """The same for two targets of which the same is asked, in this configuration or another."""
    text = json.dumps(question_of(target), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def target_of(question: Any, where: str) -> Target:
    """The target of a question that somebody handed us. Raises RecordFault where it asks for more than nginxlint
    itself would ever send."""
    target = decode(Target, question, where, _OF_THE_PLACE)
    assert isinstance(target, Target)
    for text in _texts(question):
        if _CONTROL.search(text):
            raise RecordFault(f"{where}: a control character in {text[:40]!r}")
        if _NO_BYTES.search(text):
            raise RecordFault(f"{where}: half a character in {text[:40]!r}")
    if target.protocol not in PROTOCOLS:
        raise RecordFault(f"{where}: unknown protocol {target.protocol[:40]!r}")
    if target.resolution not in _RESOLUTIONS:
        raise RecordFault(f"{where}: a target of this kind ({target.resolution[:40]!r}) cannot be asked")
    if target.port is not None and not 0 < target.port < 65536:
        raise RecordFault(f"{where}: {target.port} is no port")
    if (target.resolution == "unix") != bool(target.unix) or (not target.unix and target.port is None):
        raise RecordFault(f"{where}: neither an address with a port nor a socket")
    if not _TARGET.fullmatch(target.path):
        raise RecordFault(f"{where}: the path {target.path[:40]!r} is no request target")
    if target.method not in ("", *METHODS):
        raise RecordFault(f"{where}: {target.method[:40]!r} is never sent")
    if target.patience is not None and not 0 < target.patience <= _MOST_SECONDS:
        raise RecordFault(f"{where}: a limit out of range")
    if target.source and as_literal(target.source) is None:
        raise RecordFault(f"{where}: {target.source[:40]!r} is no address")
    for name, _ in target.headers:
        if name.lower() not in SENT_HEADERS:
            raise RecordFault(f"{where}: the header {name[:40]!r} is never sent")
    limits = (target.timeouts.connect, target.timeouts.read)
    if not all(0 <= limit <= _MOST_SECONDS for limit in limits) or not (
        0 < target.buffer_size <= 1 << 24 and 0 <= target.cache_head <= 1 << 24
    ):
        raise RecordFault(f"{where}: a limit out of range")
    return replace(target, id=question_id(target))


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []
