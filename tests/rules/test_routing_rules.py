"""What the rules on locations, rewrites, redirects and loops warn of happens in real nginx, and not after the cure.

One nginx serves the bad configurations, another the mended ones. Port 65000 in the texts stands for the port of that
nginx, whose default server is the backend; FOLDER stands for its folder, which holds d/index.html and d/50x.html.
Port 1 is one where nobody listens.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from nginxlint.registry import all_rules
from nginxlint.routing.router import Router
from nginxlint.testing import config_of
from tests.oracle.nginx import PROGRAM, STREAM_MODULE, Nginx
from tests.rules.mending import found_by, mend

pytestmark = pytest.mark.skipif(not PROGRAM, reason="nginx is not installed")

BACKEND = 'server { listen 127.0.0.1:65000 default_server; location / { return 200 "<$request_uri>"; } }\n'
PASS = "proxy_pass http://127.0.0.1:65000;"


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


PHP = r'location ~ \.php$ { return 200 "php"; }'
ADMIN = r'location ~ ^/admin/.*\.php$ { return 200 "admin"; }'
CSS = r'location ~ \.css$ { return 200 "css"; }'
ASSETS = r'location ~* \.(js|css)$ { return 200 "assets"; }'
API = 'location ~ ^/api { return 200 "regex"; }'
V2 = 'location /api/v2/ { return 200 "v2"; }'
STATIC = 'location ^~ /static/ { return 200 "static"; }'
STATIC_JS = r'location ~ ^/static/.*\.js$ { return 200 "js"; }'
USERS = 'location /api/ {{ return 200 "api"; location ~ ^{}/users/ {{ return 200 "users"; }} }}'
DUPLICATE = r'location ~ \.x$ { return 200 "first"; } location ~ \.x$ { return 200 "second"; }'

CASES = (
    Case("location-duplicate", DUPLICATE, "/a.x", "first", "second", r'location ~ \.x$ { return 200 "second"; }'),
    Case("location-unreachable", PHP + ADMIN, "/admin/a.php", "php", "admin", ADMIN + PHP),
    Case("location-unreachable", ASSETS + CSS, "/a.css", "assets", "css", CSS + ASSETS),
    Case("location-unreachable", API + V2, "/api/v2/x", "regex", "v2", API + V2.replace("/api", "^~ /api")),
    Case(
        "location-unreachable",
        STATIC + STATIC_JS,
        "/static/a.js",
        "static",
        "js",
        STATIC.replace("^~ ", "") + STATIC_JS,
    ),
    Case("location-unreachable", USERS.format(""), "/api/users/x", "api", "users", USERS.format("/api")),
    Case(
        "regex-never-matches",
        'location ~ ^api/ { return 200 "api"; }\nlocation / { return 200 "rest"; }',
        "/api/x",
        "rest",
        "api",
        'location ~ ^/api/ { return 200 "api"; }\nlocation / { return 200 "rest"; }',
    ),
    Case(
        "regex-never-matches",
        'location / { if ($uri ~ ^old) { return 200 "old"; }\n return 200 "rest"; }',
        "/old/x",
        "rest",
        "old",
        'location / { if ($uri ~ ^/old) { return 200 "old"; }\n return 200 "rest"; }',
    ),
    Case(
        "dead-rewrite-code",
        "location / {\n return 200 '<$target>';\n set $target there;\n}",
        "/",
        "<>",
        "<there>",
        "location / {\n set $target there;\n return 200 '<$target>';\n}",
    ),
    Case(
        "dead-rewrite-code",
        "location / {\n rewrite ^(.*)$ /new$1 break;\n set $b 127.0.0.1:65000;\n proxy_pass http://$b;\n}",
        "/dead-code",
        "500 Internal",
        "</new/dead-code>",
        "location / {\n set $b 127.0.0.1:65000;\n rewrite ^(.*)$ /new$1 break;\n proxy_pass http://$b;\n}",
    ),
    Case(
        "asset-regex-steals-proxy",
        f"location /app/ {{\n {PASS}\n}}\nlocation ~* \\.(js|css)$ {{\n expires 30d;\n}}",
        "/app/main.js",
        "404 Not Found",
        "</app/main.js>",
    ),
    Case(
        "asset-regex-steals-proxy",
        f"location / {{\n {PASS}\n}}\nlocation ~ \\.png$ {{\n expires 30d;\n}}",
        "/a.png",
        "404 Not Found",
        "</a.png>",
    ),
    Case(
        "error-page-proxied",
        "root FOLDER/d;\nerror_page 500 502 504 /50x.html;\nlocation / {\n proxy_pass http://127.0.0.1:1;\n}",
        "/dead",
        "<center>nginx",
        "we are sorry",
    ),
    Case(
        "auth-request-target",
        f"location / {{\n auth_request /auth;\n {PASS}\n}}",
        "/private",
        "</private>",
        "401 Unauthorized",
        f"location / {{\n auth_request /auth;\n {PASS}\n}}\nlocation = /auth {{ internal; return 401; }}",
    ),
    Case(
        "auth-request-target",
        f"location /app/ {{\n auth_request /auth;\n {PASS}\n}}",
        "/app/x",
        "500 Internal",
        "</app/x>",
        f"location /app/ {{\n auth_request /auth;\n {PASS}\n}}\nlocation = /auth {{ internal; if ($arg_key) {{ return 403; }} return 204; }}",
        logged="auth request unexpected status: 404",
    ),
    Case(
        "auth-request-target",
        f"location / {{\n auth_request /auth;\n {PASS}\n}}\nlocation /auth/ {{ {PASS} }}",
        "/slash",
        "500 Internal",
        "</slash>",
        f"location / {{\n auth_request /auth;\n {PASS}\n}}\nlocation = /auth {{ {PASS} }}",
        logged="auth request unexpected status: 301",
    ),
    Case(
        "try-files-last-arg",
        "root FOLDER/d; try_files $uri $uri/;",
        "/absent-in-server",
        "500 Internal",
        "404 Not Found",
        logged="rewrite or internal redirection cycle",
    ),
    Case(
        "alias-slash-mismatch",
        "location /e/ { set $f FOLDER; alias $f/d; }",
        "/e/index.html",
        "404 Not Found",
        "200 OK",
    ),
    Case(
        "rewrite-loop",
        f"location /download/ {{\n rewrite ^(/download/.*)/media/(.*)$ $1/mp3/media/$2 last;\n {PASS}\n}}",
        "/download/a/media/b",
        "500 Internal",
        "</download/a/mp3/media/b>",
        logged="rewrite or internal redirection cycle",
    ),
    Case(
        "rewrite-loop",
        "location /a/ { rewrite ^/a/(.*) /b/$1 last; }\nlocation /b/ { rewrite ^/b/(.*) /a/$1 last; }",
        "/a/x",
        "500 Internal",
        "arrived",
        'location /a/ { rewrite ^/a/(.*) /b/$1 last; }\nlocation /b/ { return 200 "arrived"; }',
        logged="rewrite or internal redirection cycle",
    ),
    Case(
        "redirect-to-self",
        "location /login { return 302 /login/; }",
        "/login/",
        "302 Moved",
        "please log in",
        'location = /login { return 302 /login/; } location /login/ { return 200 "please log in"; }',
    ),
    Case(
        "try-files-fallback-missing",
        "location / { root FOLDER/d; try_files $uri.html $uri/x.html /index.html; }",
        "/absent",
        "500 Internal",
        "the front page",
        "location / { root FOLDER/d; try_files $uri $uri.html $uri/x.html /index.html; }",
        logged="rewrite or internal redirection cycle",
    ),
)


def server(text: str, index: int) -> str:
    return f"server {{ listen 127.0.0.1:65000; server_name case{index}.test;\n{text}\n}}\n"


def mended(case: Case, index: int) -> str:
    text = server(case.text, index)
    return mend(case.rule, text) if case.mended is None else server(case.mended, index)


def prepared(text: str, **more: str) -> Nginx:
    """An nginx that is not started yet, with its files in place."""
    nginx = Nginx(text.replace("65000", "{port}").replace("FOLDER", "{folder}"), **more)
    (nginx.folder / "d").mkdir()
    (nginx.folder / "d" / "index.html").write_text("the front page")
    (nginx.folder / "d" / "50x.html").write_text("we are sorry")
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
    answer = bad.ask(case.path, host=f"case{index}.test").raw.decode("latin-1")
    assert case.symptom in answer
    if case.logged:
        assert any(case.logged in line for line in bad.log_of(case.path)), bad.log()
    answer = good.ask(case.path, host=f"case{index}.test").raw.decode("latin-1")
    assert case.cured in answer and case.symptom not in answer


ELSEWHERE = 'server { listen 127.0.0.2:65000; return 200 "arrived"; }\n'
LOOPS = (
    ("proxy-self-loop", f"server {{ listen 127.0.0.1:65000; location / {{ {PASS} }} }}"),
    (
        "proxy-self-loop",
        "upstream a { server 127.0.0.1:65000; }\n"
        "server { listen 127.0.0.1:65000; location / { root FOLDER; try_files $uri @a; }\n"
        "location @a { proxy_pass http://a; } }",
    ),
    (
        "proxy-cycle",
        "server { listen 127.0.0.1:65000; server_name a; location / { proxy_set_header Host b;\n"
        f"{PASS} }} }}\nserver {{ listen 127.0.0.1:65000; server_name b; location / {{ proxy_set_header Host a;\n{PASS} }} }}",
    ),
)


@pytest.mark.parametrize(("rule", "text"), LOOPS)
def test_a_pass_to_ourselves_uses_up_all_connections_and_one_to_another_address_arrives(rule: str, text: str) -> None:
    assert found_by(rule, ELSEWHERE + text)
    with prepared(ELSEWHERE + text) as nginx:
        reply = nginx.ask("/round", host="a")
        assert reply.status in (500, 502)
        rounds = [line for line in nginx.log() if "worker_connections are not enough" in line]
        assert rounds, nginx.log()
    cured = re.sub(r"(http://|\{ server )127\.0\.0\.1", r"\g<1>127.0.0.2", text)
    assert not found_by(rule, ELSEWHERE + cured)
    with prepared(ELSEWHERE + cured) as nginx:
        assert b"arrived" in nginx.ask("/round", host="a").raw


def test_a_header_that_ends_the_round_is_seen() -> None:
    text = (
        "server { listen 127.0.0.1:65000; location / { if ($http_x_round) { return 200 'enough'; }\n"
        f"proxy_set_header X-Round 1; {PASS} }} }}"
    )
    assert not found_by("proxy-self-loop", text)
    with prepared(text) as nginx:
        assert b"enough" in nginx.ask("/").raw


@pytest.mark.skipif(not os.path.exists(STREAM_MODULE), reason="nginx's stream module is not installed")
def test_a_stream_server_that_connects_to_itself_uses_up_all_connections() -> None:
    text = "stream { server { listen 127.0.0.1:65000; proxy_pass 127.0.0.1:65000; } }"
    assert found_by("proxy-self-loop", text)
    with Nginx(main=f"load_module {STREAM_MODULE};", rest=text.replace("65000", "{port}")) as nginx:
        nginx.exchange(b"x")
        assert any("worker_connections are not enough" in line for line in nginx.log()), nginx.log()


def test_names_on_the_wildcard_are_not_searched_on_an_address_of_its_own() -> None:
    text = 'server { listen 65000; server_name a.test; return 200 "a"; }\nserver { listen ADDRESS; server_name b.test; return 200 "b"; }'
    # loopback stands for a public address here, which the rule would report
    assert found_by("listen-address-shadow", text.replace("ADDRESS", "192.0.2.1:65000"))
    for address, answer in (("127.0.0.1:65000", b"\r\n\r\nb"), ("65000", b"\r\n\r\na")):
        with prepared(text.replace("ADDRESS", address)) as nginx:
            assert answer in nginx.ask("/", host="a.test").raw


def test_a_fallback_that_is_not_on_disk_is_found_where_the_disk_is_at_hand() -> None:
    text = "server { listen 127.0.0.1:65000; location / { root FOLDER/d; try_files $uri /gone.html; } }"
    with prepared(text) as nginx:
        assert nginx.ask("/absent").status == 500
        config = config_of(text.replace("FOLDER", str(nginx.folder)))
        config.look = lambda path: "folder" if os.path.isdir(path) else "file" if os.path.exists(path) else ""
        rule = all_rules()["try-files-fallback-missing"].load()()
        assert [finding.span.text for finding in rule.check(config)] == ["/gone.html"]
        (nginx.folder / "d" / "gone.html").write_text("here again")
        assert nginx.ask("/absent").status == 200
        assert not list(rule.check(config))


def test_the_simulator_is_compiled_once_for_all_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = []
    begin = Router.__init__

    def count(self: Router, *given: object, **named: object) -> None:
        compiled.append(given)
        begin(self, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Router, "__init__", count)
    server = "server {{ listen 80; server_name h{0}; root /srv; location / {{ try_files $uri {1}; }} }}\n"
    config = config_of("".join(server.format(number, "/index.php") for number in range(30)))
    config.look = lambda path: "folder" if path == "/srv" else ""
    assert len(list(all_rules()["php-source-served"].load()().check(config))) == 30
    assert len(compiled) == 2
    config = config_of("".join(server.format(number, "/gone.html") for number in range(30)))
    config.look = lambda path: "folder" if path == "/srv" else ""
    assert len(list(all_rules()["try-files-fallback-missing"].load()().check(config))) == 30
    assert len(compiled) == 4
