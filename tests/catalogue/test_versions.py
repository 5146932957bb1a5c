"""What the directives' own parsers say for other versions of nginx than the installed one, and where they point."""

from __future__ import annotations

import pytest

from nginxlint.catalogue.refusal import Refusal
from nginxlint.catalogue.target import Target
from nginxlint.diagnostic import Severity
from tests.catalogue.nginx import PRELUDE, installed, judge_all
from tests.catalogue.test_against_nginx import ours, target
from tests.catalogue.test_parsers import AROUND, LOOSE, MACHINE, refusals

OLD, NEW = (1, 22, 1), (1, 31, 5)
TABLE = [
    (
        "server",
        "listen 443 quic reuseport; ssl_certificate $host; ssl_certificate_key $host;",
        (1, 24, 0),
        'invalid parameter "quic"',
    ),
    ("server", "listen 443 quic ssl;", NEW, '"listen" directive "ssl" parameter is incompatible with "quic"'),
    (
        "server",
        "listen 443 quic; listen 443 ssl;",
        NEW,
        'no "ssl_certificate" is defined for the "listen ... quic" directive',
    ),
    ("server", "listen 80 multipath;", (1, 29, 6), 'invalid parameter "multipath"'),
    ("server", "listen 80 multipath;", (1, 29, 7), None),
    (
        "ss",
        "listen 127.0.0.1:10 default_server; proxy_pass 127.0.0.1:1;",
        (1, 25, 4),
        'the invalid "default_server" parameter',
    ),
    ("ss", "listen 127.0.0.1:10 default_server; proxy_pass 127.0.0.1:1;", (1, 25, 5), None),
    ("ss", "listen 127.0.0.1:9; proxy_pass 127.0.0.1:1;", (1, 25, 4), 'duplicate "127.0.0.1:9" address and port pair'),
    ("ss", "listen 127.0.0.1:9; proxy_pass 127.0.0.1:1;", (1, 25, 5), "a duplicate listen 127.0.0.1:9"),
    ("upstream0", "server a resolve; zone u 64k;", (1, 27, 2), 'invalid parameter "resolve"'),
    ("upstream0", "server a resolve; zone u 64k; resolver 127.0.0.1;", (1, 27, 3), None),
    (
        "upstream0",
        "server a resolve; resolver 127.0.0.1;",
        (1, 27, 3),
        'resolving names at run time requires upstream "u" in nginx.conf:2 to be in shared memory',
    ),
    (
        "upstream0",
        "server a resolve; zone u 64k;",
        (1, 27, 3),
        'no resolver defined to resolve names at run time in upstream "u"',
    ),
    ("upstream0", "server 127.0.0.1 resolve;", NEW, None),
    ("upstream0", "server a service=http; zone u 64k;", NEW, 'service upstream "a" requires "resolve" parameter'),
    ("upstream0", "server a slow_start=30s;", NEW, 'invalid parameter "slow_start=30s"'),
    ("upstream0", "server 127.0.0.1; keepalive 0;", (1, 29, 6), 'invalid value "0" in "keepalive" directive'),
    ("upstream0", "server 127.0.0.1; keepalive 0;", (1, 29, 7), None),
    ("upstream0", "server 127.0.0.1; keepalive 4 local;", (1, 29, 7), None),
    (
        "upstream0",
        "server 127.0.0.1; random two least_time=header;",
        (1, 30, 0),
        'invalid parameter "least_time=header"',
    ),
    ("upstream0", "server 127.0.0.1; random two least_time=header;", (1, 31, 0), None),
    ("http", "resolver 127.0.0.1 ipv4=off;", (1, 23, 0), 'host not found in resolver "ipv4=off"'),
    ("http", "resolver 127.0.0.1 ipv4=off;", (1, 23, 1), None),
    ("http", "resolver 127.0.0.1 ipv4=off ipv6=off;", (1, 23, 1), '"ipv4" and "ipv6" cannot both be "off"'),
    ("http", "geo $a { volatile; }", (1, 29, 2), "invalid number of the geo parameters"),
    ("http", "geo $a { volatile; }", (1, 29, 3), None),
    (
        "server",
        "ssl_certificate $host; ssl_certificate_key $host; ssl_verify_client on;",
        (1, 27, 1),
        "no ssl_client_certificate for ssl_verify_client",
    ),
    (
        "server",
        "ssl_certificate $host; ssl_certificate_key $host; ssl_verify_client on;",
        (1, 27, 2),
        "no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client",
    ),
    (
        "server",
        "ssl_certificate $host; ssl_certificate_key $host; ssl_verify_client on; ssl_trusted_certificate /ca;",
        (1, 27, 2),
        None,
    ),
    ("stream-server", "listen 80;", (1, 27, 0), "no handler for server"),
    ("stream-server", "listen 80;", (1, 27, 1), None),
    ("location", "proxy_store '';", (1, 27, 2), None),
    ("location", "proxy_store '';", (1, 27, 3), "empty path"),
    ("server", "ssl_certificate_cache inactive=10s;", NEW, '"ssl_certificate_cache" must have the "max" parameter'),
    ("server", "ssl_certificate_cache max=0;", NEW, 'invalid parameter "max=0"'),
    ("server", "ssl_certificate_cache max=10 inactive=10s valid=1m;", NEW, None),
]


