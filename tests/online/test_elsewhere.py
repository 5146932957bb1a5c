"""What is said from a place where nginx does not run: never that something fails which is only not there."""

from __future__ import annotations

import errno

import pytest

from nginxlint.diagnostic import Confidence, Severity
from nginxlint.online.options import Options
from nginxlint.online.stage import OnlineResult, run
from nginxlint.testing import config_of
from tests.online.fake import FakeNetwork, answers
from tests.online.test_fault_rows import FAILING, NOTHING

REFUSED = OSError(errno.ECONNREFUSED, "Connection refused")
UNREACHABLE = OSError(errno.EHOSTUNREACH, "No route to host")
STARTUP, RUNTIME = "proxy_pass http://{};", "set $b {}; proxy_pass http://$b;"


def check(text: str, vantage: str, network: FakeNetwork, **more: object) -> OnlineResult:
    options = Options(timeout=0.3, jitter=0.0, retry_pause=0.0, vantage=vantage, **more)  # type: ignore[arg-type]
    return run(config_of(f"server {{ location / {{ {text} }} }}", version=(1, 22, 1)), options, network)


def code(result: OnlineResult) -> str:
    [row] = result.targets_json
    return str(row["code"])


@pytest.mark.parametrize(
    "host", ["app", "app.internal", "db.corp.example.com", "x.prod.svc.cluster.local", "nas.home.arpa."]
)
def test_a_private_name_that_does_not_resolve_in_a_ci_job_is_not_judged(host: str) -> None:
    text = STARTUP.format(host)
    assert code(check(text, "server", FakeNetwork())) == "CFG_HOST"
    result = check(text, "elsewhere", FakeNetwork())
    [row], [finding] = result.targets_json, result.diagnostics
    assert (row["verdict"], row["code"], row["predicted_status"]) == ("unknown", "NOT_FROM_HERE", None)
    assert row["stages"]["dns"]["status"] == "unknown"
    assert (finding.severity, finding.blocks_start, finding.nginx_message) == (Severity.INFO, False, None)
    assert "cannot be judged from here" in finding.message
    assert result.complete


@pytest.mark.parametrize("host", ["shop.example.com", "internal-tools.net", "locale.org"])
def test_a_public_name_that_does_not_resolve_is_a_failure_anywhere(host: str) -> None:
    assert code(check(STARTUP.format(host), "elsewhere", FakeNetwork())) == "CFG_HOST"


@pytest.mark.parametrize(
    ("place", "fault", "elsewhere"),
    [
        ("127.0.0.1:81", REFUSED, "NOT_FROM_HERE"),
        ("[::1]:81", REFUSED, "NOT_FROM_HERE"),
        ("10.1.2.3:81", UNREACHABLE, "NOT_FROM_HERE"),
        ("192.168.1.1:81", None, "NOT_FROM_HERE"),
        ("unix:/no/such.sock", OSError(errno.ENOENT, "No such file or directory"), "NOT_FROM_HERE"),
        ("8.8.8.8:81", REFUSED, "L4_REFUSED"),
        ("172.32.0.1:81", UNREACHABLE, "L4_UNREACH"),
    ],
)
def test_private_places_that_do_not_answer_are_not_judged(place: str, fault: OSError | None, elsewhere: str) -> None:
    network = FakeNetwork({place: fault} if fault is not None else {})
    assert code(check(STARTUP.format(place), "server", network)).startswith("L4_")
    assert code(check(STARTUP.format(place), "elsewhere", network)) == elsewhere


def test_an_address_to_connect_from_is_of_the_machine_nginx_runs_on() -> None:
    text = "proxy_bind 192.0.2.1; " + STARTUP.format("8.8.8.8:81")
    network = FakeNetwork({"8.8.8.8:81": answers(b"HTTP/1.1 204 x\r\n\r\n")})
    result = check(text, "server", network)
    assert (code(result), result.targets_json[0]["predicted_status"]) == ("L4_BIND", 500)
    assert network.dialled == []
    assert code(check(text, "elsewhere", network)) == "NOT_FROM_HERE"
    for source in ("off", "$remote_addr transparent", "127.0.0.1"):
        assert code(check(f"proxy_bind {source}; " + STARTUP.format("8.8.8.8:81"), "server", network)) == "OK"


