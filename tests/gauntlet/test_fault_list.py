"""The list of faults to survive (reference/online.md E), one test a row, named by it. Rows about names, policy, plans and
the cache (31 to 43, 65, 71, 72) are in tests/online, with the parts they are about."""

from __future__ import annotations

import errno
import gzip
import json
import os
import re
import resource
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nginxlint.demo.http_behaviours import (
    answers,
    answers_for_ever,
    answers_then_waits,
    closes_at_once,
    healthy,
    silent,
    sized_head,
)
from nginxlint.demo.other_protocols import greets_and_waits
from nginxlint.demo.peer import Peer, Talk
from nginxlint.demo.tls_behaviours import certificate_path
from nginxlint.demo.upstreams import World
from nginxlint.online.options import Options
from nginxlint.online.stage import OnlineResult, run
from nginxlint.testing import config_of
from tests.cli.conftest import process
from tests.gauntlet import handshakes
from tests.gauntlet.http2 import field, frame, says
from tests.online.fake import FakeNetwork

QUICK = Options(timeout=0.4, retry_pause=0.0, jitter=0.0)
OLD, NEW = (1, 22, 1), (1, 31, 5)
HTTP = "proxy_pass http://127.0.0.1:{port};"
HTTPS = "proxy_pass https://127.0.0.1:{port};"
GRPC = "grpc_pass grpc://127.0.0.1:{port};"
VERIFY = f"proxy_ssl_verify on; proxy_ssl_trusted_certificate {certificate_path('ca')}; proxy_ssl_name app.demo.test; "
CLIENT = f"proxy_ssl_certificate {certificate_path('client')}; proxy_ssl_certificate_key {certificate_path('client')}; "
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
SETTINGS_ONLY = frame(4, 0, 0, b"")
HEALTH_HEAD = b"\x88" + field(b"content-type", b"application/grpc")
BOMB = gzip.compress(bytes(20_000_000))


async def floods_with_settings(peer: Peer) -> None:
    """An HTTP/2 peer that sends nothing but SETTINGS."""
    await peer.some()
    for _ in range(20_000):
        await peer.send(b"\x00\x00\x00\x04\x00\x00\x00\x00\x00")


MORE: dict[str, Talk] = {
    "bomb": answers(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB),
    "chunk-extension": answers_for_ever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=", b"y" * 512),
    "redirects-far": answers(b"HTTP/1.1 302 F\r\nLocation: http://x/" + b"a" * 3000 + b"\r\n\r\n"),
    "redirects-gopher": answers(b"HTTP/1.1 302 F\r\nLocation: gopher://x/\r\n\r\n"),
    "redirects-control": answers(b"HTTP/1.1 302 F\r\nLocation: http://x/\x0b\x1b[31m\r\n\r\n"),
    "exact-4096": answers(sized_head(4096)),
    "redis-greets": greets_and_waits(b"-DENIED Redis is running in protected mode\r\n"),
    "goaway": says(b"\x00\x00\x08\x07\x00\x00\x00\x00\x00" + bytes(7) + b"\x0b"),
    "health-not-serving": says(
        SETTINGS_ONLY
        + frame(1, 4, 1, HEALTH_HEAD)
        + frame(0, 0, 1, b"\0\0\0\0\x02\x08\x02")
        + frame(1, 5, 1, field(b"grpc-status", b"0"))
    ),
    "health-unknown": says(
        SETTINGS_ONLY
        + frame(1, 4, 1, HEALTH_HEAD)
        + frame(0, 0, 1, b"\0\0\0\0\x02\x08\x03")
        + frame(1, 5, 1, field(b"grpc-status", b"0"))
    ),
    "health-not-found": says(SETTINGS_ONLY + frame(1, 5, 1, HEALTH_HEAD + field(b"grpc-status", b"5"))),
    "health-absent": says(SETTINGS_ONLY + frame(1, 5, 1, HEALTH_HEAD + field(b"grpc-status", b"12"))),
    "health-no-trailers": says(SETTINGS_ONLY + frame(1, 4, 1, HEALTH_HEAD) + frame(0, 1, 1, bytes(5))),
    "settings-flood": floods_with_settings,
    "terminal": answers(b"HTTP/1.1 500 \x1b[2J\xe2\x80\xae\xff\r\nServer: \x1b]0;x\x07\r\nConnection: close\r\n\r\n"),
    "terminal-greets": greets_and_waits("\x1b[31mSSH\u202e\x07\xff\r\n".encode("latin-1", "replace")),
    **handshakes.BEHAVIOURS,
    "early-hints": answers_then_waits(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 3),
}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World(MORE) as world:
        yield world


