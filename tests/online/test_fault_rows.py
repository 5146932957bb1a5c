"""The fault list of reference/online.md E, rows on names, policy and our own limits; a test per row, named by its number."""

from __future__ import annotations

import asyncio
import errno
import itertools
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import dns.flags
import dns.message
import pytest

from nginxlint.demo.dns import NameServer, Script, addresses, alias, fails, garbage, no_data, rotates, silence, wrong_id
from nginxlint.demo.upstreams import World
from nginxlint.online.options import Options
from nginxlint.online.recording import export_plan, run_plan
from nginxlint.online.records import RecordFault
from nginxlint.online.stage import OnlineResult, run
from nginxlint.online.target import targets_of
from nginxlint.testing import config_of
from tests.cli.conftest import process
from tests.online.fake import FakeNetwork, FakeStream, answers
from tests.online.test_resolve import server

QUICK = Options(timeout=0.3, retry_pause=0.0, jitter=0.0, dns_timeout=0.3)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
Peers = dict[str, "OSError | Callable[[], FakeStream]"]


def check(
    http: str, network: FakeNetwork | None = None, options: Options = QUICK, version: tuple[int, int, int] = (1, 22, 1)
) -> OnlineResult:
    return run(config_of(f"events {{}} http {{ {http} }}", version=version), options, network)


def at_run_time(name: str, resolver: str, more: str = "", network: FakeNetwork | None = None) -> OnlineResult:
    """What becomes of a name that nginx looks up at run time, on port 81."""
    http = f"server {{ resolver {resolver}; {more} location / {{ set $b {name}; proxy_pass http://$b:81; }} }}"
    return check(http, network)


def at_start(host: str, network: FakeNetwork | None = None) -> OnlineResult:
    return check(f"server {{ location / {{ proxy_pass http://{host}:81; }} }}", network or FakeNetwork())


def asked(script: Script | dict[str, Script], more: str = "", families: str = "") -> tuple[str, str]:
    """Code and note for a name of a scripted DNS server on loopback; nothing listens on the port behind it."""
    names = script if isinstance(script, dict) else {"app.test": script}
    with NameServer(names) as names_server:
        [row] = at_run_time("app.test", f"127.0.0.1:{names_server.port} {families}", more).targets_json
    return row["code"], row["note"] or ""


DENIED = ["169.254.169.254", "169.254.7.7", "224.0.0.5", "::ffff:169.254.169.254", "fe80::1", "255.255.255.255"]


@pytest.mark.parametrize("address", DENIED)
def test_row_31_a_name_of_a_denied_address_costs_no_packet(address: str) -> None:
    network = FakeNetwork(names={"app.test": [address]})
    [row] = at_start("app.test", network).targets_json
    assert (row["verdict"], row["code"], network.dialled) == ("not-probed", "SKIP_POLICY", [])


def test_row_32_the_address_that_was_checked_is_the_one_that_is_dialled() -> None:
    class Rebinding(FakeNetwork):
        async def lookup(self, host: str) -> list[str]:
            self.looked_up.append(host)
            return ["10.0.0.1"] if len(self.looked_up) == 1 else ["169.254.169.254"]

    network = Rebinding({"10.0.0.1:81": answers(b"HTTP/1.1 500 x\r\n\r\n")})
    at_start("app.test", network)
    assert network.looked_up == ["app.test"]
    assert set(network.dialled) == {"10.0.0.1:81"}


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (fails("NXDOMAIN"), "DNS_NOTFOUND"),
        (no_data(), "DNS_NODATA"),
        (fails("SERVFAIL"), "DNS_SERVFAIL"),
        (fails("REFUSED"), "DNS_REFUSED"),
        (fails("FORMERR"), "DNS_FORMERR"),
    ],
)
def test_row_33_every_answer_without_an_address_has_its_own_verdict(script: Script, code: str) -> None:
    assert asked(script)[0] == code


def test_row_34_a_silent_server_is_a_time_out_and_a_late_answer_is_one() -> None:
    def late(query: dns.message.Message, tcp: bool) -> bytes | None:
        time.sleep(0.1)
        return addresses("127.0.0.1")(query, tcp)

    assert asked(silence())[0] == "DNS_TIMEOUT"
    assert asked(late)[0] == "L4_REFUSED"


