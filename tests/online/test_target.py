"""What nginx would talk to, read from the configuration alone."""

from __future__ import annotations

import pytest

from nginxlint.online.target import targets_of
from nginxlint.online.types import Target
from nginxlint.testing import config_of

OLD = (1, 22, 1)


def targets(http: str, *, version: tuple[int, int, int] = OLD, rest: str = "") -> list[Target]:
    return targets_of(config_of(f"events {{}}\nhttp {{ {http} }}\n{rest}", version=version))


def only(location: str, **more: object) -> Target:
    found = targets(f"server {{ listen 80; server_name shop.test; {location} }}", **more)  # type: ignore[arg-type]
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("location", "path", "host"),
    [
        ("location / { proxy_pass http://app:8080; }", "/", "app:8080"),
        ("location /api/ { proxy_pass http://app:80; }", "/api/", "app"),
        ("location /api/ { proxy_pass http://app/v1/; }", "/v1/", "app"),
        ("location = /one { proxy_pass http://app/two; }", "/two", "app"),
        ("location ~ ^/img/(a|b) { proxy_pass http://app; }", "/img/", "app"),
        ("location ~ \\.php$ { proxy_pass http://app; }", "/", "app"),
        ("location ~ ^/ab+c { proxy_pass http://app; }", "/a", "app"),
        ("location @back { proxy_pass http://app; }", "/", "app"),
        ("location /q { proxy_pass http://app?x=1; }", "/?x=1", "app"),
        ('location "/a b/" { proxy_pass http://app; }', "/a%20b/", "app"),
        ("location /old/ { rewrite ^/old/(.*)$ /new/$1 break; proxy_pass http://app; }", "/new/", "app"),
        ("location / { proxy_pass http://unix:/run/app.sock:/sub/; }", "/sub/", "localhost"),
        ("location / { proxy_pass http://app; proxy_set_header Host $host; }", "/", "shop.test"),
        ("location / { proxy_pass http://app; proxy_set_header Host $http_host; }", "/", "shop.test"),
        ("location / { proxy_pass http://app; proxy_set_header Host $proxy_host; }", "/", "app"),
        ("location / { proxy_pass http://app; proxy_set_header Host api.test; }", "/", "api.test"),
        ('location / { proxy_pass http://app; proxy_set_header Host ""; }', "/", None),
        ("location /x { set $b app:81; proxy_pass http://$b$request_uri; }", "/x", "app:81"),
        ("location /x { set $b app:81; proxy_pass http://$b/fixed; }", "/fixed", "app:81"),
    ],
)
def test_the_request_is_the_one_nginx_would_send(location: str, path: str, host: str | None) -> None:
    target = only(location)
    assert (target.path, target.host_header) == (path, host)


@pytest.mark.parametrize(
    ("names", "host"),
    [
        ("_", "localhost"),
        ("~^x$ .example.org", "example.org"),
        ("*.example.org real.test", "real.test"),
        ("*.example.org", "www.example.org"),
        ("example.*", "example.com"),
    ],
)
def test_the_visitors_host_is_the_first_name_one_could_ask_for(names: str, host: str) -> None:
    [target] = targets(
        f"server {{ listen 80; server_name {names};"
        " location / { proxy_pass http://a; proxy_set_header Host $host; } }"
    )
    assert target.host_header == host


@pytest.mark.parametrize(
    ("proxy_pass", "resolution", "host", "port"),
    [
        ("http://app", "startup", "app", 80),
        ("https://app", "startup", "app", 443),
        ("http://10.0.0.1:81", "literal", "10.0.0.1", 81),
        ("http://[::1]:81", "literal", "::1", 81),
        ("http://unix:/run/x.sock", "unix", "", None),
        ("http://$made:81", "runtime", "from-map", 81),
        ("http://$http_x", "dynamic", "$http_x", None),
    ],
)
def test_names_are_resolved_when_nginx_would_resolve_them(
    proxy_pass: str, resolution: str, host: str, port: int | None
) -> None:
    [target] = targets(
        "map $uri $made { default from-map; }"
        f"server {{ listen 80; location / {{ resolver 10.0.0.53; proxy_pass {proxy_pass}; }} }}"
    )
    assert (target.resolution, target.host, target.port) == (resolution, host, port)


def test_a_name_from_a_variable_that_a_literal_pass_knows_is_known_from_the_start() -> None:
    found = targets(
        "server { listen 80; location /a { proxy_pass http://app:81; } "
        "location /b { set $x app:81; proxy_pass http://$x; } }"
    )
    assert {target.resolution for target in found} == {"startup"}


def test_a_group_is_taken_apart_into_its_peers() -> None:
    found = targets(
        "upstream g { server a:1 weight=3; server b backup; server 10.0.0.3:3 down; server unix:/run/s; }"
        "server { listen 80; location / { proxy_pass http://g; } location /b { set $u g; proxy_pass http://$u; } }"
    )
    shown = [(t.label, t.role.weight, t.role.backup, t.role.down, t.path) for t in found if t.role]
    assert shown == [
        ("a:1", 3, False, False, "/"),
        ("b:80", 1, True, False, "/"),
        ("10.0.0.3:3", 1, False, True, "/"),
        ("unix:/run/s", 1, False, False, "/"),
        ("a:1", 3, False, False, "/b"),
        ("b:80", 1, True, False, "/b"),
        ("10.0.0.3:3", 1, False, True, "/b"),
        ("unix:/run/s", 1, False, False, "/b"),
    ]


