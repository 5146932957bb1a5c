"""What a refusal says to write: nginx refuses the text before, and takes it afterwards."""

from __future__ import annotations

import pytest

from nginxlint.catalogue import check
from nginxlint.catalogue.target import Target
from nginxlint.files import Disk
from nginxlint.includes import load
from nginxlint.testing import apply
from tests.oracle.nginx import PROGRAM, Nginx

pytestmark = pytest.mark.skipif(not PROGRAM, reason="nginx is not installed")

# The text inside http, the statement that is meant.
MENDED = (
    ("upstream a { server http://127.0.0.1:80/; }", "server 127.0.0.1:80;"),
    ("upstream a { server https://127.0.0.1/x; }", "server 127.0.0.1:443;"),
    ("upstream a { server 127.0.0.1:80/path; }", "server 127.0.0.1:80;"),
    ("server { location / { fastcgi_pass 127.0.0.1:9000/x; } }", "fastcgi_pass 127.0.0.1:9000;"),
    ("server { location / { scgi_pass 127.0.0.1:4000/; } }", "scgi_pass 127.0.0.1:4000;"),
    ("server { location / { uwsgi_pass uwsgi://127.0.0.1:3031/; } }", "uwsgi_pass uwsgi://127.0.0.1:3031;"),
    ("server { location / { grpc_pass grpc://127.0.0.1:90/x; } }", "grpc_pass grpc://127.0.0.1:90;"),
    ("server { location / { proxy_pass http://http://127.0.0.1; } }", "proxy_pass http://127.0.0.1;"),
    (
        "server { location / { proxy_set_header Connection $connection_upgrade; } }",
        "map $http_upgrade $connection_upgrade { default upgrade; '' close; }",
    ),
)


@pytest.mark.parametrize(("inside", "meant"), MENDED)
def test_nginx_takes_what_a_refusal_says_to_write(inside: str, meant: str) -> None:
    text = f"events {{ }}\nhttp {{\n{inside}\n}}\n"
    (refusal,) = check(load(Disk("/nonexistent"), "nginx.conf", text).main, Target((1, 22, 1)))
    assert refusal.help[0].removeprefix("write ").removesuffix(" in http") in meant
    after = apply(text, list(refusal.fixes[0].edits))
    assert meant in after
    accepted, said = Nginx(inside).test()
    assert not accepted and refusal.nginx_message is not None and refusal.nginx_message in said
    accepted, said = Nginx(after.partition("http {")[2].rpartition("}")[0]).test()
    assert accepted, said
