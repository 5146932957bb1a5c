"""What the proxy and upstream rules warn of happens in real nginx, and does not once their advice is followed.

One nginx serves all the bad configurations, another all the mended ones. Port 65000 in the texts stands for the port
of that nginx; its default server is the backend and answers with the path it was asked for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.oracle.nginx import PROGRAM, STREAM_MODULE, Nginx
from tests.rules.mending import found_by, mend

pytestmark = pytest.mark.skipif(not PROGRAM, reason="nginx is not installed")

BACKEND = 'server { listen 127.0.0.1:65000 default_server; location / { return 200 "<$request_uri>"; } }\n'
OK = "200 OK"


@dataclass(frozen=True)
class Case:
    """`text` shows the fault on a request for `path`: the answer holds `symptom`, the log `logged`. `mended` is None
    where the rule's own fix mends it; then the answer holds `cured`."""

    rule: str
    text: str
    path: str
    symptom: str
    cured: str
    logged: str = ""
    mended: str | None = None
    groups: str = ""
    mended_groups: str | None = None


CASES = (
    Case(
        "proxy-variable-drops-path",
        "location / {\n set $b 127.0.0.1:65000;\n proxy_pass http://$b/;\n}",
        "/users?x=1",
        "</>",
        "</users?x=1>",
    ),
    Case(
        "proxy-variable-drops-path",
        "location /api/ {\n set $b 127.0.0.1:65000;\n proxy_pass http://$b/v1/;\n}",
        "/api/a%20b?x=1",
        "</v1/>",
        "</v1/a%20b?x=1>",
    ),
    Case(
        "proxy-variable-group-port",
        "location / {\n set $b group2;\n proxy_pass http://$b:65000;\n}",
        "/group-port",
        "502 Bad",
        "</group-port>",
        "no resolver defined to resolve group2",
        groups="upstream group2 { server 127.0.0.1:65000; }\n",
    ),
    Case(
        "proxy-variable-no-resolver",
        "location / {\n set $b name.test:65000;\n proxy_pass http://$b;\n}",
        "/no-resolver",
        "502 Bad",
        "</no-resolver>",
        "no resolver defined to resolve name.test",
        mended="location / {\n set $b 127.0.0.1:65000;\n proxy_pass http://$b;\n}",
    ),
    Case(
        "proxy-variable-no-scheme",
        "location / {\n set $b 127.0.0.1:65000;\n proxy_pass $b;\n}",
        "/no-scheme",
        "500 Internal",
        "</no-scheme>",
        'invalid URL prefix in "127.0.0.1:65000"',
    ),
    Case(
        "proxy-slash-mismatch",
        "location /api {\n proxy_pass http://127.0.0.1:65000/;\n}",
        "/api/users",
        "<//users>",
        "</users>",
    ),
    Case(
        "proxy-slash-mismatch",
        "location /v/ {\n proxy_pass http://127.0.0.1:65000/x;\n}",
        "/v/users",
        "</xusers>",
        "</x/users>",
    ),
    Case(
        "nested-location-loses-handler",
        "location /a/ {\n proxy_pass http://127.0.0.1:65000/x/;\n location /a/b/ {\n  expires 1d;\n }\n}",
        "/a/b/c",
        "404 Not",
        "</x/b/c>",
    ),
    Case(
        "nested-location-loses-handler",
        "location / {\n proxy_pass http://127.0.0.1:65000;\n location ~ \\.js$ {\n  expires 1d;\n }\n}",
        "/app.js",
        "404 Not",
        "</app.js>",
    ),
    Case(
        "upstream-all-down",
        "location / {\n proxy_pass http://group3;\n}",
        "/all-down",
        "502 Bad",
        "</all-down>",
        "no live upstreams while connecting to upstream",
        groups="upstream group3 {\n server 127.0.0.1:65000 down;\n}\n",
        mended_groups="upstream group3 {\n server 127.0.0.1:65000;\n}\n",
    ),
)


def whole(case: Case, index: int) -> str:
    server = f"server {{ listen 127.0.0.1:65000; server_name case{index}.test;\n{case.text}\n}}\n"
    return case.groups + server


def mended(case: Case, index: int) -> str:
    text = whole(case, index)
    if case.mended is None and case.mended_groups is None:
        return mend(case.rule, text)
    if case.mended is not None:
        text = text.replace(case.text, case.mended)
    return text if case.mended_groups is None else text.replace(case.groups, case.mended_groups)


def started(texts: list[str]) -> Nginx:
    return Nginx((BACKEND + "".join(texts)).replace("65000", "{port}"))


@pytest.fixture(scope="module")
def bad() -> Iterator[Nginx]:
    with started([whole(case, index) for index, case in enumerate(CASES)]) as nginx:
        yield nginx


@pytest.fixture(scope="module")
def good() -> Iterator[Nginx]:
    with started([mended(case, index) for index, case in enumerate(CASES)]) as nginx:
        yield nginx


