"""The files a configuration names, as nginx opens them when it starts: certificates, keys, lists, modules; and the
folders it makes.

Only asked for where the tree is the live one or its root is known (`--check-files`). A file we may not read is not
judged: nginx starts as root. Nor is one that nginx would not open: a certificate for a target without TLS, a CA nobody
verifies with. Sources: ngx_http_ssl_merge_srv_conf and its siblings, ngx_http_*_set_ssl, ngx_load_module; messages as
nginx 1.22.1 and 1.30.6 print them.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator

from nginxlint.catalogue.checks.merging import all_effective, effective, is_on
from nginxlint.catalogue.context import closing, terminator
from nginxlint.catalogue.refusal import Refusal
from nginxlint.catalogue.target import STREAM_LIKE_HTTP, Version
from nginxlint.diagnostic import Note, Severity
from nginxlint.files import beginning_of
from nginxlint.source import Span
from nginxlint.syntax import Block, Directive, Word

_FOLDERS = tuple(
    f"{family}_{what}" for family in ("proxy", "fastcgi", "uwsgi", "scgi") for what in ("temp_path", "cache_path")
) + ("client_body_temp_path",)
_FAMILIES = ("proxy_", "grpc_", "uwsgi_")
_TLS_TARGETS = ("https://", "grpcs://", "suwsgi://")
# Certificates that are not files.
SCHEMES = ("data:", "engine:", "store:")
LARGEST = 1 << 20  # bytes of a certificate file that are looked at

_ABSENT = (
    "(SSL: error:80000002:system library::No such file or directory:calling fopen({0}, r) "
    "error:10000080:BIO routines::no such file)"
)
_OPEN = 'open() "{0}" failed (2: No such file or directory)'
# what a file is for -> nginx's words when it is absent; when it is not what it should be; what it has to contain
_KINDS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "certificate": (
        'cannot load certificate "{0}": BIO_new_file() failed ' + _ABSENT,
        'cannot load certificate "{0}": PEM_read_bio_X509_AUX() failed (SSL: error:0480006C:PEM routines::no start '
        "line:Expecting: TRUSTED CERTIFICATE)",
        ("CERTIFICATE-----",),
    ),
    "key": (
        'cannot load certificate key "{0}": BIO_new_file() failed ' + _ABSENT,
        'cannot load certificate key "{0}": PEM_read_bio_PrivateKey() failed (SSL: error:1E08010C:DECODER '
        "routines::unsupported:No supported data to decode. Input type: PEM)",
        ("PRIVATE KEY-----",),
    ),
    "list of authorities": (
        'SSL_CTX_load_verify_locations("{0}") failed ' + _ABSENT,
        'SSL_CTX_load_verify_locations("{0}") failed (SSL: error:05800088:x509 certificate routines::no certificate or '
        "crl found)",
        ("CERTIFICATE-----", "X509 CRL-----"),
    ),
    "revocation list": (
        'X509_LOOKUP_load_file("{0}") failed ' + _ABSENT,
        'X509_LOOKUP_load_file("{0}") failed (SSL: error:05800088:x509 certificate routines::no certificate or crl found)',
        ("CERTIFICATE-----", "X509 CRL-----"),
    ),
    "set of DH parameters": (
        'BIO_new_file("{0}") failed ' + _ABSENT,
        'PEM_read_bio_DHparams("{0}") failed (SSL: error:0480006C:PEM routines::no start line:Expecting: DH '
        "PARAMETERS)",
        ("DH PARAMETERS-----",),
    ),
    "OCSP answer": ('BIO_new_file("{0}") failed ' + _ABSENT, "", ()),
    "password file": (_OPEN, "", ()),
    "session ticket key": (_OPEN, '"{0}" must be 48 or 80 bytes', ()),
    "module": ('dlopen() "{0}" failed ({0}: cannot open shared object file: No such file or directory)', "", ()),
}
# The same since 1.27.2, which keeps what it has read (ngx_ssl_cache_fetch).
_CACHING = (1, 27, 2)
_CACHED = {
    **_KINDS,
    "list of authorities": _KINDS["certificate"],
    "revocation list": (
        'cannot load CRL "{0}": BIO_new_file() failed ' + _ABSENT,
        'cannot load CRL "{0}": PEM_read_bio_X509_CRL() failed (SSL: error:0480006C:PEM routines::no start line:Expecting: '
        "X509 CRL)",
        ("X509 CRL-----",),
    ),
}
_MISMATCH = 'SSL_CTX_use_PrivateKey("{0}") failed (SSL: error:05800074:x509 certificate routines::key values mismatch)'

Find = Callable[..., Iterator[Directive]]
Locate = Callable[[str, bool], str]


def check_files(find: Find, locate: Locate, version: Version) -> Iterator[Refusal]:
    """Every file that nginx of a version would not find or not read, every key that belongs to another certificate.

    `find` gives the directives of some names, `locate` the path on this machine of what is written (True: relative to
    the prefix of nginx, else to the folder of nginx.conf).
    """
    seen: set[int] = set()
    kinds = _CACHED if version >= _CACHING else _KINDS
    for directive, kind in _opened(find, version):
        if id(directive) in seen or not directive.values:
            continue
        seen.add(id(directive))
        yield from _look_at(directive, kind, kinds[kind], locate)
    for directive in find("auth_basic_user_file"):
        for word in directive.args[:1]:
            path = _path(word, locate, False)
            if path and _absent(path):
                message = f"{word.text}: no such file, so that everybody gets 403 here"
                yield _refusal(directive, "auth-file-missing", message, None, blocks_start=False)
    for directive in find(*_FOLDERS):
        if directive.values:
            yield from _make(directive, locate)
    yield from _pairs(find, locate, version)


def _make(directive: Directive, locate: Locate) -> Iterator[Refusal]:
    """A folder that nginx makes (ngx_create_paths) and gives to the workers, if the folder around it is there."""
    word = directive.args[0]
    path = _path(word, locate, True).rstrip("/")
    if not path or os.path.isdir(path):
        return
    if os.path.exists(path):
        message = f"{word.text} is no folder: nothing can be stored there, and requests that need it get 500"
        yield _refusal(directive, "temp-path-missing", message, None, blocks_start=False)
    elif _absent(os.path.dirname(path)):
        message = f"nginx cannot make {word.text}: the folder around it is not there"
        said = f'mkdir() "{word.text}" failed (2: No such file or directory)'
        yield _refusal(directive, "temp-path-missing", message, said)


def _opened(find: Find, version: Version) -> Iterator[tuple[Directive, str]]:
    """The directives whose files nginx opens, with what the files are for."""
    for directive in find("load_module"):
        yield directive, "module"
    for directive in find("ssl_password_file", *(f"{family}ssl_password_file" for family in _FAMILIES)):
        yield directive, "password file"
    for server in find("server"):
        if isinstance(server, Block) and _listens_with_tls(server, version):
            yield from _of_server(server)
    for family in _FAMILIES:
        for directive in find(f"{family}pass"):
            if directive.parent is not None and _reaches_with_tls(directive):
                yield from _of_upstream(directive.parent, family)


def _listens_with_tls(server: Block, version: Version) -> bool:
    """Does nginx set up TLS for this server? In http, and in stream since it has virtual servers, it does wherever a
    certificate is in effect."""
    if server.enclosing(*(("http", "stream") if version >= STREAM_LIKE_HTTP else ("http",))) is not None:
        return bool(all_effective(server, "ssl_certificate")) or is_on(effective(server, "ssl_reject_handshake"))
    if server.enclosing("stream", "mail") is None:
        return False
    starttls = effective(server, "starttls")
    return (
        any(child.name == "listen" and "ssl" in child.values[1:] for child in server.body)
        or is_on(effective(server, "ssl"))
        or (starttls is not None and starttls.values[0] in ("on", "only"))
    )


def _of_server(server: Block) -> Iterator[tuple[Directive, str]]:
    certificates = all_effective(server, "ssl_certificate")
    keys = all_effective(server, "ssl_certificate_key")
    if not any("$" in directive.values[0] for directive in (*certificates, *keys)):
        yield from ((directive, "certificate") for directive in certificates)
        yield from ((directive, "key") for directive in keys)
    names = {
        "ssl_trusted_certificate": "list of authorities",
        "ssl_crl": "revocation list",
        "ssl_dhparam": "set of DH parameters",
    }
    verify = effective(server, "ssl_verify_client")
    if verify is not None and verify.values[0] != "off":
        names["ssl_client_certificate"] = "list of authorities"
    if is_on(effective(server, "ssl_stapling")):
        names["ssl_stapling_file"] = "OCSP answer"
    for name, kind in names.items():
        directive = effective(server, name)
        if directive is not None:
            yield directive, kind
    for directive in all_effective(server, "ssl_session_ticket_key"):
        yield directive, "session ticket key"


def _reaches_with_tls(directive: Directive) -> bool:
    text = directive.values[0] if directive.values else ""
    if directive.enclosing("stream") is not None:
        return is_on(effective(directive.parent, "proxy_ssl"))
    return "$" in text or text.lower().startswith(_TLS_TARGETS)


def _of_upstream(place: Block, family: str) -> Iterator[tuple[Directive, str]]:
    certificate = effective(place, f"{family}ssl_certificate")
    key = effective(place, f"{family}ssl_certificate_key")
    if certificate is not None and key is not None and "$" not in certificate.values[0] + key.values[0]:
        yield certificate, "certificate"
        yield key, "key"
    if is_on(effective(place, f"{family}ssl_verify")):
        for name, kind in (("ssl_trusted_certificate", "list of authorities"), ("ssl_crl", "revocation list")):
            directive = effective(place, family + name)
            if directive is not None:
                yield directive, kind


def _path(word: Word, locate: Locate, in_prefix: bool) -> str:
    """Where the file is looked for; empty where that is not known when nginx starts."""
    if not word.text or "$" in word.text or word.text.startswith(SCHEMES):
        return ""
    return locate(word.text, in_prefix)


def _absent(path: str) -> bool:
    try:
        os.stat(path)
    except OSError as error:
        return error.errno in (errno.ENOENT, errno.ENOTDIR)
    return False


def _look_at(
    directive: Directive, kind: str, words: tuple[str, str, tuple[str, ...]], locate: Locate
) -> Iterator[Refusal]:
    word = directive.args[0]
    path = _path(word, locate, kind == "module")
    if not path:
        return
    absent, unlike, markers = words
    if _absent(path):
        rule = "load-module-missing" if kind == "module" else "cert-file-missing"
        yield _refusal(directive, rule, f"{word.text}: no such file", absent.format(path))
    elif unlike and (markers or kind == "session ticket key"):
        data = beginning_of(path, LARGEST)
        if data is None:
            return
        content = data.decode("latin-1")
        if markers:
            if any(marker in content for marker in markers):
                return
            message = f"{word.text} holds no {kind} (in PEM form)"
        else:
            if len(content) in (48, 80):
                return
            message = f"{word.text} has {len(content)} bytes: a {kind} has 48 or 80"
        yield _refusal(directive, "cert-file-invalid", message, unlike.format(path))


def _pairs(find: Find, locate: Locate, version: Version) -> Iterator[Refusal]:
    """Keys that do not belong to the certificate beside them: the n-th key in effect goes with the n-th certificate."""
    seen: set[tuple[int, int]] = set()
    judged: dict[tuple[str, ...], bool] = {}
    for server in find("server"):
        if not isinstance(server, Block) or not _listens_with_tls(server, version):
            continue
        certificates = all_effective(server, "ssl_certificate")
        keys = all_effective(server, "ssl_certificate_key")
        for certificate, key in zip(certificates, keys, strict=False):
            pair = (id(certificate), id(key))
            if pair in seen:
                continue
            seen.add(pair)
            places = tuple(_path(directive.args[0], locate, False) for directive in (certificate, key))
            if places not in judged:
                judged[places] = all(places) and _mismatch(*places)
            if judged[places]:
                message = f"this key does not belong to {certificate.values[0]}"
                related = (Note(certificate.head_span, "the certificate"),)
                nginx_message = _MISMATCH.format(places[1])
                yield _refusal(key, "cert-key-mismatch", message, nginx_message, related=related)


def _mismatch(certificate: str, key: str) -> bool:
    """Does OpenSSL say that the key belongs to another certificate? (Anything else it says is not judged here.)"""
    if not all(os.path.isfile(path) and os.path.getsize(path) <= LARGEST for path in (certificate, key)):
        return False
    import ssl

    def refuse() -> str:
        raise ValueError("the key is encrypted")

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=refuse)
    except ssl.SSLError as error:
        return error.reason == "KEY_VALUES_MISMATCH"
    except (OSError, ValueError):
        return False
    return False


_GROUPS = {"auth-file-missing": "security", "load-module-missing": "correctness", "temp-path-missing": "cache"}


def _refusal(
    directive: Directive,
    rule: str,
    message: str,
    nginx_message: str | None,
    *,
    blocks_start: bool = True,
    related: tuple[Note, ...] = (),
) -> Refusal:
    return Refusal(
        rule,
        message,
        directive.args[0].span,
        nginx_message,
        _nginx_line(directive),
        at=directive,
        group=_GROUPS.get(rule, "tls"),
        severity=Severity.ERROR,
        blocks_start=blocks_start,
        related=related,
    )


def _nginx_line(directive: Directive) -> Span | None:
    """nginx names a line only for what it opens itself: modules and passwords at once, ticket keys at the end."""
    if directive.name == "load_module" or directive.name.endswith("password_file"):
        return terminator(directive)
    if directive.name == "ssl_session_ticket_key":
        around = directive.enclosing("http", "stream", "mail")
        return closing(around) if around is not None else None
    return None
