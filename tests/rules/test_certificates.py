"""Certificates on disk: what the rules say of them is what a client of real nginx gets."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nginxlint.diagnostic import Diagnostic, Severity
from nginxlint.registry import all_rules
from nginxlint.testing import config_of
from tests.oracle.nginx import PROGRAM, Nginx
from tests.rules.authority import OPENSSL, Authority
from tests.rules.mending import INSTALLED

pytestmark = pytest.mark.skipif(not OPENSSL, reason="openssl is not installed")
needs_nginx = pytest.mark.skipif(not PROGRAM, reason="nginx is not installed")

TRUSTED = "certificate verify failed"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("authority"))
    made.issue("good", "DNS:a.test", "DNS:*.a.test", "IP:127.0.0.1")
    made.issue("rsa", "DNS:a.test", key="rsa:2048")
    made.issue("expired", "DNS:a.test", days=(-30, -2))
    made.issue("early", "DNS:a.test", days=(2, 30))
    made.issue("soon", "DNS:a.test", days=(-80, 10))
    made.issue("week", "DNS:a.test", days=(-0.5, 6))
    made.issue("end-of-week", "DNS:a.test", days=(-5, 1.5))
    made.issue("other", "DNS:b.test", "DNS:www.c.test")
    made.issue("nameless", common_name="a.test")
    return made


def said(rule: str, text: str, authority: Authority, now: float = 0.0) -> list[Diagnostic]:
    """What a rule says where files are looked at; names of files are those of the authority."""
    config = config_of(text, version=INSTALLED)
    config.locate = lambda path: os.path.join(authority.folder, path)
    if now:
        config.clock = lambda: now
    return list(all_rules()[rule].load()().check(config))


def server(certificate: str, name: str = "a.test", listen: str = "443 ssl") -> str:
    return f"server {{ listen {listen}; server_name {name}; ssl_certificate {certificate}; ssl_certificate_key {certificate}; }}"


# the servers, and what is said: the beginning behind the file name; "" for nothing
EXPIRIES = (
    (server("good.pem"), ""),
    (server("expired.pem"), "expired.pem expired on "),
    (server("early.pem"), "early.pem is not valid before "),
    (server("soon.pem"), "soon.pem expires on "),
    (server("week.pem"), ""),
    (server("end-of-week.pem"), "end-of-week.pem expires on "),
    (server("expired.pem", listen="80"), ""),
    (server("expired.pem", listen="80") + server("good.pem"), ""),
    (server("expired.pem", listen="8443") + server("good.pem", listen="8443 ssl"), "expired.pem expired on "),
    ("ssl_certificate expired.pem; " + server("good.pem"), ""),
    ("ssl_certificate expired.pem; server { listen 443 ssl; }", "expired.pem expired on "),
    ("ssl_certificate expired.pem; server { listen 443 ssl; ssl_reject_handshake on; }", ""),
    ("server { listen 443 ssl; ssl_certificate $ssl_server_name.pem; ssl_certificate expired.pem; }", ""),
    ("server { listen 443 ssl; ssl_certificate data:expired.pem; }", ""),
    ("server { listen 443 ssl; ssl_certificate expired.pem; ssl_certificate rsa.pem; }", "expired.pem expired on "),
    ("server { listen 443 ssl; ssl_certificate expired.pem; ssl_certificate good.pem; }", ""),
    ("server { listen 443 ssl; ssl_certificate absent.pem; }", ""),
    (
        "server { ssl on; listen 443; ssl_certificate expired.pem; }",
        "expired.pem expired on " if INSTALLED < (1, 25, 1) else "",
    ),
    ("events {} stream { server { listen 1 ssl; ssl_certificate expired.pem; proxy_pass a:1; } }", "expired.pem expired on "),
    ("events {} stream { server { listen 1; ssl_certificate expired.pem; proxy_pass a:1; } }", ""),
    ("events {} mail { server { listen 1; starttls on; ssl_certificate expired.pem; } }", "expired.pem expired on "),
    ("events {} mail { server { listen 1 ssl; ssl_certificate expired.pem; } }", "expired.pem expired on "),
    ("events {} mail { server { listen 1; ssl_certificate expired.pem; } }", ""),
)  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), EXPIRIES)
def test_the_dates_of_the_certificates_in_use_are_told(text: str, wanted: str, authority: Authority) -> None:
    found = said("cert-expiry", text, authority)
    assert [one.message.removeprefix("the certificate ")[: len(wanted)] for one in found] == (
        [wanted] if wanted else []
    )


def test_what_is_over_is_an_error_and_what_comes_to_its_end_a_warning(authority: Authority) -> None:
    for name, severity in (("expired", Severity.ERROR), ("early", Severity.ERROR), ("soon", Severity.WARNING)):
        assert [one.severity for one in said("cert-expiry", server(f"{name}.pem"), authority)] == [severity]
    proxied = f"set_real_ip_from 10.0.0.0/8; {server('expired.pem')}"
    assert [one.severity for one in said("cert-expiry", proxied, authority)] == [Severity.WARNING]


def test_days_are_counted_from_the_clock_of_the_configuration(authority: Authority) -> None:
    now = time.time()
    for days, wanted in ((75, []), (77, ["days"]), (89.5, ["less than a day"]), (92, ["2 days ago"])):
        found = said("cert-expiry", server("good.pem"), authority, now + days * 86400)
        assert len(found) == len(wanted)
        assert all(text in one.message for text, one in zip(wanted, found, strict=True))


def test_a_thousand_servers_with_one_certificate_look_at_it_once(authority: Authority) -> None:
    text = "ssl_certificate expired.pem;" + "".join(
        f"server {{ listen 443 ssl; server_name s{n}.a.test; }}" for n in range(1000)
    )
    config = config_of(text)
    asked: list[str] = []
    config.locate = lambda path: asked.append(path) or os.path.join(authority.folder, path)  # type: ignore[func-returns-value]
    for rule, findings in (("cert-expiry", 1), ("cert-name-mismatch", 1000)):
        assert len(list(all_rules()[rule].load()().check(config))) == findings
    assert asked == ["expired.pem"]


# server_name, certificate, and the names that are reported
NAMES = (
    ("a.test www.a.test", "good.pem", ""),
    ("A.Test", "good.pem", ""),
    ("b.a.test c.b.a.test", "good.pem", "c.b.a.test"),
    ("a.test b.test", "good.pem", "b.test"),
    ("*.a.test .a.test", "good.pem", ""),
    ("*.b.test", "other.pem", "*.b.test"),
    ("*.c.test", "other.pem", ""),
    (".b.test", "other.pem", ""),
    ("www.c.*", "other.pem", ""),
    ("a.*", "good.pem", ""),
    ("www.d.*", "other.pem", "www.d.*"),
    ("x.a.*", "good.pem", ""),
    ("a.test", "nameless.pem", "a.test"),
    ("127.0.0.1", "good.pem", ""),
    ("192.0.2.7", "good.pem", "192.0.2.7"),
    ("[2001:db8::1]", "good.pem", "[2001:db8::1]"),
    ("a.test 192.0.2.7", "good.pem", ""),
    ("_ localhost default.invalid ~^b\\.test$ müller.test", "good.pem", ""),
    ("xn--mller-kva.a.test", "good.pem", ""),
)


@pytest.mark.parametrize(("names", "certificate", "wanted"), NAMES)
def test_names_without_a_certificate_are_told(names: str, certificate: str, wanted: str, authority: Authority) -> None:
    found = said("cert-name-mismatch", server(certificate, names), authority)
    assert [one.span.text for one in found] == ([wanted] if wanted else [])


def test_a_name_is_judged_by_the_server_that_gets_it(authority: Authority) -> None:
    first, second = server("good.pem"), server("other.pem", "a.test")
    assert not said("cert-name-mismatch", first + second, authority)
    assert said("cert-name-mismatch", second + first, authority)
    assert not said("cert-name-mismatch", first + server("other.pem", "b.test 192.0.2.7"), authority)
    assert not said("cert-name-mismatch", f"set_real_ip_from 10.0.0.0/8; {second}", authority)
    passed_on = server("other.pem", listen="443 ssl proxy_protocol")
    assert said("cert-name-mismatch", f"set_real_ip_from 10.0.0.0/8; {passed_on}", authority)


def test_a_certificate_that_cannot_be_read_may_have_the_name(authority: Authority) -> None:
    text = "server { listen 443 ssl; server_name a.test; ssl_certificate other.pem; ssl_certificate absent.pem; }"
    assert not said("cert-name-mismatch", text, authority)


# --- what a client of nginx gets ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running(authority: Authority) -> Iterator[Nginx]:
    servers = "".join(
        f"server {{ listen 127.0.0.1:{{port}} ssl; server_name {name}; {use} return 204; }}"
        for name, use in (
            ("default.test", _use(authority, "good")),
            ("expired.test", _use(authority, "expired")),
            ("early.test", _use(authority, "early")),
            ("soon.test", _use(authority, "soon")),
            ("other.test", _use(authority, "other")),
            ("nameless.test", _use(authority, "nameless")),
            ("twice.test", _use(authority, "expired") + _use(authority, "good")),
            ("both.test", _use(authority, "rsa") + _use(authority, "good")),
        )
    )
    with Nginx(servers) as nginx:
        yield nginx


def _use(authority: Authority, name: str) -> str:
    return f"ssl_certificate {authority.folder}/{name}.pem; ssl_certificate_key {authority.folder}/{name}.key;"


def visit(nginx: Nginx, authority: Authority, sni: str, name: str) -> str:
    """What a client that checks for `name` says of the certificate; "" for nothing."""
    context = ssl.create_default_context(cafile=str(authority.folder / "ca.pem"))
    context.check_hostname = False
    with socket.create_connection(("127.0.0.1", nginx.port), 8) as plain:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_hostname=sni)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                plain.sendall(outgoing.read())
                incoming.write(plain.recv(65536))
            except ssl.SSLCertVerificationError as error:
                return error.verify_message
        held = tls.getpeercert() or {}
        alternative = held.get("subjectAltName", ())
        names = [value for kind, value in alternative if kind == "DNS"]  # type: ignore[misc]
        return "" if name in names else "the name is not in the certificate"


@needs_nginx
@pytest.mark.parametrize(
    ("sni", "certificate", "rule", "client"),
    [
        ("default.test", "good", "", ""),
        ("expired.test", "expired", "cert-expiry", "certificate has expired"),
        ("early.test", "early", "cert-expiry", "certificate is not yet valid"),
        ("soon.test", "soon", "cert-expiry", ""),
        ("other.test", "other", "cert-name-mismatch", "the name is not in the certificate"),
        ("nameless.test", "nameless", "cert-name-mismatch", "the name is not in the certificate"),
    ],
)
def test_the_client_meets_what_the_rules_say(
    sni: str, certificate: str, rule: str, client: str, running: Nginx, authority: Authority
) -> None:
    assert visit(running, authority, sni, "a.test") == client
    for id in ("cert-expiry", "cert-name-mismatch"):
        assert bool(said(id, server(f"{certificate}.pem"), authority)) is (id == rule)


@needs_nginx
def test_of_two_certificates_for_one_kind_of_key_the_last_is_shown(running: Nginx, authority: Authority) -> None:
    assert visit(running, authority, "twice.test", "a.test") == ""
    assert visit(running, authority, "both.test", "a.test") == ""
    assert not said(
        "cert-expiry", "server { listen 443 ssl; ssl_certificate expired.pem; ssl_certificate good.pem; }", authority
    )


# --- files that are none ------------------------------------------------------------------------------------------


def hostile(folder: Path, good: bytes) -> dict[str, bytes]:
    der = ssl.PEM_cert_to_DER_cert(good[good.index(b"-----BEGIN") :].decode())
    deep = b"".join(b"\x30\x84" + size.to_bytes(4, "big") for size in range(6 * 20_000, 0, -6))

    def pem(data: bytes) -> bytes:
        return ssl.DER_cert_to_PEM_cert(data).encode()

    return {
        "empty": b"",
        "begin": b"-----BEGIN CERTIFICATE-----",
        "begin-line": b"-----BEGIN CERTIFICATE-----\n",
        "no-end": good[:300],
        "no-base64": b"-----BEGIN CERTIFICATE-----\n=====A\n-----END CERTIFICATE-----\n",
        "deep": pem(deep),
        "many": pem(b"\x30\x83\x0b\x00\x00" + b"\x05\x00" * 360_000),
        "zeros": bytes(1 << 20),
        **{f"cut-{at}": pem(der[:at]) for at in range(0, len(der), 7)},
        **{f"flipped-{at}": pem(der[:at] + bytes([der[at] ^ 0xFF]) + der[at + 1 :]) for at in range(0, len(der), 3)},
    }


def test_hostile_files_are_borne(authority: Authority, tmp_path: Path) -> None:
    files = hostile(tmp_path, (authority.folder / "good.pem").read_bytes())
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    with (tmp_path / "huge").open("wb") as huge:
        huge.truncate(1 << 40)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    names = [*files, "pipe", "folder", "huge", "loop", "absent", "a\0b", "/dev/zero", "/dev/stdin"]
    config = config_of("".join(server(str(tmp_path / name)).replace("\0", "") for name in names))
    config.locate = str
    for rule in ("cert-expiry", "cert-name-mismatch"):
        for one in all_rules()[rule].load()().check(config):
            assert one.message


def test_text_and_keys_before_the_certificate_are_passed_over(authority: Authority, tmp_path: Path) -> None:
    key, expired, good = (authority.folder / name for name in ("expired.key", "expired.pem", "good.pem"))
    words = subprocess.run([OPENSSL, "x509", "-text", "-in", str(expired)], capture_output=True, check=True).stdout
    trusted = subprocess.run(
        [OPENSSL, "x509", "-trustout", "-in", str(expired)], capture_output=True, check=True
    ).stdout
    good_one = good.read_bytes()
    for content in (key.read_bytes() + words + good_one, trusted, expired.read_bytes().replace(b"\n", b"\r\n")):
        (authority.folder / "made.pem").write_bytes(content)
        assert [one.severity for one in said("cert-expiry", server("made.pem"), authority)] == [Severity.ERROR]
    (authority.folder / "made.pem").write_bytes(b"# -----BEGIN CERTIFICATE-----\n" + good_one + expired.read_bytes())
    assert not said("cert-expiry", server("made.pem"), authority)
