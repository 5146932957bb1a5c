"""What the rules on headers, locations, try_files and TLS names warn of happens in real nginx, and not after the cure.

One nginx serves the bad configurations, another the mended ones. Port 65000 in the texts stands for the port of that
nginx, whose default server is the backend and tells what it was sent; FOLDER stands for its folder, which holds
d/img/a, d/secret and a certificate.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from nginxlint.routing.upstreams import KEPT_BY_DEFAULT
from tests.oracle.nginx import PROGRAM, VERSION, Nginx
from tests.rules.mending import found_by, mend

pytestmark = pytest.mark.skipif(not PROGRAM, reason="nginx is not installed")

OPENSSL = shutil.which("openssl")
BACKEND = """\
server { listen 127.0.0.1:65000 default_server; location / {
    return 200 "<$request_uri|real=$http_x_real_ip|upgrade=$http_upgrade|connection=$http_connection|evil=$http_x_evil>";
} }
"""
PASS = "proxy_pass http://127.0.0.1:65000;"
SPLIT = "/go/a%0d%0aX-Evil:1"


@dataclass(frozen=True)
class Case:
    """`text` gives `symptom` in the answer to a request for `path`, and `logged` in the log; mended (by the rule's own
    fix where `mended` is None) the answer holds `cured`."""

    rule: str
    text: str
    path: str
    symptom: str
    cured: str
    mended: str | None = None
    logged: str = ""


# What nginx says to a backend unless it is told otherwise.
CLOSE = "close" if VERSION < KEPT_BY_DEFAULT else ""
CASES = (
    Case(
        "proxy-set-header-inheritance",
        f"proxy_set_header X-Real-IP 10.9.8.7;\nlocation / {{\n proxy_set_header X-A b;\n {PASS}\n}}",
        "/inherited",
        "|real=|",
        "|real=10.9.8.7|",
    ),
    Case(
        "add-header-inheritance",
        "add_header X-Frame-Options DENY;\nlocation / {\n add_header X-A b;\n return 200 'x';\n}",
        "/",
        "X-A: b\r\n\r\n",
        "X-Frame-Options: DENY\r\n",
        "add_header X-Frame-Options DENY;\nlocation / {\n add_header X-A b;\n add_header X-Frame-Options DENY;\n"
        " return 200 'x';\n}",
    ),
    Case(
        "websocket-incomplete",
        f"location / {{\n proxy_set_header Upgrade $http_upgrade;\n {PASS}\n}}",
        "/ws",
        f"|upgrade=websocket|connection={CLOSE}|",
        "|upgrade=websocket|connection=upgrade|",
    ),
    Case(
        "websocket-incomplete",
        f'location / {{\n proxy_set_header Connection "upgrade";\n {PASS}\n}}',
        "/ws",
        "|upgrade=|connection=upgrade|",
        "|upgrade=websocket|connection=upgrade|",
    ),
    Case(
        "header-splitting",
        "location / { return 301 https://a.test$uri; }",
        SPLIT,
        "Location: https://a.test/go/a\r\nX-Evil:1\r\n",
        f"Location: https://a.test{SPLIT}\r\n",
    ),
    Case(
        "header-splitting",
        "location / { rewrite ^ https://a.test$document_uri permanent; }",
        SPLIT,
        "Location: https://a.test/go/a\r\nX-Evil:1\r\n",
        f"Location: https://a.test{SPLIT}\r\n",
    ),
    Case(
        "header-splitting",
        "location / { rewrite ^/go/(?<to>[^/]+)$ https://a.test/$to permanent; }",
        SPLIT,
        "Location: https://a.test/a\r\nX-Evil:1\r\n",
        "Location: https://a.test/a%0D%0AX-Evil:1\r\n",
        "location / { rewrite ^/go/([^/]+)$ https://a.test/$1 permanent; }",
    ),
    Case(
        "header-splitting",
        "location ~ ^/go/([^/]+)$ { return 302 https://a.test/$1; }",
        SPLIT,
        "Location: https://a.test/a\r\nX-Evil:1\r\n",
        "404 Not Found",
        "location ~ ^/go/([^/\\r\\n]+)$ { return 302 https://a.test/$1; }\nlocation / { return 404; }",
    ),
    Case(
        "header-splitting",
        "location / { set $to $uri;\n return 302 https://a.test$to; }",
        SPLIT,
        "Location: https://a.test/go/a\r\nX-Evil:1\r\n",
        f"Location: https://a.test{SPLIT}\r\n",
        "location / { set $to $request_uri;\n return 302 https://a.test$to; }",
    ),
    Case(
        "header-splitting",
        "location / { add_header X-Path $uri;\n return 200 'x'; }",
        SPLIT,
        "X-Path: /go/a\r\nX-Evil:1\r\n",
        f"X-Path: {SPLIT}\r\n",
        "location / { add_header X-Path $request_uri;\n return 200 'x'; }",
    ),
    Case(
        "header-splitting",
        f"location / {{ proxy_set_header X-Path $uri;\n {PASS} }}",
        "/a%0d%0aX-Evil:1",
        "|evil=1>",
        "|evil=>",
        f"location / {{ proxy_set_header X-Path $request_uri;\n {PASS} }}",
    ),
    Case(
        "header-splitting",
        "location / { proxy_pass http://127.0.0.1:65000/v1$uri; }",
        "/a%20HTTP/1.0%0d%0aX-Evil:1%0d%0aX-B:",
        f"</v1/a|real=|upgrade=|connection={CLOSE}|evil=1>",
        "%0d%0aX-Evil:1%0d%0aX-B:|real=",
        "location / { proxy_pass http://127.0.0.1:65000/v1$request_uri; }",
    ),
    Case(
        "return-shadows-locations",
        "location /.well-known/ { return 200 'challenge'; }\nreturn 301 https://a.test;",
        "/.well-known/acme",
        "301 Moved",
        "challenge",
    ),
    Case(
        "try-files-last-arg",
        "location / { root FOLDER/d; try_files $uri $uri/; }",
        "/absent",
        "500 Internal",
        "404 Not Found",
        logged="rewrite or internal redirection cycle",
    ),
    Case(
        "try-files-last-arg",
        "location / { root FOLDER/d; try_files $uri $uri.html; }\nlocation ~ \\.php$ { return 204; }",
        "/absent-page",
        "500 Internal",
        "404 Not Found",
        logged="rewrite or internal redirection cycle",
    ),
    Case(
        "try-files-last-arg",
        "root FOLDER/d/;\nlocation / { try_files $uri secret; }",
        "/none-at-all",
        "404 Not Found",
        "the secret",
        logged="dsecret",
    ),
    Case(
        "return-shadows-locations",
        "location /.well-known/ { return 200 'challenge'; }\nrewrite ^(.*)$ https://a.test$1 permanent;",
        "/.well-known/acme",
        "301 Moved",
        "challenge",
    ),
    Case(
        "named-location-undefined",
        "location / { root FOLDER/d; try_files $uri @app; }",
        "/absent-too",
        "500 Internal",
        "the app",
        "location / { root FOLDER/d; try_files $uri @app; }\nlocation @app { return 200 'the app'; }",
        logged='could not find named location "@app"',
    ),
    Case(
        "php-source-served",
        "root /FOLDER/d;\nlocation / { try_files $uri /app.php =404; }\nlocation ~ \\.php$ { proxy_pass http://127.0.0.1:65000; }",
        "/blog",
        "the source",
        "</app.php",
        "root /FOLDER/d;\nlocation / { try_files $uri /app.php; }\nlocation ~ \\.php$ { proxy_pass http://127.0.0.1:65000; }",
    ),
    Case(
        "php-source-served",
        "root /FOLDER/d;\nlocation / { try_files $uri $uri/ /app.php?$args; }",
        "/shop",
        "the source",
        "</app.php",
        "root /FOLDER/d;\nlocation / { try_files $uri $uri/ @app; }\n"
        "location @app { rewrite ^ /app.php break; proxy_pass http://127.0.0.1:65000; }",
    ),
    Case("alias-traversal", "location /img { alias FOLDER/d/img/; }", "/img../secret", "the secret", "404 Not Found"),
    Case(
        "alias-traversal",
        "location ~ ^/img(.*)$ { alias FOLDER/d/img/$1; }",
        "/img../secret",
        "the secret",
        "404 Not Found",
        "location ~ ^/img/(.*)$ { alias FOLDER/d/img/$1; }",
    ),
)


def server(text: str, index: int) -> str:
    return f"server {{ listen 127.0.0.1:65000; server_name case{index}.test;\n{text}\n}}\n"


def mended(case: Case, index: int) -> str:
    text = server(case.text, index)
    return mend(case.rule, text) if case.mended is None else server(case.mended, index)


def prepared(text: str) -> Nginx:
    """An nginx that is not started yet, with its files in place."""
    nginx = Nginx(text.replace("65000", "{port}").replace("FOLDER", "{folder}"))
    (nginx.folder / "d" / "img").mkdir(parents=True)
    (nginx.folder / "d" / "img" / "a").write_text("a picture")
    (nginx.folder / "d" / "secret").write_text("the secret")
    (nginx.folder / "d" / "app.php").write_text("<?php # the source")
    return nginx


@pytest.fixture(scope="module")
def bad() -> Iterator[Nginx]:
    with prepared(BACKEND + "".join(server(case.text, index) for index, case in enumerate(CASES))) as nginx:
        yield nginx


@pytest.fixture(scope="module")
def good() -> Iterator[Nginx]:
    with prepared(BACKEND + "".join(mended(case, index) for index, case in enumerate(CASES))) as nginx:
        yield nginx


@pytest.mark.parametrize("index", range(len(CASES)), ids=[f"{case.rule}-{n}" for n, case in enumerate(CASES)])
def test_the_symptom_is_there_and_gone_after_the_cure(index: int, bad: Nginx, good: Nginx) -> None:
    case = CASES[index]
    assert found_by(case.rule, server(case.text, index))
    assert not found_by(case.rule, mended(case, index))
    before, after = (answer_of(nginx, case.path, f"case{index}.test") for nginx in (bad, good))
    assert case.symptom in before and case.cured not in before
    assert case.cured in after and case.symptom not in after
    if case.logged:
        assert any(case.logged in line for line in bad.log_of(case.path)), bad.log()


def answer_of(nginx: Nginx, path: str, host: str) -> str:
    """The answer to a WebSocket handshake: an ordinary request to everything that knows nothing of it."""
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: close\r\n\r\n"
    return nginx.exchange(request.encode()).raw.decode("latin-1")


SILENT = (
    ("header-splitting", "location / { rewrite ^/go/([^/]+)$ https://a.test/$1 permanent; }", SPLIT, "%0D%0AX-Evil"),
    ("header-splitting", "location ~ ^/go/([^/]+)$ { set $x $1; return 302 https://a.test/$x; }", SPLIT, "%0D%0AX-"),
    (
        "return-shadows-locations",
        "if ($uri ~ ^/a) { break; }\nreturn 301 /;\nlocation /a { return 204; }",
        "/a",
        "204 No",
    ),
    ("return-shadows-locations", "rewrite ^/a /b last;\nreturn 301 /;\nlocation /b { return 204; }", "/a", "204 No"),
    ("alias-traversal", "location ~ ^/img(/.*)$ { alias FOLDER/d/img$1; }", "/img../secret", "404 Not Found"),
    ("alias-traversal", "location ~ ^/img([^./]+)$ { alias FOLDER/d/img/$1; }", "/img../secret", "404 Not Found"),
    ("try-files-last-arg", "location = /a { try_files /none $uri/; }", "/a", "404 Not Found"),
)


@pytest.fixture(scope="module")
def harmless() -> Iterator[Nginx]:
    texts = [server(text, index) for index, (_, text, _, _) in enumerate(SILENT)]
    with prepared(BACKEND + "".join(texts)) as nginx:
        yield nginx


@pytest.mark.parametrize("index", range(len(SILENT)), ids=[f"{row[0]}-{n}" for n, row in enumerate(SILENT)])
def test_the_rule_is_silent_where_nothing_goes_wrong(index: int, harmless: Nginx) -> None:
    rule, text, path, answer = SILENT[index]
    assert not found_by(rule, server(text, index))
    assert answer in answer_of(harmless, path, f"case{index}.test")


@pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")
def test_without_the_switch_the_backend_hears_no_name_and_after_the_fix_it_does() -> None:
    text = """\
