"""Cipher lists as OpenSSL reads them, as far as cipher suites are concerned that nobody may use any more.

Only what a list names counts, by its own name or that of its weakness (`RC4`, `aNULL`): what `ALL` or `MEDIUM` bring along
hangs on the OpenSSL it runs with. Source: ssl_create_cipher_list and cipher_aliases (ssl/ssl_ciph.c), ciphers(1).
"""

from __future__ import annotations

from nginxlint.expressions import compiled

_SUITES = (
    "RC4-MD5 RC4-SHA ECDHE-RSA-RC4-SHA ECDHE-ECDSA-RC4-SHA ADH-RC4-MD5 AECDH-RC4-SHA DES-CBC3-SHA EDH-RSA-DES-CBC3-SHA "
    "DHE-RSA-DES-CBC3-SHA EDH-DSS-DES-CBC3-SHA DHE-DSS-DES-CBC3-SHA ECDHE-RSA-DES-CBC3-SHA ECDHE-ECDSA-DES-CBC3-SHA "
    "ADH-DES-CBC3-SHA AECDH-DES-CBC3-SHA DES-CBC-SHA EDH-RSA-DES-CBC-SHA EDH-DSS-DES-CBC-SHA ADH-DES-CBC-SHA EXP-RC4-MD5 "
    "EXP-DES-CBC-SHA EXP-RC2-CBC-MD5 EXP-EDH-RSA-DES-CBC-SHA EXP-EDH-DSS-DES-CBC-SHA EXP-ADH-RC4-MD5 EXP-ADH-DES-CBC-SHA "
    "NULL-MD5 NULL-SHA NULL-SHA256 ECDHE-RSA-NULL-SHA ECDHE-ECDSA-NULL-SHA AECDH-NULL-SHA ADH-AES128-SHA ADH-AES256-SHA "
    "ADH-AES128-SHA256 ADH-AES256-SHA256 ADH-AES128-GCM-SHA256 ADH-AES256-GCM-SHA384 ADH-CAMELLIA128-SHA "
    "ADH-CAMELLIA256-SHA AECDH-AES128-SHA AECDH-AES256-SHA"
)
# How a name begins -> what the suites are called together by their key exchange and authentication.
_EXCHANGES = {
    "EDH-RSA-": "kEDH kDHE DH EDH DHE aRSA",
    "DHE-RSA-": "kEDH kDHE DH EDH DHE aRSA",
    "EDH-DSS-": "kEDH kDHE DH EDH DHE aDSS DSS",
    "DHE-DSS-": "kEDH kDHE DH EDH DHE aDSS DSS",
    "ECDHE-RSA-": "kEECDH kECDHE ECDH EECDH ECDHE aRSA TLSv1 TLSv1.0",
    "ECDHE-ECDSA-": "kEECDH kECDHE ECDH EECDH ECDHE aECDSA ECDSA TLSv1 TLSv1.0",
    "ADH-": "kEDH kDHE DH ADH aNULL",
    "AECDH-": "kEECDH kECDHE ECDH AECDH aNULL TLSv1 TLSv1.0",
    "": "kRSA aRSA RSA",
}
# What else stands in a name -> what the suites are called by their encryption, strength and check sum. Where versions of
# OpenSSL differ in the strength, both: one that is taken out by either is not reported.
_PARTS = {
    "EXP-": "EXP EXPORT EXPORT40",
    "RC4-": "RC4 MEDIUM",
    "RC2-": "RC2",
    "DES-CBC3-": "3DES MEDIUM HIGH",
    "DES-CBC-": "DES LOW",
    "NULL-": "eNULL NULL",
    "AES128-": "AES AES128 HIGH",
    "AES256-": "AES AES256 HIGH",
    "CAMELLIA128-": "CAMELLIA CAMELLIA128 HIGH",
    "CAMELLIA256-": "CAMELLIA CAMELLIA256 HIGH",
}
_CHECKS = {"MD5": "MD5", "SHA": "SHA SHA1", "SHA256": "SHA256 TLSv1.2", "GCM": "AESGCM TLSv1.2"}
# The weaknesses as words, the worst first.
WEAKNESSES = ("eNULL", "aNULL", "EXPORT", "DES", "RC4", "3DES", "MD5")
_EXPORT = ("EXP", "EXPORT", "EXPORT40")  # gone since OpenSSL 1.1.0: they are meant only where they are named
_NAMED = frozenset((*WEAKNESSES, *_EXPORT, "NULL", "ADH", "AECDH", "LOW"))
_WORD = r"([-+!]?)([A-Za-z0-9][A-Za-z0-9.=_-]*(?:\+[A-Za-z0-9.=_-]+)*)"


def _traits(name: str) -> frozenset[str]:
    bare = name.removeprefix("EXP-")
    begin = next(begin for begin in _EXCHANGES if bare.startswith(begin))
    rest = name.removesuffix(bare) + bare.removeprefix(begin)
    words = [
        name,
        "ALL",
        *_EXCHANGES[begin].split(),
        *_CHECKS["GCM" if "GCM" in name else name.rpartition("-")[2]].split(),
    ]
    words += [word for part, called in _PARTS.items() if part in rest for word in called.split()]
    if "TLSv1.2" not in words:
        words.append("SSLv3")  # as do old versions for elliptic curves
    return frozenset(words)


_known: dict[str, frozenset[str]] = {}  # made when somebody asks


def weak_suites(text: str) -> dict[str, list[str]]:
    """The weak suites that a cipher list names and does not take out again, by their worst weakness."""
    if not _known:
        _known.update((name, _traits(name)) for name in _SUITES.split())
    chosen: dict[str, None] = {}
    killed: set[str] = set()
    for sign, rule in compiled(_WORD).findall(text):
        words = frozenset(rule.split("+"))
        if sign == "+" or (not sign and words.isdisjoint(_NAMED) and rule not in _known):
            continue  # an order, or what is not named for a weakness
        for name, traits in _known.items():
            if not words <= traits or (rule == "ALL" and "eNULL" in traits):
                continue
            if sign:
                chosen.pop(name, None)
            if sign == "!":
                killed.add(name)
            elif (
                not sign and name not in killed and not (name.startswith("EXP-") and words.isdisjoint((name, *_EXPORT)))
            ):
                chosen[name] = None
    found: dict[str, list[str]] = {}
    for name in chosen:
        worst = next(weakness for weakness in WEAKNESSES if weakness in _known[name])
        found.setdefault(worst, []).append(name)
    return {weakness: found[weakness] for weakness in WEAKNESSES if weakness in found}
