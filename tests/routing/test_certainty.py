"""The simulator is certain only of what it knows: everything else forks or is said to be open."""

from __future__ import annotations

import pytest

from nginxlint.routing.answer import Answer
from nginxlint.routing.request import Request, request_of_url
from nginxlint.routing.router import MAX_RUNS, Router
from nginxlint.testing import config_of


def answer(server: str, url: str = "http://a.test/x", *, http: str = "", **known: object) -> Answer:
    config = config_of(f"events {{}} http {{ {http} server {{ listen 80; server_name a.test; {server} }} }}")
    return Router(config).route(request_of_url(url, **known))


FORKS = [
    ("a request header", 'if ($http_x_a = 1) { return 201; } return 202;', {201, 202}),
    ("a cookie", 'if ($cookie_a) { return 201; } return 202;', {201, 202}),
    ("the client's address", "location / { allow 192.0.2.0/24; deny all; return 204; } location /x { deny 192.0.2.1; proxy_pass http://u:1; }", {403, None}),
    ("a geo of the client", "if ($g) { return 201; } return 202;", {201, 202}),
    ("a map of a header", "if ($m = b) { return 201; } return 202;", {201, 202}),
    ("a file", "location / { try_files $uri =404; } location /x { if (-f /f) { return 201; } return 202; }", {201, 202}),
    ("a file of try_files", "location / { try_files $uri @n; } location @n { return 202; }", {None, 202}),
    ("an auth_request to an upstream", "location / { auth_request /a; proxy_pass http://u:1; } location /a { proxy_pass http://u:2; }", {None, 401, 403, 500}),
    ("a password", "location / { auth_basic x; auth_basic_user_file f; proxy_pass http://u:1; }", {None, 401, 403}),
    ("a folder with an error_page for its redirect", "error_page 301 =200 @n; location @n { return 202; }", {None, 200}),
    ("a missing file with an error_page", "error_page 404 @n; location @n { return 200 x; }", {None, 404}),
]  # fmt: skip
MAPS = "map $http_x_a $m { default a; ~x b; } geo $g { default 0; 192.0.2.0/24 1; }"


@pytest.mark.parametrize(("server", "statuses"), [row[1:] for row in FORKS], ids=[row[0] for row in FORKS])
def test_what_is_not_known_gives_every_outcome(server: str, statuses: set[int | None]) -> None:
    found = answer(server, http=MAPS)
    assert not found.certain
    assert not found.open
    assert {found.status, *(other.status for _, other in found.alternatives)} == statuses
    assert found.doubts


TRUSTED = "set_real_ip_from 127.0.0.1; location /x { deny 192.0.2.1; proxy_pass http://u:1; }"


@pytest.mark.parametrize(
    ("server", "known", "certain"),
    [
        (TRUSTED, {"client": "127.0.0.1"}, False),
        (TRUSTED, {"client": "127.0.0.2"}, True),
        (TRUSTED, {"client": "127.0.0.1", "headers": {"X-Real-IP": "192.0.2.1"}}, True),
        (TRUSTED, {"client": "127.0.0.1", "complete": True}, True),
        (TRUSTED, {"headers": {"X-Real-IP": "192.0.2.1"}}, False),
        (TRUSTED + "set_real_ip_from proxy.test;", {"client": "127.0.0.2"}, False),
        (TRUSTED + "real_ip_header proxy_protocol;", {"client": "127.0.0.1"}, True),
        (TRUSTED + "real_ip_header proxy_protocol; listen 80 proxy_protocol;", {"client": "127.0.0.1"}, False),
    ],
)
def test_who_the_client_is_is_known_where_all_of_the_way_is(
    server: str, known: dict[str, object], certain: bool
) -> None:
    assert answer(server, **known).certain == certain


@pytest.mark.parametrize(("version", "status"), [((1, 26, 3), 400), ((1, 29, 0), None), ((1, 30, 6), 405)])
def test_between_two_versions_that_were_seen_connect_is_not_known(
    version: tuple[int, int, int], status: int | None
) -> None:
    config = config_of("events {} http { server { listen 80; } }", version=version)
    found = Router(config).route(Request("a.test:80", host="a.test", method="CONNECT", complete=True))
    assert (found.status if found.certain else None) == status


