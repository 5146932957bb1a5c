"""What a peer's certificate says: dates and names out of its DER bytes, and whether it is for a name.

With verification off, Python gives only the bytes; a walk over the few fields we need spares a dependency.
"""

from __future__ import annotations

import calendar

from nginxlint.online.types import Certificate

_SEQUENCE, _SET, _EXTENSIONS, _VERSION = 0x30, 0x31, 0xA3, 0xA0
_UTC_TIME, _GENERAL_TIME = 0x17, 0x18
_COMMON_NAME = b"\x55\x04\x03"
_ALTERNATIVE_NAMES = b"\x55\x1d\x11"
_DNS_NAME = 0x82


class Malformed(Exception):
    """Not the DER of a certificate."""


def read_certificate(der: bytes) -> Certificate | None:
    """The fields of a certificate, None where the bytes are no certificate."""
    try:
        return _certificate(der)
    except (Malformed, IndexError, ValueError, OverflowError):
        return None


def _certificate(der: bytes) -> Certificate:
    outer = _only(der, _SEQUENCE)
    body = _only(outer, _SEQUENCE)
    fields = list(_items(body))
    if fields[0][0] == _VERSION:
        fields = fields[1:]
    # serial number, signature algorithm, issuer, validity, subject, key, extensions
    issuer, validity, subject = fields[2][1], fields[3][1], fields[4][1]
    begins, ends = [_time(tag, value) for tag, value in _items(validity)][:2]
    names: list[str] = []
    for tag, value in fields[6:]:
        if tag == _EXTENSIONS:
            names = _alternative_names(value)
    common = _common_names(subject)
    shown = common[0] if common else names[0] if names else ""
    return Certificate(begins, ends, shown, tuple(common), tuple(names), issuer == subject)


def matches(certificate: Certificate, name: str) -> bool:
    """Is it for this host? As X509_check_host with no flags, which nginx calls: the common name counts only where
    there is no DNS name, `*` stands for (a part of) the first label, addresses are not consulted and
    a dot at the end is one."""
    patterns = certificate.dns_names or certificate.common_names
    return any(_label_match(pattern.lower(), name.lower()) for pattern in patterns)


def _label_match(pattern: str, name: str) -> bool:
    if pattern == name:
        return True
    first, dot, rest = pattern.partition(".")
    name_first, name_dot, name_rest = name.partition(".")
    if first.count("*") != 1 or not dot or not name_dot or rest != name_rest or "." not in rest:
        return False
    head, _, tail = first.partition("*")
    if first != "*" and (first.startswith("xn--") or name_first.startswith("xn--")):
        return False
    long_enough = len(name_first) >= max(1, len(head) + len(tail))
    return long_enough and name_first.startswith(head) and name_first.endswith(tail)


def _items(data: bytes) -> list[tuple[int, bytes]]:
    found = []
    at = 0
    while at < len(data):
        tag = data[at]
        size = data[at + 1]
        at += 2
        if size & 0x80:
            count = size & 0x7F
            if not 1 <= count <= 4:
                raise Malformed
            size = int.from_bytes(data[at : at + count], "big")
            at += count
        if at + size > len(data):
            raise Malformed
        found.append((tag, data[at : at + size]))
        at += size
    return found


def _only(data: bytes, wanted: int) -> bytes:
    items = _items(data)
    if not items or items[0][0] != wanted:
        raise Malformed
    return items[0][1]


def _time(tag: int, value: bytes) -> float:
    text = value.decode("ascii").rstrip("Z")
    if tag == _UTC_TIME:
        text = ("19" if int(text[:2]) >= 50 else "20") + text
    elif tag != _GENERAL_TIME:
        raise Malformed
    parts = [int(text[:4])] + [int(text[at : at + 2] or 0) for at in range(4, 14, 2)]
    return float(calendar.timegm((*parts, 0, 0, 0)))


def _common_names(name: bytes) -> list[str]:
    found = []
    for tag, group in _items(name):
        if tag != _SET:
            continue
        for _, pair in _items(group):
            fields = _items(pair)
            if len(fields) == 2 and fields[0][1] == _COMMON_NAME:
                wide = fields[1][0] == 0x1E
                found.append(fields[1][1].decode("utf-16-be" if wide else "utf-8", "replace"))
    return found


def _alternative_names(extensions: bytes) -> list[str]:
    for _, extension in _items(_only(extensions, _SEQUENCE)):
        fields = _items(extension)
        if fields and fields[0][1] == _ALTERNATIVE_NAMES:
            names = _items(_only(fields[-1][1], _SEQUENCE))
            return [value.decode("latin-1") for tag, value in names if tag == _DNS_NAME]
    return []
