"""The scripted name server answers as its script says."""

from __future__ import annotations

import socket

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from nginxlint.demo import dns as scripts
from nginxlint.demo.dns import HOST, NameServer

SCRIPT = {
    "one.demo.test": scripts.addresses("127.0.0.1", "::1"),
    "empty.demo.test": scripts.no_data(),
    "broken.demo.test": scripts.fails("SERVFAIL"),
    "refused.demo.test": scripts.fails("REFUSED"),
    "silent.demo.test": scripts.silence(),
    "alias.demo.test": scripts.alias("one.demo.test"),
    "chain.demo.test": scripts.alias("a.demo.test", "b.demo.test", address="127.0.0.2"),
    "cut.demo.test": scripts.truncated(*(f"127.0.0.{i}" for i in range(1, 120))),
    "turns.demo.test": scripts.rotates("127.0.0.1", "127.0.0.2"),
    "wrong.demo.test": scripts.wrong_id("127.0.0.1"),
    "noise.demo.test": scripts.garbage(),
}


@pytest.fixture(scope="module")
def names():
    with NameServer(SCRIPT) as names:
        yield names


def ask(names: NameServer, name: str, kind: str = "A") -> dns.message.Message:
    return dns.query.udp(dns.message.make_query(name, kind), HOST, timeout=2, port=names.port)


def texts(answer: dns.message.Message) -> list[str]:
    return [record.to_text() for rrset in answer.answer for record in rrset]


@pytest.mark.parametrize(
    ("name", "kind", "rcode", "records"),
    [
        ("one.demo.test", "A", "NOERROR", ["127.0.0.1"]),
        ("ONE.demo.test", "AAAA", "NOERROR", ["::1"]),
        ("empty.demo.test", "A", "NOERROR", []),
        ("broken.demo.test", "A", "SERVFAIL", []),
        ("refused.demo.test", "A", "REFUSED", []),
        ("unheard-of.demo.test", "A", "NXDOMAIN", []),
        ("alias.demo.test", "A", "NOERROR", ["one.demo.test."]),
        ("chain.demo.test", "A", "NOERROR", ["a.demo.test.", "b.demo.test.", "127.0.0.2"]),
    ],
)
def test_a_name_gets_its_answer(names: NameServer, name: str, kind: str, rcode: str, records: list[str]) -> None:
    answer = ask(names, name, kind)
    assert dns.rcode.to_text(answer.rcode()) == rcode
    assert texts(answer) == records


def test_a_truncated_answer_is_whole_over_tcp(names: NameServer) -> None:
    assert ask(names, "cut.demo.test").flags & dns.flags.TC
    whole = dns.query.tcp(dns.message.make_query("cut.demo.test", "A"), HOST, timeout=2, port=names.port)
    assert len(texts(whole)) == 119


def test_a_rotating_name_gives_another_address_each_time(names: NameServer) -> None:
    assert {tuple(texts(ask(names, "turns.demo.test"))) for _ in range(2)} == {("127.0.0.1",), ("127.0.0.2",)}
    assert ask(names, "turns.demo.test").answer[0].ttl == 0


def test_a_silent_name_is_asked_and_never_answered(names: NameServer) -> None:
    before = names.asked("silent.demo.test")
    with pytest.raises(dns.exception.Timeout):
        dns.query.udp(dns.message.make_query("silent.demo.test", "A"), HOST, timeout=0.3, port=names.port)
    assert names.asked("silent.demo.test") == before + 1


def test_a_wrong_id_answers_another_question(names: NameServer) -> None:
    query = dns.message.make_query("wrong.demo.test", "A")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(2)
        sock.sendto(query.to_wire(), (HOST, names.port))
        assert int.from_bytes(sock.recv(512)[:2], "big") == (query.id + 1) % 65536


def test_noise_does_not_end_the_server(names: NameServer) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for noise in (b"", b"\x00", b"\xff" * 600):
            sock.sendto(noise, (HOST, names.port))
    with socket.create_connection((HOST, names.port)) as half:
        half.sendall(b"\x00")
    assert texts(ask(names, "one.demo.test")) == ["127.0.0.1"]