def live(
    world: World, behaviour: str, passes: str = HTTP, *, version: tuple[int, int, int] = OLD, options: Options = QUICK
) -> OnlineResult:
    where = str(world.path(behaviour)) if "{path}" in passes else ""
    port = 0 if where else world.port(behaviour)
    location = passes.replace("{port}", str(port)).replace("{path}", where)
    text = f"events {{}} http {{ server {{ listen 80; server_name app.demo.test; location / {{ {location} }} }} }}"
    return run(config_of(text, version=version), options)


# row → what it is, behaviour, pass, codes, statuses (None: no status line); a version where it decides
Row = tuple[str, str, str, str, object]
TABLE: list[Row] = [
    ("01 port closed", "refusing", HTTP, "L4_REFUSED", 502),
    ("02 accept queue full", "accept-queue-full", HTTP, "L4_TIMEOUT", 504),
    ("03 closes at once", "closes-at-once", HTTP, "L7_RESET L7_CLOSED", 502),
    ("04 closes after the request", "closes-after-request", HTTP, "L7_CLOSED", 502),
    ("05 reset in the head", "resets-mid-header", HTTP, "L7_RESET", 502),
    ("06 never answers", "silent", HTTP, "L7_TIMEOUT", 504),
    ("07 a byte now and then", "dribble", HTTP, "L7_SLOWHEADER", (502, 504)),
    ("08 endless header lines", "endless-headers", HTTP, "L7_TOOBIG", 502),
    ("10 endless 100", "endless-100-continue", HTTP, "L7_INTERIM", 100),
    ("11 endless 103", "endless-103", HTTP, "L7_INTERIM", 103),
    ("12 endless body", "body-endless", HTTP, "OK", 200),
    ("13 slow body", "body-slow", HTTP, "OK", 200),
    ("14 gzip bomb", "bomb", HTTP, "OK", 200),
    ("15 head one below", "header-4095", HTTP, "L7_NEARBUFFER", 200),
    ("15 head equal", "exact-4096", HTTP, "L7_TOOBIG", 200),
    ("15 head one above", "header-4097", HTTP, "L7_TOOBIG", 502),
    ("16 head of 120 kB", "header-120k", HTTP, "L7_TOOBIG", 502),
    ("17 random bytes", "garbage", HTTP, "L7_NOTHTTP", None),
    ("18 SSH", "ssh", HTTP, "L7_NOTHTTP", None),
    ("18 SMTP", "smtp", HTTP, "L7_NOTHTTP", None),
    ("18 Redis", "redis", HTTP, "L7_NOTHTTP", None),
    ("18 MySQL", "mysql", HTTP, "L7_NOTHTTP", None),
    ("20 HTTP/0.9", "http09", HTTP, "L7_NOTHTTP", None),
    ("21 status ABC", "status-line-word", HTTP, "L7_NOTHTTP", None),
    ("21 status 99", "status-line-two-digits", HTTP, "L7_NOTHTTP", None),
    ("21 status 1000", "status-line-four-digits", HTTP, "L7_NOTHTTP", None),
    ("22 no colon", "header-no-colon", HTTP, "L7_BADHEADER", 502),
    ("22 space before colon", "header-space-before-colon", HTTP, "L7_BADHEADER", 502),
    ("22 NUL", "header-nul", HTTP, "L7_BADHEADER", 502),
    ("23 8-bit bytes", "healthy-8bit", HTTP, "OK", 200),
    ("23 bare LF", "healthy-bare-lf", HTTP, "OK", 200),
    ("23 folded", "header-folded", HTTP, "L7_BADHEADER", 502),
    ("25 short body", "body-short", HTTP, "L7_SHORTBODY", 200),
    ("25 bad chunk", "body-bad-chunk", HTTP, "L7_BADCHUNK", None),
    ("25 endless chunk extension", "chunk-extension", HTTP, "OK", 200),
    ("26 HEAD refused", "refuses-head", HTTP, "OK", 200),
    ("26 HEAD closed", "closes-on-head", HTTP, "OK", 200),
    ("27 unasked 101", "upgrades-unasked", HTTP, "L7_INTERIM", 101),
    ("29 to metadata", "redirects-to-metadata", HTTP, "L7_REDIRECT", 302),
    ("30 to file:", "redirects-to-file", HTTP, "L7_REDIRECT", 302),
    ("30 to gopher:", "redirects-gopher", HTTP, "L7_REDIRECT", 302),
    ("30 long Location", "redirects-far", HTTP, "OK", 302),
    ("30 control bytes", "redirects-control", HTTP, "OK", 302),
    ("46 no ServerHello", "tls-hangs", HTTPS, "L6_TIMEOUT", 504),
    ("47 TLS to plain, 400", "refuses-noise", HTTPS, "L6_NOTTLS", 502),
    ("47 TLS to plain, waits", "healthy", HTTPS, "L6_TIMEOUT", 504),
    ("48 plain to TLS", "tls-good", HTTP, "L7_SCHEME", 502),
    ("48 plain to TLS, 400", "tls-plain-400", HTTP, "L7_SCHEME", 400),
    *(
        (f"49 {name}, verify off", f"tls-{name}", HTTPS, "L6_CERT_WARN", 200)
        for name in ("expired", "future", "self-signed")
    ),
    ("49 expired", "tls-expired", VERIFY + HTTPS, "L6_VERIFY_EXPIRED", 502),
    ("49 future", "tls-future", VERIFY + HTTPS, "L6_VERIFY_NOTYET", 502),
    ("49 self-signed", "tls-self-signed", VERIFY + HTTPS, "L6_VERIFY_SELFSIGNED", 502),
    ("49 wrong name", "tls-wrong-name", VERIFY + HTTPS, "L6_NAME", 502),
    ("49 common name only", "tls-name-in-subject-only", VERIFY + HTTPS, "OK", 200),
    ("49 unknown issuer", "tls-unknown-issuer", VERIFY + HTTPS, "L6_VERIFY_ISSUER", 502),
    ("51 client certificate, 1.2", "tls12-client-certificate", HTTPS, "L6_CLIENTCERT", 502),
    ("51 given, 1.2", "tls12-client-certificate", CLIENT + HTTPS, "OK", 200),
    ("51 client certificate, 1.3", "tls-client-certificate", "proxy_ssl_protocols TLSv1.3; " + HTTPS, "L6_CLIENTCERT", 502),
    ("51 given, 1.3", "tls-client-certificate", "proxy_ssl_protocols TLSv1.3; " + CLIENT + HTTPS, "OK", 200),
    ("52 SNI required", "tls-needs-server-name", "proxy_ssl_name app.demo.test; " + HTTPS, "L6_CLOSED", 502),
    ("53 only TLS 1.3", "tls13-only", HTTPS, "L6_CLOSED", 502),
    ("53 only TLS 1.0", "tls10-only", "proxy_ssl_protocols TLSv1.2; " + HTTPS, "L6_CLOSED", 502),
    ("54 endless handshake", "tls-endless", HTTPS, "L6_TIMEOUT", 504),
    ("54 renegotiation storm", "tls-hello-request-storm", HTTPS, "L6_TIMEOUT", 504),
    ("54 chain of 1 MB", "tls-chain-of-a-megabyte", HTTPS, "L6_CLOSED", 502),
    ("54 no certificate", "tls-no-certificate", HTTPS, "L6_CLOSED", 502),
    ("54 malformed DER", "tls-der-garbage", HTTPS, "L6_CLOSED", 502),
    ("54 nested DER", "tls-der-endless", HTTPS, "L6_CLOSED", 502),
    ("58 HTTP/2 only", "http2-only", HTTP, "L7_H2ONLY", None),
    ("58 HTTP/1 under grpc_pass", "refuses-noise", GRPC, "L7_H1_UNDER_GRPC", 502),
    ("58 GOAWAY", "goaway", GRPC, "L7_H2_REJECTED", 502),
    ("58 SETTINGS flood", "settings-flood", GRPC, "L7_H2_REJECTED L7_CLOSED", 502),
    ("59 serving", "grpc", GRPC, "OK", 200),
    ("59 not serving", "health-not-serving", GRPC, "L7_NOT_SERVING", 200),
    ("59 unknown service", "health-unknown", GRPC, "L7_SERVICE_UNKNOWN", 200),
    ("59 unknown service, in the status", "health-not-found", GRPC, "L7_SERVICE_UNKNOWN", 200),
    ("59 no health service", "health-absent", GRPC, "OK", 200),
    ("59 trailers missing", "health-no-trailers", GRPC, "L7_NO_TRAILERS", 200),
    ("60 HTTP under fastcgi_pass", "refuses-noise", "fastcgi_pass 127.0.0.1:{port};", "L7_WRONGPROTO", 502),
    ("60 HTTP under uwsgi_pass", "refuses-noise", "uwsgi_pass 127.0.0.1:{port};", "L7_WRONGPROTO", 400),
    ("60 HTTP under memcached_pass", "refuses-noise", "memcached_pass 127.0.0.1:{port};", "L7_WRONGPROTO", 502),
    ("60 waiting HTTP under fastcgi_pass", "healthy", "fastcgi_pass 127.0.0.1:{port};", "L7_WRONGPROTO", (502, 504)),
    ("61 PROXY header needed", "proxy-protocol-required", HTTP, "L7_NEEDS_PROXY", 502),
    ("64 peer gone after the handshake", "silent", HTTP, "L7_TIMEOUT", 504),
]  # fmt: skip


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"row {row[0]}")
def test_a_fault_has_its_verdict(row: Row, world: World) -> None:
    _, behaviour, passes, codes, status = row
    begin = time.monotonic()
    [found] = live(world, behaviour, passes).targets_json
    assert found["code"] in codes.split(), found
    wanted = status if isinstance(status, tuple) else (status,)
    assert found["predicted_status"] in wanted, found
    assert time.monotonic() - begin < 20