def test_a_map_with_few_outcomes_gives_a_target_for_each() -> None:
    found = targets(
        "map $arg_x $where { default one:80; a two:80; b two:80; }"
        "server { listen 80; location / { resolver 10.0.0.53; proxy_pass http://$where; } }"
    )
    assert [target.label for target in found] == ["one:80", "two:80"]


def test_what_depends_on_the_request_is_not_guessed() -> None:
    target = only("location / { proxy_pass http://$http_x_backend; }")
    assert target.skip is not None
    assert target.skip == (
        "SKIP_VARIABLE",
        "depends on the request ($http_x_backend) and no resolver is defined for names",
    )


def test_the_same_question_from_two_places_is_one_target() -> None:
    found = targets(
        "proxy_set_header Host $host;"
        "server { listen 80; server_name a.test;"
        " location / { proxy_pass http://app/; } location /b/ { proxy_pass http://app/; } }"
    )
    assert len(found) == 1
    assert len(found[0].used_at) == 2


def test_tls_is_as_configured_with_nginx_defaults_by_version() -> None:
    text = "location / { proxy_pass https://app.test:8443; %s }"
    plain = only(text % "")
    assert plain.tls is not None
    assert (plain.tls.server_name, plain.tls.name, plain.tls.verify) == ("", "app.test", False)
    assert plain.tls.protocols == ("TLSv1", "TLSv1.1", "TLSv1.2")
    newer = only(text % "", version=(1, 31, 5))
    assert newer.tls is not None
    assert newer.tls.protocols == ("TLSv1.2", "TLSv1.3")
    named = only(
        text
        % "proxy_ssl_server_name on; proxy_ssl_name $host; proxy_ssl_verify on; proxy_ssl_trusted_certificate ca.pem;"
    )
    assert named.tls is not None
    assert (named.tls.server_name, named.tls.verify, named.tls.ca) == ("shop.test", True, "ca.pem")


def test_no_server_name_is_sent_for_an_address() -> None:
    target = only("location / { proxy_pass https://10.0.0.1; proxy_ssl_server_name on; }")
    assert target.tls is not None
    assert target.tls.server_name == ""


def test_limits_come_from_the_nearest_block() -> None:
    target = only(
        "proxy_read_timeout 2m; proxy_buffer_size 8k; proxy_connect_timeout 500ms;"
        "location / { proxy_read_timeout 90; proxy_pass http://app; proxy_next_upstream error http_502; }"
    )
    assert (target.timeouts.read, target.timeouts.connect, target.buffer_size) == (90.0, 0.5, 8192)
    assert target.next_upstream == {"error", "http_502"}


def test_every_kind_of_pass_is_a_target() -> None:
    found = targets(
        "server { listen 80; location /g { grpc_pass grpcs://g:1; } location /f { fastcgi_pass f:9000; } "
        "location /u { uwsgi_pass u:1; } location /s { scgi_pass s:1; } location /m { memcached_pass m:11211; } }",
        rest="stream { server { listen 1; proxy_pass t:1; } server { listen 2 udp; proxy_pass d:53; } }",
    )
    assert [(t.directive, t.protocol, t.label) for t in found] == [
        ("grpc_pass", "grpc", "g:1"),
        ("fastcgi_pass", "fastcgi", "f:9000"),
        ("uwsgi_pass", "uwsgi", "u:1"),
        ("scgi_pass", "scgi", "s:1"),
        ("memcached_pass", "memcached", "m:11211"),
        ("stream", "tcp", "t:1"),
        ("stream", "udp", "d:53"),
    ]
    assert found[0].tls is not None
    assert found[0].tls.alpn == ("h2",)


def test_no_secret_of_the_configuration_is_taken_along() -> None:
    target = only(
        "location / { proxy_pass http://app; proxy_set_header Authorization 'Basic c2VjcmV0'; "
        "proxy_set_header X-Api-Key k; proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header Host $host; }"
    )
    assert target.headers == (("X-Forwarded-Proto", "http"),)


def test_a_zone_in_an_address_is_refused_without_asking() -> None:
    target = only("location / { proxy_pass http://[fe80::1%eth0]:80; }")
    assert target.skip == ("CFG_ADDR", 'invalid IPv6 address in upstream "fe80::1%eth0"')


@pytest.mark.parametrize("name", ["CR\\rLF", "a\\nb"])
def test_a_header_value_cannot_start_another_header(name: str) -> None:
    value = name.encode().decode("unicode_escape")
    target = only(f"location / {{ proxy_pass http://app; proxy_set_header Host '{value}'; }}")
    assert target.host_header is not None
    assert not set(target.host_header) & set("\r\n")