@pytest.mark.parametrize("script", [wrong_id("127.0.0.1"), garbage(), lambda query, tcp: b"", lambda q, t: b"\0" * 11])
def test_row_35_answers_to_other_questions_and_noise_are_ignored(script: Script) -> None:
    assert asked(script)[0] == "DNS_TIMEOUT"


def test_row_36_a_truncated_answer_without_tcp_is_a_time_out_and_bounded() -> None:
    answer = server({("app.test", "*"): "truncated"})
    refused = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")

    class NoTcp(FakeNetwork):
        hangs = False

        async def ask(self, where: tuple[str, int], query: bytes, *, tcp: bool) -> bytes:
            if tcp and not self.hangs:
                raise refused
            return await super().ask(where, query, tcp=tcp)

    for hangs in (False, True):
        network = NoTcp(dns=lambda where, wire, tcp: None if tcp else answer(where, wire, tcp))
        network.hangs = hangs
        [row] = at_run_time("app.test", "10.0.0.53", network=network).targets_json
        assert row["code"] == "DNS_TIMEOUT"


def chain(length: int) -> dict[str, Script]:
    names = ["app.test", *(f"c{n}.test" for n in range(length))]
    links: dict[str, Script] = {name: alias(after) for name, after in itertools.pairwise(names)}
    return {**links, names[-1]: addresses("127.0.0.1")}


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ({"app.test": alias("b.test"), "b.test": alias("app.test")}, "DNS_LOOP"),
        (chain(20), "L4_REFUSED"),
        ({"app.test": alias("b.test"), "b.test": addresses("127.0.0.1")}, "L4_REFUSED"),
        ({"app.test": alias("gone.test")}, "DNS_NOTFOUND"),
    ],
)
def test_row_37_aliases_are_followed_as_far_as_nginx_follows_them(script: dict[str, Script], code: str) -> None:
    assert asked(script)[0] == code


def test_row_38_of_4000_addresses_16_are_tried_and_the_report_says_so() -> None:
    many = [f"10.{n // 62500}.{n // 250 % 250}.{n % 250 + 1}" for n in range(4000)]
    network = FakeNetwork(names={"app.test": many})
    [row] = at_start("app.test", network).targets_json
    assert len(set(network.dialled)) == 16
    assert "16 of 4000 addresses tried" in row["stages"]["dns"]["detail"]


