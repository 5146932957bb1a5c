"""Protocols, ciphers and client certificates: what the rules warn of happens to a TLS client of real nginx, and not after
the cure."""

from __future__ import annotations

import os
import random
import socket
import ssl
import warnings
from pathlib import Path

import pytest

from nginxlint.registry import all_rules
from nginxlint.routing.certificates import OWN_PROTOCOLS
from nginxlint.routing.ciphers import weak_suites
from nginxlint.testing import config_of
from tests.oracle.nginx import PROGRAM, VERSION, Nginx
from tests.rules.authority import OPENSSL, Authority
from tests.rules.mending import found_by, mend

needs_nginx = pytest.mark.skipif(not (PROGRAM and OPENSSL), reason="nginx or openssl is not installed")


@pytest.fixture(scope="module")
def use(tmp_path_factory: pytest.TempPathFactory) -> str:
    authority = Authority(tmp_path_factory.mktemp("authority"))
    authority.issue("good", "DNS:a.test")
    folder = authority.folder
    return f"ssl_certificate {folder}/good.pem; ssl_certificate_key {folder}/good.key; ssl_client_certificate {folder}/ca.pem;"


def site(settings: str, use: str, name: str = "a.test") -> str:
    return f"server {{ listen 127.0.0.1:65000 ssl; server_name {name}; {use}\n{settings}\nreturn 204;\n}}\n"


def whole(servers: str) -> str:
    return f"events {{}}\nhttp {{\n{servers}}}\n"


