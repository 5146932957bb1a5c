"""What a peer's certificate says, as far as it is kept as evidence, and whether it is for a name."""

from __future__ import annotations

from nginxlint.online.types import Certificate
from nginxlint.x509 import read_x509


def read_certificate(der: bytes) -> Certificate | None:
    """The fields of a certificate, None where the bytes are no certificate."""
    read = read_x509(der)
    if read is None:
        return None
    common, names = tuple(read.common_names), tuple(read.dns_names)
    return Certificate(read.not_before, read.not_after, next(iter(common + names), ""), common, names, read.self_signed)


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