def test_row_39_ipv6_where_nginx_asks_not_for_it_or_cannot_use_it() -> None:
    assert asked(addresses("::1"), families="ipv6=off")[0] == "DNS_NODATA"

    def both(six: OSError) -> OnlineResult:
        peers: Peers = {"10.0.0.1:81": answers(OK), "[fd00::1]:81": six}
        names = server({("app.test", "A"): ["60 A 10.0.0.1"], ("app.test", "AAAA"): ["60 AAAA fd00::1"]})
        return at_run_time("app.test", "10.0.0.53", network=FakeNetwork(peers, dns=names))

    dead = both(ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"))
    assert (dead.targets_json[0]["verdict"], dead.targets_json[0]["code"]) == ("degraded", "L4_REFUSED")
    absent = both(OSError(errno.ENETUNREACH, "Network is unreachable"))
    assert (absent.targets_json[0]["verdict"], absent.targets_json[0]["code"]) == ("degraded", "DNS_NOIPV6")
    assert any("ipv6=off" in line for finding in absent.diagnostics for line in finding.help)


def test_row_40_answers_that_turn_are_noted_and_a_negative_ttl_is_none() -> None:
    with NameServer({"app.test": rotates("127.0.0.1", "127.0.0.2", "127.0.0.3")}) as names:
        result = at_run_time("app.test", f"127.0.0.1:{names.port}")
    assert "upstream-dns-turns" in {finding.rule for finding in result.diagnostics}
    with NameServer({"app.test": addresses("127.0.0.1", ttl=0)}) as names:
        steady = at_run_time("app.test", f"127.0.0.1:{names.port}")
    assert "upstream-dns-turns" not in {finding.rule for finding in steady.diagnostics}
    with NameServer({"app.test": addresses("127.0.0.1", ttl=(1 << 31) - 1)}) as names:
        [row] = at_run_time("app.test", f"127.0.0.1:{names.port}").targets_json
    assert f"TTL {(1 << 31) - 1} s" in row["stages"]["dns"]["detail"]


@pytest.mark.parametrize(
    ("valid", "authoritative", "told"),
    [("valid=10m", True, True), ("valid=5s", True, False), ("", True, False), ("valid=10m", False, False)],
)
def test_a_lookup_that_nginx_keeps_longer_than_its_record_allows_is_told(
    valid: str, authoritative: bool, told: bool
) -> None:
    def script(query: dns.message.Message, tcp: bool) -> bytes | None:
        answer = dns.message.from_wire(addresses("127.0.0.1", ttl=30)(query, tcp) or b"")
        # who is not authoritative counts the TTL down, and nobody knows where it began
        answer.flags |= dns.flags.AA if authoritative else 0
        return answer.to_wire()

    with NameServer({"app.test": script}) as names:
        result = at_run_time("app.test", f"127.0.0.1:{names.port} {valid}")
    found = [finding.message for finding in result.diagnostics if "longer than its record allows" in finding.message]
    assert [("TTL 30 s, valid=600s" in message) for message in found] == [True] * told


GOOD = server({("app.test", "A"): ["60 A 10.0.0.1"], ("app.test", "AAAA"): []})
ELSEWHERE = server({("app.test", "A"): ["60 A 10.0.0.2"], ("app.test", "AAAA"): []})
NOTHING = server({})
FAILING = server({("app.test", "*"): "SERVFAIL"})


@pytest.mark.parametrize(
    ("second", "timeout", "code", "severity"),
    [
        (FAILING, "", "DNS_UNEVEN", "warning"),
        (NOTHING, "", "DNS_UNEVEN", "warning"),
        (lambda *_: None, "", "DNS_SLOW", "warning"),
        (lambda *_: None, "resolver_timeout 5s;", "DNS_UNEVEN", "warning"),
        (ELSEWHERE, "", "DNS_DIFFERS", "warning"),
        (GOOD, "", "OK", ""),
    ],
)
@pytest.mark.parametrize("order", [("10.0.0.53", "10.0.0.54"), ("10.0.0.54", "10.0.0.53")])
def test_row_41_every_server_of_the_resolver_line_is_asked(
    second: Callable[..., bytes | None], timeout: str, code: str, severity: str, order: tuple[str, str]
) -> None:
    peers: Peers = {"10.0.0.1:81": answers(OK), "10.0.0.2:81": answers(OK)}
    network = FakeNetwork(peers, dns=lambda where, *rest: (GOOD if where[0] == order[0] else second)(where, *rest))
    result = at_run_time("app.test", "10.0.0.53 10.0.0.54", timeout, network)
    [row] = result.targets_json
    assert (row["code"], row["predicted_status"]) == (code, 200)
    assert [finding.severity.word for finding in result.diagnostics] == ([severity] if severity else [])
    assert all("1 of 2 servers" in finding.message for finding in result.diagnostics if code == "DNS_UNEVEN")


def test_row_41_one_server_that_fails_and_one_that_is_dead_is_a_failure() -> None:
    network = FakeNetwork(dns=lambda where, *rest: FAILING(where, *rest) if where[0] == "10.0.0.54" else None)
    [row] = at_run_time("app.test", "10.0.0.53 10.0.0.54", network=network).targets_json
    assert (row["code"], row["predicted_status"]) == ("DNS_SERVFAIL", 502)


def test_row_42_a_name_of_the_hosts_file_is_unknown_at_run_time() -> None:
    network = FakeNetwork(names={"app.test": ["10.0.0.1"]}, dns=NOTHING)
    [row] = at_run_time("app.test", "10.0.0.53", network=network).targets_json
    assert (row["code"], row["predicted_status"]) == ("DNS_HOSTSONLY", 502)


def test_row_43_a_short_name_needs_the_search_list_that_nginx_does_not_use() -> None:
    names = server({("app.svc.test", "A"): ["60 A 10.0.0.1"], ("app.svc.test", "AAAA"): []})
    network = FakeNetwork(names={"app": ["10.0.0.1"]}, dns=names, search=("other.test", "svc.test"))
    [row] = at_run_time("app", "10.0.0.53", network=network).targets_json
    assert row["code"] == "DNS_NOTFOUND"
    assert "app.svc.test: write the full name" in row["note"]


ODD_HOSTS = [
    "bücher.test", "раypal.test", "xn--bcher-kva.test", "my_app.test", "x" * 64 + ".test",
    ".".join(["label123"] * 32), "a..test", "app.test.", "a\0b.test", "-app.test", "%41.test",
]  # fmt: skip


@pytest.mark.parametrize("host", ODD_HOSTS)
@pytest.mark.parametrize(
    "way", [at_start, lambda host: at_run_time(host, "10.0.0.53", network=FakeNetwork(dns=NOTHING))]
)
def test_row_44_odd_names_have_a_verdict_and_no_traceback(way: Callable[[str], OnlineResult], host: str) -> None:
    [row] = way(host).targets_json
    assert row["verdict"] == "failed"
    assert row["code"] in ("CFG_HOST", "CFG_ADDR", "DNS_NOTFOUND")
    assert "\0" not in json.dumps(row, ensure_ascii=False)


@pytest.mark.parametrize(
    ("host", "code", "dialled"),
    [
        ("[::1%lo]", "CFG_ADDR", []),
        ("[fe80::1%eth0]", "CFG_ADDR", []),
        ("[::]", "L4_REFUSED", ["[::]:81"]),
        ("[::ffff:10.0.0.9]", "L4_REFUSED", ["[::ffff:a00:9]:81"]),
        ("[::ffff:169.254.169.254]", "SKIP_POLICY", []),
        # nginx hands these to getaddrinfo, which reads them as inet_aton does
        ("0x7f000001", "L4_REFUSED", ["127.0.0.1:81"]),
        ("2130706433", "L4_REFUSED", ["127.0.0.1:81"]),
        ("0177.0.0.1", "L4_REFUSED", ["127.0.0.1:81"]),
        ("2852039166", "SKIP_POLICY", []),
    ],
)
def test_row_45_spellings_of_addresses_are_read_as_nginx_reads_them(host: str, code: str, dialled: list[str]) -> None:
    class Refusing(FakeNetwork):
        async def connect(self, address: object) -> FakeStream:  # type: ignore[override]
            self.dialled.append(str(address))
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")

        async def lookup(self, name: str) -> list[str]:
            from nginxlint.online.network import RealNetwork

            return await RealNetwork().lookup(name)

    network = Refusing()
    [row] = at_start(host, network).targets_json
    assert (row["code"], network.dialled) == (code, dialled)


def test_row_62_with_few_descriptors_all_is_checked_with_fewer_at_once() -> None:
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64));"
        "from nginxlint.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    with World() as world, tempfile.TemporaryDirectory() as folder:
        port = world.port("healthy")
        passes = "".join(f"location /{n} {{ proxy_pass http://127.0.0.1:{port}; }}" for n in range(1000))
        path = Path(folder, "nginx.conf")
        path.write_text(f"events {{}}\nhttp {{ server {{ {passes} }} }}\n")
        words = ("check", "--no-config", "--no-cache", "--online", "-o", "json", str(path))
        done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, check=False, timeout=120)
    assert {row["verdict"] for row in json.loads(done.stdout)["targets"]} == {"ok"}


