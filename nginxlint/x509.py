"""What a certificate says: dates, names and kind of key, out of its DER bytes or the file nginx takes it from.

With verification off, Python gives only the bytes of a peer's certificate, and it reads no files of certificates: a walk
over the few fields we need spares a dependency. Nothing in it goes deeper for what the bytes say.
"""

from __future__ import annotations

from binascii import Error as NotBase64
from binascii import a2b_base64

_SEQUENCE, _SET, _EXTENSIONS, _VERSION = 0x30, 0x31, 0xA3, 0xA0
_UTC_TIME, _GENERAL_TIME = 0x17, 0x18
_COMMON_NAME = b"\x55\x04\x03"
_ALTERNATIVE_NAMES = b"\x55\x1d\x11"
_DNS_NAME, _ADDRESS = 0x82, 0x87
# What PEM_read_bio_X509_AUX takes for a certificate.
_BEGINNINGS = tuple(f"-----BEGIN {kind}CERTIFICATE-----".encode() for kind in ("", "X509 ", "TRUSTED "))
_END = b"-----END "


class X509:
    """One certificate: times as seconds since 1970, names as written, addresses and `algorithm` (the object identifier of
    the kind of its key) as their bytes, `self_signed` where the issuer is the subject."""

    __slots__ = ("addresses", "algorithm", "common_names", "dns_names", "not_after", "not_before", "self_signed")

    def __init__(
        self, begins: float, ends: float, common_names: list[str], algorithm: bytes, self_signed: bool
    ) -> None:
        self.not_before = begins
        self.not_after = ends
        self.common_names = common_names
        self.algorithm = algorithm
        self.self_signed = self_signed
        self.dns_names: list[str] = []
        self.addresses: list[bytes] = []


class Malformed(Exception):
    """Not the DER of a certificate."""


def read_x509(der: bytes) -> X509 | None:
    """The fields of a certificate, None where the bytes are no certificate."""
    try:
        return _certificate(der)
    except (Malformed, IndexError, ValueError, OverflowError):
        return None


def read_pem(data: bytes) -> X509 | None:
    """The certificate that nginx shows of a file: the first one in it (those that follow are the chain). None where there
    is none we can read."""
    starts = [start for beginning in _BEGINNINGS if (start := _line(data, beginning)) >= 0]
    if not starts:
        return None
    begin = data.find(b"\n", min(starts))
    end = data.find(_END, begin)
    if begin < 0 or end < 0:
        return None
    try:
        return read_x509(a2b_base64(data[begin:end]))
    except NotBase64:
        return None


def _line(data: bytes, line: bytes) -> int:
    """Where a line begins with these bytes; -1 where none does."""
    return 0 if data.startswith(line) else data.find(b"\n" + line) + 1 or -1


def _certificate(der: bytes) -> X509:
    outer = _only(der, _SEQUENCE)
    body = _only(outer, _SEQUENCE)
    fields = list(_items(body))
    if fields[0][0] == _VERSION:
        fields = fields[1:]
    # serial number, signature algorithm, issuer, validity, subject, key, extensions
    issuer, validity, subject, key = (field[1] for field in fields[2:6])
    begins, ends = [_time(tag, value) for tag, value in _items(validity)][:2]
    algorithm = _items(_only(key, _SEQUENCE))[0][1]
    found = X509(begins, ends, _common_names(subject), algorithm, issuer == subject)
    for tag, value in fields[6:]:
        if tag == _EXTENSIONS:
            for kind, name in _alternative_names(value):
                if kind == _DNS_NAME:
                    found.dns_names.append(name.decode("latin-1"))
                elif kind == _ADDRESS:
                    found.addresses.append(name)
    return found


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
    year, month, day, hour, minute, second = int(text[:4]), *(int(text[at : at + 2] or 0) for at in range(4, 14, 2))
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second <= 60 and year > 0):
        raise Malformed
    return (_days(year, month, day) * 24.0 + hour) * 3600 + minute * 60 + second


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970 (the year begins in March here: then the leap day is its last one); `calendar` knows as well, but to
    import it takes longer than all of this."""
    year, month = (year - 1, month + 9) if month < 3 else (year, month - 3)
    return year * 365 + year // 4 - year // 100 + year // 400 + (153 * month + 2) // 5 + day - 719469


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


def _alternative_names(extensions: bytes) -> list[tuple[int, bytes]]:
    for _, extension in _items(_only(extensions, _SEQUENCE)):
        fields = _items(extension)
        if fields and fields[0][1] == _ALTERNATIVE_NAMES:
            return _items(_only(fields[-1][1], _SEQUENCE))
    return []
