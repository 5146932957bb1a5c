"""What stream servers say before they pass a connection on, and what they read of it: as the rules on that claim."""

from __future__ import annotations

import os
import ssl

import pytest

from tests.oracle.nginx import PROGRAM, STREAM_MODULE, Nginx
from tests.rules.mending import found_by

pytestmark = pytest.mark.skipif(
    not PROGRAM or not os.path.exists(STREAM_MODULE), reason="nginx or its stream is not installed"
)

LOAD = f"load_module {STREAM_MODULE};"


def shaped(text: str) -> str:
    """For the rules: with a port and a folder in place of the marks."""
    return text.replace("{port}", "443").replace("{folder}", "/f")


def test_a_listener_takes_the_header_it_does_not_await_for_the_request() -> None:
    http, stream = (
        "server { listen unix:{folder}/web; return 200 ok; }",
        "stream { server { listen 127.0.0.1:{port}; proxy_protocol on; proxy_pass unix:{folder}/web; } }",
    )
    bad = shaped(f"events {{ }}\nhttp {{ {http} }}\n{stream}")
    assert found_by("proxy-protocol-unexpected", bad)
    assert not found_by("proxy-protocol-unexpected", bad.replace("/web;", "/web proxy_protocol;", 1))
    for listen, status in (("/web;", 400), ("/web proxy_protocol;", 200)):
        with Nginx(http.replace("/web;", listen), main=LOAD, rest=stream) as nginx:
            assert nginx.ask("/").status == status


def test_the_name_of_the_handshake_is_empty_unless_it_is_read() -> None:
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(into, out, server_hostname="a.test")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    hello = out.read()
    text = (
        "stream { map $ssl_preread_server_name $to { a.test unix:{folder}/a; default unix:{folder}/b; }\n"
        "server { listen unix:{folder}/a; return theirs; } server { listen unix:{folder}/b; return another; }\n"
        "server { listen 127.0.0.1:{port};\nproxy_pass $to;\n} }"
    )
    good = text.replace("proxy_pass", "ssl_preread on; proxy_pass")
    assert found_by("ssl-preread-off", shaped(text)) and not found_by("ssl-preread-off", shaped(good))
    for stream, answer in ((text, "b"), (good, "a")):
        with Nginx(main=LOAD, rest=stream) as nginx:
            nginx.exchange(hello)
            assert any(line.endswith(f"connected to unix:{nginx.folder}/{answer}") for line in nginx.log())
