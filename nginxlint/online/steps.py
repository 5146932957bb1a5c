"""The steps of a probe, one after the other as nginx takes them: connect, shake hands, exchange one head."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
import time

from nginxlint.online import tls as tls_layer
from nginxlint.online.certificate import matches, read_certificate
from nginxlint.online.classify import EOF, OPEN, RESET, TIMEOUT
from nginxlint.online.failure import VERIFY_TEXTS, Failure, connect_failure, handshake_failure
from nginxlint.online.network import Network, Stream, is_socket
from nginxlint.online.types import Address, Certificate, TlsProfile
from nginxlint.online.untrusted import clean
from nginxlint.unix_rights import refused_for

_RESET = "104: Connection reset by peer"
MAX_UNIX_PATH = 107
EMFILE_TRIES = 20
EMFILE_PAUSE = 0.1


async def connect(network: Network, address: Address, limit: float, *, user: str, nginx_limit: float) -> Stream:
    """Open a connection within `limit` seconds. Raises Failure."""
    if address.unix:
        _look_at_socket(network, address.unix, user)
    for _ in range(EMFILE_TRIES):
        try:
            async with asyncio.timeout(limit):
                return await network.connect(address)
        except TimeoutError as error:
            if error.errno:  # the kernel's own ETIMEDOUT
                raise connect_failure(error, unix=bool(address.unix)) from None
            detail = f"no answer in {limit:g} s"
            raise Failure("tcp", "L4_TIMEOUT", detail, clipped=limit < nginx_limit) from None
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                await asyncio.sleep(EMFILE_PAUSE)  # others will finish and give theirs back
                continue
            raise connect_failure(error, unix=bool(address.unix)) from None
    raise Failure("tcp", "TOOL_FAULT", "this process has no free file descriptor (raise ulimit -n)")


def _look_at_socket(network: Network, path: str, user: str) -> None:
    """What the file itself tells, before it is touched: a FIFO or a device is never opened."""
    if path.startswith(("@", "\0")):
        raise Failure("tcp", "L4_UNIX_MISSING", "nginx knows no abstract sockets: it looks for a file of that name")
    try:
        mode = network.unix_state(path)
    except OSError as error:
        raise connect_failure(error, unix=True) from None
    except ValueError:
        raise Failure("tcp", "CFG_ADDR", "the path of the socket holds a NUL byte") from None
    # the kernel looks at the folders first: who may not enter them does not learn whether there is a socket
    reason = refused_for(user, path)
    if reason and (mode is None or is_socket(mode)):
        failure = connect_failure(PermissionError(errno.EACCES, os.strerror(errno.EACCES)), unix=True)
        failure.detail = reason
        raise failure
    if mode is None:
        raise connect_failure(FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)), unix=True)
    if not is_socket(mode):
        failure = connect_failure(ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), unix=True)
        failure.detail = "the path is not a socket"
        if reason:  # nor would the kernel have got so far
            failure.log = "connect() to unix socket failed (13: Permission denied) while connecting to upstream"
        raise failure


def can_connect_from(source: str, address: Address) -> None:
    """Could nginx give its socket this local address (proxy_bind)? Nothing is sent. Raises Failure."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        try:
            if family == socket.AF_INET and ":" in source:
                raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
            sock.bind((source, 0))
        except OSError as error:
            number = error.errno or errno.EINVAL
            detail = f"bind({source}) failed ({number}: {os.strerror(number)})"
            raise Failure("tcp", "L4_BIND", detail, log=f"{detail} while connecting to upstream", status=500) from None


def usable(profile: TlsProfile) -> None:
    """Can these settings be used here at all? Asked before anybody is contacted. Raises Failure with code CFG_TLS."""
    try:
        tls_layer.context_for(profile)
    except tls_layer.ProfileFault as fault:
        raise Failure("tls", "CFG_TLS", str(fault)) from None


