"""The model answers what is in effect, and where."""

from __future__ import annotations

import pytest

from nginxlint.routing.passes import Pass, split_target
from nginxlint.routing.servers import split_location
from nginxlint.routing.variables import fold
from nginxlint.testing import config_of


def values(text: str, place: str, name: str, version: tuple[int, int, int] | None = None) -> list[str]:
    config = config_of(text, version=version)
    block = next(iter(config.find(place)))
    return [" ".join(directive.values) for directive in config.scope(block).effective(name)]


@pytest.mark.parametrize(
    ("body", "name", "expected"),
    [
        ("proxy_read_timeout 1s; location / { }", "proxy_read_timeout", ["1s"]),
        ("proxy_read_timeout 1s; location / { proxy_read_timeout 2s; }", "proxy_read_timeout", ["2s"]),
        ("proxy_set_header A 1; location / { }", "proxy_set_header", ["A 1"]),
        ("proxy_set_header A 1; location / { proxy_set_header B 2; }", "proxy_set_header", ["B 2"]),
        ("allow all; location / { deny all; }", "allow", []),
        ("proxy_pass http://a; location / { }", "proxy_pass", []),
        ("rewrite a b; location / { }", "rewrite", []),
        ("add_header A 1; location / { add_header B 2; }", "add_header", ["B 2"]),
        ("add_header A 1; location / { add_header B 2; add_header_inherit merge; }", "add_header", ["A 1", "B 2"]),
        ("add_header A 1; location / { add_header_inherit off; }", "add_header", []),
    ],
)
def test_a_location_has_in_effect_what_nginx_inherits(body: str, name: str, expected: list[str]) -> None:
    assert values(f"server {{ {body} }}", "location", name) == expected


def test_an_if_takes_over_the_pass_target_of_its_location() -> None:
    text = "server { location / { proxy_pass http://a; if ($arg_x) { set $y 1; } } }"
    assert values(text, "if", "proxy_pass") == ["http://a"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("/a",), ("", "/a")),
        (("=", "/a"), ("=", "/a")),
        (("=/a",), ("=", "/a")),
        (("~*\\.png$",), ("~*", "\\.png$")),
        (("~^/x",), ("~", "^/x")),
        (("^~/a",), ("^~", "/a")),
        (("@n",), ("@", "@n")),
    ],
)
def test_modifier_and_pattern_may_be_written_together(arguments: tuple[str, ...], expected: tuple[str, str]) -> None:
    assert split_location(arguments) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://a", ("http", "a", None)),
        ("http://a/", ("http", "a", "/")),
        ("HTTPS://a:1/x?y", ("https", "a:1", "/x?y")),
        ("http://unix:/s.sock:/u", ("http", "unix:/s.sock", "/u")),
        ("http://unix:/s.sock", ("http", "unix:/s.sock", None)),
        ("http://a?x", ("http", "a", "?x")),
        ("$scheme://a/x", ("", "$scheme:", "//a/x")),
        ("http://$b$request_uri", ("http", "$b$request_uri", None)),
        ("unix:/s", ("", "unix:/s", None)),
    ],
)
def test_a_target_is_taken_apart_as_nginx_does(text: str, expected: tuple[str, str, str | None]) -> None:
    assert split_target(text) == expected


def test_a_listen_is_the_same_socket_however_it_is_written() -> None:
    config = config_of("server { listen 80; } server { listen *:80; } server { listen 0.0.0.0; } server { }")
    assert {listen.socket for server in config.servers for listen in server.listens} == {"*:80"}


def test_the_default_server_is_the_marked_one_else_the_first() -> None:
    config = config_of("server { listen 80; server_name a; } server { listen 80 default_server; server_name b; }")
    assert [listener.default.first_name for listener in config.listeners] == ["b"]
    config = config_of("server { listen 81; server_name a; } server { listen 81; server_name b; }")
    assert [listener.default.first_name for listener in config.listeners] == ["a"]


def test_a_group_is_found_without_regard_to_case_and_never_with_a_port() -> None:
    config = config_of("upstream Back { server a; } server { location / { proxy_pass http://BACK; } }")
    assert [bool(target.group(config)) for target in config.passes()] == [True]
    config = config_of("upstream back { server a; } server { location / { proxy_pass http://back:80; } }")
    assert [bool(target.group(config)) for target in config.passes()] == [False]


def folded(text: str) -> set[str] | None:
    config = config_of(text)
    directive = next(iter(config.find("proxy_pass")))
    found = fold(config, directive, Pass(directive).text)
    return None if found is None else {value.text for value in found}


def test_set_and_map_are_followed_where_they_are_finite() -> None:
    assert folded("server { set $b x; location / { proxy_pass http://$b:1; } }") == {"http://x:1"}
    assert folded("map $host $m { default a; b c; } server { location / { proxy_pass http://$m; } }") == {
        "http://a",
        "http://c",
    }
    text = "map $host $m { b c; } server { location / { set $t $m:1; proxy_pass http://${t}; } }"
    assert folded(text) == {"http://c:1", "http://:1"}


def test_what_depends_on_the_request_is_not_folded() -> None:
    assert folded("server { location / { proxy_pass http://$arg_x; } }") is None
    assert folded("server { set $b $host; location / { proxy_pass http://$b; } }") is None
    assert folded("server { set $b $b; location / { proxy_pass http://$b; } }") is None


GROUP = "upstream app { server a; }\n"


@pytest.mark.parametrize(
    ("server", "schemes", "all_known"),
    [
        ("location / { proxy_pass http://app/x; }", ["http"], True),
        ("location / { proxy_pass http://APP; }", ["http"], True),
        ("location / { proxy_pass http://app:80; }", [], True),
        ("location / { proxy_pass http://other; }", [], True),
        ("location / { set $b app; proxy_pass https://$b$request_uri; }", ["https"], True),
        ("location / { fastcgi_pass app; }", [""], True),
        ("location / { proxy_pass $scheme://app; }", ["$scheme"], True),
        ("location / { proxy_pass http://app; } location /x { proxy_pass http://$arg_x; }", ["http"], False),
    ],
)
def test_a_group_knows_the_passes_that_lead_to_it(server: str, schemes: list[str], all_known: bool) -> None:
    config = config_of(f"{GROUP}server {{ {server} }}")
    assert [use.scheme for use in config.uses(config.upstreams[0])] == schemes
    assert config.all_uses_known is all_known


@pytest.mark.parametrize(
    ("body", "version", "idle"),
    [
        ("", (1, 29, 6), 0),
        ("", (1, 29, 7), 32),
        ("keepalive 8;", (1, 22, 1), 8),
        ("keepalive 0;", (1, 29, 7), 0),
    ],
)
def test_since_1_29_7_a_group_keeps_connections_by_itself(body: str, version: tuple[int, int, int], idle: int) -> None:
    (group,) = config_of(f"upstream app {{ server a; {body} }}").upstreams
    assert group.idle_connections(version) == idle


def test_sizes_and_times_in_effect_are_read_as_nginx_reads_them() -> None:
    config = config_of('server { proxy_read_timeout "1m 30s"; proxy_buffer_size 8k; location / { } }')
    scope = config.scope(next(config.find("location")))
    assert scope.milliseconds("proxy_read_timeout", 1) == 90_000
    assert scope.size("proxy_buffer_size", 1) == 8192
    assert scope.size("proxy_buffers", 1) == 1
