"""What the rules on resolvers, forwarded headers, WebSockets and real addresses warn of happens in real nginx.

As in test_proxying: one nginx serves the bad configurations, another the mended ones; port 65000 in the texts stands
for the port of that nginx, whose default server is the backend and tells what it was sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from nginxlint.routing.upstreams import KEPT_BY_DEFAULT
from nginxlint.testing import apply
from tests.oracle.nginx import PROGRAM, VERSION, Nginx
from tests.rules.mending import found_by, mend, refused_by

pytestmark = pytest.mark.skipif(not PROGRAM, reason="nginx is not installed")

OTHER = "X-Real-IP: 203.0.113.9"
REDIRECT = "X-Redirect: yes"
BOTH = "proxy_set_header Upgrade $http_upgrade;\n proxy_set_header Connection upgrade;"
BACKEND = """\
map $http_upgrade $upgrade_or_not { default upgrade; '' ''; }
server { listen 127.0.0.1:65000 default_server; location / {
    if ($http_x_redirect) { return 302 http://$http_host/in; }
    return 200 "<$request_uri|host=$host|for=$http_x_forwarded_for|id=$http_x_id|connection=$http_connection|${WS}>";
} }
""".replace("${WS}", "upgrade=$http_upgrade|proto=$http_x_forwarded_proto|$server_protocol|")
PASS = "proxy_pass http://127.0.0.1:65000;"


@dataclass(frozen=True)
class Case:
    """`text` in a server gives `symptom` in the answer to a request with the lines `sent`; mended (by the rule's own
    fix where `mended` is None) the answer holds `cured`, and no symptom."""

    rule: str
    text: str
    symptom: str
    cured: str
    sent: str = ""
    mended: str | None = None


CASES = (
    Case(
        "proxy-duplicate-header",
        f"location / {{\n proxy_set_header Host a.test;\n proxy_set_header host b.test;\n {PASS}\n}}",
        "400 Bad Request",
        "|host=b.test|",
    ),
    Case(
        "proxy-duplicate-header",
        f"location / {{\n proxy_set_header X-Id one;\n proxy_set_header X-Id two;\n {PASS}\n}}",
        "|id=one",
        "|id=two|",
    ),
    Case(
        "realip-trusts-all",
        "set_real_ip_from 0.0.0.0/0;\nallow 203.0.113.9;\ndeny all;\nlocation / { alias FOLDER/; }",
        "200 OK",
        "403 Forbidden",
        OTHER,
        "set_real_ip_from 192.0.2.0/24;\nallow 203.0.113.9;\ndeny all;\nlocation / { alias FOLDER/; }",
    ),
    Case(
        "variable-hyphen",
        f"location / {{\n proxy_set_header X-Forwarded-For $http_x-forwarded-for;\n {PASS}\n}}",
        "|for=-forwarded-for|",
        "|for=192.0.2.1|",
        "X-Forwarded-For: 192.0.2.1",
    ),
    Case(
        "variable-hyphen",
        "if ($http_x-forwarded-proto != https) { return 301 https://a.test/; }\nlocation / { return 204; }",
        "301 Moved",
        "204 No Content",
        "X-Forwarded-Proto: https",
    ),
    Case(
        "websocket-incomplete",
        f"location / {{\n proxy_set_header Upgrade $http_upgrade;\n proxy_set_header Connection close;\n {PASS}\n}}",
        "|connection=close|upgrade=websocket|",
        "|connection=upgrade|upgrade=websocket|",
        "Upgrade: websocket",
    ),
    Case(
        "websocket-http10",
        f"location / {{\n{' proxy_http_version 1.0;' if VERSION >= KEPT_BY_DEFAULT else ''} {BOTH}\n {PASS}\n}}",
        "|upgrade=websocket|proto=|HTTP/1.0|",
        "|upgrade=websocket|proto=|HTTP/1.1|",
        "Upgrade: websocket",
    ),
    Case(
        "websocket-constant-connection",
        f"location / {{\n proxy_http_version 1.1;\n {BOTH}\n {PASS}\n}}",
        "|connection=upgrade|upgrade=|",
        "|connection=|upgrade=|",
        "",
        f"location / {{\n proxy_http_version 1.1;\n {BOTH.replace('upgrade;', '$upgrade_or_not;')}\n {PASS}\n}}",
    ),
    Case(
        "proxy-redirect-inactive",
        "location / {\n set $b 127.0.0.1:65000;\n proxy_pass http://$b;\n}",
        "Location: http://127.0.0.1:65000/in",
        "Location: http://case8.test:65000/in",
        REDIRECT,
        "location / {\n set $b 127.0.0.1:65000;\n proxy_redirect http://127.0.0.1:65000/ /;\n proxy_pass http://$b;\n}",
    ),
    Case(
        "proxy-redirect-inactive",
        f"location / {{\n proxy_set_header Host app.internal;\n {PASS}\n}}",
        "Location: http://app.internal/in",
        "Location: http://case9.test:65000/in",
        REDIRECT,
        f"location / {{\n proxy_set_header Host app.internal;\n proxy_redirect http://app.internal/ /;\n {PASS}\n}}",
    ),
)


def server(text: str, index: int) -> str:
    return f"server {{ listen 127.0.0.1:65000; server_name case{index}.test;\n{text}\n}}\n"


def public(text: str) -> str:
    """The server as visitors from everywhere would reach it; the one that runs listens on loopback only."""
    return text.replace("listen 127.0.0.1:", "listen ")


def mended(case: Case, index: int) -> str:
    text = server(case.text, index)
    return mend(case.rule, text) if case.mended is None else server(case.mended, index)


def started(texts: list[str]) -> Nginx:
    return Nginx((BACKEND + "".join(texts)).replace("65000", "{port}").replace("FOLDER", "{folder}"))


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
    assert found_by(case.rule, public(server(case.text, index)))
    assert not found_by(case.rule, public(mended(case, index)))
    lines = "".join(f"{line}\r\n" for line in ("Connection: close", case.sent) if line)
    request = f"GET /nginx.conf HTTP/1.1\r\nHost: case{index}.test\r\n{lines}\r\n".encode()
    before, after = (nginx.exchange(request).raw.decode("latin-1") for nginx in (bad, good))
    before, after = (text.replace(f":{nginx.port}", ":65000") for text, nginx in ((before, bad), (after, good)))
    assert case.symptom in before and case.cured not in before
    assert case.cured in after and case.symptom not in after


def test_redirects_of_a_target_with_the_port_of_its_scheme_are_not_rewritten() -> None:
    text = (
        "server { listen 127.0.0.77:80; location / { return 302 http://$http_host/in; } }\n"
        "server { listen 127.0.0.1:65000; server_name a.test; location / {\n proxy_pass http://127.0.0.77:80;\n} }"
    )
    for config, host in ((text, "127.0.0.77"), (mend("proxy-redirect-inactive", text), "a.test:65000")):
        with started([config]) as nginx:
            answer = nginx.ask("/", host="a.test").raw.decode().replace(f":{nginx.port}", ":65000")
            assert f"Location: http://{host}/in\r\n" in answer


def test_a_literal_name_is_looked_up_at_the_start_whatever_the_resolver_is() -> None:
    text = "server { resolver 127.0.0.1:1;\n location / {\n proxy_pass http://app.invalid:81;\n} }"
    assert found_by("resolver-without-effect", text)
    accepted, said = Nginx(text).test()
    assert not accepted and 'host not found in upstream "app.invalid"' in said
    cured = text.replace("proxy_pass http://app.invalid", "set $app app.invalid;\n proxy_pass http://$app")
    assert not found_by("resolver-without-effect", cured)
    accepted, said = Nginx(cured).test()
    assert accepted, said


WHOLE = "events {{}}\nhttp {{\n{}\n}}\n"
REFUSED = (
    (
        "proxy-redirect-default",
        "server { location / {\n proxy_redirect default;\n proxy_pass http://127.0.0.1:90;\n} }",
    ),
    ("proxy-redirect-default", "server {\n proxy_redirect default;\n location / { proxy_pass http://127.0.0.1:90; } }"),
    (
        "proxy-redirect-default",
        "server { location / {\n set $b 127.0.0.1;\n proxy_pass http://$b:90;\n proxy_redirect default;\n} }",
    ),
    (
        "variable-unknown",
        "server { location / {\n proxy_set_header Connection $connection_upgrade;\n proxy_pass http://127.0.0.1:90;\n} }",
    ),
)


@pytest.mark.parametrize(("rule", "text"), REFUSED)
def test_nginx_refuses_and_starts_after_the_fix_of_the_catalogue(rule: str, text: str) -> None:
    (finding,) = refused_by(rule, WHOLE.format(text))
    accepted, said = Nginx(text).test()
    assert not accepted and finding.nginx_message is not None and finding.nginx_message in said
    mended = apply(WHOLE.format(text), list(finding.fixes[0].edits))
    assert not refused_by(rule, mended)
    accepted, said = Nginx(inside(mended)).test()
    assert accepted, said


UNSEEN = WHOLE.format(
    "upstream app {\n zone app 64k;\n server app.internal:80 resolve;\n}\n"
    "server { resolver 10.0.0.2 valid=10s; location / { proxy_pass http://app; } }"
)


def test_a_group_gets_the_resolver_that_stands_where_it_is_not_seen() -> None:
    accepted, said = Nginx(inside(UNSEEN)).test()
    if 'invalid parameter "resolve"' in said:
        pytest.skip("the installed nginx does not look up the names of a group again (1.27.3): 1 row not tried")
    (finding,) = refused_by("upstream-resolve-needs", UNSEEN, (1, 27, 3))
    assert not accepted and (finding.nginx_message or "no message") in said
    mended = apply(UNSEEN, list(finding.fixes[0].edits))
    assert not refused_by("upstream-resolve-needs", mended, (1, 27, 3))
    accepted, said = Nginx(inside(mended)).test()
    assert accepted, said


def test_the_resolver_that_a_group_gets_is_the_one_that_it_does_not_see() -> None:
    """nginx 1.27.3 and later, told from its source: see the test above for those who have it."""
    (finding,) = refused_by("upstream-resolve-needs", UNSEEN, (1, 27, 3))
    assert finding.related
    mended = apply(UNSEEN, list(finding.fixes[0].edits))
    assert "resolve;\n resolver 10.0.0.2 valid=10s;\n}" in mended
    assert not refused_by("upstream-resolve-needs", mended, (1, 27, 3))


def inside(text: str) -> str:
    """What is in the http block of WHOLE."""
    return text.partition("http {\n")[2].rstrip()[:-1]
