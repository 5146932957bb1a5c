"""Who is let in and who is not: what the rules on passwords, addresses, dead locations and redirects warn of happens in
real nginx, and not after the cure.

One nginx serves the bad configurations, another the mended ones. Port 65000 in the texts stands for the port of that
nginx on loopback, FOLDER for its folder: FOLDER/d/secret is what somebody wanted to protect, FOLDER/users the file of users.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.oracle.nginx import PROGRAM, Nginx
from tests.rules.mending import found_by, mend

pytestmark = pytest.mark.skipif(not PROGRAM, reason="nginx is not installed")

ROOT = "root FOLDER/d;"
PASSWORD = "auth_basic staff; auth_basic_user_file FOLDER/users;"
IN, NO, ASKED = "the secret", "403 Forbidden", "401 Authorization"


@dataclass(frozen=True)
class Case:
    """`text` (in a server) gives `symptom` in the answer to a request for `path`; mended (by the rule's own fix where
    `mended` is None) the answer holds `cured`."""

    rule: str
    text: str
    path: str
    symptom: str
    cured: str
    mended: str | None = None


CASES = (
    Case(
        "auth-basic-no-file",
        f"location / {{ {ROOT} auth_basic staff; }}",
        "/secret",
        IN,
        ASKED,
        f"location / {{ {ROOT} {PASSWORD} }}",
    ),
    Case(
        "auth-basic-no-file",
        f"{ROOT} auth_basic staff;\nlocation / {{ auth_basic_user_file FOLDER/users; }}\nlocation /secret {{ }}",
        "/secret",
        IN,
        ASKED,
        f"{ROOT} {PASSWORD}\nlocation / {{ }}\nlocation /secret {{ }}",
    ),
    Case(
        "regex-bypasses-access",
        f"{ROOT} location /secret {{ {PASSWORD} }} location ~ ^/(secret|other)$ {{ expires 1d; }}",
        "/secret",
        IN,
        ASKED,
        f"{ROOT} location = /secret {{ {PASSWORD} }} location ~ ^/(secret|other)$ {{ expires 1d; }}",
    ),
    Case(
        "regex-bypasses-access",
        "location /in/ { deny all; } location ~ \\.php$ { try_files /none @php; } location @php { return 200 'the secret'; }",
        "/in/a.php",
        IN,
        NO,
        "location ^~ /in/ { deny all; } location ~ \\.php$ { try_files /none @php; } location @php { return 200 'the secret'; }",
    ),
    Case(
        "rewrite-bypasses-access",
        f"{ROOT} location /in/ {{ deny all; rewrite ^/in(/.*)$ $1 last; }} location / {{ }}",
        "/in/secret",
        IN,
        NO,
        f"{ROOT} location /in/ {{ deny all; rewrite ^/in(/.*)$ $1 break; }} location / {{ }}",
    ),
    Case(
        "link-check-unenforced",
        f"location / {{ {ROOT} secure_link $arg_h,$arg_e; secure_link_md5 a; if ($secure_link = '0') {{ return 403; }} }}",
        "/secret?h=wrong",
        IN,
        NO,
        f"location / {{ {ROOT} secure_link $arg_h,$arg_e; secure_link_md5 a; if ($secure_link = '') {{ return 403; }} }}",
    ),
    Case(
        "link-check-unenforced",
        f"location / {{ {ROOT} valid_referers a.test; }}",
        "/secret",
        IN,
        NO,
        f"location / {{ {ROOT} valid_referers a.test; if ($invalid_referer) {{ return 403; }} }}",
    ),
    *(
        Case("capture-missing", bad, "/u/7", "/p/\r\n", "/p/7\r\n", good)
        for bad, good in (
            (
                "location ~ ^/u/(\\d+) { rewrite ^ /p/$1 redirect; }",
                "location ~ ^/u/(?<n>\\d+) { rewrite ^ /p/$n redirect; }",
            ),
            ("location ~ ^/u/\\d { return 302 /p/$1; }", "location ~ ^/u/(.*) { return 302 /p/$1; }"),
            ("rewrite ^/u/.*$ /p/$1 redirect;", "rewrite ^/u/(.*)$ /p/$1 redirect;"),
        )
    ),
    Case("redirect-drops-path", "return 301 https://$host;", "/a?b=1", "test\r\n", "/a?b=1\r\n"),
    Case(
        "redirect-drops-path",
        "location / { rewrite ^ https://$host/? permanent; }",
        "/a?b=1",
        "test/\r\n",
        "/a?b=1\r\n",
    ),
    Case("allow-without-deny", f"{ROOT} location / {{ satisfy any;\nallow 10.0.0.0/8;\n}}", "/secret", IN, NO),
    *(
        Case(
            "auth-request-target",
            f"{ROOT} location / {{ auth_request /a; }} location = /a {{ return {answer}; }}",
            "/secret",
            symptom,
            NO,
            f"{ROOT} location / {{ auth_request /a; }} location = /a {{ if ($arg_key != k) {{ return 403; }} return 204; }}",
        )
        for answer, symptom in (("204", IN), ("302 /in", "500 Internal"))
    ),
    Case("root-doubles-prefix", "location /d/ { root FOLDER/d/; }", "/d/secret", "404 Not Found", IN),
    Case("request-uri-gate", f"{ROOT} if ($request_uri ~ ^/secret) {{ return 403; }}", "/%73ecret", IN, NO),
    Case("query-twice", "rewrite ^ http://b.test$request_uri permanent;", "/a?b=1", "?b=1?b=1\r\n", "/a?b=1\r\n"),
    Case("query-twice", "return 302 http://b.test$request_uri$is_args$args;", "/a?b=1", "?b=1?b=1\r\n", "/a?b=1\r\n"),
    Case(
        "alias-regex-constant",
        "location ~ ^/x/ { alias FOLDER/d/; }",
        "/x/secret",
        "/x/secret/\r\n",
        IN,
        "location ~ ^/x/(.*)$ { alias FOLDER/d/$1; }",
    ),
    Case("access-rule-unreachable", f"{ROOT}\ndeny all;\nallow 127.0.0.1;", "/secret", NO, IN),
    Case("access-rule-unreachable", f"{ROOT}\nallow all;\ndeny 127.0.0.1;", "/secret", IN, NO),
    Case("access-rule-unreachable", f"{ROOT}\nallow 127.0.0.0/8;\ndeny 127.0.0.1/32;", "/secret", IN, NO),
    Case("access-rule-unreachable", f"{ROOT}\ndeny 0.0.0.0/0;\nallow 127.0.0.1;", "/secret", NO, IN),
    Case("satisfy-any-open", f"location / {{ {ROOT} satisfy any;\n allow all;\n {PASSWORD} }}", "/secret", IN, ASKED),
    Case(
        "satisfy-any-open",
        f"{ROOT} satisfy any;\nallow 0.0.0.0/0;\nlocation / {{ auth_request /ask; }}\nlocation = /ask {{ return 403; }}",
        "/secret",
        IN,
        NO,
    ),
    *(
        Case(rule, f"location {pattern} {{ return 200 'this one'; }}", path, "404 Not Found", "this one")
        for rule, pattern, path in (
            ("location-no-slash", "api/", "/api/users"),
            ("location-no-slash", "= robots.txt", "/robots.txt"),
            ("location-no-slash", "*.php", "/a.php"),
            ("location-no-slash", "\\.php$", "/a.php"),
            ("location-no-slash", "^~ ^/api/v[0-9]", "/api/v2"),
            ("location-no-slash", "http://case.test/x/", "/x/y"),
            ("location-no-slash", "*", "/a"),
            ("location-no-slash", "*admin*", "/my-admin/a"),
            ("location-no-slash", "'= /x'", "/x"),
            ("location-encoded", "= /a/.", "/a/."),
            ("location-encoded", "/my%20files/", "/my%20files/a"),
            ("location-encoded", "= /caf%C3%A9", "/caf%C3%A9"),
            ("location-encoded", "/api//v1/", "/api//v1/a"),
            ("location-encoded", "/a/../b/", "/a/../b/c"),
            ("location-regex-without-modifier", "/api/*", "/api/a"),
            ("location-regex-without-modifier", "= /api/(v1|v2)", "/api/v2"),
            ("location-regex-without-modifier", "^~ /img/*.png", "/img/a.png"),
            ("location-regex-without-modifier", "/about$", "/about"),
        )
    ),
    Case("allow-without-deny", f"location / {{ {ROOT}\n allow 10.0.0.0/8;\n }}", "/secret", IN, NO),
    Case("allow-without-deny", f"deny all;\nlocation / {{ {ROOT}\n allow 10.0.0.0/8;\n }}", "/secret", IN, NO),
    *(
        Case(
            "cors-broken",
            f"location / {{ {bad} return 204; }}",
            "/",
            symptom,
            "Access-Control-Allow-Origin: https://b.test",
            "location / { add_header Access-Control-Allow-Origin https://b.test; return 204; }",
        )
        for bad, symptom in (
            (
                "add_header Access-Control-Allow-Origin *; add_header Access-Control-Allow-Credentials true;",
                "Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Credentials: true\r\n",
            ),
            (
                "add_header Access-Control-Allow-Origin https://a.test; add_header Access-Control-Allow-Origin https://c.test;",
                "Access-Control-Allow-Origin: https://a.test\r\nAccess-Control-Allow-Origin: https://c.test\r\n",
            ),
            (
                "add_header Access-Control-Allow-Origin https://*.test;",
                "Access-Control-Allow-Origin: https://*.test\r\n",
            ),
        )
    ),
    Case(
        "status-page-exposed",
        "location = /status { stub_status; }",
        "/status",
        "Active connections",
        NO,
        "location = /status { stub_status; allow 10.0.0.0/8; deny all; }",
    ),
    Case(
        "filesystem-root-exposed",
        "location /files/ { alias /; }",
        "/files/etc/passwd",
        "root:x:0:0:",
        "404 Not Found",
        "location /files/ { alias FOLDER/d/; }",
    ),
    Case(
        "filesystem-root-exposed",
        "root /var/..;\nlocation / { try_files $uri =404; }",
        "/etc/passwd",
        "root:x:0:0:",
        "404 Not Found",
        f"{ROOT}\nlocation / {{ try_files $uri =404; }}",
    ),
    Case(
        "try-files-lost-in-if",
        f"{ROOT}\nlocation / {{ if ($arg_a) {{ set $b 1; }}\n try_files $uri /secret; }}",
        "/page?a=1",
        "404 Not Found",
        IN,
        f"{ROOT}\nif ($arg_a) {{ set $b 1; }}\nlocation / {{ try_files $uri /secret; }}",
    ),
    Case(
        "try-files-lost-in-if",
        f"{ROOT}\nlocation / {{ if (!-e $request_filename) {{ break; }}\n try_files $uri @a; }}\n"
        "location @a { return 200 'the app'; }",
        "/page",
        "404 Not Found",
        "the app",
        f"{ROOT}\nlocation / {{ try_files $uri @a; }}\nlocation @a {{ return 200 'the app'; }}",
    ),
    Case(
        "rewrite-matches-host-or-query",
        "location / { rewrite ^/a\\?id=(\\d+)$ /page/$1 redirect; return 404; }",
        "/a?id=5",
        "404 Not Found",
        "/page/5",
        "location / { if ($arg_id ~ ^(\\d+)$) { rewrite ^/a$ /page/$arg_id? redirect; } return 404; }",
    ),
    Case(
        "rewrite-matches-host-or-query",
        "location ~ ^/fetch/https?://(.+)$ { return 200 'this one'; }",
        "/fetch/https://a.test/b",
        "404 Not Found",
        "this one",
        "location ~ ^/fetch/https?:/(.+)$ { return 200 'this one'; }",
    ),
    Case(
        "rewrite-matches-host-or-query",
        "location / { rewrite ^case.*\\.test/(.*)$ /x/$1 redirect; return 404; }\n"
        "location /b { rewrite ^www.example.com/b /x redirect; return 404; }",
        "/b",
        "404 Not Found",
        "302 Moved",
        "location /b { rewrite ^/b /x redirect; return 404; }",
    ),
    Case("redirect-no-scheme", "return 301 $host$request_uri;", "/a", "Location: case", "Location: http://case"),
    Case(
        "redirect-no-scheme",
        "location / { return 302 www.a.test/x; }",
        "/a/b",
        "Location: www.a.test/x\r\n",
        "Location: http://www.a.test/x\r\n",
    ),
    Case(
        "redirect-no-scheme",
        "location / { rewrite ^/a/(.*)$ a.test.com/$1 redirect; }",
        "/a/b",
        "Location: a.test.com/b\r\n",
        "Location: http://a.test.com/b\r\n",
    ),
    Case(
        "redirect-no-scheme",
        "location / { return 307 https//a.test/; }",
        "/a/b",
        "Location: https//a.test/\r\n",
        "Location: https://a.test/\r\n",
    ),
    Case(
        "location-query",
        "location /search?q= { return 200 'this one'; }",
        "/search?q=a",
        "404 Not Found",
        "this one",
        "location /search { if ($arg_q) { return 200 'this one'; } }",
    ),
    Case(
        "return-bypasses-access",
        "location = /keys { allow 10.0.0.0/8; deny all; return 200 'the secret'; }",
        "/keys",
        IN,
        NO,
        "location = /keys { allow 10.0.0.0/8; deny all; try_files /none @keys; }\n"
        "location @keys { return 200 'the secret'; }",
    ),
    Case(
        "return-bypasses-access",
        f"location = /keys {{ {PASSWORD} return 200 'the secret'; }}",
        "/keys",
        IN,
        ASKED,
        f"location = /keys {{ {PASSWORD} try_files /none @keys; }}\nlocation @keys {{ return 200 'the secret'; }}",
    ),
    Case(
        "return-bypasses-access",
        "auth_request /ask;\nlocation / { return 200 'the secret'; }\nlocation = /ask { return 403; }",
        "/",
        IN,
        NO,
        "auth_request /ask;\nlocation / { try_files /none @a; }\nlocation @a { return 200 'the secret'; }\n"
        "location = /ask { return 403; }",
    ),
)

SILENT = (
    (
        "auth-basic-no-file",
        f"{ROOT} auth_basic_user_file FOLDER/users; location / {{ auth_basic a; }}",
        "/secret",
        ASKED,
    ),
    ("access-rule-unreachable", f"{ROOT} deny 0.0.0.0/0; allow ::1; allow unix:;", "/secret", NO),
    ("access-rule-unreachable", f"{ROOT} deny all; location / {{ allow all; }}", "/secret", IN),
    ("satisfy-any-open", f"{ROOT} satisfy any; allow 10.0.0.0/8; {PASSWORD}", "/secret", ASKED),
    ("return-bypasses-access", f"location / {{ deny all; if ($arg_a) {{ return 200 a; }} {ROOT} }}", "/secret", NO),
    ("location-no-slash", "location api/ { return 200 a; } rewrite ^/(.*)$ $1;", "/api/x", "200 OK"),
    ("location-no-slash", "auth_request ask; location / { return 404; } location ask { return 403; }", "/", "404 Not"),
    ("location-no-slash", f"{ROOT} auth_request ask; location ask {{ return 403; }}", "/secret", NO),
    ("location-encoded", "location /. { return 200 a; }", "/.git", "200 OK"),
    ("location-no-slash", 'location "" { return 200 a; }', "/x", "200 OK"),
    ("rewrite-matches-host-or-query", "location ~ ^/a(\\?b)?$ { return 200 a; }", "/a?b", "200 OK"),
    (
        "rewrite-matches-host-or-query",
        "location / { rewrite ^ $request_uri; rewrite ^/a\\?b /c redirect; }",
        "/a?b",
        "302 M",
    ),
    ("allow-without-deny", f"{ROOT} satisfy any; {PASSWORD} location / {{ allow 10.0.0.0/8; }}", "/secret", ASKED),
    (
        "try-files-lost-in-if",
        f"{ROOT} location / {{ if ($arg_a) {{ rewrite ^ /b last; }} try_files $uri /secret; }}",
        "/x",
        IN,
    ),
    ("location-query", "location /a?b=1 { return 200 a; } rewrite ^ $request_uri;", "/a?b=1", "200 OK"),
    ("location-encoded", "location /a%20b { return 200 a; } rewrite ^ $request_uri;", "/a%20b", "200 OK"),
    ("location-encoded", "location /x//a { return 200 a; } rewrite ^/y(.*)$ /x/$1;", "/y/a", "200 OK"),
    ("satisfy-any-open", f"{ROOT} satisfy any; deny 10.0.0.0/8; {PASSWORD}", "/secret", ASKED),
)


def server(text: str, index: int) -> str:
    return f"server {{ listen 65000; server_name case{index}.test;\n{text}\n}}\n"


def mended(case: Case, index: int) -> str:
    text = server(case.text, index)
    return mend(case.rule, text) if case.mended is None else server(case.mended, index)


def prepared(text: str) -> Nginx:
    """An nginx that is not started yet, with its files in place."""
    text = text.replace("listen 65000", "listen 127.0.0.1:65000")  # the rules see a server that strangers reach
    nginx = Nginx(text.replace("65000", "{port}").replace("FOLDER", "{folder}"))
    (nginx.folder / "d").mkdir()
    (nginx.folder / "d" / "secret").write_text("the secret")
    (nginx.folder / "users").write_text("ann:{PLAIN}secret-word\n")
    return nginx


@pytest.fixture(scope="module")
def bad() -> Iterator[Nginx]:
    with prepared("".join(server(case.text, index) for index, case in enumerate(CASES))) as nginx:
        yield nginx


@pytest.fixture(scope="module")
def good() -> Iterator[Nginx]:
    with prepared("".join(mended(case, index) for index, case in enumerate(CASES))) as nginx:
        yield nginx


@pytest.mark.parametrize("index", range(len(CASES)), ids=[f"{case.rule}-{n}" for n, case in enumerate(CASES)])
def test_the_symptom_is_there_and_gone_after_the_cure(index: int, bad: Nginx, good: Nginx) -> None:
    case = CASES[index]
    assert found_by(case.rule, server(case.text, index))
    assert not found_by(case.rule, mended(case, index))
    before, after = (answer_of(nginx, case.path, index) for nginx in (bad, good))
    assert case.symptom in before and case.cured not in before
    assert case.cured in after and case.symptom not in after


def answer_of(nginx: Nginx, path: str, index: int) -> str:
    return nginx.ask(path, host=f"case{index}.test").raw.decode("latin-1")


MAPS = (
    ("map $uri $there {\n ^/old/ yes;\n}", "/old/a"),
    ("map $uri $there {\n /.*\\.html$ yes;\n}", "/a.html"),
    ("map $uri $there {\n '/(a|b)/c' yes;\n}", "/b/c"),
    ("map $host $there {\n *.test yes;\n}", "/"),
    ("map $host $there {\n .test yes;\n}", "/"),
)


@pytest.mark.parametrize(("text", "path"), MAPS)
def test_a_key_without_a_tilde_is_compared_letter_by_letter(text: str, path: str) -> None:
    fixed = mend("map-regex-without-tilde", text)
    assert found_by("map-regex-without-tilde", text) and not found_by("map-regex-without-tilde", fixed)
    for config, answer in ((text, "there=."), (fixed, "there=yes.")):
        with prepared(f"{config}\n{server('return 200 there=$there.;', 0)}") as nginx:
            assert answer in answer_of(nginx, path, 0)


def test_php_is_told_its_script_only_by_a_parameter() -> None:
    with socket.create_server(("127.0.0.1", 0)) as php:
        php.settimeout(10)
        text = server(
            f"{ROOT}\nfastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;\n"
            "location ~ \\.php$ {\n fastcgi_param HTTPS on;\n"
            f" fastcgi_pass 127.0.0.1:{php.getsockname()[1]};\n}}",
            0,
        )
        for config, told in ((text, False), (mend("fastcgi-script-missing", text), True)):
            assert bool(found_by("fastcgi-script-missing", config)) is not told
            with prepared(config) as nginx, socket.create_connection(("127.0.0.1", nginx.port), 10) as visitor:
                visitor.sendall(b"GET /a.php HTTP/1.1\r\nHost: case0.test\r\n\r\n")
                asked, _ = php.accept()
                with asked:
                    asked.settimeout(10)
                    request = asked.recv(65536)
            assert b"HTTPSon" in request
            assert (b"SCRIPT_FILENAME" in request and b"/d/a.php" in request) is told


CHOICES = (
    ("location /go { proxy_pass http://$arg_to/inside; }", "/go?to=127.0.0.1:{port}"),
    ("location /go { set $to $arg_to; proxy_pass http://$to/inside; }", "/go?to=127.0.0.1:{port}"),
    ("location ~ ^/go/([^/]+) { proxy_pass http://$1/inside; }", "/go/127.0.0.1:{port}"),
    ("location ~ ^/go/(.+)$ { proxy_pass http://$1.case.test; }", "/go/127.0.0.1:{port}%2Finside%3F"),
    ("location ~ ^/go/(\\d+)(/.*)$ { proxy_pass http://127.0.0.1:$1$2; }", "/go/{port}/inside"),
)


@pytest.mark.parametrize(("text", "path"), CHOICES)
def test_a_visitor_reaches_the_host_he_names_and_only_those_of_a_map_after_the_cure(text: str, path: str) -> None:
    inside = "location /inside { allow 127.0.0.1; deny all; return 200 'the secret'; }"
    bad = server(f"{text}\n{inside}", 0)
    good = "map $arg_to $to { default 127.0.0.1:1; }\n" + server(
        f"location /go {{ proxy_pass http://$to; }}\n{inside}", 0
    )
    assert found_by("ssrf", bad) and not found_by("ssrf", good)
    for config, answer in ((bad, IN), (good, "502 Bad Gateway")):
        with prepared(config) as nginx:
            assert answer in answer_of(nginx, path.format(port=nginx.port), 0)


def test_a_server_that_takes_every_name_is_an_open_proxy_where_it_passes_on_to_the_name() -> None:
    text = "server { listen 65000; resolver 127.0.0.1; location / { proxy_pass http://$http_host$request_uri; } }"
    refusing = "server { listen 65000; server_name a.test; return 444; }"
    assert found_by("ssrf", text) and found_by("ssrf", text + refusing) and not found_by("ssrf", refusing + text)
    with socket.create_server(("127.0.0.1", 0)) as inside, prepared(text) as nginx:
        inside.settimeout(10)
        with socket.create_connection(("127.0.0.1", nginx.port), 10) as visitor:
            visitor.sendall(f"GET /secret HTTP/1.1\r\nHost: 127.0.0.1:{inside.getsockname()[1]}\r\n\r\n".encode())
            with inside.accept()[0] as asked:
                asked.settimeout(10)
                assert asked.recv(65536).startswith(b"GET /secret ")


@pytest.mark.parametrize("cure", ("", "if ($request_method = OPTIONS) { return 204; }"))
def test_a_preflight_is_asked_for_the_password_it_cannot_have(cure: str) -> None:
    headers = (
        "add_header Access-Control-Allow-Origin http://a.test; add_header Access-Control-Allow-Headers authorization;"
    )
    text = server(f"location / {{ {ROOT} {PASSWORD} {headers} {cure} }}", 0)
    assert bool(found_by("cors-broken", text)) is (not cure)
    with prepared(text) as nginx:
        preflight = (
            b"OPTIONS /secret HTTP/1.1\r\nHost: case0.test\r\nOrigin: http://a.test\r\nConnection: close\r\n\r\n"
        )
        assert nginx.exchange(preflight).status == (204 if cure else 401)


@pytest.mark.parametrize("pattern", ("default", "~a\\.test", "~^https://.*a\\.test$", "~^https://(www\\.)?a\\.test$"))
def test_a_foreign_origin_gets_the_headers_it_is_reported_to_get(pattern: str) -> None:
    text = f"map $http_origin $cors {{ {pattern} $http_origin; }}\n" + server(
        "add_header Access-Control-Allow-Origin $cors; add_header Access-Control-Allow-Credentials true; return 204;", 0
    )
    said = [finding.message.split()[2] for finding in found_by("cors-origin-reflected", text)]
    with prepared(text) as nginx:
        for origin in (*said, "https://a.test", "https://evil.test"):
            head = f"GET / HTTP/1.1\r\nHost: case0.test\r\nOrigin: {origin}\r\nConnection: close\r\n\r\n"
            allowed = f"Allow-Origin: {origin}\r\n" in nginx.exchange(head.encode()).raw.decode()
            assert allowed is (origin in (*said, "https://a.test"))
    assert bool(said) is ("www" not in pattern)


SECRETS = (
    ("root /f/d; access_log /f/d/secret;", "/secret", True),
    ("root /f/d; location /in/ { auth_basic a; auth_basic_user_file /f/d/secret; }", "/secret", True),
    ("location /logs/ { alias /f/d/; } location /x { error_log /f/d/secret; }", "/logs/secret", True),
    ("root /f/d; access_log /f/d/secret; location = /secret { return 404; }", "/secret", False),
)


@pytest.mark.parametrize(("text", "path", "served"), SECRETS)
def test_everybody_downloads_a_log_or_the_users_below_a_folder_that_is_served(
    text: str, path: str, served: bool
) -> None:
    assert bool(found_by("secret-file-served", server(text, 0))) is served
    with prepared(server(text, 0).replace("/f/", "FOLDER/")) as nginx:
        assert ("200 OK" in answer_of(nginx, path, 0)) is served


GATES = (
    "location / { if ($http_x_forwarded_for !~ ^10\\.) { return 403; } root FOLDER/d; }",
    "location / { if ($in != 1) { return 403; } root FOLDER/d; }",
    "location / { allow 10.0.0.0/8; deny all; root FOLDER/d; }",
)


@pytest.mark.parametrize("text", GATES)
def test_who_writes_an_address_into_the_header_gets_in_where_it_is_reported(text: str) -> None:
    text = "geo $http_x_forwarded_for $in { default 0; 10.0.0.0/8 1; }\n" + server(text, 0)
    with prepared(text) as nginx:
        for header in ("", "X-Forwarded-For: 10.0.0.1\r\n"):
            request = f"GET /secret HTTP/1.1\r\nHost: case0.test\r\n{header}Connection: close\r\n\r\n"
            let_in = nginx.exchange(request.encode()).status == 200
            assert let_in is (bool(header) and bool(found_by("forwarded-for-gate", text)))


@pytest.mark.parametrize(
    "cure", ("", "limit_except GET { deny all; }", "auth_basic a; auth_basic_user_file FOLDER/users;")
)
def test_everybody_writes_files_by_webdav_where_it_is_reported(cure: str) -> None:
    text = server(f"location / {{ {ROOT} dav_methods PUT; {cure} }}", 0)
    assert bool(found_by("dav-open", text)) is (not cure)
    with prepared(text) as nginx:
        (nginx.folder / "d").chmod(0o777)
        put = b"PUT /page HTTP/1.1\r\nHost: case0.test\r\nContent-Length: 4\r\nConnection: close\r\n\r\nmine"
        assert (nginx.exchange(put).status == 201) is (not cure)


@pytest.mark.parametrize(
    ("name", "host"), (("_", "_"), ("*.case.test", "*.case.test"), ("~^x", "~^x"), (".case.test", "case.test"))
)
def test_server_name_is_the_first_name_as_it_is_written(name: str, host: str) -> None:
    text = f"server {{ listen 65000; server_name {name};\nreturn 302 http://$server_name/;\n}}"
    assert bool(found_by("server-name-variable", text)) is (host != "case.test")
    mended = text if host == "case.test" else mend("server-name-variable", text)
    for config, answer in ((text, host), (mended, host if mended is text else "x.case.test")):
        with prepared(config) as nginx:
            assert f"http://{answer}/\r\n" in nginx.ask("/", host="x.case.test").raw.decode()


@pytest.mark.parametrize(
    ("key", "rule"),
    (("$http_user_agent", "limit-key-forgeable"), ("$none", "limit-never-applied"), ("$remote_addr", "")),
)
def test_a_request_with_an_empty_key_is_not_limited(key: str, rule: str) -> None:
    zone = f"map $host $none {{ default ''; }} limit_req_zone {key} zone=z:1m rate=1r/m;\n"
    text = zone + server("limit_req zone=z; try_files /none @all; location @all { return 204; }", 0)
    assert [one for one in ("limit-key-forgeable", "limit-never-applied") if found_by(one, text)] == [rule] * bool(rule)
    with prepared(text) as nginx:
        assert [answer_of(nginx, "/", 0)[9:12] for _ in range(2)] == ["204", "204" if rule else "503"]


@pytest.mark.parametrize("merging", ("on", "off"))
def test_one_more_slash_leads_past_a_location_unless_slashes_are_merged(merging: str) -> None:
    text = f"server {{ listen 65000; merge_slashes {merging}; {ROOT} location = /secret {{ deny all; }} location / {{ }} }}"
    assert bool(found_by("merge-slashes-bypass", text)) is (merging == "off")
    with prepared(text) as nginx:
        assert (IN in nginx.ask("//secret").raw.decode()) is (merging == "off")


def test_the_question_announces_the_body_of_the_visitor() -> None:
    with socket.create_server(("127.0.0.1", 0)) as guard:
        guard.settimeout(10)
        text = server(
            f"location / {{ auth_request /ask; {ROOT} }}\nlocation = /ask {{\n proxy_pass_request_body off;\n"
            f" proxy_pass http://127.0.0.1:{guard.getsockname()[1]};\n}}",
            0,
        )
        for config, announced in ((text, True), (mend("auth-request-body-announced", text), False)):
            assert bool(found_by("auth-request-body-announced", config)) is announced
            with prepared(config) as nginx, socket.create_connection(("127.0.0.1", nginx.port), 10) as visitor:
                visitor.sendall(b"POST / HTTP/1.1\r\nHost: case0.test\r\nContent-Length: 5\r\n\r\nhello")
                asked, _ = guard.accept()
                with asked:
                    asked.settimeout(0.5)
                    request = asked.recv(65536)
                    with pytest.raises(TimeoutError):
                        asked.recv(65536)  # neither the body nor the end
            assert request.startswith(b"GET /ask ") and request.endswith(b"\r\n\r\n")
            assert (b"Content-Length: 5\r\n" in request) is announced


@pytest.fixture(scope="module")
def harmless() -> Iterator[Nginx]:
    with prepared("".join(server(text, index) for index, (_, text, _, _) in enumerate(SILENT))) as nginx:
        yield nginx


@pytest.mark.parametrize("index", range(len(SILENT)), ids=[f"{row[0]}-{n}" for n, row in enumerate(SILENT)])
def test_the_rule_is_silent_where_nothing_goes_wrong(index: int, harmless: Nginx) -> None:
    rule, text, path, answer = SILENT[index]
    assert not found_by(rule, server(text, index))
    assert answer in answer_of(harmless, path, index)


def test_an_error_log_that_is_off_is_a_file_of_that_name() -> None:
    text = server("error_log off info; return 204;", 0)
    for config, named_off in ((text, True), (mend("error-log-off", text), False)):
        assert bool(found_by("error-log-off", config)) is named_off
        with prepared(config) as nginx:
            answer_of(nginx, "/", 0)
            assert (nginx.folder / "off").exists() is named_off
