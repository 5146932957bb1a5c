"""Upstreams that are asked in FastCGI, uwsgi, SCGI, memcached or HTTP/2."""

from __future__ import annotations

from tests.gauntlet.scenario import Scenario

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