def test_row_09_an_endless_status_line_is_read_no_further_than_the_buffer(world: World) -> None:
    [found] = live(world, "endless-status-line").targets_json
    assert (found["code"], found["predicted_status"]) == ("L7_TOOBIG", 502)


def test_row_19_a_server_that_speaks_first_gets_no_second_question(world: World) -> None:
    [found] = live(world, "ftp-waits").targets_json
    assert found["code"] == "L7_NOTHTTP"
    assert world.connections("ftp-waits") == 1


@pytest.mark.parametrize(("version", "verdict", "status"), [(OLD, "ok", 200), (NEW, "failed", 502)])
@pytest.mark.parametrize(
    "behaviour", ["length-duplicate-different", "length-negative", "length-and-chunked", "encoding-unknown"]
)
def test_row_24_framing_counts_since_1_23(
    behaviour: str, version: tuple[int, int, int], verdict: str, status: int, world: World
) -> None:
    [found] = live(world, behaviour, "proxy_http_version 1.0; " + HTTP, version=version).targets_json
    assert (found["verdict"], found["predicted_status"]) == (verdict, status), found


def test_row_28_a_redirect_to_itself_is_told_and_asked_once(world: World) -> None:
    [found] = live(world, "redirects-to-itself", "proxy_set_header Host $host; " + HTTP).targets_json
    assert found["code"] == "L7_LOOP"
    assert world.connections("redirects-to-itself") == 1


