"""A scenario: an upstream, how nginx is told to talk to it, and what real nginx 1.22.1 answered."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

# Log class → what the line contains. The class is what must agree; addresses and OpenSSL's codes may differ.
LOG_CLASSES: dict[str, tuple[str, ...]] = {
    "connect-refused": ("connect()", "(111: Connection refused)"),
    "connect-missing": ("connect()", "(2: No such file or directory)"),
    "connect-forbidden": ("connect()", "(13: Permission denied)"),
    "connect-full": ("connect()", "(11: Resource temporarily unavailable)"),
    "connect-not-folder": ("connect()", "(20: Not a directory)"),
    "connect-loop": ("connect()", "(40: Too many levels of symbolic links)"),
    "connect-wrong-type": ("connect()", "(91: Protocol wrong type for socket)"),
    "connect-reset": ("connect()", "(104: Connection reset by peer)"),
    "bind-failed": ("bind(", ") failed ("),
    "connect-timeout": ("upstream timed out", "while connecting to upstream"),
    "tls-timeout": ("upstream timed out", "while SSL handshaking to upstream"),
    "header-timeout": ("upstream timed out", "while reading response header from upstream"),
    "send-timeout": ("upstream timed out", "while sending request to upstream"),
    "body-timeout": ("upstream timed out", "while reading upstream"),
    "upgraded-timeout": ("upstream timed out", "while proxying upgraded connection"),
    "auth-unexpected": ("auth request unexpected status",),
    "closed": ("upstream prematurely closed connection while reading response header",),
    "reset": ("recv() failed (104: Connection reset by peer)",),
    "too-big": ("upstream sent too big header",),
    "not-http": ("upstream sent no valid HTTP/1.0 header",),
    "http2-trailer": ("upstream sent invalid trailer",),
    "http2-trailer-end": ("upstream sent trailer without end stream flag",),
    "http2-status": (":status",),
    "http2-unexpected": ("upstream sent unexpected http2 frame",),
    "http2-push": ("upstream sent unexpected push promise frame",),
    "http2-ping": ("upstream sent ping frame",),
    "http2-settings": ("upstream sent settings frame",),
    "http2-window": ("upstream sent window update frame",),
    "http2-window-over": ("upstream sent too large window update",),
    "http2-goaway-stream": ("upstream sent goaway frame with non-zero stream id",),
    "http2-data-stream": ("upstream sent data frame for unknown stream",),
    "http2-closed": ("upstream sent frame for closed stream",),
    "http2-many": ("upstream sent too many",),
    "http2-body": ("upstream sent response body larger than indicated content length",),
    "http2-goaway-length": ("upstream sent goaway frame with invalid length",),
    "http2-stream": ("upstream sent frame for unknown stream",),
    "bad-header": ("upstream sent invalid header",),
    "bad-status": ("upstream sent invalid status",),
    "reset-body": ("readv() failed (104: Connection reset by peer)",),
    "short-body": ("upstream prematurely closed connection while reading upstream",),
    "bad-chunk": ("upstream sent invalid chunked response",),
    "tls-closed": ("peer closed connection in SSL handshake",),
    "tls-not-tls": ("wrong version number",),
    "tls-alert-handshake": ("alert handshake failure",),
    "tls-alert-version": ("alert protocol version",),
    "tls-alert-name": ("unrecognized name",),
    "tls-alert-certificate": ("alert certificate required",),
    "tls-alert-unknown-ca": ("alert unknown ca",),
    "tls-old-signature": ("legacy sigalg disallowed",),
    "tls-name": ("upstream SSL certificate does not match",),
    **{
        f"tls-verify-{number}": (f"upstream SSL certificate verify error: ({number}:",)
        for number in (2, 3, 9, 10, 18, 20, 21, 23, 26)
    },
    "tls-failed": ("SSL_do_handshake() failed",),
    "fastcgi-version": ("upstream sent unsupported FastCGI protocol version",),
    "fastcgi-early": ("upstream prematurely closed FastCGI",),
    "fastcgi-record": ("upstream sent unexpected FastCGI",),
    "fastcgi-type": ("upstream sent invalid FastCGI record type",),
    "memcached-invalid": ("memcached sent invalid",),
    "http2-frame": ("upstream sent too large http2 frame",),
    "http2-rejected": ("upstream rejected request with error",),
    "http2-goaway": ("upstream sent goaway with error",),
    "http2-padding": ("upstream sent http2 frame with too long padding",),
    "http2-early": ("upstream prematurely closed stream",),
    "dns-not-found": ("could not be resolved (3: Host not found)",),
    "dns-server-failure": ("could not be resolved (2: Server failure)",),
    "dns-unimplemented": ("could not be resolved (4: Unimplemented)",),
    "dns-refused": ("could not be resolved (5: Operation refused)",),
    "dns-timeout": ("could not be resolved (110: Operation timed out)",),
    "dns-no-resolver": ("no resolver defined to resolve",),
    "no-live": ("no live upstreams",),
    "host-not-found": ("host not found in upstream",),
}


def log_class(lines: list[str]) -> str:
    """The class of the first line that has one; empty when nothing of interest was logged."""
    for line in lines:
        for name, parts in LOG_CLASSES.items():
            if all(part in line for part in parts):
                return name
    return ""


_HEALTHY = ("healthy", "tls-good", "fastcgi", "memcached", "grpc")
_OTHER_PEER = re.compile(r"\{port:([a-z0-9-]+)\}")


@dataclass(frozen=True)
class Scenario:
    """One location (or stream server) of one nginx.

    In `passes` and `around`, `{port}` or `{path}` is where the upstream is, `{port:NAME}` and `{path:NAME}` where
    another behaviour is, `{made:FILE}` a file of the tests' authority, `{dns}` the name server, `{name}` the scenario.
    `around` stands beside the server: upstream groups, maps; `beside` stands beside the location: other locations.
    `status` None: the client got bytes without a status line, or none. `either` are log classes that are as good as `log`
    (a race inside nginx). `first` is the peer that gets the first request of a group. `beyond` marks faults after the
    header, which a header-stage probe cannot see.

    The healthy twin is the same configuration in front of `twin` (by default the healthy server of the same kind), or
    `cured` in front of the same upstream where the fault is in the configuration.
    """

    name: str
    upstream: str
    status: int | None
    log: str = ""
    passes: str = "proxy_pass http://127.0.0.1:{port};"
    around: str = ""
    beside: str = ""
    either: tuple[str, ...] = ()
    beyond: bool = False
    twin: str = ""
    cured: str = ""
    stream: bool = False
    first: int = 0
    twin_status: int = 200

    @property
    def healthy(self) -> bool:
        """Whether a visitor is served: such a target must never be called failed."""
        return not self.log and self.status is not None and self.status < 400

    def healthy_twin(self) -> Scenario:
        """The same without the fault."""
        name = f"{self.name}--healthy"
        if self.cured:
            return replace(
                self, name=name, status=self.twin_status, log="", passes=self.cured, cured="", beyond=False, first=0
            )
        twin = self.twin or _twin_of(self.passes + self.around)
        around = _OTHER_PEER.sub(lambda found: found[0] if found[1] in _HEALTHY else "{port}", self.around)
        return replace(
            self, name=name, upstream=twin, status=self.twin_status, log="", around=around, twin="", beyond=False
        )


def _twin_of(text: str) -> str:
    """The healthy behaviour for a pass of this kind."""
    if "{path}" in text:
        return "unix-healthy"
    for mark, behaviour in (
        ("grpcs://", "tls-grpc"),
        ("grpc", "grpc"),
        ("https://", "tls-good"),
        ("proxy_ssl on", "tls-good"),
        ("fastcgi", "fastcgi"),
        ("suwsgi://", "tls-uwsgi"),
        ("uwsgi", "uwsgi"),
        ("scgi", "scgi"),
        ("memcached", "memcached"),
    ):
        if mark in text:
            return behaviour
    return "healthy"
