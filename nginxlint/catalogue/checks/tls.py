"""TLS of listening servers and towards upstreams: what is missing, and lists OpenSSL would refuse."""

from __future__ import annotations

from nginxlint.catalogue.checks.faults import fault
from nginxlint.catalogue.checks.zones import SMALLEST, share_memory
from nginxlint.catalogue.context import terminator
from nginxlint.catalogue.numbers import parse_number, parse_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from nginxlint.catalogue.checks.faults import BlockEnd, Check
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.source import Span
    from nginxlint.syntax import Block, Directive

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
_FAMILIES = ("proxy", "grpc", "uwsgi")


# --- session caches -----------------------------------------------------------------------------------------------


def _session_cache(directive: Directive, context: Context) -> Iterator[Refusal]:
    for index, text in enumerate(directive.values):
        if text in ("off", "none", "builtin"):
            continue
        if text.startswith("builtin:"):
            if parse_number(text[8:]) is not None:
                continue
        elif text.startswith("shared:"):
            refusals = list(_shared_cache(directive, context, index, text, "session"))
            if not refusals:
                continue
            yield refusals[0]
            return
        yield fault(
            context,
            directive,
            index,
            f'invalid session cache "{text}"',
            f'"{text}" is no session cache',
            "ssl_session_cache shared:TLS:10m;",
            group="tls",
        )
        return


def _shared_cache(directive: Directive, context: Context, index: int, text: str, kind: str) -> Iterator[Refusal]:
    name, colon, size_text = text[7:].partition(":")
    size = parse_size(size_text) if colon else None
    if size is None or not name:
        yield fault(
            context,
            directive,
            index,
            f'invalid {kind} cache "{text}"',
            f'"{text}" is no cache: it needs a name and a size',
            f"{directive.name} shared:{name or 'TLS'}:10m;",
            group="tls",
        )
    elif size < SMALLEST:
        yield fault(
            context,
            directive,
            index,
            f'{kind} cache "{text}" is too small',
            f"{size_text} is too small for a cache: nginx needs at least 32k",
            f"{directive.name} shared:{name}:10m;",
            rule="zone-too-small",
            group="tls",
        )
    else:
        use = f"tls {kind} {context.subsystem}"
        _, refusal = share_memory(context, directive, index, name, size, use)
        if refusal is not None:
            yield refusal


def _ocsp_cache(directive: Directive, context: Context) -> Iterator[Refusal]:
    text = directive.values[0]
    if text == "off":
        return
    if not text.startswith("shared:"):
        yield fault(
            context,
            directive,
            0,
            f'invalid OCSP cache "{text}"',
            f'"{text}" is no cache of OCSP answers',
            "ssl_ocsp_cache shared:OCSP:10m;",
            group="tls",
        )
        return
    yield from _shared_cache(directive, context, 0, text, "OCSP")


# --- what is remembered while reading -----------------------------------------------------------------------------


def _list(context: Context, key: str) -> list[Directive]:
    known = context.state.setdefault(f"tls.{key}", [])
    assert isinstance(known, list)
    return known


def _remember(directive: Directive, context: Context) -> Iterator[Refusal]:
    _list(context, context.subsystem).append(directive)
    yield from ()


def effective(block: Block | None, name: str) -> Directive | None:
    """The nearest directive of that name, from the block outwards (the last one where it is repeated)."""
    while block is not None:
        for child in reversed(block.body):
            if child.name == name and child.values:
                return child
        block = block.parent
    return None


def _all_effective(block: Block | None, name: str) -> list[Directive]:
    while block is not None:
        found = [child for child in block.body if child.name == name and child.values]
        if found:
            return found
        block = block.parent
    return []


def _is_on(directive: Directive | None) -> bool:
    return directive is not None and directive.values[0].lower() == "on"


# --- servers ------------------------------------------------------------------------------------------------------


def _ssl_listens(server: Block) -> list[Directive]:
    return [child for child in server.body if child.name == "listen" and {"ssl", "quic"} & set(child.values[1:])]


def _servers(block: Block, context: Context) -> Iterator[Refusal]:
    if block.synthetic and not block.body:
        return
    marked = _list(context, context.subsystem)
    servers = [child for child in block.body if child.name == "server" and child.body is not None]
    kind = context.subsystem
    if marked or kind != "http":
        for server in servers:
            yield from _own_tls(server, context, kind)  # type: ignore[arg-type]
    if kind == "http" or (kind == "stream" and context.version >= (1, 25, 5)):
        yield from _default_servers(block, context, kind)
    marked.clear()


