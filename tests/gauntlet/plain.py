"""Upstreams that are asked in plain HTTP/1."""

from __future__ import annotations

from tests.gauntlet.scenario import Scenario

_PICKY = "proxy_set_header Host app.demo.test; "
_PASS = "proxy_pass http://127.0.0.1:{port};"
_BUFFERS_8K = "proxy_buffer_size 8k; "


def _http(name: str, status: int | None, log: str = "", **more: object) -> Scenario:
    return Scenario(name, name, status, log, **more)  # type: ignore[arg-type]


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
    *(
        _http(f"wants-http11-{code}", code, cured="proxy_http_version 1.1; proxy_pass http://127.0.0.1:{port};")
        for code in (400, 404, 426, 505)
    ),
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
    _http("header-4096", 200, "short-body"),
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
    _http("body-short", 200, "short-body"),
    _http("body-bad-chunk", None, "bad-chunk"),
    _http("body-endless", 200),
    *(_http(name, 502, "closed") for name in ("fastcgi", "uwsgi", "scgi")),
    _http("memcached", None, "not-http"),
    *(
        Scenario(f"bind-{kind}", "healthy", status, log, f"proxy_bind {source}; {_PASS}", cured=_PASS if log else "")
        for kind, source, status, log in (
            ("here", "127.0.0.1", 200, ""),
            ("off", "off", 200, ""),
            ("elsewhere", "192.0.2.1", 500, "bind-failed"),
            ("other-family", "::1", 500, "bind-failed"),
        )
    ),
    Scenario("plain-to-tls", "tls-good", 502, "closed", either=("reset",)),
    Scenario("plain-to-tls-400", "tls-plain-400", 400),
)
"""Plain HTTP upstreams."""
