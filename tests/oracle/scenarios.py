"""The scenarios as rows: an upstream, how nginx is told to talk to it, and what real nginx 1.22.1 answered."""

from __future__ import annotations

from dataclasses import dataclass

from nginxlint.demo.tls_behaviours import certificate_path

# Log class → what the line contains. The class is what must agree; addresses and OpenSSL's codes may differ.
LOG_CLASSES: dict[str, tuple[str, ...]] = {
    "connect-refused": ("connect()", "(111: Connection refused)"),
    "connect-missing": ("connect()", "(2: No such file or directory)"),
    "connect-forbidden": ("connect()", "(13: Permission denied)"),
    "connect-timeout": ("upstream timed out", "while connecting to upstream"),
    "tls-timeout": ("upstream timed out", "while SSL handshaking to upstream"),
    "header-timeout": ("upstream timed out", "while reading response header from upstream"),
    "body-timeout": ("upstream timed out", "while reading upstream"),
    "closed": ("upstream prematurely closed connection while reading response header",),
    "reset": ("recv() failed (104: Connection reset by peer)",),
    "too-big": ("upstream sent too big header",),
    "not-http": ("upstream sent no valid HTTP/1.0 header",),
    "bad-header": ("upstream sent invalid header",),
    "short-body": ("upstream prematurely closed connection while reading upstream",),
    "bad-chunk": ("upstream sent invalid chunked response",),
    "tls-closed": ("peer closed connection in SSL handshake",),
    "tls-not-tls": ("wrong version number",),
    "tls-alert-handshake": ("alert handshake failure",),
    "tls-alert-version": ("alert protocol version",),
    "tls-alert-name": ("unrecognized name",),
    "tls-alert-certificate": ("alert certificate required",),
    "tls-old-signature": ("legacy sigalg disallowed",),
    "tls-name": ("upstream SSL certificate does not match",),
    "tls-verify-9": ("upstream SSL certificate verify error: (9:",),
    "tls-verify-10": ("upstream SSL certificate verify error: (10:",),
    "tls-verify-18": ("upstream SSL certificate verify error: (18:",),
    "tls-verify-unknown": ("upstream SSL certificate verify error: (2",),
    "fastcgi-version": ("upstream sent unsupported FastCGI protocol version",),
    "fastcgi-early": ("upstream prematurely closed FastCGI",),
    "memcached-invalid": ("memcached sent invalid response",),
    "http2-frame": ("upstream sent too large http2 frame",),
    "dns-not-found": ("could not be resolved (3: Host not found)",),
    "dns-server-failure": ("could not be resolved (2: Server failure)",),
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


@dataclass(frozen=True)
class Scenario:
    """One location of one nginx. In `passes`, `{port}` or `{path}` is where the upstream is, `{dns}` the name server.

    `status` None: the client got bytes without a status line. `either` are log classes that are as good as `log`
    (a race inside nginx). `beyond` marks faults after the header, which a header-stage probe cannot see.
    """

    name: str
    upstream: str
    status: int | None
    log: str = ""
    passes: str = "proxy_pass http://127.0.0.1:{port};"
    either: tuple[str, ...] = ()
    beyond: bool = False

    @property
    def healthy(self) -> bool:
        """Whether a visitor is served: such a target must never be called failed."""
        return not self.log and self.status is not None and self.status < 400


_HTTPS = "proxy_pass https://127.0.0.1:{port};"
_VERIFY = (
    f"proxy_ssl_verify on; proxy_ssl_trusted_certificate {certificate_path('ca')}; "
    "proxy_ssl_name app.demo.test; proxy_ssl_server_name on; "
)
_V13 = "proxy_ssl_protocols TLSv1.2 TLSv1.3; "
_CLIENT = (
    f"proxy_ssl_certificate {certificate_path('client')}; proxy_ssl_certificate_key {certificate_path('client')}; "
)
_PICKY = "proxy_set_header Host app.demo.test; "
_BUFFERS_8K = "proxy_buffer_size 8k; "


def _http(name: str, status: int | None, log: str = "", **more: object) -> Scenario:
    return Scenario(name, name, status, log, **more)  # type: ignore[arg-type]


def _tls(name: str, status: int | None, log: str = "", **more: object) -> Scenario:
    return Scenario(name, name, status, log, _HTTPS, **more)  # type: ignore[arg-type]


def _verified(name: str, status: int | None, log: str = "", extra: str = "", **more: object) -> Scenario:
    return Scenario(f"{name}-verified", name, status, log, _VERIFY + extra + _HTTPS, **more)  # type: ignore[arg-type]


def _unix(name: str, status: int | None, log: str = "") -> Scenario:
    return Scenario(name, name, status, log, "proxy_pass http://unix:{path}:;")


def _resolved(name: str, status: int | None, log: str = "", extra: str = "") -> Scenario:
    # `resolver` may stand in a location, so that one nginx can ask in every way.
    passes = f"resolver 127.0.0.1:{{dns}} {extra}; resolver_timeout 1s; set $up {name}.demo.test; "
    return Scenario(f"dns-{name}", "healthy", status, log, passes + "proxy_pass http://$up:{port};")


HTTP: tuple[Scenario, ...] = (
    *(_http(f"healthy{kind}", 200) for kind in ("", "-http10", "-pieces", "-bare-lf", "-8bit", "-no-reason")),
    *(_http(name, 200) for name in ("keepalive", "refuses-head", "closes-on-head", "slow-first-byte")),
    *(_http(f"status-{code}", code) for code in (204, 401, 403, 404, 429, 500, 502, 503, 504)),
    *(_http(f"host-strict-{code}", code) for code in (400, 404, 421)),
    *(
        Scenario(f"host-right-{code}", f"host-strict-{code}", 200, "", _PICKY + "proxy_pass http://127.0.0.1:{port};")
        for code in (400, 404, 421)
    ),
    *(_http(name, 302) for name in ("redirects-to-itself", "redirects-to-metadata", "redirects-to-file")),
    _http("upgrades-unasked", 101, "body-timeout", beyond=True),
    _http("refusing", 502, "connect-refused"),
    _http("accept-queue-full", 504, "connect-timeout"),
    _http("silent", 504, "header-timeout"),
    _http("half-header", 504, "header-timeout"),
    _http("slow-header", 504, "header-timeout"),
    _http("dribble", 504, "header-timeout"),
    _http("closes-at-once", 502, "reset", either=("closed",)),
    _http("closes-after-request", 502, "closed"),
    _http("closes-mid-header", 502, "closed"),
    _http("resets-after-request", 502, "reset"),
    _http("resets-mid-header", 502, "reset"),
    _http("proxy-protocol-required", 502, "closed"),
    _http("endless-headers", 502, "too-big"),
    _http("endless-status-line", 502, "too-big"),
    _http("header-4095", 200),
    _http("header-4096", 200, "short-body", beyond=True),
    _http("header-4097", 502, "too-big"),
    _http("header-8193", 502, "too-big"),
    _http("header-120k", 502, "too-big"),
    Scenario("header-8191-in-8k", "header-8191", 200, "", _BUFFERS_8K + "proxy_pass http://127.0.0.1:{port};"),
    Scenario("header-8193-in-8k", "header-8193", 502, "too-big", _BUFFERS_8K + "proxy_pass http://127.0.0.1:{port};"),
    *(
        _http(name, None, "not-http")
        for name in ("garbage", "http09", "ssh", "smtp", "redis", "mysql", "http2-only", "grpc", "ftp-waits")
    ),
    *(_http(f"status-line-{kind}", None, "not-http") for kind in ("word", "two-digits", "four-digits", "lower", "icy")),
    _http("blank-first", None, "not-http"),
    _http("status-line-http2", 200),
    *(
        _http(f"header-{kind}", 502, "bad-header")
        for kind in ("nul", "nul-name", "no-colon", "space-before-colon", "empty-name", "folded")
    ),
    *(
        _http(name, 200)
        for name in (
            "length-duplicate-same",
            "length-duplicate-different",
            "length-negative",
            "length-word",
            "length-and-chunked",
            "encoding-unknown",
            "encoding-duplicate",
        )
    ),
    _http("endless-100-continue", 100, beyond=True),
    _http("endless-103", 103, beyond=True),
    _http("interim-100", 100),
    _http("interim-103", 103),
    _http("body-short", 200, "short-body", beyond=True),
    _http("body-bad-chunk", None, "bad-chunk", beyond=True),
    _http("body-endless", 200, beyond=True),
    *(_http(name, 502, "closed") for name in ("fastcgi", "uwsgi", "scgi")),
    _http("memcached", None, "not-http"),
    Scenario("plain-to-tls", "tls-good", 502, "closed", either=("reset",)),
    Scenario("plain-to-tls-400", "tls-plain-400", 400),
)
"""Plain HTTP upstreams."""

TLS: tuple[Scenario, ...] = (
    *(
        _tls(f"tls-{kind}", 200)
        for kind in (
            "good",
            "wrong-name",
            "expired",
            "future",
            "self-signed",
            "unknown-issuer",
            "name-in-subject-only",
            "address",
            "plain-400",
        )
    ),
    _tls("tls12-only", 200),
    _verified("tls-good", 200),
    _verified("tls-name-in-subject-only", 200),
    _verified("tls-wrong-name", 502, "tls-name"),
    _verified("tls-address", 502, "tls-name"),
    _verified("tls-expired", 502, "tls-verify-10"),
    _verified("tls-future", 502, "tls-verify-9"),
    _verified("tls-self-signed", 502, "tls-verify-18"),
    _verified("tls-unknown-issuer", 502, "tls-verify-unknown"),
    _tls("tls-hangs", 504, "tls-timeout"),
    _tls("tls-endless", 504, "tls-timeout"),
    _tls("tls-closes", 502, "tls-closed"),
    _tls("tls-alert", 502, "tls-alert-handshake"),
    _tls("tls-needs-server-name", 502, "tls-alert-name"),
    _verified("tls-needs-server-name", 200),
    _verified("tls-needs-app-name", 200),
    _tls("tls13-only", 502, "tls-alert-version"),
    _verified("tls13-only", 200, "", _V13),
    _tls("tls-client-certificate", 502, "tls-alert-handshake"),
    _verified("tls-client-certificate", 502, "tls-alert-certificate", _V13),
    Scenario("tls-client-certificate-given", "tls-client-certificate", 200, "", _VERIFY + _V13 + _CLIENT + _HTTPS),
    _tls("tls12-client-certificate", 502, "tls-alert-handshake"),
    Scenario("tls12-client-certificate-given", "tls12-client-certificate", 200, "", _CLIENT + _HTTPS),
    Scenario("tls-to-plain", "refuses-noise", 502, "tls-not-tls", _HTTPS),
    Scenario("tls-to-waiting-plain", "silent", 504, "tls-timeout", _HTTPS),
    Scenario("tls-to-refusing", "refusing", 502, "connect-refused", _HTTPS),
)
"""TLS upstreams."""

UNIX: tuple[Scenario, ...] = (
    _unix("unix-healthy", 200),
    _unix("unix-missing", 502, "connect-missing"),
    _unix("unix-forbidden", 502, "connect-forbidden"),
    _unix("unix-stale", 502, "connect-refused"),
    _unix("unix-regular-file", 502, "connect-refused"),
)
"""Unix sockets."""

OTHER: tuple[Scenario, ...] = (
    Scenario("fastcgi-pass", "fastcgi", 200, "", "fastcgi_pass 127.0.0.1:{port};"),
    Scenario("fastcgi-pass-refusing", "refusing", 502, "connect-refused", "fastcgi_pass 127.0.0.1:{port};"),
    Scenario("fastcgi-pass-to-http", "refuses-noise", 502, "fastcgi-version", "fastcgi_pass 127.0.0.1:{port};"),
    Scenario(
        "uwsgi-pass", "uwsgi", 200, "", "uwsgi_pass 127.0.0.1:{port}; uwsgi_param REQUEST_METHOD $request_method;"
    ),
    Scenario("uwsgi-pass-refusing", "refusing", 502, "connect-refused", "uwsgi_pass 127.0.0.1:{port};"),
    Scenario("scgi-pass", "scgi", 200, "", "scgi_pass 127.0.0.1:{port}; scgi_param REQUEST_METHOD $request_method;"),
    Scenario("memcached-pass", "memcached", 200, "", "set $memcached_key $uri; memcached_pass 127.0.0.1:{port};"),
    Scenario(
        "memcached-pass-to-http",
        "refuses-noise",
        502,
        "memcached-invalid",
        "set $memcached_key $uri; memcached_pass 127.0.0.1:{port};",
    ),
    Scenario("grpc-pass-refusing", "refusing", 502, "connect-refused", "grpc_pass grpc://127.0.0.1:{port};"),
    Scenario("grpc-pass-to-http", "refuses-noise", 502, "http2-frame", "grpc_pass grpc://127.0.0.1:{port};"),
)
"""The other pass directives."""

DNS: tuple[Scenario, ...] = (
    _resolved("good", 200),
    _resolved("alias", 200),
    _resolved("alias-only", 200),
    _resolved("truncated", 200),
    _resolved("missing", 502, "dns-not-found"),
    _resolved("no-data", 502, "dns-not-found"),
    _resolved("loop", 502, "dns-not-found"),
    _resolved("only-v6", 502, "dns-not-found", "ipv6=off"),
    _resolved("server-failure", 502, "dns-server-failure"),
    _resolved("refused", 502, "dns-refused"),
    _resolved("silent", 502, "dns-timeout"),
    _resolved("wrong-id", 502, "dns-timeout"),
    Scenario(
        "dns-no-resolver", "healthy", 502, "dns-no-resolver", "set $up good.demo.test; proxy_pass http://$up:{port};"
    ),
)
"""Names looked up while a request waits."""

ALL: tuple[Scenario, ...] = (*HTTP, *TLS, *UNIX, *OTHER, *DNS)
