"""The whole stage: from a configuration to findings and rows, over a fake network and over loopback."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nginxlint.config import Config
from nginxlint.demo.tls_behaviours import certificate_path
from nginxlint.demo.upstreams import World
from nginxlint.diagnostic import Diagnostic, Severity, Stage
from nginxlint.files import Dump
from nginxlint.includes import load
from nginxlint.online.network import RealNetwork
from nginxlint.online.options import Options
from nginxlint.online.outcomes import OUTCOMES
from nginxlint.online.plan import plan_of
from nginxlint.online.rules import BY_ID
from nginxlint.online.schedule import slots_for
from nginxlint.online.stage import OnlineResult, plan, run
from nginxlint.online.types import Address
from nginxlint.testing import config_of
from tests.online.fake import FakeNetwork, FakeStream, answers

QUICK = Options(timeout=0.1, retry_pause=0.0, jitter=0.0)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
PLACE = {"path", "line", "column", "end_line", "end_column", "byte_start", "byte_end"}
REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
Peers = dict[str, "OSError | Callable[[], FakeStream]"]


def check(http: str, network: FakeNetwork | None = None, options: Options = QUICK, *, rest: str = "") -> OnlineResult:
    return run(config_of(f"events {{}}\nhttp {{ {http} }}\n{rest}", version=(1, 22, 1)), options, network)


def row(result: OnlineResult, index: int = 0) -> dict[str, object]:
    return result.targets_json[index]


def by_rule(result: OnlineResult) -> dict[str, list[Diagnostic]]:
    found: dict[str, list[Diagnostic]] = {}
    for diagnostic in result.diagnostics:
        found.setdefault(diagnostic.rule, []).append(diagnostic)
    return found


def test_a_dead_upstream_is_an_error_on_its_proxy_pass() -> None:
    result = check("server { location / { proxy_pass http://10.0.0.1:81; } }", FakeNetwork({"10.0.0.1:81": REFUSED}))
    [diagnostic] = result.diagnostics
    assert (diagnostic.rule, diagnostic.severity, diagnostic.stage) == (
        "upstream-refused",
        Severity.ERROR,
        Stage.ONLINE,
    )
    assert diagnostic.span.text == "http://10.0.0.1:81"
    assert diagnostic.target == row(result)["id"]
    assert "502" in diagnostic.message
    assert not diagnostic.blocks_start


def test_a_healthy_upstream_is_no_finding() -> None:
    result = check(
        "server { location / { proxy_pass http://10.0.0.1:81; } }", FakeNetwork({"10.0.0.1:81": answers(OK)})
    )
    assert (result.diagnostics, result.complete, result.summary) == ([], True, "1 target: 1 ok")


def test_a_row_has_every_field_of_the_contract_and_is_json() -> None:
    result = check(
        "server { location / { proxy_pass http://10.0.0.1:81/x; } }", FakeNetwork({"10.0.0.1:81": answers(OK)})
    )
    found = json.loads(json.dumps(row(result)))
    wanted = (
        "id directive scheme host port path upstream used_at resolution addresses verdict code failed_stage "
        "predicted_status predicted_log stages"
    )
    assert set(wanted.split()) <= set(found)
    assert (found["path"], found["verdict"], found["predicted_status"]) == ("/x", "ok", 200)
    assert set(found["used_at"][0]) == PLACE
    assert set(found["stages"]["http"]) == {"status", "ms", "detail"}


def test_an_unresolvable_start_up_name_blocks_the_start_even_beside_a_living_peer() -> None:
    result = check(
        "upstream g { server gone.test:80; server 10.0.0.1:81; } server { location / { proxy_pass http://g; } }",
        FakeNetwork({"10.0.0.1:81": answers(OK)}),
    )
    [diagnostic] = by_rule(result)["upstream-unresolvable"]
    assert diagnostic.blocks_start
    assert diagnostic.severity is Severity.ERROR
    assert diagnostic.nginx_message == 'host not found in upstream "gone.test:80"'
    assert diagnostic.span.text == "gone.test:80"
    assert [found["predicted_status"] for found in result.targets_json] == ["blocks-start", 200]


def test_a_down_peer_is_not_probed_but_its_name_still_has_to_resolve() -> None:
    result = check(
        "upstream g { server gone.test:80 down; server 10.0.0.2:1 down; server 10.0.0.1:81; }"
        "server { location / { proxy_pass http://g; } }",
        network := FakeNetwork({"10.0.0.1:81": answers(OK)}),
    )
    assert [found["code"] for found in result.targets_json] == ["CFG_HOST", "SKIP_DOWN", "OK"]
    assert network.dialled == ["10.0.0.1:81"]


GROUP = (
    "upstream g {{ server 10.0.0.1:81; server 10.0.0.2:81 weight=3 {0}; }}"
    " server {{ location / {{ proxy_pass http://g; {1} }} }}"
)


def test_a_dead_peer_beside_a_living_one_costs_time_and_not_answers() -> None:
    result = check(GROUP.format("", ""), FakeNetwork({"10.0.0.1:81": answers(OK), "10.0.0.2:81": REFUSED}))
    found = by_rule(result)
    assert found["upstream-refused"][0].severity is Severity.WARNING
    assert "75%" in found["upstream-partly-down"][0].message
    assert row(result, 1)["predicted_status"] == 200


@pytest.mark.parametrize(
    ("directive", "peer", "status"),
    [
        ("proxy_next_upstream off;", REFUSED, 502),
        ("", answers(b"HTTP/1.1 200 OK\r\nA b: c\r\n\r\n"), 502),
        ("proxy_next_upstream error invalid_header;", answers(b"HTTP/1.1 200 OK\r\nA b: c\r\n\r\n"), 200),
    ],
)
def test_only_what_next_upstream_lists_is_saved_by_the_next_peer(directive: str, peer: object, status: int) -> None:
    result = check(
        GROUP.format("", directive),
        FakeNetwork({"10.0.0.1:81": answers(OK), "10.0.0.2:81": peer}),  # type: ignore[dict-item]
    )
    assert row(result, 1)["predicted_status"] == status


def test_a_group_without_a_living_peer_is_an_error_of_its_own() -> None:
    result = check(GROUP.format("", ""), FakeNetwork({"10.0.0.1:81": REFUSED, "10.0.0.2:81": REFUSED}))
    [diagnostic] = by_rule(result)["upstream-no-live-peer"]
    assert (diagnostic.severity, diagnostic.span.text) == (Severity.ERROR, "g")


def test_a_dead_backup_is_told_apart() -> None:
    result = check(GROUP.format("backup", ""), FakeNetwork({"10.0.0.1:81": answers(OK), "10.0.0.2:81": REFUSED}))
    found = by_rule(result)
    assert "backup" in found["upstream-refused"][0].message
    assert found["upstream-partly-down"][0].severity is Severity.INFO


def test_one_dead_address_of_a_name_is_a_warning_with_that_address() -> None:
    network = FakeNetwork({"10.0.0.1:81": answers(OK), "10.0.0.2:81": REFUSED}, {"app.test": ["10.0.0.1", "10.0.0.2"]})
    result = check("server { location / { proxy_pass http://app.test:81; } }", network)
    [diagnostic] = result.diagnostics
    assert diagnostic.severity is Severity.WARNING
    assert "1 of 2 addresses: 10.0.0.2:81" in diagnostic.message
    assert (row(result)["verdict"], row(result)["predicted_status"]) == ("degraded", 200)


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "::ffff:169.254.169.254", "2002:a9fe:a9fe::", "fe80::1", "224.0.0.1"]
)
def test_a_name_that_resolves_to_a_denied_address_gets_no_packet(address: str) -> None:
    network = FakeNetwork(names={"app.test": [address]})
    result = check("server { location / { proxy_pass http://app.test; } }", network)
    assert (row(result)["verdict"], row(result)["code"], network.dialled) == ("not-probed", "SKIP_POLICY", [])
    assert [d.severity for d in result.diagnostics] == [Severity.INFO]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("location / { proxy_pass http://backend; }", "SKIP_SNIPPET"),
        ("location / { fastcgi_pass php; }", "SKIP_SNIPPET"),
        ("location / { proxy_pass http://backend:8080; }", "CFG_HOST"),
        ("location / { proxy_pass http://backend.test; }", "CFG_HOST"),
    ],
)
def test_a_bare_name_in_a_snippet_may_be_a_group_of_another_file(text: str, code: str) -> None:
    files = Dump({"site.conf": text.encode()}, "")
    config = Config("site.conf", load(files, "site.conf", text, ("http", "server")), snippet=True)
    result = run(config, QUICK, FakeNetwork())
    assert row(result)["code"] == code
    assert bool(result.diagnostics) == (code == "CFG_HOST")


def test_many_places_with_one_fault_are_one_finding_with_the_others_listed() -> None:
    locations = "".join(f"location /{n}/ {{ proxy_pass http://10.0.0.1:81; }}" for n in range(20))
    network = FakeNetwork({"10.0.0.1:81": REFUSED})
    result = check(f"server {{ {locations} }}", network)
    [diagnostic] = result.diagnostics
    assert len(result.targets_json) == 20
    assert {found["verdict"] for found in result.targets_json} == {"failed"}
    assert len(diagnostic.related) == 5
    assert diagnostic.related[-1].label == "used here and at 14 more places"
    assert len(network.dialled) == 1  # the first refusal answers for all


def test_a_question_is_asked_once_however_many_places_ask_it() -> None:
    locations = "".join(f"location /{n}/ {{ proxy_pass http://10.0.0.1:81/same; }}" for n in range(50))
    network = FakeNetwork({"10.0.0.1:81": answers(OK)})
    result = check(f"server {{ server_name a.test; {locations} }}", network)
    assert len(network.dialled) == 1
    assert len(result.targets_json) == 1
    assert len(result.targets_json[0]["used_at"]) == 50


def test_no_host_gets_more_connections_at_once_than_allowed() -> None:
    most = now = 0

    class Counting(FakeStream):
        def __init__(self) -> None:
            nonlocal most, now
            super().__init__((OK,))
            now += 1
            most = max(most, now)

        def close(self) -> None:
            nonlocal now
            now -= 1

    locations = "".join(f"location /{n}/ {{ proxy_pass http://10.0.0.1:{n + 1000}; }}" for n in range(40))
    network = FakeNetwork({f"10.0.0.1:{n + 1000}": Counting for n in range(40)})
    result = check(f"server {{ {locations} }}", network, Options(per_host=3, jitter=0.001, rate=0))
    assert result.counts["ok"] == 40
    assert 1 <= most <= 3


def test_what_the_budget_leaves_out_is_unknown_and_never_down() -> None:
    locations = "".join(f"location /{n}/ {{ proxy_pass http://10.0.0.{n + 1}:81; }}" for n in range(30))
    begin = time.monotonic()
    result = check(f"server {{ {locations} }}", FakeNetwork(), Options(budget=0.3, timeout=5, concurrency=4))
    assert time.monotonic() - begin < 1.3
    assert {found["code"] for found in result.targets_json} == {"NOT_CHECKED"}
    assert result.counts["failed"] == 0
    assert not result.complete
    [diagnostic] = result.diagnostics
    assert "29 more" in diagnostic.message


def test_a_network_that_is_not_there_is_our_fault_and_said_once() -> None:
    unreachable = OSError(errno.ENETUNREACH, "Network is unreachable")
    locations = "".join(f"location /{n}/ {{ proxy_pass http://10.0.0.{n + 1}:81; }}" for n in range(5))
    result = check(f"server {{ {locations} }}", FakeNetwork({f"10.0.0.{n + 1}:81": unreachable for n in range(5)}))
    assert result.counts["unknown"] == 5
    assert not result.complete
    assert [diagnostic.rule for diagnostic in result.diagnostics] == ["upstream-not-checked"]


def test_one_unreachable_address_among_reachable_ones_is_a_fault_of_the_upstream() -> None:
    unreachable = OSError(errno.EHOSTUNREACH, "No route to host")
    result = check(
        "server { location /a { proxy_pass http://10.0.0.1:81; } location /b { proxy_pass http://10.0.0.2:81; } }",
        FakeNetwork({"10.0.0.1:81": unreachable, "10.0.0.2:81": answers(OK)}),
    )
    assert (row(result)["code"], row(result)["predicted_status"]) == ("L4_UNREACH", 502)


@pytest.mark.parametrize("level", ["dns", "tcp", "tls", "http"])
def test_the_level_bounds_what_is_sent(level: str) -> None:
    network = FakeNetwork({"10.0.0.1:81": answers(OK)}, {"app.test": ["10.0.0.1"]})
    result = check("server { location / { proxy_pass http://app.test:81; } }", network, Options(probe_level=level))
    assert row(result)["verdict"] == "ok"
    assert bool(network.dialled) == (level != "dns")
    assert any(stream.sent for stream in network.streams) == (level == "http")


def test_a_strangers_text_is_made_harmless_before_it_is_reported() -> None:
    nasty = b"\x1b]0;owned\x07\xe2\x80\xae evil\r\n"
    result = check(
        "server { location / { proxy_pass http://10.0.0.1:81; } }", FakeNetwork({"10.0.0.1:81": answers(nasty)})
    )
    text = json.dumps(list(result.targets_json), ensure_ascii=False) + "".join(
        d.message + d.label + (d.nginx_message or "") for d in result.diagnostics
    )
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\x07" not in text


def test_a_redirect_to_the_page_that_was_asked_for_is_a_loop() -> None:
    reply = b"HTTP/1.1 301 Moved\r\nLocation: https://shop.test/\r\n\r\n"
    result = check(
        "server { listen 443 ssl; server_name shop.test; location / { proxy_pass http://10.0.0.1:81; } }",
        FakeNetwork({"10.0.0.1:81": answers(reply)}),
    )
    assert row(result)["code"] == "L7_LOOP"
    assert [d.severity for d in result.diagnostics] == [Severity.INFO]


def test_a_dry_run_names_every_target_and_sends_nothing() -> None:
    text = (
        "upstream g { server 10.0.0.1:81; server 10.0.0.2:22; }"
        "server { location / { proxy_pass http://g; } location /m { proxy_pass http://169.254.169.254; }"
        " location /v { proxy_pass http://$http_x; } }"
    )
    config = config_of(f"events {{}} http {{ {text} }}")
    shown = plan(config, Options(deny=("10.0.0.2",)))
    assert "http://10.0.0.1:81: connect, send GET (/, Host g)" in shown
    assert "10.0.0.2 is on your deny list" in shown
    assert "cloud metadata" in shown
    assert "depends on the request" in shown
    assert plan_of(config).json()["most_connections"] == 16


@pytest.mark.parametrize(
    ("inner", "beside", "vantage", "code", "status"),
    [
        ("/files/there", "location /files/ { internal; alias FOLDER/; }", "server", "OK", 200),
        ("/files/lost", "location /files/ { internal; alias FOLDER/; }", "local", "ACCEL_LOST", 404),
        ("/files/lost", "location /files/ { internal; alias /no/such/folder/; }", "server", "ACCEL_LOST", 404),
        ("/files/lost", "location /files/ { internal; alias /no/such/folder/; }", "local", "OK", 200),
        ("/files/lost", "location /files/ { internal; proxy_pass http://$http_x; }", "server", "OK", None),
    ],
)
def test_an_answer_that_hands_visitors_on_is_followed_inside_nginx(
    inner: str, beside: str, vantage: str, code: str, status: int | None, tmp_path: Path
) -> None:
    (tmp_path / "there").write_text("x")
    peers = {"10.0.0.1:81": answers(b"HTTP/1.1 200 OK\r\nX-Accel-Redirect: %s\r\n\r\n" % inner.encode())}
    text = f"location / {{ proxy_pass http://10.0.0.1:81; }} {beside.replace('FOLDER', str(tmp_path))}"
    result = check(f"server {{ listen 80; {text} }}", FakeNetwork(peers), replace(QUICK, vantage=vantage))
    assert (row(result)["code"], row(result)["predicted_status"]) == (code, status)


def test_every_code_has_a_rule_with_a_page_and_every_page_a_code() -> None:
    assert {outcome.rule for outcome in OUTCOMES.values()} == set(BY_ID)


def test_only_what_fails_is_an_error() -> None:
    errors = {code for code, outcome in OUTCOMES.items() if outcome.severity is Severity.ERROR}
    assert {OUTCOMES[code].word for code in errors} == {"failed"}
    assert all(rule.docs.split("\n")[0].endswith((".", "another")) for rule in BY_ID.values())


# --- over loopback -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World() as world:
        yield world


def live(
    world: World, location: str, options: Options = QUICK, version: tuple[int, int, int] = (1, 31, 5)
) -> OnlineResult:
    text = f"events {{}} http {{ server {{ listen 80; server_name app.demo.test; location / {{ {location} }} }} }}"
    return run(config_of(text, version=version), options)


CA = f"proxy_ssl_verify on; proxy_ssl_trusted_certificate {certificate_path('ca')};"
TLS_TABLE = [
    ("tls-good", f"{CA} proxy_ssl_name app.demo.test;", "OK"),
    ("tls-wrong-name", f"{CA} proxy_ssl_name app.demo.test;", "L6_NAME"),
    ("tls-expired", f"{CA} proxy_ssl_name app.demo.test;", "L6_VERIFY_EXPIRED"),
    ("tls-future", f"{CA} proxy_ssl_name app.demo.test;", "L6_VERIFY_NOTYET"),
    ("tls-self-signed", f"{CA} proxy_ssl_name app.demo.test;", "L6_VERIFY_SELFSIGNED"),
    ("tls-unknown-issuer", f"{CA} proxy_ssl_name app.demo.test;", "L6_VERIFY_ISSUER"),
    ("tls-name-in-subject-only", f"{CA} proxy_ssl_name app.demo.test;", "OK"),
    (
        "tls-address",
        f"{CA}",
        "OK",
    ),  # its common name is the address; nginx 1.22 takes it, addresses in SAN do not count
    ("tls-address", f"{CA} proxy_ssl_name localhost;", "L6_NAME"),
    ("tls-expired", "", "L6_CERT_WARN"),
    ("tls-future", "", "L6_CERT_WARN"),
    ("tls-self-signed", "", "L6_CERT_WARN"),
    ("tls-wrong-name", "proxy_ssl_name app.demo.test;", "L6_CERT_WARN"),
    ("tls-wrong-name", "", "OK"),
    ("tls-needs-server-name", "", "L6_CLOSED"),
    ("tls-needs-server-name", "proxy_ssl_server_name on; proxy_ssl_name app.demo.test;", "OK"),
    ("tls-client-certificate", "", "L6_CLIENTCERT"),
    ("tls12-client-certificate", "", "L6_CLIENTCERT"),
    (
        "tls-client-certificate",
        f"proxy_ssl_certificate {certificate_path('client')}; proxy_ssl_certificate_key {certificate_path('client')};",
        "OK",
    ),
    ("tls-client-certificate", "proxy_ssl_certificate /nonexistent.pem;", "CFG_TLS"),
    ("tls13-only", "", "OK"),
    ("tls13-only", "proxy_ssl_protocols TLSv1.2;", "L6_CLOSED"),
    ("tls-hangs", "", "L6_TIMEOUT"),
    ("tls-closes", "", "L6_CLOSED"),
    ("refuses-head", "", "L6_TIMEOUT"),
    ("ssh", "", "L6_NOTTLS"),
]


@pytest.mark.parametrize(("behaviour", "settings", "code"), TLS_TABLE)
def test_tls_faults_are_told_apart(world: World, behaviour: str, settings: str, code: str) -> None:
    result = live(world, f"{settings} proxy_pass https://127.0.0.1:{world.port(behaviour)};", Options(timeout=0.5))
    assert row(result)["code"] == code, result.targets_json


def test_a_missing_server_name_is_found_by_sending_one(world: World) -> None:
    port = world.port("tls-needs-server-name")
    [diagnostic] = live(world, f"proxy_pass https://127.0.0.1:{port}; proxy_ssl_name app.demo.test;").diagnostics
    assert any("proxy_ssl_server_name on;" in line for line in diagnostic.help)


def test_the_rights_of_a_socket_are_those_of_the_worker_and_not_of_root(world: World, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root has rights the worker lacks")
    text = "user nobody; events {} http { server { location / { proxy_pass http://unix:%s; } } }"
    result = run(config_of(text % world.path("unix-forbidden")), QUICK)
    assert row(result)["code"] == "L4_UNIX_PERM"
    assert run(config_of(text % world.path("unix-healthy")), QUICK).counts["ok"] == 1
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    assert row(run(config_of(text % (closed / "missing.sock")), QUICK))["code"] == "L4_UNIX_PERM"


@pytest.mark.parametrize("setting", ["trusted_certificate", "certificate", "password_file"])
def test_a_pipe_or_a_device_instead_of_a_tls_file_is_never_opened(world: World, tmp_path: Path, setting: str) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    text = f"proxy_pass https://127.0.0.1:{world.port('tls-good')}; proxy_ssl_verify on; proxy_ssl_{setting} {pipe};"
    found = row(live(world, text))
    assert (found["code"], "is not a file" in found["note"]) == ("CFG_TLS", True)


def test_ctrl_c_ends_the_probing_and_not_the_report(world: World) -> None:
    port = world.port("silent")
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    begin = time.monotonic()
    result = live(world, f"proxy_pass http://127.0.0.1:{port};", Options(timeout=20))
    assert time.monotonic() - begin < 2
    assert result.interrupted
    assert not result.complete
    assert row(result)["code"] == "NOT_CHECKED"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@contextlib.contextmanager
def _file_limit(number: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_number_of_slots_follows_the_limit_on_open_files() -> None:
    already = len(os.listdir("/proc/self/fd"))
    with _file_limit(already + 248):
        assert slots_for(500) == 100
    with _file_limit(already + 12):
        assert slots_for(500) == 1


def test_proxy_settings_of_the_environment_are_ignored(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert live(world, f"proxy_pass http://127.0.0.1:{world.port('healthy')};").counts["ok"] == 1


def test_no_connection_is_left_open(world: World) -> None:
    ports = [world.port(name) for name in ("healthy", "silent", "endless-headers", "tls-good")]
    before = _open_files(0)
    for port in ports:
        live(world, f"proxy_pass http://127.0.0.1:{port};")
    assert _open_files(before) <= before


def _open_files(wanted: int) -> int:
    """How many there are, once the servers of the world (they live in this process) had time to close theirs."""
    for _ in range(50):
        count = len(os.listdir("/proc/self/fd"))
        if count <= wanted:
            break
        time.sleep(0.02)
    return count


def test_the_real_network_reports_the_systems_own_errors() -> None:

    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionRefusedError):
            asyncio.run(RealNetwork().connect(Address("127.0.0.1", reserved.getsockname()[1])))


@pytest.mark.parametrize(
    ("text", "verdict", "status"),
    [
        ("return 503; location / { proxy_pass http://10.0.0.1:81; }", "degraded", 503),
        ("location / { return 444; proxy_pass http://10.0.0.1:81; }", "degraded", None),
        ("location / { proxy_pass http://10.0.0.1:81; } location /x { return 204; }", "failed", 502),
        ("location / { rewrite ^/x /y break; return 503; proxy_pass http://10.0.0.1:81; }", "failed", 502),
        ("return 503; error_page 503 @app; location @app { proxy_pass http://10.0.0.1:81; }", "failed", 502),
        ("location / { return 503; proxy_pass http://gone.test; }", "failed", "blocks-start"),
        ("location /a { return 503; proxy_pass http://10.0.0.1:81; } location /b { proxy_pass http://10.0.0.1:81; }",
         "failed", 502),
    ],
)  # fmt: skip
def test_a_dead_upstream_that_no_visitor_comes_to_is_a_remark(
    text: str, verdict: str, status: int | str | None
) -> None:
    result = check(f"server {{ listen 80; {text} }}", FakeNetwork({"10.0.0.1:81": REFUSED}))
    assert (row(result, -1)["verdict"], row(result, -1)["predicted_status"]) == (verdict, status)


def test_udp_upstreams_are_looked_up_and_get_no_packet() -> None:
    network = FakeNetwork(names={"d.test": ["10.0.0.9"]})
    rest = (
        "stream { server { listen 53 udp; proxy_pass d.test:53; } server { listen 54 udp; proxy_pass gone.test:53; } }"
    )
    result = check("", network, rest=rest)
    assert [(one["verdict"], one["code"]) for one in result.targets_json] == [
        ("not-probed", "SKIP_UDP"),
        ("failed", "CFG_HOST"),
    ]
    assert network.dialled == []
    assert row(result)["addresses"] == ["10.0.0.9"]


_H2_OK = b"\0\0\0\4\0\0\0\0\0" + b"\0\0\1\1\5\0\0\0\1\x88"


@pytest.mark.parametrize(
    ("answer", "code", "status"),
    [
        (_H2_OK, "OK", 200),
        (_H2_OK[:-1] + b"\x8e", "L7_STATUS_5XX", 500),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "L7_H1_UNDER_GRPC", 502),
        (_H2_OK[:9] + b"\0\0\4\3\0\0\0\0\1\0\0\0\7", "L7_H2_REJECTED", 502),
        (b"", "L7_CLOSED", 502),
    ],
)
def test_an_upstream_that_nginx_asks_in_http_2_is_asked_in_http_2(answer: bytes, code: str, status: int) -> None:
    network = FakeNetwork({"10.0.0.1:81": answers(answer)})
    text = "server { location / { proxy_http_version 2; proxy_pass http://10.0.0.1:81/x; } }"
    result = run(config_of(f"events {{}} http {{ {text} }}", version=(1, 29, 4)), QUICK, network)
    assert (row(result)["code"], row(result)["predicted_status"]) == (code, status)
    assert network.streams[0].sent.startswith(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert b"/x" in network.streams[0].sent