server { listen 127.0.0.1:65000 default_server;
    location / {\n proxy_ssl_name pay.example.com;\n proxy_pass https://127.0.0.77:65000;\n }
}
server { listen 127.0.0.77:65000 ssl; ssl_certificate FOLDER/cert.pem; ssl_certificate_key FOLDER/key.pem;
    location / { return 200 "sni=$ssl_server_name."; }
}
"""
    for config, answer in ((text, "sni=."), (mend("proxy-tls-no-sni", text), "sni=pay.example.com.")):
        nginx = prepared(config)
        files = ["-keyout", str(nginx.folder / "key.pem"), "-out", str(nginx.folder / "cert.pem")]
        request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        subprocess.run(
            [str(OPENSSL), *request, "-subj", "/CN=a.test", "-days", "2", *files],
            check=True,
            capture_output=True,
            timeout=30,
        )
        with nginx:
            assert answer in answer_of(nginx, "/", "a.test")


REFUSED = (
    "proxy_buffer_size 128k;",
    "fastcgi_buffers 1 4k;",
    "uwsgi_buffers 4 8k;\n uwsgi_busy_buffers_size 64k;",
    "scgi_buffers 8 16k;\n scgi_busy_buffers_size 8k;",
    "proxy_buffers 8 16k;\n proxy_temp_file_write_size 4k;",
    "proxy_buffers 8 16k;\n proxy_max_temp_file_size 4k;",
)


@pytest.mark.parametrize("sizes", REFUSED)
def test_nginx_refuses_the_sizes_with_the_message_that_is_told(sizes: str) -> None:
    text = f"server {{ location / {{\n {sizes}\n}} }}"
    (finding,) = found_by("proxy-buffers-inconsistent", text)
    accepted, said = Nginx(text).test()
    assert not accepted
    assert finding.blocks_start and finding.nginx_message is not None and finding.nginx_message in said
    if finding.fixes:
        accepted, said = Nginx(mend("proxy-buffers-inconsistent", text)).test()
        assert accepted, said


def test_nginx_compares_sizes_in_servers_and_not_in_http_itself() -> None:
    for text, wanted in (
        ("proxy_buffer_size 128k;", True),
        ("proxy_buffer_size 128k;\nserver { proxy_buffers 4 128k; }", True),
        ("proxy_buffer_size 128k;\nserver { listen 81; }", False),
        ("proxy_buffer_size 128k;\nserver { proxy_buffers 4 128k; }\nserver { listen 81; }", False),
        ("server { proxy_buffer_size 128k;\nlocation / { proxy_buffers 4 128k; } }", False),
    ):
        accepted, said = Nginx(text).test()
        assert accepted is wanted, said
        assert bool(found_by("proxy-buffers-inconsistent", f"events {{}}\nhttp {{\n{text}\n}}")) is not wanted


def test_nginx_refuses_an_include_that_is_absent_and_no_pattern_without_a_match() -> None:
    (finding,) = found_by("include-missing", "events {}\ninclude no/such/file.conf;")
    accepted, said = Nginx(main="include no/such/file.conf;", rest="http { }").test()
    assert not accepted and finding.blocks_start
    assert 'no/such/file.conf" failed (2: No such file or directory)' in said
    assert str(finding.nginx_message).endswith('no/such/file.conf" failed (2: No such file or directory)')
    assert not found_by("include-missing", "events {}\ninclude no/such/*.conf;")
    accepted, said = Nginx(main="include no/such/*.conf;", rest="http { }").test()
    assert accepted, said


def test_a_geo_expands_wildcards_since_nginx_1_29_8() -> None:
    text = "geo $office { include no/such/*.conf; }"
    accepted, said = Nginx(text).test()
    assert accepted == (VERSION >= (1, 29, 8)), said
    found = found_by("include-missing", f"events {{}} http {{ {text} }}")
    assert len(found) == (not accepted)
    assert accepted or 'no/such/*.conf" failed (2: No such file or directory)' in said
    assert all(str(one.nginx_message).endswith("failed (2: No such file or directory)") for one in found)


UNUSED = (
    (
        "upstream-unused",
        "upstream old { server 127.0.0.1; }\nserver { location / { proxy_pass http://127.0.0.1; } }",
        "server { location / { proxy_pass http://127.0.0.1; } }",
    ),
    (
        "cache-zone-unused",
        "proxy_cache_path FOLDER/c keys_zone=c:1m;\nserver { location / { return 204; } }",
        "proxy_cache_path FOLDER/c keys_zone=c:1m;\nserver { proxy_cache c; location / { return 204; } }",
    ),
)


@pytest.mark.parametrize(("rule", "text", "cured"), UNUSED)
def test_nginx_says_nothing_of_what_nobody_uses(rule: str, text: str, cured: str) -> None:
    whole = "events {{}}\nhttp {{\n{}\n}}"
    assert found_by(rule, whole.format(text)) and not found_by(rule, whole.format(cured))
    for config in (text, cured):
        accepted, said = Nginx(config.replace("FOLDER", "{folder}")).test()
        assert accepted and "[warn]" not in said
