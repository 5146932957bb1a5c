"""What the rules on caches warn of happens in real nginx: one visitor gets what was made for another, or nothing is kept.

Each case is one nginx with a backend that tells what it was asked; two requests, and what the second one gets.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass

import pytest

from tests.oracle.nginx import PROGRAM, Nginx
from tests.routing.echo import Echo
from tests.rules.mending import found_by, mend

pytestmark = pytest.mark.skipif(not PROGRAM, reason="nginx is not installed")

BACKEND = """\
proxy_cache_path {folder}/cache keys_zone=z:1m max_size=1m;
server { listen unix:{folder}/backend default_server; location / {
    add_header Set-Cookie "session=$http_x_user";
    add_header X-Asked "$request_uri";
    return 200 "<$http_host|$http_authorization|$http_x_user|$request_method>";
} }
"""
PASS = "proxy_cache z; add_header X-Cache $upstream_cache_status; proxy_pass http://unix:{folder}/backend:;"
COOKIES = "proxy_ignore_headers Set-Cookie; proxy_cache_valid 1h;"


@dataclass(frozen=True)
class Case:
    """`bad` and `good` are what the location holds; `first` and `second` two requests (method, host, headers); `wrong` is in
    the second answer with the bad configuration and not with the good one, where `right` is."""

    rule: str
    bad: str
    good: str
    first: str
    second: str
    wrong: str
    right: str


HOST = f"{COOKIES} proxy_hide_header Set-Cookie; proxy_set_header Host $host;"
AUTHORIZATION = f"{COOKIES} proxy_hide_header Set-Cookie; proxy_set_header Authorization $http_authorization;"
POST = f"{COOKIES} proxy_hide_header Set-Cookie; proxy_cache_methods GET POST;"
A, B = "GET / HTTP/1.1\r\nHost: a.w.test\r\n", "GET / HTTP/1.1\r\nHost: b.w.test\r\n"
CASES = (
    Case("cache-key-lacks-host", HOST, f"{HOST} proxy_cache_key $host$uri;", A, B, "<a.w.test|", "<b.w.test|"),
    Case(
        "cache-key-lacks-path",
        f"{HOST} proxy_cache_key $host$uri;",
        f"{HOST} proxy_cache_key $host$uri$is_args$args;",
        "GET /?page=1 HTTP/1.1\r\nHost: a.w.test\r\n",
        "GET /?page=2 HTTP/1.1\r\nHost: a.w.test\r\n",
        "X-Asked: /?page=1",
        "X-Asked: /?page=2",
    ),
    Case(
        "cache-ignores-authorization",
        AUTHORIZATION,
        f"{AUTHORIZATION} proxy_no_cache $http_authorization; proxy_cache_bypass $http_authorization;",
        f"{A}Authorization: anna\r\n",
        f"{A}Authorization: bert\r\n",
        "|anna|",
        "|bert|",
    ),
    Case(
        "cache-set-cookie",
        COOKIES,
        f"{COOKIES} proxy_hide_header Set-Cookie;",
        f"{A}X-User: anna\r\n",
        f"{A}X-User: bert\r\n",
        "Set-Cookie: session=anna",
        "X-Cache: HIT",
    ),
    Case(
        "cache-no-valid",
        "proxy_ignore_headers Set-Cookie Cache-Control Expires; proxy_hide_header Set-Cookie;",
        "proxy_ignore_headers Set-Cookie Cache-Control Expires; proxy_hide_header Set-Cookie; proxy_cache_valid 1h;",
        A,
        A,
        "X-Cache: MISS",
        "X-Cache: HIT",
    ),
    Case(
        "cache-bypass-half",
        f"{HOST} proxy_cache_key $host$uri; proxy_cache_bypass $cookie_user;",
        f"{HOST} proxy_cache_key $host$uri; proxy_cache_bypass $cookie_user; proxy_no_cache $cookie_user;",
        f"{A}Cookie: user=anna\r\nX-User: anna\r\n",
        A,
        "|anna|",
        "|||GET>",
    ),
    Case(
        "cache-key-method-body",
        POST,
        f"{POST} proxy_cache_key $request_method$uri$request_body;",
        "POST / HTTP/1.1\r\nHost: a.w.test\r\nContent-Length: 0\r\n",
        A,
        "|POST>",
        "|GET>",
    ),
)


def text(inside: str) -> str:
    return f"{BACKEND}server {{ listen 127.0.0.1:65000; server_name *.w.test; location / {{ {inside} {PASS} }} }}"


def whole(inside: str) -> str:
    return f"events {{ }}\nhttp {{ {text(inside).replace('{folder}', '/d')} }}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_the_second_visitor_gets_what_the_rule_says(case: Case) -> None:
    for inside, wrong in ((case.bad, True), (case.good, False)):
        assert bool(found_by(case.rule, whole(inside))) is wrong
        with Nginx(text(inside).replace("65000", "{port}")) as nginx:
            nginx.exchange(f"{case.first}Connection: close\r\n\r\n".encode())
            answer = nginx.exchange(f"{case.second}Connection: close\r\n\r\n".encode()).raw.decode("latin-1")
        assert (case.wrong in answer) is wrong, answer
        assert wrong or case.right in answer, answer


TRAP = """\
server { listen 127.0.0.2:65000 ssl; ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate FOLDER/c.pem; ssl_certificate_key FOLDER/k.pem; return 200 "ok"; }
server { listen 127.0.0.1:65000; proxy_ssl_trusted_certificate FOLDER/c.pem; proxy_ssl_name app.test;
location /loose { proxy_pass https://127.0.0.2:65000; }
location /strict {
    proxy_ssl_verify on;
    proxy_pass https://127.0.0.2:65000;
} }
"""


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest.mark.parametrize(
    ("protocol", "later", "lasting"),
    [("TLSv1.2", 502, "verification, as long as"), ("TLSv1.3", 200, "verification, once for each")],
)
def test_a_session_made_without_verification_fails_where_verification_is_on(
    protocol: str, later: int, lasting: str
) -> None:
    trap = TRAP.replace("proxy_ssl_name", f"proxy_ssl_protocols {protocol}; proxy_ssl_name")
    (finding,) = found_by("proxy-tls-session-trap", f"events {{ }} http {{ {trap} }}")
    assert lasting in finding.message
    for text, statuses in ((trap, [200, 502, later]), (mend("proxy-tls-session-trap", trap), [200, 200, 200])):
        nginx = Nginx(text.replace("65000", "{port}").replace("FOLDER", "{folder}"))
        names = ["-keyout", str(nginx.folder / "k.pem"), "-out", str(nginx.folder / "c.pem")]
        subject = ["-subj", "/CN=app.test", "-addext", "subjectAltName=DNS:app.test"]
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *names]
        subprocess.run(command, check=True, capture_output=True, timeout=30)
        with nginx:
            seen = [nginx.ask(path).status for path in ("/loose", "/strict", "/strict")]
            assert seen == statuses, nginx.log()


@pytest.mark.parametrize("family", ["fastcgi", "uwsgi", "scgi"])
def test_without_a_key_all_urls_of_all_sites_get_the_page_stored_first(family: str) -> None:
    backend = Echo(protocol=family)
    inside = f"{family}_cache f; {family}_cache_valid 1m; {family}_pass 127.0.0.1:{backend.port};"
    server = f"server {{ listen 127.0.0.1:65000; server_name a.test b.test; location / {{ {inside} }} }}"
    zone = f"{family}_cache_path /d/f keys_zone=f:1m max_size=1m;\n"
    cured = mend("cache-key-missing", zone + server)
    hostless = cured.replace("$host", "").replace("a.test b.test", "*.test")
    try:
        for text, rules, asked in (
            (zone + server, {"cache-key-missing"}, 1),
            (hostless, {"cache-key-lacks-host"}, 2),
            (cured, set[str](), 3),
        ):
            for rule in ("cache-key-missing", "cache-key-lacks-host"):
                assert bool(found_by(rule, text)) is (rule in rules)
            with Nginx(text.replace("65000", "{port}").replace("/d/", "{folder}/")) as nginx:
                for host, path in (("a.test", "/1"), ("a.test", "/2"), ("b.test", "/1")):
                    assert nginx.ask(path, host=host).status == 200, nginx.log()
            assert len(backend.take()) == asked
    finally:
        backend.close()
