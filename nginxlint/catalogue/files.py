"""The files a configuration names, as nginx opens them when it starts: certificates, keys, lists, modules.

Only asked for where the tree is the live one or its root is known (`--check-files`). A file we may not read is not
judged: nginx starts as root. Sources: ngx_ssl_certificate and its siblings (src/event/ngx_event_openssl.c),
ngx_load_module (src/core/nginx.c); messages as nginx 1.22.1 prints them.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator

from nginxlint.catalogue.refusal import Refusal
from nginxlint.diagnostic import Severity
from nginxlint.source import Span
from nginxlint.syntax import Directive, Word

_FAMILIES = ("", "proxy_", "grpc_", "uwsgi_")
_ABSENT = (
    "(SSL: error:80000002:system library::No such file or directory:calling fopen({0}, r) "
    "error:10000080:BIO routines::no such file)"
)
# directive → nginx's message about a file that is absent
_MESSAGES: dict[str, str] = {
    **{
        f"{family}ssl_certificate": 'cannot load certificate "{0}": BIO_new_file() failed ' + _ABSENT
        for family in _FAMILIES
    },
    **{
        f"{family}ssl_certificate_key": 'cannot load certificate key "{0}": BIO_new_file() failed ' + _ABSENT
        for family in _FAMILIES
    },
    **{
        f"{family}ssl_trusted_certificate": 'SSL_CTX_load_verify_locations("{0}") failed ' + _ABSENT
        for family in _FAMILIES
    },
    **{f"{family}ssl_crl": 'X509_LOOKUP_load_file("{0}") failed ' + _ABSENT for family in _FAMILIES},
    **{f"{family}ssl_password_file": 'open() "{0}" failed (2: No such file or directory)' for family in _FAMILIES},
    "ssl_client_certificate": 'SSL_CTX_load_verify_locations("{0}") failed ' + _ABSENT,
    "ssl_dhparam": 'BIO_new_file("{0}") failed ' + _ABSENT,
    "ssl_session_ticket_key": 'open() "{0}" failed (2: No such file or directory)',
    "load_module": 'dlopen() "{0}" failed ({0}: cannot open shared object file: No such file or directory)',
}
_MISMATCH = 'SSL_CTX_use_PrivateKey("{0}") failed (SSL: error:05800074:x509 certificate routines::key values mismatch)'
# Certificates that are not files.
_SCHEMES = ("data:", "engine:", "store:")


def check_files(find: Callable[..., Iterator[Directive]], locate: Callable[[str, bool], str]) -> Iterator[Refusal]:
    """Every file that nginx would not find, every key that belongs to another certificate.

    `find` gives the directives of some names, `locate` the path on this machine of what is written (True: relative to
    the prefix of nginx, else to the folder of nginx.conf).
    """
    for name, message in _MESSAGES.items():
        for directive in find(name):
            for word in directive.args[:1]:
                path = _path(word, locate, name == "load_module")
                if path and _absent(path):
                    yield _refusal(directive, word, f"{word.text}: no such file", message.format(path))
    for directive in find("auth_basic_user_file"):
        for word in directive.args[:1]:
            path = _path(word, locate, False)
            if path and _absent(path):
                yield _refusal(
                    directive,
                    word,
                    f"{word.text}: no such file, so that everybody gets 403 here",
                    None,
                    blocks_start=False,
                )
    yield from _pairs(find, locate)


def _path(word: Word, locate: Callable[[str, bool], str], in_prefix: bool) -> str:
    """Where the file is looked for; empty where that is not known when nginx starts."""
    if not word.text or "$" in word.text or word.text.startswith(_SCHEMES):
        return ""
    return locate(word.text, in_prefix)


def _absent(path: str) -> bool:
    try:
        os.stat(path)
    except OSError as error:
        return error.errno in (errno.ENOENT, errno.ENOTDIR)
    return False


def _pairs(find: Callable[..., Iterator[Directive]], locate: Callable[[str, bool], str]) -> Iterator[Refusal]:
    """Keys that do not belong to the certificate beside them: the n-th key of a block goes with its n-th certificate."""
    blocks: dict[int, tuple[list[Directive], list[Directive]]] = {}
    for index, name in enumerate(("ssl_certificate", "ssl_certificate_key")):
        for directive in find(name):
            if directive.values and directive.parent is not None:
                blocks.setdefault(id(directive.parent), ([], []))[index].append(directive)
    for certificates, keys in blocks.values():
        for certificate, key in zip(certificates, keys, strict=False):
            places = [_path(directive.args[0], locate, False) for directive in (certificate, key)]
            if all(places) and _mismatch(*places):
                message = _MISMATCH.format(places[1])
                yield _refusal(
                    key,
                    key.args[0],
                    f"this key does not belong to {certificate.values[0]}",
                    message,
                    rule="cert-key-mismatch",
                )


def _mismatch(certificate: str, key: str) -> bool:
    """Does OpenSSL say that the key belongs to another certificate? (Anything else it says is not judged here.)"""
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


def _refusal(
    directive: Directive,
    word: Word,
    message: str,
    nginx_message: str | None,
    *,
    rule: str = "cert-file-missing",
    blocks_start: bool = True,
) -> Refusal:
    if directive.name == "load_module":
        rule = "load-module-missing"
    elif directive.name == "auth_basic_user_file":
        rule = "auth-file-missing"
    span = word.span
    return Refusal(
        rule,
        message,
        span,
        nginx_message,
        Span(span.source, span.start, span.end),
        at=directive,
        group="security" if rule == "auth-file-missing" else "tls" if rule.startswith("cert") else "correctness",
        severity=Severity.ERROR,
        blocks_start=blocks_start,
    )
