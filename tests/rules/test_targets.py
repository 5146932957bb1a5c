"""What the rules on pass targets, paths and headers warn of happens in real nginx, and not after the cure.

One nginx serves the bad configurations, another the mended ones. Port 65000 in the texts stands for the port of that
nginx, whose default server is the backend and tells what it was asked for; FOLDER stands for its folder, which holds
d/a.txt.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import nginxlint
from tests.oracle.nginx import PROGRAM, Nginx
from tests.rules.mending import found_by, mend

pytestmark = pytest.mark.skipif(not PROGRAM, reason="nginx is not installed")

CERTIFICATE = Path(nginxlint.__file__).parent / "demo" / "certificates" / "good.pem"
BACKEND = "server { listen 127.0.0.1:65000 default_server; listen unix:FOLDER/back; add_header X-Secret s; "
BACKEND += 'location / { return 200 "<$request_uri> host=$http_host|"; } }\n'
TLS = f"server {{ listen unix:FOLDER/tls ssl; ssl_certificate {CERTIFICATE}; ssl_certificate_key {CERTIFICATE}; "
TLS += 'return 200 "<tls>"; }\n'
PROTOCOL = 'server { listen unix:FOLDER/pp proxy_protocol; listen unix:FOLDER/plain; return 200 "<inner>"; }\n'
FILES_FIRST = "root FOLDER/d; location / { try_files $uri @app; } location @app { proxy_pass http://127.0.0.1:65000; }"


@dataclass(frozen=True)
class Case:
    """`text` gives `symptom` in the answer to a request for `path`, and `logged` in the log; mended (by the rule's own
    fix where `mended` is None) the answer holds `cured`. `around` are the servers the rule has to know of."""

    rule: str
    text: str
    path: str
    symptom: str
    cured: str
    mended: str | None = None
    logged: str = ""
    around: str = ""


CASES = (
    Case(
        "proxy-path-decoded",
        "location ~ ^/re/(.*)$ {\n proxy_pass http://127.0.0.1:65000/new/$1$is_args$args;\n}",
        "/re/a%20b?x=1",
        "400 Bad Request",
        "</new/a%20b?x=1>",
    ),
    Case(
        "proxy-path-decoded",
        "location ~ ^/re/(.*)$ {\n proxy_pass http://127.0.0.1:65000/new/$1$is_args$args;\n}",
        "/re/a%3Fb",
        "</new/a?b>",
        "</new/a%3Fb>",
    ),
    Case(
        "proxy-capture-drops-args",
        "location ~ ^/re/(\\w+)$ {\n proxy_pass http://127.0.0.1:65000/new/$1;\n}",
        "/re/ab?x=1",
        "</new/ab>",
        "</new/ab?x=1>",
    ),
    Case(
        "proxy-rewrite-break-ignores-uri",
        "location /old/ {\n rewrite ^/old/(.*)$ /new/$1 break;\n proxy_pass http://127.0.0.1:65000/base/;\n}",
        "/old/a?x=1",
        "</new/a?x=1>",
        "</base/new/a?x=1>",
    ),
    Case(
        "proxy-rewrite-break-ignores-uri",
        "rewrite ^/old/(.*)$ /new/$1 break;\nlocation /new/ { proxy_pass http://127.0.0.1:65000/base/; }",
        "/old/a?x=1",
        "</new/a?x=1>",
        "</base/new/a?x=1>",
        mended="location /old/ { rewrite ^/old/(.*)$ /base/new/$1 break; proxy_pass http://127.0.0.1:65000; }",
    ),
    Case(
        "proxy-path-double-encoded",
        "location / {\n rewrite ^ $request_uri break;\n proxy_pass http://127.0.0.1:65000;\n}",
        "/a%2Fb",
        "</a%252Fb>",
        "</a%2Fb>",
        mended="location / {\n proxy_pass http://127.0.0.1:65000;\n}",
    ),
    Case(
        "proxy-scheme-port-mismatch",
        "location / {\n proxy_pass http://unix:FOLDER/tls;\n}",
        "/plain-to-tls",
        "The plain HTTP request was sent to HTTPS port",
        "<tls>",
        mended="location / {\n proxy_pass https://unix:FOLDER/tls;\n}",
        around=TLS,
    ),
    Case(
        "proxy-scheme-port-mismatch",
        "location / {\n proxy_pass https://127.0.0.1:65000;\n}",
        "/tls-to-plain",
        "502 Bad Gateway",
        "</tls-to-plain>",
        logged="wrong version number",
        around=BACKEND,
    ),
    Case(
        "proxy-protocol-missing",
        "location / {\n proxy_pass http://unix:FOLDER/pp;\n}",
        "/no-header",
        "502 Bad Gateway",
        "<inner>",
        mended="location / {\n proxy_pass http://unix:FOLDER/plain;\n}",
        around=PROTOCOL,
    ),
    Case(
        "proxy-wrong-protocol",
        "location / {\n fastcgi_pass 127.0.0.1:65000;\n}",
        "/fastcgi-to-http",
        "502 Bad Gateway",
        "</fastcgi-to-http>",
        mended="location / {\n proxy_pass http://127.0.0.1:65000;\n}",
        logged="upstream sent unsupported FastCGI protocol version",
        around=BACKEND,
    ),
    Case(
        "try-files-with-proxy",
        "root FOLDER/d;\nlocation / {\n try_files $uri /a.txt;\n proxy_pass http://127.0.0.1:65000;\n}",
        "/a.txt",
        "</a.txt>",
        "<from disk>",
        mended=FILES_FIRST,
    ),
    Case(
        "try-files-with-proxy",
        "root FOLDER/d;\nlocation / {\n try_files $uri /index.html;\n proxy_pass http://127.0.0.1:65000;\n}",
        "/page",
        "500 Internal Server Error",
        "</page>",
        mended=FILES_FIRST,
        logged="rewrite or internal redirection cycle",
    ),
    Case("alias-slash-mismatch", "location /i/ {\n alias FOLDER/d;\n}", "/i/a.txt", "404 Not Found", "<from disk>"),
    Case(
        "header-content-type",
        "location / {\n add_header Content-Type application/json;\n return 200 '{}';\n}",
        "/json",
        "Content-Type: text/plain\r\n",
        "Content-Type: application/json\r\n",
    ),
    Case(
        "header-multiline",
        'add_header X-A "a;\n  b";\nlocation / {\n return 200;\n}',
        "/header",
        "X-A: a;\n  b",
        "X-A: a; b\r\n",
    ),
    Case(
        "directive-inheritance",
        "proxy_hide_header X-Secret;\nlocation / {\n proxy_hide_header X-A;\n proxy_pass http://127.0.0.1:65000;\n}",
        "/hidden",
        "X-Secret: s",
        "</hidden>",
    ),
    Case(
        "directive-inheritance",
        "deny 127.0.0.1;\nlocation / {\n allow 10.0.0.0/8;\n proxy_pass http://127.0.0.1:65000;\n}",
        "/denied",
        "</denied>",
        "403 Forbidden",
    ),
    Case(
        "directive-inheritance",
        "error_page 405 /a.txt;\nroot FOLDER/d;\nlocation /x {\n error_page 404 /a.txt;\n return 405;\n}",
        "/x",
        "405 Not Allowed</h1>",
        "<from disk>",
    ),
    Case(
        "proxy-host-header-missing",
        "location / {\n proxy_pass http://unix:FOLDER/back;\n}",
        "/host",
        "host=localhost|",
        ".test|",
    ),
)


def server(text: str, index: int) -> str:
    return f"server {{ listen 127.0.0.1:65000; server_name case{index}.test;\n{text}\n}}\n"


def mended(case: Case, index: int) -> str:
    if case.mended is not None:
        return server(case.mended, index)
    return mend(case.rule, case.around + server(case.text, index)).removeprefix(case.around)


def started(servers: list[str]) -> Nginx:
    text = BACKEND + TLS + PROTOCOL + "".join(servers)
    nginx = Nginx(text.replace("65000", "{port}").replace("FOLDER", "{folder}"))
    (nginx.folder / "d").mkdir()
    (nginx.folder / "d" / "a.txt").write_text("<from disk>")
    return nginx


@pytest.fixture(scope="module")
def bad() -> Iterator[Nginx]:
    with started([server(case.text, index) for index, case in enumerate(CASES)]) as nginx:
        yield nginx


@pytest.fixture(scope="module")
def good() -> Iterator[Nginx]:
    with started([mended(case, index) for index, case in enumerate(CASES)]) as nginx:
        yield nginx


@pytest.mark.parametrize("index", range(len(CASES)), ids=[f"{case.rule}-{n}" for n, case in enumerate(CASES)])
def test_the_symptom_is_there_and_gone_after_the_cure(index: int, bad: Nginx, good: Nginx) -> None:
    case = CASES[index]
    assert found_by(case.rule, case.around + server(case.text, index))
    assert not found_by(case.rule, case.around + mended(case, index))
    answer = bad.ask(case.path, host=f"case{index}.test").raw.decode("latin-1")
    assert case.symptom in answer
    if case.logged:
        assert any(case.logged in line for line in bad.log_of(case.path)), bad.log()
    answer = good.ask(case.path, host=f"case{index}.test").raw.decode("latin-1")
    assert case.cured in answer and case.symptom not in answer


def test_the_visitor_is_the_balancer_until_real_ip_is_told_to_trust_it() -> None:
    text = "server {\n listen 127.0.0.1:65000 proxy_protocol;\n return 200 '<$remote_addr>';\n}"
    cured = text.replace("return", "set_real_ip_from 127.0.0.1; real_ip_header proxy_protocol;\n return")
    for config, seen, findings in ((text, b"<127.0.0.1>", 1), (cured, b"<203.0.113.7>", 0)):
        assert len(found_by("proxy-protocol-address-unused", f"events {{ }} http {{ {config} }}")) == findings
        with Nginx(config.replace("65000", "{port}")) as nginx:
            header = b"PROXY TCP4 203.0.113.7 127.0.0.1 5000 80\r\n"
            assert seen in nginx.exchange(header + b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").raw


def test_http2_without_tls_fails_at_a_backend_of_http1() -> None:
    text = "server { listen 127.0.0.1:65000; location /back { return 200 '<back>'; }\n"
    text += "location / {\n proxy_http_version 2;\n proxy_pass http://127.0.0.1:65000/back;\n} }"
    config = text.replace("65000", "{port}")
    accepted, said = Nginx(config).test()
    if not accepted and 'invalid value "2"' in said:
        pytest.skip("the installed nginx does not speak HTTP/2 to backends (1.29.4): 1 row not tried")
    (finding,) = found_by("proxy-http2-plain-backend", text)
    assert finding.span.text == "proxy_http_version 2"
    cured = mend("proxy-http2-plain-backend", text)
    assert not found_by("proxy-http2-plain-backend", cured)
    for config, status in ((text, 502), (cured, 200)):
        with Nginx(config.replace("65000", "{port}")) as nginx:
            assert nginx.ask("/x").status == status