@pytest.mark.parametrize(
    "host",
    ["exämple.test", "аpple.test", "xn--exmple-cua.test", "a_b.test", "l" * 64 + ".test", "n." * 128 + "test",
     "a..b.test", "dot.test."],
)  # fmt: skip
def test_row_44_odd_names_are_told_and_never_a_traceback(host: str) -> None:
    text = f"events {{}} http {{ server {{ listen 80; location / {{ proxy_pass http://{host}; }} }} }}"
    for found in run(config_of(text), Options(timeout=0.5, resolver="127.0.0.1:1")).targets_json:
        assert found["code"].startswith(("CFG_", "DNS_"))


@pytest.mark.parametrize(
    ("host", "code"),
    [("[fe80::1%25lo]:1", "CFG_ADDR"), ("[::1]:1", "L4_REFUSED"), ("[::ffff:127.0.0.1]:1", "L4_REFUSED")],
)
def test_row_45_address_literals_are_read_as_nginx_reads_them(host: str, code: str) -> None:
    text = f"events {{}} http {{ server {{ listen 80; location / {{ proxy_pass http://{host}; }} }} }}"
    [found] = run(config_of(text), QUICK).targets_json
    assert found["code"] in (code, "TOOL_FAULT"), found  # a machine without IPv6 is our fault, not theirs