@pytest.mark.parametrize(
    "number", [errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.EPERM, errno.ENETUNREACH, errno.ENETDOWN, errno.EMFILE]
)
def test_row_63_what_is_wrong_with_this_machine_is_said_once_and_never_of_the_upstream(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nginxlint.online.steps.EMFILE_PAUSE", 0.0)
    peers: Peers = {f"10.0.0.{n}:81": OSError(number, "x") for n in range(1, 6)}
    locations = "".join(f"location /{n} {{ proxy_pass http://10.0.0.{n}:81; }}" for n in range(1, 6))
    result = check(f"server {{ {locations} }}", FakeNetwork(peers))
    assert {row["code"] for row in result.targets_json} == {"TOOL_FAULT"}
    assert [finding.rule for finding in result.diagnostics] == ["upstream-not-checked"]
    assert not result.complete


def test_a_route_that_drops_packets_is_the_end_for_nginx_as_well() -> None:
    # nginx 1.22.1 behind `ip route add blackhole`: connect() failed (22: Invalid argument), 502
    http = "server { location / { proxy_pass http://10.0.0.1:81; } }"
    [row] = check(http, FakeNetwork({"10.0.0.1:81": OSError(errno.EINVAL, "Invalid argument")})).targets_json
    assert (row["verdict"], row["code"], row["predicted_status"]) == ("failed", "L4_UNREACH", 502)
    assert "(22: Invalid argument)" in row["predicted_log"]


def test_row_65_ten_thousand_targets_of_one_address_keep_to_the_gate_of_the_host() -> None:
    now = most = 0

    class Counting(FakeStream):
        def __init__(self) -> None:
            nonlocal now, most
            super().__init__((OK,))
            now += 1
            most = max(most, now)

        def close(self) -> None:
            nonlocal now
            now -= 1

    class OneHost(FakeNetwork):
        async def connect(self, address: object) -> FakeStream:  # type: ignore[override]
            stream = Counting()
            await asyncio.sleep(0)  # let the others come as well
            return stream

    locations = "".join(f"location /{n} {{ proxy_pass http://10.0.0.1:{n + 1000}; }}" for n in range(10_000))
    result = check(f"server {{ {locations} }}", OneHost(), Options(per_host=4, jitter=0.0, rate=0))
    assert result.counts["ok"] == 10_000
    assert most == 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_row_66_a_signal_ends_the_probing_and_the_report_is_partial(number: signal.Signals, tmp_path: Path) -> None:
    with World() as world:
        passes = "".join(
            f"location /{name} {{ proxy_pass http://127.0.0.1:{world.port(name)}; }}" for name in ("refusing", "silent")
        )
        (tmp_path / "nginx.conf").write_text(f"events {{}}\nhttp {{ server {{ {passes} }} }}\n")
        words = ("check", "--no-config", "--online", "--timeout", "30", "-o", "json", str(tmp_path))
        running = process(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 30
        while world.connections("silent") == 0 and time.monotonic() < deadline:
            time.sleep(0.02)
        running.send_signal(number)
        out, err = running.communicate(timeout=30)
    assert (running.returncode, err) == (130, b"")
    report = json.loads(out)
    assert [row["code"] for row in report["targets"]] == ["L4_REFUSED", "NOT_CHECKED"]
    assert "interrupted" in report["targets"][1]["note"]
    assert report["run"]["complete"] is False


def test_row_72_the_policy_applies_again_when_a_plan_is_run() -> None:
    http = "server { location / { proxy_pass http://app.test:81; } location /b { proxy_pass http://10.0.0.2:81; } }"
    targets = targets_of(config_of(f"events {{}} http {{ {http} }}"))
    plan = json.loads(export_plan(targets, Options(allow=("169.254.0.0/16",)), (1, 22, 1)))
    plan["questions"][1]["ask"]["host"] = "169.254.169.254"
    network = FakeNetwork({"10.0.0.2:81": answers(OK)}, {"app.test": ["169.254.169.254"]})
    seen = json.loads(run_plan(json.dumps(plan), QUICK, network)[0])
    assert network.dialled == []
    assert all(answer["seen"][0][1].startswith("SKIP_POLICY") for answer in seen["answers"])

    network = FakeNetwork({"10.0.0.2:81": answers(OK)}, {"app.test": ["10.0.0.2"]})
    run_plan(json.dumps(plan), Options(timeout=0.1, deny=("app.test",)), network)
    assert (network.dialled, network.looked_up) == ([], [])

    plan["allow"] = ["169.254.169.254"]
    with pytest.raises(RecordFault, match="allow"):
        run_plan(json.dumps(plan), QUICK, network)