def offered(text: str, version: ssl.TLSVersion, ciphers: str = "ALL", name: str = "a.test") -> str:
    """The status line of an nginx with these servers, "" where it will not shake hands."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    inner = text.removeprefix("events {}\nhttp {\n").removesuffix("}\n")
    with (
        Nginx(inner.replace("65000", "{port}")) as nginx,
        socket.create_connection(("127.0.0.1", nginx.port), 8) as plain,
    ):
        try:
            with context.wrap_socket(plain, server_hostname=name) as tls:
                tls.sendall(b"GET / HTTP/1.0\r\n\r\n")
                return tls.recv(4096).decode("latin-1").partition("\r\n")[0]
        except (ssl.SSLError, ConnectionError):
            return ""


V10, V12, V13 = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
LOW = "ssl_ciphers DEFAULT:@SECLEVEL=0;"


@needs_nginx
def test_an_old_protocol_is_spoken_until_it_is_left_out(use: str) -> None:
    text = whole(site(f"{LOW} ssl_protocols TLSv1 TLSv1.1 TLSv1.2;", use))
    mended = mend("tls-old-protocol", text)
    assert offered(text, V10) and offered(text, V12)
    assert not found_by("tls-old-protocol", mended)
    assert not offered(mended, V10) and offered(mended, V12)


@needs_nginx
def test_the_fix_speaks_the_new_ones_where_only_old_ones_stood(use: str) -> None:
    text = whole(site(f"{LOW} ssl_protocols TLSv1;", use))
    mended = mend("tls-old-protocol", text)
    assert offered(text, V10) and not offered(text, V12)
    assert not offered(mended, V10) and offered(mended, V12) and offered(mended, V13)


@needs_nginx
def test_the_protocols_of_a_server_that_is_no_default_count_since_nginx_asks_for_them(use: str) -> None:
    first = site(f"{LOW} ssl_protocols TLSv1.2;", use)
    text = whole(first + site(f"{LOW} ssl_protocols TLSv1 TLSv1.2;", use, "b.test"))
    assert bool(found_by("tls-old-protocol", text)) is (VERSION >= OWN_PROTOCOLS)
    assert bool(offered(text, V10, name="b.test")) is (VERSION >= OWN_PROTOCOLS)
    assert offered(text, V12, name="b.test")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("server { listen 443 ssl; ssl_protocols TLSv1.2 TLSv1.1; }", True),
        ("events {} stream { server { listen 1 ssl; ssl_protocols SSLv3 TLSv1.2; proxy_pass a:1; } }", True),
        ("events {} mail { server { listen 1 ssl; ssl_protocols TLSv1; } }", True),
        ("events {} mail { server { listen 1; ssl_protocols TLSv1; } }", False),
        ("events {} http { server { listen 80; ssl_protocols TLSv1; } }", False),
        ("server { location / { grpc_pass grpcs://a; grpc_ssl_protocols TLSv1.1 TLSv1.2; } }", True),
        ("ssl_protocols;", False),
    ],
)
def test_old_protocols_are_found_where_they_are_spoken(text: str, found: bool) -> None:
    assert bool(found_by("tls-old-protocol", text)) is found


@needs_nginx
@pytest.mark.parametrize("words", ["aNULL", "eNULL", "AECDH-AES128-SHA", "ECDHE-ECDSA-NULL-SHA:HIGH"])
def test_a_weak_cipher_is_taken_until_it_is_shut_out(words: str, use: str) -> None:
    protocols = "ssl_protocols TLSv1.2;"
    text = whole(site(f"{protocols} ssl_ciphers {words}:@SECLEVEL=0;", use))
    mended = whole(site(f"{protocols} ssl_ciphers HIGH:{words}:!aNULL:!eNULL:@SECLEVEL=0;", use))
    assert found_by("tls-weak-cipher", text) and offered(text, V12, "aNULL:eNULL")
    assert not found_by("tls-weak-cipher", mended)
    assert not offered(mended, V12, "aNULL:eNULL") and offered(mended, V12)


WORDS = (
    "eNULL NULL aNULL ADH AECDH aNULL+AES128 ADH+AES aNULL+SHA256 ECDH+eNULL NULL-SHA NULL-SHA256 NULL-MD5 ADH-AES128-SHA "
    "AECDH-NULL-SHA ECDHE-RSA-NULL-SHA AECDH-AES256-SHA ADH-AES256-GCM-SHA384 ADH-CAMELLIA128-SHA no-such-suite eNULL+NONE"
).split()
REMOVED = (
    "eNULL aNULL ADH AECDH kRSA kEDH kDHE ECDH DH EDH ECDHE aRSA aECDSA RSA AES AES128 AES256 CAMELLIA SHA SHA1 SHA256 SHA384 MD5 "
    "NULL-SHA ADH-AES128-SHA AESGCM RSA+MD5 ALL NONE"
).split()


def test_cipher_lists_are_read_as_openssl_reads_them() -> None:
    random.seed(7)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    here = {one["name"] for one in context.get_ciphers()}
    compared = 0
    for _ in range(1500):
        rules = [random.choice(WORDS) for _ in range(random.randint(1, 4))]
        rules += [random.choice("-!-!+") + random.choice(REMOVED) for _ in range(random.randint(0, 3))]
        random.shuffle(rules)
        text = random.choice(":, ").join(rules)
        ours = {name for names in weak_suites(text).values() for name in names} & here
        try:
            context.set_ciphers(f"{text}:@SECLEVEL=0")
            theirs = {one["name"] for one in context.get_ciphers()} & KNOWN
        except ssl.SSLError:
            theirs = set()
        assert ours == theirs, text
        compared += bool(theirs)
    assert compared > 500


KNOWN = {name for names in weak_suites("eNULL:aNULL").values() for name in names}


@pytest.mark.parametrize(
    ("text", "weaknesses"),
    [
        ("HIGH:!aNULL:!MD5", []),
        ("ALL:!aNULL:!EXPORT56:RC4+RSA:+HIGH:+MEDIUM:+LOW:+SSLv2:+EXP", ["RC4"]),
        ("AES128-SHA:AES256-SHA:RC4-SHA:DES-CBC3-SHA:RC4-MD5", ["RC4", "3DES"]),
        ("DES-CBC3-SHA:!DES", ["3DES"]),
        ("!RC4:RC4-SHA:AES128-SHA", []),
        ("-RC4:RC4-SHA:AES128-SHA", ["RC4"]),
        ("RC4-SHA:-RC4:AES128-SHA", []),
        ("EXP:LOW:AES128-SHA", ["aNULL", "EXPORT", "DES"]),
        ("EXP:LOW:!ADH", ["EXPORT", "DES"]),
        ("RC4:!MD5:!SHA", []),
        ("rc4:Rc4-sha", []),
    ],
)
def test_what_a_list_names_for_its_weakness_and_keeps(text: str, weaknesses: list[str]) -> None:
    assert list(weak_suites(text)) == weaknesses


@needs_nginx
@pytest.mark.parametrize("setting", ["optional", "optional_no_ca"])
def test_a_visitor_without_a_certificate_passes_until_the_result_is_asked_for(setting: str, use: str) -> None:
    text = whole(site(f"ssl_verify_client {setting};", use))
    mended = whole(site(f"ssl_verify_client {setting}; if ($ssl_client_verify != SUCCESS) {{ return 403; }}", use))
    assert found_by("tls-client-auth-unenforced", text) and "204" in offered(text, V12)
    assert not found_by("tls-client-auth-unenforced", mended) and "403" in offered(mended, V12)
    required = whole(site("ssl_verify_client on;", use))
    assert not found_by("tls-client-auth-unenforced", required) and "400" in offered(required, V12)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("map $ssl_client_s_dn $user { default a; } SERVER", False),
        ("log_format x '$ssl_client_verify'; SERVER", True),
        ("SERVER server { listen 81; fastcgi_param VERIFIED $ssl_client_verify; }", False),
        ("SERVER server { listen 81; access_by_lua_block { x } }", False),
        ("SERVER server { listen 81; js_content a.b; }", False),
    ],
)
def test_whoever_reads_the_result_may_refuse(text: str, found: bool) -> None:
    server = "server { listen 443 ssl; ssl_verify_client optional; root /srv; }"
    assert bool(found_by("tls-client-auth-unenforced", whole(text.replace("SERVER", server)))) is found


@pytest.mark.parametrize(
    ("mode", "around", "content", "found"),
    [
        (0o644, 0o755, "PRIVATE KEY", True),
        (0o604, 0o755, "RSA PRIVATE KEY", True),
        (0o640, 0o755, "PRIVATE KEY", False),
        (0o600, 0o755, "PRIVATE KEY", False),
        (0o644, 0o750, "PRIVATE KEY", False),
        (0o644, 0o755, "ENCRYPTED PRIVATE KEY", False),
        (0o644, 0o755, "CERTIFICATE", False),
    ],
)
def test_only_keys_that_everybody_can_read_are_told(
    mode: int, around: int, content: str, found: bool, tmp_path: Path
) -> None:
    folder = tmp_path / "etc" / "keys"
    folder.mkdir(parents=True)
    (tmp_path / "etc").chmod(0o755)
    key = folder / "a.key"
    key.write_text(f"-----BEGIN {content}-----\nAAAA\n-----END {content}-----\n")
    (folder / "link.key").symlink_to("a.key")
    key.chmod(mode)
    folder.chmod(around)
    for name in ("a.key", "link.key"):
        config = config_of(f"server {{ listen 443 ssl; ssl_certificate_key /etc/keys/{name}; }}")
        config.locate = lambda path: f"{tmp_path}{path}"  # a copied tree: what is around it does not count
        assert bool(list(all_rules()["key-permissions"].load()().check(config))) is found
    config = config_of("server { listen 443 ssl; ssl_certificate_key /etc/keys/a.key; }")
    config.locate = lambda path: str(tmp_path / "etc" / "keys" / "absent")
    assert not list(all_rules()["key-permissions"].load()().check(config))
    assert os.path.isdir(folder)