def test_row_50_a_certificate_near_its_end_is_a_warning(world: World) -> None:
    [found] = live(world, "tls-good", VERIFY + HTTPS, options=Options(certificate_days=36_500)).targets_json
    assert (found["code"], found["verdict"], found["predicted_status"]) == ("L6_CERT_EXPIRING", "degraded", 200)


ENCRYPTED_KEY = """\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgb5D2ncxRiwAICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEN9KQuyiOLyq0zC4d3S9TuoEgZCI
DW+PIWC9KddDkXnrb9YIyLNQoO0/SeWB/N08tl/1uPQUEeB3qOdb/t5qiya4LORd
RkKjLVcSzz2WY0GnPAbG9Wp8lsdCI3ScEKZ5Z6iaXLo5GBjKxIv51xfEy506hmd8
5dvf87lywg0BMfNYsbaN1/ffLKXHYS5r0Q4xiAfZTfXegyrNAkqQfT8jy0KuLzg=
-----END ENCRYPTED PRIVATE KEY-----
"""
_MINE = "proxy_ssl_certificate {certificate}; proxy_ssl_certificate_key {key}; "


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            _MINE.format(certificate="/no.pem", key=certificate_path("client")),
            "the client certificate /no.pem cannot be read",
        ),
        (_MINE.format(certificate=certificate_path("client"), key="/no.pem"), "the client key /no.pem cannot be read"),
        (
            _MINE.format(certificate="FOLDER", key=certificate_path("client")),
            "the client certificate FOLDER cannot be read: Is a directory",
        ),
        (
            _MINE.format(certificate="FOLDER/empty", key="FOLDER/empty"),
            "the client certificate FOLDER/empty cannot be used",
        ),
        (_MINE.format(certificate=certificate_path("client"), key=certificate_path("good")), "key values mismatch"),
        (
            _MINE.format(certificate=certificate_path("client"), key="FOLDER/encrypted"),
            "the client key FOLDER/encrypted is encrypted",
        ),
        ("proxy_ssl_verify on; proxy_ssl_trusted_certificate /no.pem; ", "the CA file /no.pem cannot be read"),
        (
            "proxy_ssl_verify on; proxy_ssl_trusted_certificate FOLDER/empty; ",
            "the CA file FOLDER/empty cannot be used",
        ),
    ],
)
def test_row_55_with_files_that_cannot_be_used_the_target_is_not_contacted(
    settings: str, said: str, world: World, tmp_path: Path
) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "encrypted").write_text(ENCRYPTED_KEY)
    before = world.connections("tls-good")
    result = live(world, "tls-good", settings.replace("FOLDER", str(tmp_path)) + HTTPS)
    [found] = result.targets_json
    assert (found["code"], found["verdict"], found["predicted_status"]) == ("CFG_TLS", "not-probed", None)
    assert said.replace("FOLDER", str(tmp_path)) in found["note"]
    assert world.connections("tls-good") == before
    assert [finding.severity.word for finding in result.diagnostics] == ["warning"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("unix-missing", "L4_UNIX_MISSING"), ("unix-stale", "L4_UNIX_STALE"), ("unix-regular-file", "L4_UNIX_STALE"),
        ("unix-healthy", "OK"),
    ],
)  # fmt: skip
def test_row_56_sockets_are_told_apart(name: str, code: str, world: World) -> None:
    [found] = live(world, name, "proxy_pass http://unix:{path};").targets_json
    assert found["code"] == code


