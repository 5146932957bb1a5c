"""Real nginx with two name servers that do not say the same: it asks them in turn, and what one says counts."""

from __future__ import annotations

import time

import pytest

from nginxlint.demo.dns import NameServer, addresses, fails
from nginxlint.demo.upstreams import World
from nginxlint.online.options import Options
from nginxlint.online.stage import run
from nginxlint.testing import config_of
from tests.oracle.nginx import PROGRAM, Nginx

PASS = "resolver 127.0.0.1:{0} 127.0.0.1:{1} valid=1s ipv6=off; location / {{ set $b app.test; proxy_pass http://$b:{2}; }}"


@pytest.mark.skipif(not PROGRAM, reason="needs nginx")
@pytest.mark.parametrize("rcode", ["SERVFAIL", "NXDOMAIN"])
def test_a_name_server_that_fails_makes_some_requests_fail(rcode: str) -> None:
    good = {"app.test": addresses("127.0.0.1")}
    with World() as world, NameServer({"app.test": fails(rcode)}) as bad, NameServer(good) as other:
        body = PASS.format(bad.port, other.port, world.port("healthy"))
        config = config_of(f"events {{}} http {{ server {{ listen 80; {body} }} }}", version=(1, 22, 1))
        [row] = run(config, Options(timeout=2)).targets_json
        with Nginx(f"server {{ listen 127.0.0.1:{{port}}; {body} }}") as nginx:
            statuses = []
            for _ in range(6):
                statuses.append(nginx.ask("/").status)
                time.sleep(1.1)  # past valid=
    assert (row["verdict"], row["code"]) == ("degraded", "DNS_UNEVEN")
    assert set(statuses) == {200, 502}