def test_a_map_of_something_unknown_leaves_captures_unknown() -> None:
    server = "location ~ ^/(.) { set $a $m; return 302 /$1; } location / { set $a $m; return 302 /$named; }"
    http = "map $http_x_a $m { default a; ~^(?<named>.)x b; }"
    assert not answer(server, "http://a.test/x", http=http).certain
    assert not answer(server, "http://a.test/", http=http).certain
    assert answer(server, "http://a.test/x", http=http, complete=True).certain


@pytest.mark.parametrize(
    ("server", "method", "statuses"),
    [
        ("index a.html /b; location /b { return 202; }", "GET", {None, 202, 404}),
        ("error_page 500 @n; location @n { return 202; }", "GET", {None, 500}),
        ("error_page 405 =201 @n; location @n { return 202; } location = / { index x; } location /x { }", "POST", {None, 201}),
    ],
)  # fmt: skip
def test_what_a_folder_holds_is_asked_for(server: str, method: str, statuses: set[int | None]) -> None:
    found = answer(server, "http://a.test/", method=method)
    assert {found.status, *(other.status for _, other in found.alternatives)} == statuses


def test_what_is_given_is_not_doubted() -> None:
    server = "if ($http_x_a = 1) { return 201; } location / { deny 192.0.2.1; proxy_pass http://u:1; }"
    assert answer(server, headers={"X-A": "1"}, client="192.0.2.9").status == 201
    found = answer(server, complete=True, client="192.0.2.1")
    assert (found.status, found.certain) == (403, True)


@pytest.mark.parametrize(
    ("text", "context"),
    [
        ("location / { proxy_pass http://u:1; }", "server"),
        ("events {} http { server { listen 80; include missing/a.conf; location / { return 200; } } }", None),
        ("events {} http { server { listen 80; location / { return 200 } } }", None),
        ("events {} http { server { listen 80; location / { return 200; }", None),
    ],
    ids=["a snippet", "a missing include", "a missing semicolon", "a missing brace"],
)
def test_of_a_part_nothing_is_certain(text: str, context: str | None) -> None:
    config = config_of(text, context=context)
    config.snippet = context is not None
    found = Router(config).route(request_of_url("http://a.test/x"))
    assert not found.certain
    assert found.open
    assert "only a part" in found.doubts[-1]


def test_several_sockets_of_a_port_are_all_told() -> None:
    text = "events {} http { server { listen 80; return 201; } server { listen 127.0.0.1:80; if ($http_a) { return 202; } return 203; } }"
    found = Router(config_of(text)).route(request_of_url("http://a.test/"))
    assert {found.status, *(other.status for _, other in found.alternatives)} == {201, 202, 203}
    found = Router(config_of(text)).route(request_of_url("http://a.test/", on="192.0.2.1:80"))
    assert (found.status, found.certain) == (201, True)


PATHOLOGICAL = [
    r"location ~ ^/(a+)+$ { return 200; }",
    r"if ($uri ~ ^/(a|aa)+$) { return 200; } return 404;",
    r"rewrite ^/(a|a?)+$ /x; return 404;",
    r"return 302 /$slow;",
    r"location / { if ($http_a) { set $z 1; } if ($http_b) { set $z 2; } if ($http_c) { set $z 3; } if ($uri ~ ^/(a+)+$) { return 201; } return 404; }",
]  # fmt: skip


@pytest.mark.parametrize("server", PATHOLOGICAL)
def test_a_pathological_pattern_ends_and_is_not_certain(server: str) -> None:
    found = answer(server, f"http://a.test/{'a' * 60}!", http=r"map $uri $slow { ~^/(a+)+$ yes; }")
    assert not found.certain
    assert found.open
    assert any("steps" in doubt or "limit" in doubt for doubt in found.doubts)


def test_more_unknowns_than_can_be_followed_leave_the_answer_open() -> None:
    conditions = " ".join(f"if ($http_x_{n}) {{ return {200 + n}; }}" for n in range(MAX_RUNS + 5))
    found = answer(conditions)
    assert found.open
    assert not found.certain