def _own_tls(server: Block, context: Context, kind: str) -> Iterator[Refusal]:
    """The merge of one server's TLS settings (`ngx_http_ssl_merge_srv_conf` and its siblings)."""
    certificates = _all_effective(server, "ssl_certificate")
    keys = _all_effective(server, "ssl_certificate_key")
    reject = _is_on(effective(server, "ssl_reject_handshake")) and context.version >= (1, 19, 4)
    modern_stream = kind == "stream" and context.version >= (1, 25, 5)
    if kind == "http" or modern_stream:
        old = effective(server, "ssl") if kind == "http" and context.version < (1, 25, 1) else None
        if _is_on(old) and old is not None:
            yield from _incomplete(context, server, certificates, keys, 'the "ssl" directive', old)
            if not certificates or not keys:
                return
        if not certificates and not reject:
            return
        refusal = _missing_key(context, certificates, keys, None)
        if refusal is not None:
            yield refusal
            return
    else:
        wanted, at = _why_tls(server, kind)
        if at is None:
            return
        yield from _incomplete(context, server, certificates, keys, wanted, at)
        if not certificates or len(keys) < len(certificates):
            return
    yield from _lists(server, context, "")
    yield from _client_verification(server, context)


def _why_tls(server: Block, kind: str) -> tuple[str, Directive | None]:
    listens = [child for child in server.body if child.name == "listen" and "ssl" in child.values[1:]]
    if listens:
        return 'the "listen ... ssl" directive', listens[-1]
    if kind == "mail":
        old = effective(server, "ssl")
        if _is_on(old):
            return 'the "ssl" directive', old
        starttls = effective(server, "starttls")
        if starttls is not None and starttls.values[0].lower() in ("on", "only"):
            return 'the "starttls" directive', starttls
    return "", None


def _incomplete(
    context: Context, server: Block, certificates: list[Directive], keys: list[Directive], wanted: str, at: Directive
) -> Iterator[Refusal]:
    name = ""
    if not certificates:
        name = "ssl_certificate"
    elif not keys:
        name = "ssl_certificate_key"
    elif len(keys) < len(certificates):
        text = certificates[-1].values[0]
        nginx_message = f'no "ssl_certificate_key" is defined for certificate "{text}" and {wanted}'
        yield _without(context, certificates[-1], nginx_message, terminator(at), "ssl_certificate_key", at)
        return
    if name:
        yield _without(context, at, f'no "{name}" is defined for {wanted}', terminator(at), name, at)


def _without(
    context: Context, at: Directive, nginx_message: str, nginx_at: Span | None, name: str, listen: Directive
) -> Refusal:
    del listen
    if name == "ssl_certificate":
        message, rule = "TLS is on, but no certificate is in effect here", "tls-certificate-missing"
        help = "add ssl_certificate and ssl_certificate_key, or remove ssl"
    else:
        message, rule = f'no key belongs to the certificate "{at.values[0] if at.values else ""}"', "tls-key-missing"
        if at.name == "listen":
            message = "TLS is on, but no certificate key is in effect here"
        help = "add ssl_certificate_key next to the certificate"
    return context.refuse(rule, at, message, nginx_message, nginx_at=nginx_at, group="tls", help=(help,))


def _missing_key(
    context: Context, certificates: list[Directive], keys: list[Directive], nginx_at: Span | None
) -> Refusal | None:
    if not certificates or len(keys) >= len(certificates):
        return None
    last = certificates[-1]
    nginx_message = f'no "ssl_certificate_key" is defined for certificate "{last.values[0]}"'
    return _without(context, last, nginx_message, nginx_at, "ssl_certificate_key", last)


def _client_verification(server: Block, context: Context) -> Iterator[Refusal]:
    verify = effective(server, "ssl_verify_client")
    if verify is None or verify.values[0].lower() not in ("on", "optional"):
        return
    if effective(server, "ssl_client_certificate") is not None:
        return
    wanted = "ssl_client_certificate"
    if context.version >= (1, 27, 2):
        if effective(server, "ssl_trusted_certificate") is not None:
            return
        wanted += " or ssl_trusted_certificate"
    yield context.refuse(
        "tls-client-ca-missing",
        verify,
        "client certificates are asked for, but nothing says which authority signed them",
        f"no {wanted} for ssl_verify_client",
        nginx_at=None,
        group="tls",
        help=("add `ssl_client_certificate CA.pem;`",),
    )


