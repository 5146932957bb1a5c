"""What the rules on upstream groups warn of happens in real nginx, and does not once their advice is followed.

Port 65000 in the texts stands for the port of that nginx.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from nginxlint.diagnostic import Diagnostic
from nginxlint.routing.upstreams import KEPT_BY_DEFAULT
from nginxlint.testing import apply
from tests.oracle.nginx import PROGRAM, VERSION, Nginx
from tests.rules.mending import found_by, refused_by

pytestmark = pytest.mark.skipif(not PROGRAM, reason="nginx is not installed")


def started(text: str) -> Nginx:
    return Nginx(text.replace("65000", "{port}"))


def mend(found: list[Diagnostic], text: str) -> str:
    edits = [edit for finding in found for edit in finding.fixes[0].edits]
    assert edits, f"no fix for\n{text}"
    return apply(text, edits)


REFUSED = (
    ("upstream-only-backup", "upstream a { server 127.0.0.1:1 backup weight=2; server 127.0.0.1:2 backup; }"),
    ("upstream-address-invalid", "upstream a { server http://127.0.0.1:81; }"),
    ("upstream-address-invalid", "upstream a { server https://127.0.0.1/v1; }"),
    ("upstream-address-invalid", "upstream a { server 127.0.0.1:81/v1; }"),
    ("upstream-port-on-group", "upstream a { server 127.0.0.1; } server { location / { proxy_pass http://a:81/x; } }"),
    ("upstream-port-on-group", "server { location / { proxy_pass http://a:81; } } upstream A { server 127.0.0.1; }"),
    ("zone-too-small", "upstream a { zone a 8k; server 127.0.0.1; }"),
)


@pytest.mark.parametrize(("rule", "text"), REFUSED)
def test_nginx_refuses_a_group_as_told_and_takes_it_after_the_fix(rule: str, text: str) -> None:
    (finding,) = refused_by(rule, text)
    accepted, said = Nginx(text).test()
    assert not accepted and (finding.nginx_message or "no message") in said
    fixed = mend([finding], text)
    assert not refused_by(rule, fixed)
    accepted, said = Nginx(fixed).test()
    assert accepted, said


SERVER = "server 127.0.0.1:1;"
ADVISED = (
    ("upstream-empty", "upstream a { zone a 64k; }", f"upstream a {{ zone a 64k; {SERVER} }}"),
    (
        "upstream-backup-unsupported",
        f"upstream a {{ hash $uri; {SERVER} server 127.0.0.1:2 backup; }}",
        f"upstream a {{ least_conn; {SERVER} server 127.0.0.1:2 backup; }}",
    ),
    (
        "zone-undefined",
        "server { location / { proxy_cache c; proxy_pass http://127.0.0.1:1; } }",
        "proxy_cache_path {folder}/c keys_zone=c:1m;\n"
        "server { location / { proxy_cache c; proxy_pass http://127.0.0.1:1; } }",
    ),
    *(
        (
            "directive-unknown",
            f"upstream a {{ zone a 64k; {SERVER} {newer} }}",
            f"upstream a {{ zone a 64k; {SERVER} }}",
        )
        for newer in ("queue 10;", "ntlm;", "state /s;", "sticky cookie a;", "least_time header;")
    ),
    *(
        ("directive-unknown", f"server {{ listen 127.0.0.1:1; {newer} }}", "server { listen 127.0.0.1:1; }")
        for newer in ("http2 on;", "add_header_inherit merge;", "auth_jwt a;", "location / { api; }")
    ),
    ("directive-unknown", "keyval_zone zone=a:64k;", "map $uri $a { default b; }"),
    *(
        ("arguments-invalid", f"upstream a {{ zone a 64k; server 127.0.0.1:1 {newer}; }}", f"upstream a {{ {SERVER} }}")
        for newer in ("resolve", "slow_start=5s")
    ),
    ("arguments-invalid", "server { listen 127.0.0.1:1 quic; }", "server { listen 127.0.0.1:1 reuseport; }"),
    ("arguments-invalid", "server { proxy_http_version 2; }", "server { proxy_http_version 1.1; }"),
)


@pytest.mark.skipif(VERSION > (1, 22, 1), reason="of what came after Debian 12's nginx")
@pytest.mark.parametrize(("page", "text", "better"), ADVISED)
def test_nginx_refuses_it_as_told_and_takes_what_the_page_advises(page: str, text: str, better: str) -> None:
    (finding,) = refused_by(page, text)
    accepted, said = Nginx(text).test()
    assert not accepted and (finding.nginx_message or "no message") in said
    assert not refused_by(page, better)
    accepted, said = Nginx(better).test()
    assert accepted, said


def test_a_misspelt_group_is_looked_up_as_a_host_and_found_after_the_fix() -> None:
    text = f"upstream web_backend {{ {SERVER} }}\nserver {{ location / {{\n proxy_pass http://web_bakend;\n}} }}"
    assert found_by("proxy-group-near-miss", text)
    accepted, said = Nginx(text).test()
    assert not accepted and 'host not found in upstream "web_bakend"' in said
    fixed = mend(found_by("proxy-group-near-miss", text), text)
    assert not found_by("proxy-group-near-miss", fixed)
    accepted, said = Nginx(fixed).test()
    assert accepted, said


WARNED = (
    ("upstream-two-methods", "upstream a { ip_hash; least_conn; server 127.0.0.1; }", "upstream a { least_conn; server 127.0.0.1; }"),
    ("upstream-two-methods", "upstream a { hash $uri; hash $host; server 127.0.0.1; }", "upstream a { hash $host; server 127.0.0.1; }"),
    ("upstream-keepalive-order", "upstream a { server 127.0.0.1; keepalive 8; least_conn; }", None),
    ("upstream-keepalive-order", "upstream a { keepalive 8;\n server 127.0.0.1;\n hash $uri consistent;\n}", None),
)  # fmt: skip


@pytest.mark.skipif(VERSION >= KEPT_BY_DEFAULT, reason="the place of keepalive does not matter any more")
@pytest.mark.parametrize(("rule", "text", "mended"), WARNED)
def test_nginx_warns_as_told_and_not_after_the_advice(rule: str, text: str, mended: str | None) -> None:
    (finding,) = found_by(rule, text)
    accepted, said = Nginx(text).test()
    assert accepted and finding.nginx_message is not None and finding.nginx_message in said
    better = mended or mend([finding], text)
    assert not found_by(rule, better)
    accepted, said = Nginx(better).test()
    assert accepted and "[warn]" not in said


CONNECTIONS = (
    'server { listen 127.0.0.1:65000; location / { return 200 "<$connection>"; } }\n'
    "server { listen 127.0.0.1:65000; server_name front.test; proxy_http_version 1.1;\n"
    'proxy_set_header Connection ""; location / { proxy_pass http://a; } }\n'
)


@pytest.mark.skipif(VERSION >= KEPT_BY_DEFAULT, reason="the place of keepalive does not matter any more")
def test_a_method_below_keepalive_costs_a_connection_per_request() -> None:
    text = "upstream a {\n keepalive 8;\n server 127.0.0.1:65000;\n least_conn;\n}\n"
    used = []
    for group in (text, mend(found_by("upstream-keepalive-order", text), text)):
        with started(group + CONNECTIONS) as nginx:
            used.append(len({nginx.ask("/", host="front.test").raw[-6:] for _ in range(3)}))
    assert used == [3, 1]


def test_a_server_written_twice_gets_a_double_share() -> None:
    text = "upstream a {\n server 127.0.0.1:65000;\n server 127.0.0.2:65000;\n server 127.0.0.1:65000;\n}\n"
    rest = (
        'server { listen 127.0.0.1:65000; location / { return 200 "<one>"; } }\n'
        'server { listen 127.0.0.2:65000; location / { return 200 "<two>"; } }\n'
        "server { listen 127.0.0.1:65000; server_name front.test; location / { proxy_pass http://a; } }\n"
    )
    shares = []
    cured = mend(found_by("upstream-duplicate-server", text), text)
    assert not found_by("upstream-duplicate-server", cured)
    for group in (text, cured):
        with started(group + rest) as nginx:
            answers = [nginx.ask("/", host="front.test").raw for _ in range(6)]
        shares.append([sum(name in answer for answer in answers) for name in (b"<one>", b"<two>")])
    assert shares == [[4, 2], [3, 3]]


def test_a_backup_above_the_method_that_has_none_is_used_all_the_same() -> None:
    """So the rule on refused backups need not look at this order."""
    for method in ("hash $uri;", "ip_hash;", "random;"):
        text = (
            f"upstream a {{ server 127.0.0.1:1; server 127.0.0.1:65000 backup; {method} }}\n"
            "server { listen 127.0.0.1:65000; location / { return 204; } }\n"
            "server { listen 127.0.0.1:65000; server_name front.test; location / { proxy_pass http://a; } }\n"
        )
        with started(text) as nginx:
            assert nginx.ask("/", host="front.test").status == 204


def test_the_only_server_of_a_group_is_tried_again_whatever_max_fails_says() -> None:
    text = "upstream a {\n server 127.0.0.1:1 max_fails=1 fail_timeout=60s;\n}\n"
    assert not found_by("upstream-params-ignored", text.replace(" max_fails=1 fail_timeout=60s", ""))
    assert found_by("upstream-params-ignored", text)
    server = "server { listen 127.0.0.1:65000; location / { proxy_pass http://a; } }\n"
    with started(text + server) as nginx:
        for path in ("/one", "/two"):
            assert nginx.ask(path).status == 502
            assert any("Connection refused" in line for line in nginx.log_of(path))


NAME = "pay.demo.test"
CERTIFICATES = Path(__file__).parents[2] / "nginxlint" / "demo" / "certificates"


def test_the_name_of_a_group_is_said_and_verified_in_tls_unless_another_is_set() -> None:
    backend = (
        "server { listen 127.0.0.2:65000 ssl; "
        f"ssl_certificate {CERTIFICATES}/good.pem; ssl_certificate_key {CERTIFICATES}/good.pem;\n"
        'location / { return 200 "<$ssl_server_name>"; } }\n'
    )
    group = "upstream pay { server 127.0.0.2:65000; }\n"
    said = "server { listen 127.0.0.1:65000; location / { proxy_ssl_server_name on; proxy_pass https://pay; } }\n"
    verified = said.replace(
        "proxy_pass", f"proxy_ssl_verify on; proxy_ssl_trusted_certificate {CERTIFICATES}/ca.pem; proxy_pass"
    )
    for front, symptom in ((said, b"<pay>"), (verified, b"502 Bad")):
        better = front.replace("proxy_pass", f"proxy_ssl_name {NAME}; proxy_pass")
        assert found_by("upstream-name-in-sni", group + front)
        assert not found_by("upstream-name-in-sni", group + better)
        with started(group + backend + front) as nginx:
            assert symptom in nginx.ask("/").raw
            if front is verified:
                assert any('upstream SSL certificate does not match "pay"' in line for line in nginx.log_of("/"))
        with started(group + backend + better) as nginx:
            assert f"<{NAME}>".encode() in nginx.ask("/").raw


def test_the_wait_for_a_server_that_is_not_there_ends_when_the_system_gives_up() -> None:
    for written, said in (("90", "up to 90s"), ("2m", "up to 2m"), ("3600s", "two minutes (Linux gives up then)")):
        (finding,) = found_by("proxy-connect-timeout-long", f"fastcgi_connect_timeout {written};")
        assert finding.message.startswith(f"visitors wait {said} for a server")