def blocking(text: str, version: tuple[int, int, int]) -> list[Refusal]:
    return [one for one in refusals(text, version) if one.blocks_start]


@pytest.mark.parametrize(("place", "text", "version", "expected"), TABLE)
def test_the_target_version_decides(place: str, text: str, version: tuple[int, int, int], expected: str | None) -> None:
    found = [one.nginx_message for one in blocking(AROUND[place] % text, version)]
    assert found == ([expected] if expected is not None else [])


@pytest.mark.skipif(not installed(), reason="nginx is not installed, or no stream and mail")
def test_the_installed_nginx_says_what_is_said_for_its_version() -> None:
    judged_for = target()
    texts = sorted({AROUND[place] % text for place, text, _, _ in TABLE})
    for text, verdict in zip(texts, judge_all(texts), strict=True):
        if MACHINE.search(verdict.message or ""):
            continue
        message, line = ours(PRELUDE + text, judged_for)
        said = "" if verdict.ok else verdict.message or ""
        assert LOOSE.sub("", message) == LOOSE.sub("", said) and (not said or line == verdict.line), text


def test_a_stream_server_without_a_handler_is_a_warning_where_nginx_starts() -> None:
    (found,) = refusals(AROUND["stream-server"] % "listen 80;", (1, 27, 1))
    assert (found.rule, found.severity, found.blocks_start) == ("handler-missing", Severity.WARNING, False)
    assert not refusals(AROUND["stream-server"] % "listen 80 ssl; ssl_reject_handshake on;", (1, 27, 1))


POINTS = [
    ("server", "listen 80 foo;", "foo"),
    ("server", 'location ~ "^/a(b" { }', "b"),
    ("server", "location ~ *.php { }", "*"),
    ("location", "proxy_buffer_size 64k;", "proxy_buffer_size 64k"),
    ("location", "if ($host == x) { }", "=="),
    ("http", "map $host $a { a b; a c; }", "a"),
    ("http", "split_clients $host $a { 60% a; 60% b; }", "60%"),
    ("server", "listen 443 ssl;", "listen 443 ssl"),
    ("location", "proxy_ssl_verify on; proxy_pass https://127.0.0.1;", "proxy_ssl_verify on"),
    ("http", "limit_req_zone $uri zone=a:1k rate=1r/s;", "zone=a:1k"),
]


@pytest.mark.parametrize(("place", "text", "pointed"), POINTS)
def test_a_finding_stands_at_the_word_that_causes_it(place: str, text: str, pointed: str) -> None:
    (found,) = blocking(AROUND[place] % text, OLD)
    assert found.span.text == pointed


def test_a_merge_fault_names_the_closing_brace_where_nginx_reports_it() -> None:
    text = "events {}\nhttp {\n server {\n  proxy_buffer_size 64k;\n }\n}\n"
    (found,) = blocking(text, OLD)
    assert (found.span.line, found.nginx_at and found.nginx_at.line) == (4, 6)


