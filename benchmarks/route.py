"""How long 10,000 URLs take against 1,000 servers, parsing apart: python benchmarks/route.py"""

from __future__ import annotations

import time

from nginxlint.routing.request import request_of_url
from nginxlint.routing.router import Router
from nginxlint.testing import config_of

SERVERS = 1000
URLS = 10_000
LIMIT = 5.0


def main() -> int:
    servers = "\n".join(
        f"server {{ listen 80; server_name s{n}.test *.s{n}.test; location / {{ proxy_pass http://127.0.0.1:1; }}"
        f" location /api/ {{ proxy_pass http://127.0.0.1:2/v1/; }} location ~ \\.php$ {{ fastcgi_pass unix:/f; }}"
        f" location /old/ {{ rewrite ^/old/(.*)$ /api/$1 last; }} }}"
        for n in range(SERVERS)
    )
    config = config_of(f"events {{}} http {{ {servers} }}")
    paths = ("/", "/api/x%20y?z=1", "/index.php", "/old/thing", "/a//b/../c")
    started = time.perf_counter()
    router = Router(config)
    for number in range(URLS):
        answer = router.route(request_of_url(f"http://s{number % SERVERS}.test{paths[number % len(paths)]}"))
        assert answer.certain and answer.upstream is not None
    seconds = time.perf_counter() - started
    print(f"{URLS} URLs against {SERVERS} servers: {seconds:.2f} s (limit {LIMIT:.0f} s)")
    return int(seconds > LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())