def _default_servers(block: Block, context: Context, kind: str) -> Iterator[Refusal]:
    """`ngx_http_ssl_init`: the default server of a TLS socket needs a certificate, or has to reject handshakes."""
    sockets = context.state.get(f"listen.{kind}")
    if not isinstance(sockets, dict) or not context.complete:
        return
    reported: set[int] = set()
    for socket in sockets.values():
        listens = list(socket.servers.values())
        if not any({"ssl", "quic"} & set(listen.values[1:]) for listen in listens if listen.name == "listen"):
            continue
        default = socket.default or socket.first
        server = default.parent
        if server is None or server.body is None or default.name != "listen":
            continue
        if _has_certificate(server):
            continue
        reject = context.version >= (1, 19, 4)
        if reject and _is_on(effective(server, "ssl_reject_handshake")):
            candidates = [listen for listen in listens if listen.name == "listen" and listen.parent is not None]
        else:
            candidates = [default]
        for listen in candidates:
            owner = listen.parent
            if owner is None or _has_certificate(owner):
                continue
            if reject and _is_on(effective(owner, "ssl_reject_handshake")):
                continue
            if id(owner) in reported:
                break
            reported.add(id(owner))
            own = next((one for one in owner.body if one is listen), listen)
            wanted = 'no "ssl_certificate" is defined for the "listen ... ssl" directive'
            if "quic" in own.values[1:]:
                wanted = 'no "ssl_certificate" is defined for the "listen ... quic" directive'
            yield _without(context, own, wanted, terminator(owner), "ssl_certificate", own)
            break


def _has_certificate(server: Block) -> bool:
    """Is there one, or may there be one in a file that could not be read?"""
    around: Block | None = server
    while around is not None:
        if around.has_gap:
            return True
        around = around.parent
    return effective(server, "ssl_certificate") is not None


# --- lists OpenSSL reads ------------------------------------------------------------------------------------------


def _lists(block: Block, context: Context, prefix: str) -> Iterator[Refusal]:
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
    for command in _all_effective(block, f"{prefix}ssl_conf_command"):
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


# --- towards upstreams --------------------------------------------------------------------------------------------


def _upstream_setting(directive: Directive, context: Context) -> Iterator[Refusal]:
    settings = context.state.setdefault(f"tls.upstream.{context.subsystem}", set())
    assert isinstance(settings, set)
    settings.add(directive.name.partition("_")[0])
    yield from ()


def _upstreams(block: Block, context: Context) -> Iterator[Refusal]:
    """`ngx_http_*_set_ssl`: only where a target speaks TLS, or may (it has variables)."""
    families = context.state.pop(f"tls.upstream.{context.subsystem}", set())
    assert isinstance(families, set)
    reported: set[tuple[int, str]] = set()
    for family in sorted(families):
        for place in _tls_places(block, family, context.subsystem):
            for refusal in _one_upstream(place, family, context):
                key = (id(refusal.at), str(refusal.nginx_message))
                if key not in reported:
                    reported.add(key)
                    yield refusal


def _tls_places(block: Block, family: str, kind: str) -> Iterator[Block]:
    for directive in block.walk():
        if directive.name != f"{family}_pass" or not directive.values or directive.parent is None:
            continue
        text = directive.values[0].lower()
        if kind == "stream":
            if _is_on(effective(directive.parent, "proxy_ssl")):
                yield directive.parent
        elif "$" in text or text.startswith(("https://", "grpcs://", "suwsgi://")):
            yield directive.parent


def _one_upstream(place: Block, family: str, context: Context) -> Iterator[Refusal]:
    certificates = _all_effective(place, f"{family}_ssl_certificate")
    if certificates and certificates[0].values[0] and not _all_effective(place, f"{family}_ssl_certificate_key"):
        text = certificates[0].values[0]
        yield context.refuse(
            "tls-key-missing",
            certificates[0],
            f'no key belongs to the certificate "{text}"',
            f'no "{family}_ssl_certificate_key" is defined for certificate "{text}"',
            nginx_at=None,
            group="tls",
            help=(f"add {family}_ssl_certificate_key",),
        )
        return
    if _is_on(verify := effective(place, f"{family}_ssl_verify")) and verify is not None:
        trusted = effective(place, f"{family}_ssl_trusted_certificate")
        if trusted is None or not trusted.values[0]:
            yield context.refuse(
                "proxy-tls-verify-incomplete",
                verify,
                f"{family}_ssl_verify is on, but nothing says which authorities to trust",
                f"no {family}_ssl_trusted_certificate for {family}_ssl_verify",
                nginx_at=None,
                group="tls",
                help=(f"add `{family}_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;`",),
            )
            return
    yield from _lists(place, context, f"{family}_")


def _end_of_subsystem(block: Block, context: Context) -> Iterator[Refusal]:
    yield from _servers(block, context)
    yield from _upstreams(block, context)


CHECKS: dict[str, Check] = {
    "ssl_session_cache": _session_cache,
    "ssl_ocsp_cache": _ocsp_cache,
    **dict.fromkeys(("ssl", "starttls", "ssl_certificate", "ssl_reject_handshake", "ssl_verify_client"), _remember),
    **{
        f"{family}_ssl_{name}": _upstream_setting
        for family in _FAMILIES
        for name in ("verify", "certificate", "ciphers", "conf_command")
    },
}
BLOCK_END: dict[str, BlockEnd] = {
    "http": _end_of_subsystem,
    "stream": _end_of_subsystem,
    "mail": _end_of_subsystem,
}