async def secure(stream: Stream, profile: TlsProfile, limit: float, *, nginx_limit: float) -> tls_layer.TlsStream:
    """Shake hands within `limit` seconds. Raises Failure; an unusable profile is a Failure with code CFG_TLS."""
    try:
        secured = tls_layer.TlsStream(stream, profile)
    except tls_layer.ProfileFault as fault:
        raise Failure("tls", "CFG_TLS", str(fault)) from None
    shake = secured.shake
    closed = "peer closed connection in SSL handshake while SSL handshaking to upstream"
    try:
        async with asyncio.timeout(limit):
            await secured.handshake()
    except TimeoutError:
        detail = f"no handshake in {limit:g} s" + (f", only {shake.received} bytes of one" if shake.received else "")
        raise Failure("tls", "L6_TIMEOUT", detail, clipped=limit < nginx_limit) from None
    except tls_layer.HandshakeTooLong as error:
        # OpenSSL takes such messages for as long as they come: nginx ends it with its connect timeout.
        raise Failure("tls", "L6_TIMEOUT", f"the handshake never ends: {error}", clipped=True) from None
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
        raise Failure("tls", "L6_CLOSED", "it hung up during the handshake", log=closed) from None
    except ssl.SSLError as error:
        failure = handshake_failure(error, shake.first, shake.chain)
        if shake.wants_certificate and not profile.certificate and failure.code == "L6_CLOSED":
            failure.code = "L6_CLIENTCERT"
            failure.detail = "the server demands a client certificate and nginx has none"
        raise failure from None
    except (EOFError, ConnectionResetError, BrokenPipeError) as error:
        what = "hung up"
        if isinstance(error, OSError):
            what, closed = "reset the connection", closed.replace("shake while", f"shake ({_RESET}) while")
        if shake.first and shake.first[0] not in (0x14, 0x15, 0x16, 0x17):
            detail = f"the first bytes are “{clean(shake.first[:40], 80)}”"  # too few to tell OpenSSL that it is no TLS
            raise Failure("tls", "L6_NOTTLS", detail, log=closed) from None
        if shake.wants_certificate and not profile.certificate:
            detail = "the server demands a client certificate and nginx has none"
            raise Failure("tls", "L6_CLIENTCERT", detail, log=closed) from None
        raise Failure("tls", "L6_CLOSED", f"it {what} during the handshake", log=closed) from None
    except OSError as error:
        raise Failure("tls", "L6_CLOSED", clean(str(error)), log=closed) from None
    check_peer(secured, profile)
    return secured


def check_peer(secured: tls_layer.TlsStream, profile: TlsProfile) -> None:
    """What nginx checks itself after the handshake: depth and name. Raises Failure."""
    if not profile.verify:
        return
    if len(secured.shake.chain) > profile.depth + 2:
        # OpenSSL stops looking for issuers at that depth, and reports the one that is missing then
        text = f"20:{VERIFY_TEXTS[20]}"
        log = f"upstream SSL certificate verify error: ({text}) while SSL handshaking to upstream"
        detail = f"{len(secured.shake.chain) - 2} intermediates, proxy_ssl_verify_depth allows {profile.depth}"
        raise Failure("tls", "L6_VERIFY_OTHER", detail, log=log)
    certificate = read_certificate(secured.shake.der)
    if certificate is None or not matches(certificate, profile.name):
        log = f'upstream SSL certificate does not match "{clean(profile.name)}" while SSL handshaking to upstream'
        raise Failure("tls", "L6_NAME", f"the certificate is for {names_of(certificate)}", log=log)


def names_of(certificate: Certificate | None) -> str:
    """The names of a certificate, for a sentence."""
    if certificate is None:
        return "nobody readable"
    names = certificate.dns_names or certificate.common_names
    return clean(", ".join(names[:4]) + (" …" if len(names) > 4 else "")) or "no DNS name at all"


class Heard:
    """The first bytes of an answer: `end` says why there are no more (see classify), `first_ms` the time to the first
    byte, `ms` the whole time, `clipped` that the total ended it while bytes still came."""

    __slots__ = ("clipped", "data", "end", "error", "first_ms", "ms")

    def __init__(self) -> None:
        self.data = b""
        self.end = OPEN
        self.first_ms = 0.0
        self.ms = 0.0
        self.error = ""
        self.clipped = False


async def exchange(
    stream: Stream, request: bytes, *, idle: float, total: float, room: int, done: object = None
) -> Heard:
    """Send, then read until `done(data)`, `room` bytes, the end, `idle` seconds of silence or `total` seconds."""
    heard = Heard()
    begin = time.perf_counter()
    deadline = begin + total
    finished = done if callable(done) else None
    unsent = request
    while len(heard.data) < room:
        left = deadline - time.perf_counter()
        if left <= 0:
            heard.end, heard.clipped = TIMEOUT, True
            break
        try:
            async with asyncio.timeout(min(idle, left)):
                if unsent and (refused := await _send(stream, unsent)):
                    heard.end, heard.error = RESET, refused
                    break
                unsent = b""
                chunk = await stream.receive(room - len(heard.data))
        except TimeoutError as error:
            heard.end = RESET if error.errno else TIMEOUT
            if unsent:
                heard.error = "it does not read what nginx sends"
            heard.clipped = left < idle and not unsent
            break
        except ssl.SSLEOFError:
            heard.end = EOF
            break
        except ssl.SSLError as error:
            heard.end, heard.error = RESET, error.reason or "TLS error"
            break
        except OSError as error:
            heard.end, heard.error = RESET, error.strerror or str(error)
            break
        if not heard.data:
            heard.first_ms = (time.perf_counter() - begin) * 1000
        if not chunk:
            heard.end = EOF
            break
        heard.data += chunk
        if finished is not None and finished(heard.data):
            break
    heard.ms = (time.perf_counter() - begin) * 1000
    return heard


async def _send(stream: Stream, request: bytes) -> str:
    """What TLS says against sending; a connection that is reset may still be read."""
    try:
        await stream.send(request)
    except ssl.SSLError as error:
        return error.reason or "TLS error"
    except OSError:
        pass
    return ""
