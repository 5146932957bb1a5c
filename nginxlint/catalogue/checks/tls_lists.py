"""Lists OpenSSL reads (ciphers, curves, commands), as far as no OpenSSL could read them."""

from __future__ import annotations

from nginxlint.catalogue.checks.merging import all_effective, effective

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Block

# Words OpenSSL knows in a list of ciphers. Source: openssl-ciphers(1) of OpenSSL 1.0.2 to 3.5 and LibreSSL.
_CIPHER_KEYWORDS = frozenset(
    "ALL COMPLEMENTOFALL DEFAULT COMPLEMENTOFDEFAULT HIGH MEDIUM LOW EXPORT EXPORT40 EXPORT56 EXP eNULL NULL aNULL kRSA "
    "aRSA RSA kDHr kDHd kDH kDHE kEDH DH DHE EDH ADH kEECDH kECDHE ECDHE EECDH AECDH kECDHr kECDHe kECDH ECDH aDSS DSS "
    "aDH aECDH aECDSA ECDSA SSLv2 SSLv3 TLSv1 TLSv1.0 TLSv1.2 AES128 AES256 AES AESGCM AESCCM AESCCM8 ARIA128 ARIA256 "
    "ARIA ARIAGCM CAMELLIA128 CAMELLIA256 CAMELLIA CHACHA20 3DES DES RC4 RC2 IDEA SEED MD5 SHA1 SHA SHA256 SHA384 "
    "aGOST aGOST01 aGOST12 kGOST kGOST18 GOST94 GOST89MAC GOST12 PSK kPSK kECDHEPSK kDHEPSK kRSAPSK aPSK kSRP aSRP SRP "
    "SUITEB128 SUITEB128ONLY SUITEB192 FIPS FZA kFZA eFZA aFZA DHEPSK ECDHEPSK RSAPSK KRB5 aKRB5 kKRB5 CBC AEAD "
    "STREEBOG256 EECDHE PROFILE=SYSTEM SYSTEM TLS13 TLSv1.1 kGOST12 GOST GOST01 LEGACY SECURE PERFORMANCE".split()
)
_CIPHER_PARTS = frozenset(
    "ADH AECDH AES128 AES256 AES 128 256 GCM CCM CCM8 CBC CBC3 SHA SHA1 SHA256 SHA384 MD5 ARIA128 ARIA256 CAMELLIA128 "
    "CAMELLIA256 DHE DSS RSA ECDHE ECDSA EDH ECDH DH EXP EXP1024 DES RC4 RC2 IDEA SEED NULL PSK SRP CHACHA20 POLY1305 "
    "KRB5 GOST2001 GOST94 GOST89 GOST2012 GOST8912 GOST 40 64 56 3DES EDE KUZNYECHIK MAGMA CTR OMAC MGM LEGACY "
    "KUZNYECHIKOMAC MAGMAOMAC IANA".split()
)
_GROUPS = frozenset(
    "auto prime192v1 prime192v2 prime192v3 prime239v1 prime239v2 prime239v3 prime256v1 p-192 p-224 p-256 p-384 p-521 "
    "x25519 x448 sm2 curvesm2".split()
)
_GROUP_PREFIXES = ("secp", "sect", "brainpoolp", "ffdhe", "c2", "wap-wsg", "oakley", "gc", "k-", "b-", "grease", "gost")
_GROUP_POST_QUANTUM = ("mlkem", "kyber", "frodo", "bike", "hqc", "sntrup", "sm2")
_CONF_COMMANDS = frozenset(
    "signaturealgorithms clientsignaturealgorithms curves groups minprotocol maxprotocol protocol options verifymode "
    "certificate privatekey chaincafile chaincapath verifycafile verifycapath requestcafile requestcapath clientcafile "
    "clientcapath chaincastore verifycastore requestcastore cipherstring ciphersuites dhparameters recordpadding "
    "numtickets ecdhparameters serverinfofile txcertificatecompression rxcertificatecompression".split()
)
_PROTOCOLS = frozenset(("None", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3", "DTLSv1", "DTLSv1.2"))


def unusable_lists(block: Block, context: Context, prefix: str) -> Iterator[Refusal]:
    if context.names.isdisjoint((f"{prefix}ssl_ciphers", "ssl_ecdh_curve", f"{prefix}ssl_conf_command")):
        return
    ciphers = effective(block, f"{prefix}ssl_ciphers")
    if ciphers is not None and _no_cipher(ciphers.values[0]):
        text = ciphers.values[0]
        yield context.refuse(
            "tls-ciphers-invalid",
            ciphers,
            f'OpenSSL knows no cipher in "{text}"',
            f'SSL_CTX_set_cipher_list("{text}") failed (SSL: error:0A0000B9:SSL routines::no cipher match)',
            word=ciphers.args[0],
            nginx_at=None,
            group="tls",
            help=(
                "TLS 1.3 suites are set by ssl_conf_command Ciphersuites; ssl_ciphers needs names such as "
                "ECDHE-RSA-AES128-GCM-SHA256"
                if "TLS_" in text
                else "write for example HIGH:!aNULL:!MD5",
            ),
        )
    curve = effective(block, "ssl_ecdh_curve") if not prefix else None
    if curve is not None and (unknown := _unknown_group(curve.values[0])):
        text = curve.values[0]
        yield context.refuse(
            "tls-curve-invalid",
            curve,
            f'OpenSSL knows no curve "{unknown}"',
            f'SSL_CTX_set1_curves_list("{text}") failed (SSL: error:0A080106:SSL routines::passed invalid argument:group '
            f"'{unknown}' cannot be set)",
            word=curve.args[0],
            nginx_at=None,
            group="tls",
            help=("write for example X25519:prime256v1:secp384r1",),
        )
    for command in all_effective(block, f"{prefix}ssl_conf_command"):
        name, value = (*command.values, "", "")[:2]
        if name.lower() in ("minprotocol", "maxprotocol") and value not in _PROTOCOLS and "$" not in value:
            yield context.refuse(
                "tls-command-invalid",
                command,
                f'OpenSSL knows no protocol "{value}"',
                f'SSL_CONF_cmd("{name}", "{value}") failed (SSL: error:0A000180:SSL routines::bad value:cmd={name}, '
                f"value={value})",
                word=command.args[1],
                nginx_at=None,
                group="tls",
                help=("write TLSv1.2 or TLSv1.3",),
            )
        if name.lower() not in _CONF_COMMANDS:
            yield context.refuse(
                "tls-command-invalid",
                command,
                f'OpenSSL knows no configuration command "{name}"',
                f'SSL_CONF_cmd("{name}", "{value}") failed (SSL: error:0A000182:SSL routines::unknown cmd name:cmd={name})',
                word=command.args[0],
                nginx_at=None,
                group="tls",
            )


def _no_cipher(text: str) -> bool:
    """True where no word of the list can add a cipher, whatever version of OpenSSL reads it."""
    words = text
    for separator in ", ;":
        words = words.replace(separator, ":")
    for word in words.split(":"):
        if not word or word[0] in "!-+@":
            continue
        if word[0] == "[" or all(_cipher(part) for part in word.split("+")):
            return False
    return "$" not in text


def _cipher(word: str) -> bool:
    if word in _CIPHER_KEYWORDS or (word.startswith("TLS_") and "_WITH_" in word) or word.startswith("PROFILE="):
        return True
    return "@" in word or ("-" in word and all(part in _CIPHER_PARTS for part in word.split("-")))


def _unknown_group(text: str) -> str:
    if "$" in text:
        return ""
    for word in text.replace("/", ":").replace("*", "").split(":"):
        if not word or word[0] in "?-*":
            continue
        lower = word.lower()
        if lower in _GROUPS or lower.startswith(_GROUP_PREFIXES) or any(part in lower for part in _GROUP_POST_QUANTUM):
            continue
        if lower == "default" or not lower.replace("-", "").replace("_", "").isalnum():
            continue
        return word
    return ""