@pytest.mark.parametrize("index", range(len(CASES)), ids=[f"{case.rule}-{n}" for n, case in enumerate(CASES)])
def test_the_symptom_is_there_and_gone_after_the_fix(index: int, bad: Nginx, good: Nginx) -> None:
    case = CASES[index]
    assert found_by(case.rule, whole(case, index))
    assert not found_by(case.rule, mended(case, index))
    answer = bad.ask(case.path, host=f"case{index}.test").raw.decode("latin-1")
    assert case.symptom in answer
    if case.logged:
        logged = case.logged.replace("65000", str(bad.port))
        assert any(logged in line for line in bad.log_of(case.path)), bad.log()
    answer = good.ask(case.path, host=f"case{index}.test").raw.decode("latin-1")
    assert OK in answer and case.cured in answer


def test_a_group_reached_over_tls_is_tried_on_port_80_and_after_the_fix_on_443() -> None:
    text = (
        "upstream tls { server 127.0.0.77; }\n"
        "server { listen 127.0.0.1:65000; location / { proxy_pass https://tls; } }\n"
    )
    cured = mend("upstream-tls-default-port", text)
    assert not found_by("upstream-tls-default-port", cured)
    for config, port in ((text, 80), (cured, 443)):
        with Nginx(config.replace("65000", "{port}")) as nginx:
            assert nginx.ask("/tls").status == 502
            assert any(f'upstream: "https://127.0.0.77:{port}/tls"' in line for line in nginx.log_of("/tls"))


REFUSED = (
    ("proxy-uri-forbidden", "server { location ~ ^/a {\n proxy_pass http://127.0.0.1/;\n} }"),
    ("proxy-uri-forbidden", "server { location @a {\n proxy_pass http://127.0.0.1:81/v1?a;\n} }"),
    ("proxy-uri-forbidden", "server { location / {\n if ($arg_a) {\n proxy_pass http://unix:/s:/v1/;\n} } }"),
    ("proxy-uri-forbidden", "server { location / {\n limit_except GET {\n proxy_pass http://127.0.0.1/b/;\n} } }"),
    ("proxy-scheme-missing", "server { location / {\n proxy_pass 127.0.0.1:81;\n} }"),
    ("proxy-scheme-missing", "server { location / {\n proxy_pass ws://127.0.0.1/s;\n} }"),
    ("proxy-scheme-missing", "server { location / {\n proxy_pass http:/127.0.0.1;\n} }"),
    ("proxy-scheme-missing", "server { location / {\n proxy_pass unix:/s;\n} }"),
    ("proxy-scheme-missing", "server { location / {\n fastcgi_pass http://127.0.0.1:90;\n} }"),
    ("proxy-scheme-missing", "server { location / {\n scgi_pass tcp://127.0.0.1:90;\n} }"),
    ("proxy-scheme-missing", "server { location / {\n grpc_pass https://127.0.0.1:90;\n} }"),
    ("upstream-duplicate", "upstream app { server 127.0.0.1; }\nupstream App { server 127.0.0.1; }"),
)


@pytest.mark.parametrize(("rule", "text"), REFUSED)
def test_nginx_refuses_with_the_message_that_is_told_and_starts_after_the_fix(rule: str, text: str) -> None:
    (finding,) = found_by(rule, text)
    accepted, said = Nginx(text).test()
    assert not accepted
    assert finding.blocks_start and finding.nginx_message is not None and finding.nginx_message in said
    mended = mend(rule, text)
    assert not found_by(rule, mended)
    accepted, said = Nginx(mended).test()
    assert accepted, said


@pytest.mark.skipif(not os.path.exists(STREAM_MODULE), reason="nginx's stream module is not installed")
def test_stream_takes_no_scheme() -> None:
    text = "stream { server { listen 127.0.0.1:65000;\n proxy_pass tcp://127.0.0.1:90;\n} }"
    (finding,) = found_by("proxy-scheme-missing", text)
    for config, wanted in ((text, False), (mend("proxy-scheme-missing", text), True)):
        stream = config.replace("65000", "{port}")
        accepted, said = Nginx(main=f"load_module {STREAM_MODULE};", rest=stream).test()
        assert accepted is wanted, said
        assert accepted or (finding.nginx_message or "no message") in said


SILENT = (
    ("proxy-uri-forbidden", "server { location ~ ^/a { proxy_pass http://unix:/s:; } }"),
    ("proxy-uri-forbidden", "server { location ~ ^/a(.*) { proxy_pass http://127.0.0.1/b$1; } }"),
    ("proxy-scheme-missing", "server { location / { proxy_pass HTTP://127.0.0.1; } }"),
    ("proxy-scheme-missing", "server { location / { uwsgi_pass suwsgi://127.0.0.1:90; } }"),
    ("upstream-duplicate", "upstream app { server 127.0.0.1; } upstream app2 { server 127.0.0.1; }"),
)


@pytest.mark.parametrize(("rule", "text"), SILENT)
def test_the_rule_is_silent_on_what_nginx_accepts(rule: str, text: str) -> None:
    accepted, said = Nginx(text).test()
    assert accepted, said
    assert not found_by(rule, text)