def test_what_answers_is_judged_and_predicted() -> None:
    network = FakeNetwork({"10.1.2.3:81": answers(b"SSH-2.0-x\r\n"), "10.1.2.4:81": answers(b"HTTP/1.1 204 x\r\n\r\n")})
    result = check(STARTUP.format("10.1.2.3:81"), "elsewhere", network)
    assert code(result) == "L7_NOTHTTP"
    assert result.diagnostics[0].confidence is Confidence.MEDIUM
    assert code(check(STARTUP.format("10.1.2.4:81"), "elsewhere", network)) == "OK"


def test_where_the_user_says_what_a_name_stands_for_it_is_judged() -> None:
    network = FakeNetwork({"10.1.2.3:80": REFUSED})
    assert code(check(STARTUP.format("app"), "elsewhere", network, resolve=("app:*:10.1.2.3",))) == "L4_REFUSED"
    asked = FakeNetwork(dns=NOTHING)
    text = f"resolver 10.0.0.53; {RUNTIME.format('app.internal')}"
    assert code(check(text, "elsewhere", asked)) == "NOT_FROM_HERE"
    assert code(check(text, "elsewhere", asked, resolver="10.0.0.54")) == "DNS_NOTFOUND"


@pytest.mark.parametrize(
    ("resolver", "host", "vantage", "expected"),
    [
        ("10.0.0.53", "app.example.com", "elsewhere", "NOT_FROM_HERE"),
        ("kube-dns.kube-system.svc.cluster.local", "app.example.com", "elsewhere", "NOT_FROM_HERE"),
        ("8.8.8.8", "app.example.com", "elsewhere", "DNS_TIMEOUT"),
        ("127.0.0.11", "app", "local", "NOT_FROM_HERE"),
        ("127.0.0.11", "app", "container", "DNS_TIMEOUT"),
        ("127.0.0.11", "app", "server", "DNS_TIMEOUT"),
        ("10.0.0.53", "app", "local", "DNS_TIMEOUT"),
    ],
)
def test_a_resolver_that_is_only_there_where_nginx_runs_is_not_called_silent(
    resolver: str, host: str, vantage: str, expected: str
) -> None:
    network = FakeNetwork(names={"kube-dns.kube-system.svc.cluster.local": ["10.0.0.53"]})
    assert code(check(f"resolver {resolver}; {RUNTIME.format(host)}", vantage, network)) == expected


def test_what_a_server_answers_of_a_public_name_holds() -> None:
    network = FakeNetwork(dns=NOTHING)
    text = f"resolver 10.0.0.53; {RUNTIME.format('shop.example.com')}"
    assert code(check(text, "elsewhere", network)) == "DNS_NOTFOUND"
    failing = FakeNetwork(dns=FAILING)
    assert code(check(text.replace("shop.example.com", "app.test"), "elsewhere", failing)) == "NOT_FROM_HERE"


def test_faults_of_the_configuration_are_faults_anywhere() -> None:
    assert code(check(RUNTIME.format("app"), "elsewhere", FakeNetwork())) == "DNS_NORESOLVER"
    assert code(check(STARTUP.format("[fe80::1%25eth0]:80"), "elsewhere", FakeNetwork())) == "CFG_ADDR"


def test_an_upstream_of_places_that_cannot_be_judged_is_not_called_dead() -> None:
    text = "upstream g { server 10.0.0.1; server 10.0.0.2; } server { location / { proxy_pass http://g; } }"
    network = FakeNetwork({"10.0.0.1:80": REFUSED, "10.0.0.2:80": REFUSED})
    result = run(config_of(text), Options(jitter=0.0, vantage="elsewhere"), network)
    assert {finding.severity for finding in result.diagnostics} == {Severity.INFO}
    assert len(result.diagnostics) == 1


def test_in_a_container_a_refusal_of_loopback_is_told_with_what_loopback_is() -> None:
    network = FakeNetwork({"127.0.0.1:81": REFUSED, "10.0.0.1:81": REFUSED})
    [finding] = check(STARTUP.format("127.0.0.1:81"), "container", network).diagnostics
    assert finding.severity is Severity.ERROR
    assert any("the container itself" in line for line in finding.help)
    [other] = check(STARTUP.format("10.0.0.1:81"), "container", network).diagnostics
    assert not any("container" in line for line in other.help)