def test_row_56_a_folder_a_loop_and_a_long_path_are_no_sockets(world: World) -> None:
    loop = world.folder / "loop"
    loop.symlink_to(loop)
    for path in (str(world.folder), str(loop), "/tmp/" + "x" * 120):
        text = f"events {{}} http {{ server {{ listen 80; location / {{ proxy_pass http://unix:{path}; }} }} }}"
        [found] = run(config_of(text), QUICK).targets_json
        assert found["verdict"] == "failed"
        assert found["code"].startswith(("L4_UNIX_", "CFG_")), found
        assert "Too many levels" in found["predicted_log"] or path != str(loop)


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_SEQPACKET])
def test_row_56_a_socket_of_another_kind_is_told(kind: int, world: World) -> None:
    path = world.folder / f"kind-{kind}"
    with socket.socket(socket.AF_UNIX, kind) as sock:
        sock.bind(str(path))
        path.chmod(0o666)
        text = f"events {{}} http {{ server {{ listen 80; location / {{ proxy_pass http://unix:{path}; }} }} }}"
        [found] = run(config_of(text), QUICK).targets_json
    assert (found["code"], found["predicted_status"]) == ("L4_UNIX_STALE", 502)
    assert "nginx needs one for streams" in found["note"]
    # what nginx 1.22.1 logs
    assert "(91: Protocol wrong type for socket)" in found["predicted_log"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can play another user")
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "s").chmod(0o600), "no write right on the socket (mode 0600)"),
        (lambda folder: (folder / "s").chmod(0o644), "no write right on the socket (mode 0644)"),
        (lambda folder: folder.chmod(0o700), "may not enter"),
        (lambda folder: folder.chmod(0o644), "may not enter"),
        (lambda folder: None, ""),
    ],
)
def test_row_56_what_root_may_open_is_judged_for_the_worker_user(
    spoil: Callable[[Path], object], said: str, world: World
) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as name, socket.socket(socket.AF_UNIX) as listener:
        folder = Path(name)
        folder.chmod(0o755)
        listener.bind(f"{folder}/s")
        listener.listen()
        (folder / "s").chmod(0o666)
        spoil(folder)
        http = f"http {{ server {{ listen 80; location / {{ proxy_pass http://unix:{folder}/s; }} }} }}"
        [found] = run(config_of(f"user nobody; events {{}} {http}"), QUICK).targets_json
        folder.chmod(0o755)
    assert found["code"] == ("L4_UNIX_PERM" if said else "L7_TIMEOUT")
    assert said in found["note"]


def test_row_57_a_fifo_is_never_opened(world: World) -> None:
    path = world.folder / "fifo"
    os.mkfifo(path)
    text = f"events {{}} http {{ server {{ listen 80; location / {{ proxy_pass http://unix:{path}; }} }} }}"
    [found] = run(config_of(text), QUICK).targets_json
    assert found["code"] == "L4_UNIX_STALE"


def test_row_62_a_low_limit_of_files_never_makes_an_upstream_dead(world: World) -> None:
    port = world.port("healthy")
    locations = "".join(f"location /{n} {{ proxy_pass http://127.0.0.1:{port}; }}" for n in range(300))
    config = config_of(f"events {{}} http {{ server {{ listen 80; {locations} }} }}")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 16, hard))
    try:
        result = run(config, Options(jitter=0.0))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert result.counts["failed"] == 0
    assert result.counts["ok"] + result.counts["unknown"] == 300


@pytest.mark.parametrize("number", [errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.EPERM, errno.ENETUNREACH])
def test_row_63_faults_of_this_machine_are_said_once_and_make_nobody_dead(number: int) -> None:
    peers = {f"10.0.0.{n}:80": OSError(number, os.strerror(number)) for n in (1, 2, 3)}
    locations = "".join(f"location /{n} {{ proxy_pass http://10.0.0.{n}; }}" for n in (1, 2, 3))
    config = config_of(f"events {{}} http {{ server {{ listen 80; {locations} }} }}")
    result = run(config, QUICK, FakeNetwork(dict(peers)))
    assert {found["code"] for found in result.targets_json} == {"TOOL_FAULT"}
    assert len(result.diagnostics) == 1


def test_row_66_an_interruption_leaves_a_partial_report(world: World) -> None:
    ports = (world.port("healthy"), world.port("silent"))
    locations = "".join(f"location /{port} {{ proxy_pass http://127.0.0.1:{port}; }}" for port in ports)
    config = config_of(f"events {{}} http {{ server {{ listen 80; {locations} }} }}")
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()
    result = run(config, Options(timeout=20))
    assert (result.interrupted, result.complete) == (True, False)
    assert [found["verdict"] for found in result.targets_json] == ["ok", "unknown"]


def test_row_67_the_environment_changes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    [found] = live(world, "tls-good", VERIFY + HTTPS).targets_json
    assert found["code"] == "OK"


