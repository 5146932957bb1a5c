"""What counts where a request is handed from one location to another: the rules on that say what real nginx does."""

from __future__ import annotations

import socket

import pytest

from tests.oracle.nginx import PROGRAM, Nginx, free_port
from tests.rules.mending import found_by

pytestmark = pytest.mark.skipif(not PROGRAM, reason="nginx is not installed")

DONE = "try_files /none @done; } location @done { proxy_pass http://unix:/nothing.sock; }"
SIZES = (
    (
        "location / { try_files $uri @up; } location @up { client_max_body_size 9; proxy_pass http://unix:/n.sock; }",
        True,
    ),
    ("location / { client_max_body_size 9; rewrite ^ /up last; } location /up { " + DONE, True),
    ("location / { try_files /n /up; } location /up { client_max_body_size 9; " + DONE, True),
    (
        "location / { client_max_body_size 9; try_files /n @up; } location @up { proxy_pass http://unix:/n.sock; }",
        False,
    ),
    ("client_max_body_size 9; location / { try_files /n /up; } location /up { " + DONE, False),
)


@pytest.mark.parametrize(("text", "refused"), SIZES)
def test_a_body_has_to_be_small_enough_for_every_location_but_named_ones(text: str, refused: bool) -> None:
    http = "client_max_body_size 2; server { listen 127.0.0.1:{port};\n" + text + "\n}"
    assert bool(found_by("client-max-body-elsewhere", http.replace("{port}", "80"))) is refused
    with Nginx(http) as nginx:
        reply = nginx.exchange(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
    assert reply.status == (413 if refused else 502)


@pytest.mark.parametrize(("fallback", "args"), (("/run", ""), ("/run?$args", "page=2"), ("@run", "page=2")))
def test_a_fallback_gets_the_query_string_it_writes(fallback: str, args: str) -> None:
    target = f"location {fallback.partition('?')[0]} {{ proxy_pass http://unix:/back; }}"
    text = f"location / {{ try_files /none {fallback}; }} {target}"
    assert bool(found_by("try-files-drops-args", f"server {{ {text} }}")) is (not args)
    http = (
        'server { listen unix:{folder}/back; return 200 "<$args>"; } server { listen 127.0.0.1:{port}; ' + text + " }"
    )
    with Nginx(http.replace("unix:/back", "unix:{folder}/back")) as nginx:
        assert nginx.ask("/x?page=2").raw.endswith(f"<{args}>".encode())


def test_the_root_of_an_alias_and_the_script_name_hold_the_prefix_twice() -> None:
    param = "fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_pass php:9;"
    text = f"location /b/ {{ alias /s/; location ~ p$ {{ {param} }} }}"
    assert found_by("fastcgi-script-alias", text)
    told = 'return 200 "<$document_root$fastcgi_script_name|$request_filename>";'
    with Nginx(
        "server { listen 127.0.0.1:{port}; location /b/ { alias /s/; location ~ p$ { " + told + " } } }"
    ) as nginx:
        assert nginx.ask("/b/a.php").raw.endswith(b"</s//b/a.php|/s/a.php>")


@pytest.mark.parametrize(
    ("text", "shown"),
    (
        ("error_page 503 /page; if ($host) { return 503; } location = /page { try_files /n @p; } ", False),
        ("error_page 503 @p; if ($host) { return 503; } ", True),
        ("error_page 503 /page; location / { return 503; } location = /page { try_files /n @p; } ", True),
    ),
)
def test_a_return_in_the_server_also_answers_the_request_for_the_page(text: str, shown: bool) -> None:
    text += "location @p { return 200 mine; }"
    assert bool(found_by("error-page-rewritten", f"server {{ {text} }}")) is not shown
    with Nginx("server { listen 127.0.0.1:{port}; " + text + " }") as nginx:
        assert (b"mine" in nginx.ask("/x").raw) is shown


def test_who_comes_by_ipv6_meets_the_default_of_that_socket() -> None:
    text = (
        "server { listen 127.0.0.1:{port}; listen [::]:{other}; server_name b.test; return 200 theirs; }\n"
        "server { listen 127.0.0.1:{port}; listen [::1]:{third}; listen {other};\nserver_name a.test; return 200 mine; }"
    )
    ports = {"{other}": str(free_port()), "{third}": str(free_port())}
    for mark, port in ports.items():
        text = text.replace(mark, port)
    assert found_by("listen-ipv6-elsewhere", text.replace("{port}", "80"))
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    with Nginx(text):
        answers = []
        for host in ("127.0.0.1", "::1"):
            with socket.create_connection((host, int(ports["{other}"])), 8) as visitor:
                visitor.sendall(b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n")
                answers.append(b"".join(iter(lambda: visitor.recv(4096), b"")).rpartition(b"\n")[2])
    assert answers == [b"mine", b"theirs"]


@pytest.mark.parametrize(
    ("page", "shown"),
    (("location = /403 { try_files /n @p; }", False), ("location = /403 { allow all; try_files /n @p; }", True)),
)
def test_the_page_for_the_refused_is_refused_to_them(page: str, shown: bool) -> None:
    text = f"deny all; error_page 403 /403; location / {{ }} {page} location @p {{ return 200 mine; }}"
    assert bool(found_by("error-page-denied", f"server {{ {text} }}")) is not shown
    with Nginx("server { listen 127.0.0.1:{port}; " + text + " }") as nginx:
        assert (b"mine" in nginx.ask("/x").raw) is shown


@pytest.mark.parametrize("guards", ("", "deny all;"))
def test_who_is_refused_comes_to_the_backend_by_the_error_page(guards: str) -> None:
    outer = "location / { deny all; error_page 403 = @app; proxy_pass http://app; }"
    text = f"{outer} location @app {{ {guards} proxy_pass http://app; }}"
    assert bool(found_by("error-page-bypasses-access", f"server {{ {text} }}")) is (not guards)
    inner = "upstream app { server unix:{folder}/app; } server { listen unix:{folder}/app; return 200 mine; } "
    with Nginx(inner + "server { listen 127.0.0.1:{port}; " + text + " }") as nginx:
        assert (b"mine" in nginx.ask("/x").raw) is (not guards)
