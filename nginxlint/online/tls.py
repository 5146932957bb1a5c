"""The TLS handshake as nginx does it, over any stream, with the peer's own bytes kept as evidence."""

from __future__ import annotations

import functools
import os
import ssl
import warnings
from dataclasses import dataclass

from nginxlint.online.network import Stream
from nginxlint.online.types import TlsProfile

_VERSIONS = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}
_OFF = {
    "TLSv1": ssl.OP_NO_TLSv1,
    "TLSv1.1": ssl.OP_NO_TLSv1_1,
    "TLSv1.2": ssl.OP_NO_TLSv1_2,
    "TLSv1.3": ssl.OP_NO_TLSv1_3,
}
_DER = 2  # _ssl.ENCODING_DER
HANDSHAKE_LIMIT = 512 * 1024
FIRST_BYTES = 256
READABLE_FLIGHT = 64 * 1024


class ProfileFault(Exception):
    """The settings cannot be used here: a file is missing or unreadable, a key does not fit, a cipher is unknown."""


@dataclass(slots=True)
class Shake:
    """What a handshake showed, filled in while it goes on."""

    first: bytes = b""
    received: int = 0
    version: str = ""
    der: bytes = b""
    wants_certificate: bool = False
    chain: tuple[bytes, ...] = ()
    """The certificates that were verified, also where that failed, from the peer's own upwards (DER)."""


class HandshakeTooLong(Exception):
    """The peer sent more handshake bytes than any server needs."""


@functools.lru_cache(maxsize=256)
def context_for(profile: TlsProfile) -> ssl.SSLContext:
    """One context per profile: making one costs tens of milliseconds. Raises ProfileFault."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED if profile.verify else ssl.CERT_NONE
    known = [name for name in _VERSIONS if name in profile.protocols]
    if not known:
        raise ProfileFault(f"no TLS version is left by “{' '.join(profile.protocols)}”")
    with warnings.catch_warnings():
        # Python deprecates TLS 1.0 and 1.1; nginx may still be told to speak them.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = _VERSIONS[known[0]]
        context.maximum_version = _VERSIONS[known[-1]]
        for name, option in _OFF.items():
            if name not in known:
                context.options |= option
    try:
        context.set_ciphers(profile.ciphers or "DEFAULT")
    except ssl.SSLError:
        raise ProfileFault(f"OpenSSL knows no cipher in “{profile.ciphers}”") from None
    if profile.alpn:
        context.set_alpn_protocols(list(profile.alpn))
    for path in profile.files:
        if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
            raise ProfileFault(f"{path} is not a file")  # a pipe or a device is never opened
    if profile.ca and profile.verify:
        _load(profile.ca, "the CA file", lambda: context.load_verify_locations(profile.ca))
    if profile.crl and profile.verify:
        _load(profile.crl, "the revocation list", lambda: context.load_verify_locations(profile.crl))
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
    if profile.certificate:
        key = profile.key or profile.certificate
        password = _password(profile.password_file)
        if b"ENCRYPTED" in _start_of(key, "the client key") and not password:
            raise ProfileFault(f"the client key {key} is encrypted: nginx would ask for its pass phrase when it starts")
        _load(
            profile.certificate,
            "the client certificate",
            lambda: context.load_cert_chain(profile.certificate, key, lambda: password),
        )
    return context


def _password(path: str) -> str:
    if not path:
        return ""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.readline(4096).rstrip("\r\n")
    except OSError as error:
        raise ProfileFault(f"the password file {path} cannot be read: {error.strerror}") from None


def _load(path: str, what: str, load: object) -> None:
    assert callable(load)
    _start_of(path, what)
    try:
        load()
    except ssl.SSLError as error:
        reason = (error.reason or str(error)).replace("_", " ").lower()
        raise ProfileFault(f"{what} {path} cannot be used: {reason}") from None


def _start_of(path: str, what: str) -> bytes:
    """The first bytes of a file. Raises ProfileFault where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(4096)
    except OSError as error:
        raise ProfileFault(f"{what} {path} cannot be read: {error.strerror}") from None


class TlsStream:
    """A stream inside TLS."""

    __slots__ = ("_flight", "_incoming", "_inner", "_object", "_outgoing", "shake")

    def __init__(self, inner: Stream, profile: TlsProfile) -> None:
        """Raises ProfileFault, also for a server name that TLS cannot carry."""
        self._inner = inner
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._flight = b""
        self.shake = Shake()
        try:
            self._object = context_for(profile).wrap_bio(
                self._incoming, self._outgoing, server_hostname=profile.server_name or None
            )
        except (ValueError, UnicodeError) as error:
            raise ProfileFault(f"“{profile.server_name}” cannot be sent as a server name: {error}") from None

    async def handshake(self) -> None:
        """Raises ssl.SSLError, OSError, EOFError (the peer closed) or HandshakeTooLong."""
        while True:
            try:
                self._object.do_handshake()
                break
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill(handshake=True)
            except ssl.SSLError:
                self.shake.chain = self._verified()
                await self._last_words()
                raise
        await self._flush()
        self.shake.version = self._object.version() or ""
        self.shake.der = self._object.getpeercert(binary_form=True) or b""
        self.shake.chain = self._verified()

    def _verified(self) -> tuple[bytes, ...]:
        # public since Python 3.13
        chain = getattr(getattr(self._object, "_sslobj", None), "get_verified_chain", None)
        return tuple(one.public_bytes(_DER) for one in chain() or ()) if chain is not None else ()

    async def send(self, data: bytes) -> None:
        self._object.write(data)
        await self._flush()

    async def receive(self, size: int) -> bytes:
        while True:
            try:
                return self._object.read(size)
            except ssl.SSLWantReadError:
                await self._flush()
                try:
                    await self._fill()
                except EOFError:
                    return b""
            except ssl.SSLZeroReturnError:
                return b""

    def close(self) -> None:
        self._inner.close()

    @property
    def alpn(self) -> str:
        return self._object.selected_alpn_protocol() or ""

    async def _flush(self) -> None:
        if data := self._outgoing.read():
            await self._inner.send(data)

    async def _last_words(self) -> None:
        """Send our alert; the peer may be gone already."""
        try:
            await self._flush()
        except OSError:
            return

    async def _fill(self, *, handshake: bool = False) -> None:
        data = await self._inner.receive(16384)
        if not data:
            self._incoming.write_eof()
            raise EOFError("the peer closed the connection")
        if handshake:
            shake = self.shake
            if len(shake.first) < FIRST_BYTES:
                shake.first += data[: FIRST_BYTES - len(shake.first)]
            shake.received += len(data)
            if len(self._flight) < READABLE_FLIGHT:
                self._flight += data
                shake.wants_certificate = asks_for_certificate(self._flight)
            if shake.received > HANDSHAKE_LIMIT:
                raise HandshakeTooLong(f"{shake.received} bytes of handshake")
        self._incoming.write(data)


def asks_for_certificate(flight: bytes) -> bool:
    """Is there a CertificateRequest among the server's handshake messages? Readable up to TLS 1.2 only."""
    messages = b""
    at = 0
    while at + 5 <= len(flight) and flight[at] == 0x16:
        size = int.from_bytes(flight[at + 3 : at + 5], "big")
        messages += flight[at + 5 : at + 5 + size]
        at += 5 + size
    at = 0
    while at + 4 <= len(messages):
        if messages[at] == 13:
            return True
        at += 4 + int.from_bytes(messages[at + 1 : at + 4], "big")
    return False