def test_row_68_a_wrong_clock_moves_certificates_and_no_timer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 86_400.0)
    [found] = live(world, "tls-good", HTTPS).targets_json
    assert (found["code"], found["predicted_status"]) == ("L6_CERT_WARN", 200)
    assert all(0 <= stage["ms"] < 10_000 for stage in found["stages"].values())


@pytest.mark.parametrize("behaviour", ["terminal", "terminal-greets"])
def test_row_69_what_an_upstream_says_cannot_reach_a_terminal(behaviour: str, world: World) -> None:
    result = live(world, behaviour)
    text = json.dumps(list(result.targets_json), ensure_ascii=False) + "".join(
        line for found in result.diagnostics for line in (found.message, found.label, *found.help)
    )
    assert not {"\x1b", "\x07", "\u202e"} & set(text)


EVIL = Path(__file__).with_name("evil.pem")


@pytest.mark.parametrize("format", ["full", "concise", "json", "github"])
def test_row_69_names_in_a_certificate_are_escaped_in_every_format(format: str, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(EVIL)
    with World() as world:
        port = world.serve("evil", healthy, context)
        passes = f"proxy_ssl_name app.demo.test; proxy_pass https://127.0.0.1:{port};"
        conf = tmp_path / "nginx.conf"
        conf.write_text(f"events {{}} http {{ server {{ listen 80; location / {{ {passes} }} }} }}\n")
        words = ("check", "--online", "--no-cache", "--no-config", "--color", "never", "-o", format, str(conf))
        out, err = process(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE).communicate(timeout=60)
    shown = (out + err).decode()
    assert "upstream-certificate-doubtful" in shown
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)


async def answers_400_to_a_proxy_line(peer: Peer) -> None:
    """A web server: what is no request line is 400 at once, without one it waits."""
    if (await peer.line()).startswith(b"PROXY"):
        await peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    await peer.wait_for_close()


async def hangs_up_on_a_proxy_line(peer: Peer) -> None:
    """Whatever it speaks, PROXY is no word of it."""
    if not (await peer.line()).startswith(b"PROXY"):
        await peer.wait_for_close()


async def wants_the_proxy_line(peer: Peer) -> None:
    """Silent before the header, and a greeting after it."""
    if (await peer.line()).startswith(b"PROXY"):
        await peer.send(b"220 ready\r\n")
        await peer.wait_for_close()


@pytest.mark.parametrize(
    ("talk", "code"),
    [
        (answers_400_to_a_proxy_line, "L7_PROXY_UNWANTED"),
        (hangs_up_on_a_proxy_line, "L7_PROXY_UNWANTED"),
        (wants_the_proxy_line, "OK"),
        (silent, "OK"),
        (greets_and_waits(b"220 ready\r\n"), "OK"),
        (closes_at_once, "OK"),
    ],
)
def test_row_61_a_proxy_header_that_a_plain_server_gets_is_told(talk: Talk, code: str) -> None:
    with World() as world:
        port = world.serve("peer", talk)
        stream = f"stream {{ server {{ listen 1; proxy_protocol on; proxy_pass 127.0.0.1:{port}; }} }}"
        [found] = run(config_of(f"events {{}} {stream}"), Options(jitter=0.0)).targets_json
    assert (found["code"], found["predicted_status"]) == (code, 200)


def test_every_row_of_the_list_has_a_test_named_by_its_number() -> None:
    here = Path(__file__)
    files = (here, *(here.parents[1] / "online" / name for name in ("test_fault_rows.py", "test_memory.py")))
    named = re.compile(r"^def test_row_(\d\d)_|^    \(\"(\d\d) |^        \(f\"(\d\d) ", re.MULTILINE)
    rows = {int(number) for file in files for found in named.findall(file.read_text()) for number in found if number}
    assert rows == set(range(1, 73))


def test_row_70_a_pass_to_this_very_server_is_asked_a_few_times_at_most(world: World) -> None:
    port = world.port("healthy", copy=70)
    before = world.connections("healthy")
    text = f"events {{}} http {{ server {{ listen {port}; location / {{ proxy_pass http://127.0.0.1:{port}; }} }} }}"
    run(config_of(text), QUICK)
    assert world.connections("healthy") - before <= 1
