"""Who may purge a cache, with the module ngx_cache_purge as Debian ships it."""

from __future__ import annotations

import os

import pytest

from tests.oracle.nginx import PROGRAM, Nginx
from tests.rules.mending import found_by

MODULE = "/usr/lib/nginx/modules/ngx_http_cache_purge_module.so"

pytestmark = pytest.mark.skipif(
    not PROGRAM or not os.path.exists(MODULE), reason="nginx or ngx_cache_purge is not installed"
)

CACHED = "proxy_cache z; proxy_cache_valid 1h; proxy_cache_key $uri; proxy_pass http://unix:{folder}/backend:; "
ASKS = (
    ("location / { " + CACHED + "proxy_cache_purge PURGE from all; }", "PURGE /a", True),
    ("location / { " + CACHED + "proxy_cache_purge PURGE from 127.0.0.2; }", "PURGE /a", False),
    ("location / { " + CACHED + "} location ~ ^/purge(/.*) { proxy_cache_purge z $1; }", "GET /purge/a", True),
    ("location / { " + CACHED + "} location ~ ^/purge(/.*) { allow 127.0.0.2; deny all; proxy_cache_purge z $1; }",
     "GET /purge/a", False),
)  # fmt: skip


@pytest.mark.parametrize(("text", "line", "purged"), ASKS)
def test_everybody_purges_where_it_is_reported(text: str, line: str, purged: bool) -> None:
    http = (
        "proxy_cache_path {folder}/cache keys_zone=z:1m max_size=1m; server { listen unix:{folder}/backend; return 200 a; }\n"
        "server { listen 127.0.0.1:{port};\n" + text + "\n}"
    )
    assert (
        bool(found_by("cache-purge-open", http.replace("{folder}", "/d").replace("127.0.0.1:{port}", "80"))) is purged
    )
    with Nginx(http, main=f"load_module {MODULE};") as nginx:
        assert nginx.ask("/a").status == 200
        reply = nginx.exchange(f"{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        assert (reply.status != 403) is purged  # Debian's build of 2.3 crashes where it purges: nobody is told 200