def test_one_unknown_log_format_is_one_finding_with_all_its_places() -> None:
    text = AROUND["http"] % "server { access_log /a main; location / { access_log /b main; } }"
    (found,) = blocking(text, OLD)
    assert found.rule == "log-format-undefined"
    assert found.related[0].label == "also used here"


def test_a_log_format_defined_too_late_is_told_apart() -> None:
    (found,) = blocking(AROUND["http"] % "access_log /a main; log_format main x;", OLD)
    assert "below" in found.message


def test_a_missing_certificate_may_stand_in_an_include_that_could_not_be_read() -> None:
    text = AROUND["server"] % "listen 443 ssl; include /nope/certificate.conf;"
    assert blocking(text, OLD) == []


def test_a_snippet_is_not_blamed_for_what_may_stand_elsewhere() -> None:
    from nginxlint.catalogue import check
    from nginxlint.files import Disk
    from nginxlint.includes import load

    text = "server { listen 443 ssl; access_log /a main; location / { fastcgi_pass php; limit_req zone=a; } }"
    loaded = load(Disk("/nonexistent"), "site.conf", text, ("http",))
    assert check(loaded.main, Target(OLD), complete=False) == []


SINCE = [
    ("upstream0", "server a:80 slow_start=5s;", NEW, "NGINX Plus"),
    ("upstream0", "server a:80 route=a;", (1, 29, 5), "1.29.6"),
    ("upstream0", "server a:80 drain;", (1, 29, 5), "1.29.6"),
    ("upstream0", "server a:80 service=http resolve;", OLD, "1.27.3"),
    ("upstream0", "server a:80; sticky cookie a;", (1, 29, 5), "1.29.6"),
    ("upstream0", "server a:80; least_time header;", (1, 30, 0), "1.31.0"),
    ("upstream0", "server a:80; random two least_time=header;", (1, 30, 0), "1.31.0"),
    ("upstream0", "server a:80; queue 10;", NEW, "NGINX Plus"),
    ("upstream0", "server a:80; ntlm;", NEW, "NGINX Plus"),
    ("upstream0", "server a:80; keepalive 3 local;", (1, 29, 6), "1.29.7"),
    ("upstream0", "server a:80; keepalive 0;", (1, 29, 6), "1.29.7"),
    ("upstream0", "server a:80; keepalive_time 1h;", (1, 19, 9), "1.19.10"),
    ("upstream0", "server a:80; keepalive_timeout 3s;", (1, 14, 0), "1.15.3"),
    ("upstream0", "server a:80; resolver 127.0.0.1;", (1, 27, 2), "1.27.3"),
    ("server", "http2 on;", (1, 25, 0), "1.25.1"),
    ("server", "listen 443 quic;", (1, 24, 0), "1.25.0"),
    ("server", "listen 80 multipath;", (1, 29, 6), "1.29.7"),
    ("server", "add_header_inherit merge;", (1, 29, 2), "1.29.3"),
    ("server", "add_trailer_inherit merge;", (1, 29, 2), "1.29.3"),
    ("server", "proxy_http_version 2;", (1, 29, 3), "1.29.4"),
    ("server", "proxy_ssl_protocols TLSv1.3;", (1, 12, 0), "1.13.0"),
    ("server", "proxy_next_upstream http_429;", (1, 11, 12), "1.11.13"),
    ("server", "auth_jwt a;", NEW, "NGINX Plus"),
    ("http", "keyval_zone zone=a:1m;", NEW, "NGINX Plus"),
    ("http", "limit_req_zone $uri zone=a:1m rate=1r/s sync;", NEW, "NGINX Plus"),
]


@pytest.mark.parametrize(("around", "text", "version", "since"), SINCE)
def test_a_refusal_of_what_another_version_or_nginx_plus_takes_says_which(
    around: str, text: str, version: tuple[int, int, int], since: str
) -> None:
    refusal = refusals(AROUND[around] % text, version)[0]
    assert since in " ".join((refusal.message, *refusal.help))
