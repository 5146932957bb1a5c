"""What the rules on pass targets and on what becomes of a path warn of happens in real nginx, and not after the cure.

One nginx serves the bad configurations, another the mended ones. Port 65000 in the texts stands for the port of that
nginx, whose default server is the backend and tells what it was asked for; FOLDER stands for its folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import nginxlint
from tests.oracle.nginx import PROGRAM, Nginx
from tests.rules.test_proxying import found_by, mend

pytestmark = pytest.mark.skipif(not PROGRAM, reason="nginx is not installed")

CERTIFICATE = Path(nginxlint.__file__).parent / "demo" / "certificates" / "good.pem"
BACKEND = 'server { listen 127.0.0.1:65000 default_server; location / { return 200 "<$request_uri>"; } }\n'
TLS = f"server {{ listen unix:FOLDER/tls ssl; ssl_certificate {CERTIFICATE}; ssl_certificate_key {CERTIFICATE}; "
TLS += 'return 200 "<tls>"; }\n'
PROTOCOL = 'server { listen unix:FOLDER/pp proxy_protocol; listen unix:FOLDER/plain; return 200 "<inner>"; }\n'


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
)


def server(text: str, index: int) -> str:
    return f"server {{ listen 127.0.0.1:65000; server_name case{index}.test;\n{text}\n}}\n"


def mended(case: Case, index: int) -> str:
    if case.mended is not None:
        return server(case.mended, index)
    return mend(case.rule, case.around + server(case.text, index)).removeprefix(case.around)


def started(servers: list[str]) -> Nginx:
    text = BACKEND + TLS + PROTOCOL + "".join(servers)
    return Nginx(text.replace("65000", "{port}").replace("FOLDER", "{folder}"))


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
    assert case.cured in answer


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
    (finding,) = found_by("proxy-http2-plain-backend", text)
    assert finding.span.text == "proxy_http_version 2"
    config = text.replace("65000", "{port}")
    accepted, said = Nginx(config).test()
    if not accepted and 'invalid value "2"' in said:
        pytest.skip("the installed nginx does not speak HTTP/2 to backends (1.29.4)")
    for config, status in ((text, 502), (mend("proxy-http2-plain-backend", text), 200)):
        with Nginx(config.replace("65000", "{port}")) as nginx:
            assert nginx.ask("/x").status == status
