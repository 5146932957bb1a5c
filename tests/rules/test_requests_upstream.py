"""What the rules on buffers, bodies, retries and limits warn of happens in real nginx, and not once their fix is made.

One nginx serves all the bad configurations, another all the mended ones. Port 65000 in the texts stands for the port of
that nginx; its default server is the backend.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from nginxlint.routing.upstreams import KEPT_BY_DEFAULT
from nginxlint.testing import apply
from tests.oracle.nginx import PROGRAM, VERSION, Nginx
from tests.rules.mending import found_by, mend

pytestmark = pytest.mark.skipif(not PROGRAM, reason="nginx is not installed")

BACKEND = f"""\
proxy_cache_path {{folder}}/cache keys_zone=cache:1m;
server {{
    listen 127.0.0.1:65000 default_server;
    listen 127.0.0.3:65000;
    client_body_timeout 1s;
    location / {{ return 200 "<host $http_host connection $connection>"; }}
    location /reads-the-body {{ proxy_pass http://127.0.0.1:65000/inner; }}
    location /big-head {{ add_header Set-Cookie a={"b" * 3000}; add_header Set-Cookie c={"d" * 3000}; return 200 "<small body>"; }}
    location /packed {{
        gzip on; gzip_min_length 1; gzip_http_version 1.0; gzip_proxied any; default_type text/html;
        return 200 "this is some text to be replaced";
    }}
    location /fails {{ return 500; }}
}}
"""
PLAIN = "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
BROWSER = "GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: gzip, br\r\nConnection: close\r\n\r\n"
POST = "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"


@dataclass(frozen=True)
class Case:
    """`text` shows the fault: the last of `times` answers to a request for `path` holds `symptom`, and `cured` instead
    once the rule's own fix (or `mended`, where it has none) is in place. `logged` stands in the error log."""

    rule: str
    text: str
    path: str
    symptom: str
    cured: str
    request: str = PLAIN
    times: int = 1
    logged: str = ""
    mended: str | None = None
    groups: str = ""


CASES = (
    Case(
        "upstream-name-in-host",
        "location / {\n proxy_pass http://some_app;\n}",
        "/name",
        "<host some_app ",
        "<host case0.test ",
        groups="upstream some_app { server 127.0.0.3:65000; }\n",
    ),
    Case(
        "proxy-header-buffer-small",
        "location / {\n proxy_pass http://keycloak/big-head;\n}",
        "/sign-on",
        "502 Bad",
        "<small body>",
        logged="upstream sent too big header while reading response header from upstream",
        groups="upstream keycloak { server 127.0.0.1:65000; }\n",
    ),
    Case(
        "proxy-body-dropped",
        "location / {\n proxy_pass_request_body off;\n proxy_pass http://127.0.0.1:65000/reads-the-body;\n}",
        "/body",
        "502 Bad",
        "<host 127.0.0.1:65000",
        request=POST,
    ),
    Case(
        "proxy-buffering-breaks-cache",
        "location / {\n proxy_cache cache;\n proxy_cache_valid 200 1m;\n proxy_buffering off;\n"
        " add_header X-Cache $upstream_cache_status;\n proxy_pass http://127.0.0.1:65000;\n}",
        "/cached",
        "X-Cache: MISS",
        "X-Cache: HIT",
        times=2,
        mended="location / {\n proxy_cache cache;\n proxy_cache_valid 200 1m;\n"
        " add_header X-Cache $upstream_cache_status;\n proxy_pass http://127.0.0.1:65000;\n}",
    ),
    Case(
        "limit-status-503",
        "limit_req zone=slow;\nlocation / {\n proxy_pass http://127.0.0.1:65000;\n}",
        "/limited",
        " 503 ",
        " 429 ",
        times=2,
        groups="limit_req_zone $server_name zone=slow:1m rate=1r/m;\n",
    ),
    Case(
        "sub-filter-compressed",
        "location / {\n sub_filter replaced found;\n proxy_pass http://127.0.0.1:65000/packed;\n}",
        "/packed",
        "Content-Encoding: gzip",
        "text to be found",
        request=BROWSER,
    ),
    Case(
        "sub-filter-compressed",
        "gunzip on;\nlocation / {\n sub_filter replaced found;\n proxy_pass http://127.0.0.1:65000/packed;\n}",
        "/packed",
        "Content-Encoding: gzip",
        "text to be found",
        request=BROWSER,
    ),
    Case(
        "timeout-unit-suspicious",
        "location / {\n proxy_read_timeout 0;\n proxy_pass http://127.0.0.1:65000;\n}",
        "/no-read-time",
        " 504 ",
        "<host",
        logged="upstream timed out (110: Connection timed out) while reading response header from upstream",
        mended="location / {\n proxy_read_timeout 1h;\n proxy_pass http://127.0.0.1:65000;\n}",
    ),
    Case(
        "timeout-unit-suspicious",
        "location / {\n proxy_connect_timeout 0;\n proxy_pass http://127.0.0.1:65000;\n}",
        "/no-connect-time",
        " 504 ",
        "<host",
        logged="upstream timed out (110: Connection timed out) while connecting to upstream",
        mended="location / {\n proxy_connect_timeout 5s;\n proxy_pass http://127.0.0.1:65000;\n}",
    ),
    Case(
        "proxy-next-upstream-useless",
        "location / {\n proxy_next_upstream http_500;\n proxy_pass http://one-address/fails;\n}",
        "/not-tried-again",
        " 500 ",
        "<host",
        groups="upstream one-address { server 127.0.0.1:65000; }\n"
        'server { listen 127.0.0.2:65000; location / { return 200 "<host>"; } }\n'
        "upstream two-addresses { server 127.0.0.1:65000; server 127.0.0.2:65000 backup; }\n",
        mended="location / {\n proxy_next_upstream http_500;\n proxy_pass http://two-addresses/fails;\n}",
    ),
)


def whole(case: Case, index: int) -> str:
    return f"{case.groups}server {{ listen 127.0.0.1:65000; server_name case{index}.test;\n{case.text}\n}}\n"


def mended(case: Case, index: int) -> str:
    text = whole(case, index)
    if case.mended is not None:
        return text.replace(case.text, case.mended)
    return mend(case.rule, text)


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


def answer(nginx: Nginx, case: Case, index: int) -> str:
    """The last answer, with the port of this nginx as the texts write it."""
    request = case.request.format(path=case.path, host=f"case{index}.test").encode()
    raw = [nginx.exchange(request).raw for _ in range(case.times)][-1]
    return raw.decode("latin-1").replace(str(nginx.port), "65000")


@pytest.mark.parametrize("index", range(len(CASES)), ids=[f"{case.rule}-{n}" for n, case in enumerate(CASES)])
def test_the_symptom_is_there_and_gone_after_the_fix(index: int, bad: Nginx, good: Nginx) -> None:
    case = CASES[index]
    assert found_by(case.rule, whole(case, index))
    assert not found_by(case.rule, mended(case, index))
    assert case.symptom in answer(bad, case, index)
    if case.logged:
        assert any(case.logged in line for line in bad.log_of(case.path)), bad.log()
    text = answer(good, case, index)
    assert case.cured in text and case.symptom not in text


FRONT = "server {{ listen 127.0.0.1:65000; server_name front.test; location / {{\n{0}\n proxy_pass http://kept; }} }}\n"
MAP = "map $http_upgrade $connection_upgrade {\n default upgrade;\n '' close;\n}\n"


@pytest.mark.parametrize(
    "text",
    [
        FRONT.format(""),
        FRONT.format(" proxy_http_version 1.1;"),
        FRONT.format(' proxy_http_version 1.0; proxy_set_header Connection "";'),
        FRONT.format(" proxy_http_version 1.1; proxy_set_header Connection close;"),
        MAP + FRONT.format(" proxy_http_version 1.1; proxy_set_header Connection $connection_upgrade;"),
    ],
)
def test_kept_connections_are_used_only_after_the_fix(text: str) -> None:
    group = "upstream kept { server 127.0.0.1:65000; keepalive 4; }\n"
    edits = [
        edit for finding in found_by("upstream-keepalive-defeated", group + text) for edit in finding.fixes[0].edits
    ]
    used = []
    for config in (group + text, apply(group + text, edits)):
        with started([config]) as nginx:
            used.append(len({nginx.ask("/", host="front.test").raw.rpartition(b"connection ")[2] for _ in range(3)}))
    assert used == [3 if edits else 1, 1]
    assert edits or VERSION >= KEPT_BY_DEFAULT
    assert not found_by("upstream-keepalive-defeated", apply(group + text, edits))


def test_a_retried_post_reaches_two_servers_only_with_non_idempotent() -> None:
    """The first server takes the request and fails; the second one gets it again, or does not."""
    text = (
        "upstream two {\n server 127.0.0.1:65000;\n server 127.0.0.2:65000 backup;\n}\n"
        "server { listen 127.0.0.1:65000; server_name front.test; location / {\n"
        " proxy_next_upstream error http_500 non_idempotent;\n proxy_pass http://two/fails;\n} }\n"
        'server { listen 127.0.0.2:65000; location / { return 200 "again"; } }\n'
    )
    edits = [edit for finding in found_by("proxy-retry-non-idempotent", text) for edit in finding.fixes[0].edits]
    request = POST.format(path="/", host="front.test").encode()
    answers = []
    for config in (text, apply(text, edits)):
        with started([config]) as nginx:
            answers.append(nginx.exchange(request).status)
    assert answers == [200, 500]


@pytest.mark.parametrize(("line", "method", "waits"), (("Content-Length 5", "GET", True), ("Content-Length ''", "GET", False),
                                                       ("Transfer-Encoding chunked", "POST", True),
                                                       ("Content-Length $content_length", "POST", False)))  # fmt: skip
def test_a_backend_waits_for_the_body_it_is_told_of(line: str, method: str, waits: bool) -> None:
    text = f"location / {{ proxy_set_header {line}; proxy_read_timeout 1s; proxy_pass http://unix:FOLDER/backend; }}"
    assert bool(found_by("proxy-length-constant", text)) is waits
    http = (
        "server { listen unix:{folder}/backend; location / { proxy_pass http://unix:{folder}/nobody; } }\n"
        "server { listen 127.0.0.1:{port};\n" + text.replace("FOLDER", "{folder}") + "\n}"
    )
    body = "Content-Length: 5\r\n\r\nhello" if method == "POST" else "\r\n"
    with Nginx(http) as nginx:
        reply = nginx.exchange(f"{method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{body}".encode())
    # a backend that has the whole request asks the next one, that is not there
    assert (reply.status != 502) is waits, reply
