"""Names looked up as nginx would, against a network that answers by script."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from nginxlint.online.options import Options
from nginxlint.online.policy import Policy
from nginxlint.online.resolve import Names
from nginxlint.online.target import targets_of
from nginxlint.online.types import Resolution
from nginxlint.testing import config_of
from tests.online.fake import FakeNetwork

Records = dict[tuple[str, str], list[str] | str]
Dns = Callable[[tuple[str, int], bytes, bool], bytes | None]


def server(records: Records) -> Dns:
    """Records by (name, type): lines of record data, or an rcode, or "silence"."""

    def answer(_server: tuple[str, int], wire: bytes, tcp: bool) -> bytes | None:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name, kind = question.name.to_text().rstrip("."), dns.rdatatype.to_text(question.rdtype)
        response = dns.message.make_response(query)
        found = records.get((name, kind), records.get((name, "*"), "NXDOMAIN"))
        if found == "silence":
            return None
        if found == "truncated":
            if not tcp:
                response.flags |= dns.flags.TC
                return response.to_wire()
            found = ["60 A 10.0.0.7"]
        if isinstance(found, str):
            response.set_rcode(dns.rcode.from_text(found))
        else:
            for line in found:
                owner, data = line.split("|") if "|" in line else (name, line)
                ttl, rdtype, text = data.split(" ", 2)
                response.answer.append(dns.rrset.from_text(owner + ".", int(ttl), "IN", rdtype, text))
        return response.to_wire()

    return answer


def look_up(
    host: str, records: Records, *, options: Options | None = None, resolver: str = "10.0.0.53", **network: object
) -> Resolution:
    """Resolve a run-time name."""
    line = f"resolver {resolver};" if resolver else ""
    text = f"events {{}} http {{ server {{ {line} location / {{ set $b {host}; proxy_pass http://$b; }} }} }}"
    return _resolve(text, FakeNetwork(dns=server(records), **network), options)  # type: ignore[arg-type]


def look_up_at_start(host: str, network: FakeNetwork, options: Options | None = None) -> Resolution:
    return _resolve(f"events {{}} http {{ server {{ location / {{ proxy_pass http://{host}; }} }} }}", network, options)


def _resolve(text: str, network: FakeNetwork, options: Options | None) -> Resolution:
    options = options or Options(dns_timeout=0.3)
    [target] = targets_of(config_of(text))

    async def go() -> Resolution:
        return await Names(network, Policy(options.allow, options.deny), options).resolve(target)

    return asyncio.run(go())


NODATA: list[str] = []
_SIX = ("b.test", "AAAA")


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ({}, "DNS_NOTFOUND"),
        ({("app.test", "*"): NODATA}, "DNS_NODATA"),
        ({("app.test", "*"): "SERVFAIL"}, "DNS_SERVFAIL"),
        ({("app.test", "*"): "REFUSED"}, "DNS_REFUSED"),
        ({("app.test", "*"): "FORMERR"}, "DNS_FORMERR"),
        ({("app.test", "*"): "silence"}, "DNS_TIMEOUT"),
        ({("app.test", "*"): ["1 CNAME b.test."], ("b.test", "*"): ["1 CNAME app.test."]}, "DNS_LOOP"),
        ({("app.test", "*"): ["1 CNAME app.test."]}, "DNS_LOOP"),
        ({("app.test", "*"): ["1 CNAME gone.test."]}, "DNS_NOTFOUND"),
    ],
)
def test_each_way_a_lookup_fails_has_its_own_verdict(records: Records, code: str) -> None:
    assert look_up("app.test", records).code == code


@pytest.mark.parametrize(
    ("records", "addresses"),
    [
        ({("app.test", "A"): ["60 A 10.0.0.1"], ("app.test", "AAAA"): NODATA}, ("10.0.0.1",)),
        ({("app.test", "A"): ["60 A 10.0.0.1"], ("app.test", "AAAA"): ["60 AAAA fd00::1"]}, ("10.0.0.1", "fd00::1")),
        ({("app.test", "A"): NODATA, ("app.test", "AAAA"): ["60 AAAA fd00::1"]}, ("fd00::1",)),
        ({("app.test", "*"): ["9 CNAME b.test."], ("b.test", "A"): ["60 A 10.0.0.2"], _SIX: NODATA}, ("10.0.0.2",)),
        ({("app.test", "A"): ["9 CNAME b.test.", "b.test|60 A 10.0.0.3"], ("app.test", "AAAA"): NODATA}, ("10.0.0.3",)),
        ({("app.test", "A"): "truncated", ("app.test", "AAAA"): NODATA}, ("10.0.0.7",)),
    ],
)
def test_addresses_are_found_where_nginx_finds_them(records: Records, addresses: tuple[str, ...]) -> None:
    found = look_up("app.test", records)
    assert (found.code, found.addresses) == ("", addresses)


def test_without_ipv6_only_aaaa_records_are_no_address() -> None:
    records: Records = {("app.test", "A"): NODATA, ("app.test", "AAAA"): ["60 AAAA fd00::1"]}
    assert look_up("app.test", records, resolver="10.0.0.53 ipv6=off").code == "DNS_NODATA"


@pytest.mark.parametrize("code", ["NXDOMAIN", "SERVFAIL", "REFUSED", "NOTIMP"])
@pytest.mark.parametrize(("kind", "other", "data"), [("A", "AAAA", "10.0.0.1"), ("AAAA", "A", "fd00::1")])
def test_a_family_that_fails_takes_the_other_one_with_it(code: str, kind: str, other: str, data: str) -> None:
    # the system knows the name: that is not why nginx does not
    records: Records = {("app.test", kind): [f"60 {kind} {data}"], ("app.test", other): code}
    found = look_up("app.test", records, names={"app.test": [data]})
    cure = "ipv6=off" if other == "AAAA" else "ipv4=off"
    assert found.code == {"NXDOMAIN": "DNS_NOTFOUND"}.get(code, f"DNS_{code}")
    assert f"answered {code} ({other})" in found.error
    assert cure in found.error


def test_nginx_waits_for_both_families() -> None:
    records: Records = {("app.test", "A"): ["60 A 10.0.0.1"], ("app.test", "AAAA"): "silence"}
    found = look_up("app.test", records)
    assert found.code == "DNS_TIMEOUT"
    assert "AAAA" in found.error


def test_the_next_name_server_is_asked_when_the_first_is_dead() -> None:
    answer = server({("app.test", "A"): ["60 A 10.0.0.1"], ("app.test", "AAAA"): NODATA})
    network = FakeNetwork(dns=lambda where, wire, tcp: answer(where, wire, tcp) if where[0] == "10.0.0.54" else None)
    line = "resolver 10.0.0.53 10.0.0.54; location / { set $b app.test; proxy_pass http://$b; }"
    text = f"events {{}} http {{ server {{ {line} }} }}"
    assert _resolve(text, network, None).addresses == ("10.0.0.1",)


def test_a_name_only_the_hosts_file_knows_is_unknown_to_nginx_at_run_time() -> None:
    found = look_up("app", {}, names={"app": ["10.0.0.9"]})
    assert found.code == "DNS_HOSTSONLY"
    assert "hosts file" in found.error


def test_without_a_resolver_nothing_is_asked() -> None:
    assert look_up("app.test", {}, resolver="").code == "DNS_NORESOLVER"


def test_at_most_sixteen_addresses_are_tried_and_the_rest_is_counted() -> None:
    records: Records = {
        ("app.test", "A"): [f"60 A 10.0.{n // 250}.{n % 250 + 1}" for n in range(600)],
        ("app.test", "AAAA"): NODATA,
    }
    found = look_up("app.test", records)
    assert (len(found.addresses), found.total) == (16, 600)


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".test", ".".join(["label123"] * 40), ".test"])
def test_an_impossible_name_is_not_found_and_never_a_traceback(name: str) -> None:
    assert look_up(name, {}).code == "DNS_NOTFOUND"


def test_the_answer_comes_within_the_limit_whatever_the_servers_do() -> None:
    async def go() -> float:
        begin = asyncio.get_running_loop().time()
        options = Options(dns_timeout=0.2)
        line = "resolver 1.1.1.1 2.2.2.2; location / { set $b a.test; proxy_pass http://$b; }"
        text = f"events {{}} http {{ server {{ {line} }} }}"
        [target] = targets_of(config_of(text))
        network = FakeNetwork(dns=lambda where, wire, tcp: b"garbage")
        assert (await Names(network, Policy(), options).resolve(target)).code == "DNS_TIMEOUT"
        return asyncio.get_running_loop().time() - begin

    assert asyncio.run(go()) < 1.0


def test_start_up_names_come_from_the_system() -> None:
    network = FakeNetwork(names={"app.test": ["10.0.0.1", "10.0.0.2"]})
    found = look_up_at_start("app.test", network)
    assert (found.how, found.addresses) == ("startup", ("10.0.0.1", "10.0.0.2"))


def test_an_unknown_start_up_name_stops_nginx() -> None:
    assert look_up_at_start("app.test", FakeNetwork()).code == "CFG_HOST"


def test_a_name_is_looked_up_once_however_many_targets_share_it() -> None:
    network = FakeNetwork(names={"app.test": ["10.0.0.1"]})
    text = "".join(f"location /{n} {{ proxy_pass http://app.test:{n + 1}; }}" for n in range(20))
    targets = targets_of(config_of(f"events {{}} http {{ server {{ {text} }} }}"))

    async def go() -> list[Resolution]:
        names = Names(network, Policy(), Options())
        return list(await asyncio.gather(*(names.resolve(target) for target in targets)))

    assert len(asyncio.run(go())) == 20
    assert network.looked_up == ["app.test"]


@pytest.mark.parametrize("override", ["app.test:80:10.9.9.9", "APP.test:*:10.9.9.9"])
def test_an_override_spares_the_lookup(override: str) -> None:
    network = FakeNetwork()
    found = look_up_at_start("app.test", network, Options(resolve=(override,)))
    assert (found.how, found.addresses, network.looked_up) == ("override", ("10.9.9.9",), [])


def test_an_override_for_another_port_does_not_count() -> None:
    assert look_up_at_start("app.test", FakeNetwork(), Options(resolve=("app.test:81:10.9.9.9",))).code == "CFG_HOST"


def test_a_name_on_the_deny_list_is_not_even_looked_up() -> None:
    network = FakeNetwork(names={"db.prod.test": ["10.0.0.1"]})
    found = look_up_at_start("db.prod.test", network, Options(deny=("*.prod.test",)))
    assert (found.code, network.looked_up) == ("SKIP_POLICY", [])


def test_a_resolver_given_by_the_user_is_asked_instead() -> None:
    asked = []
    answer = server({("app.test", "A"): ["60 A 10.0.0.1"], ("app.test", "AAAA"): NODATA})

    def dns_server(where: tuple[str, int], wire: bytes, tcp: bool) -> bytes | None:
        asked.append(where)
        return answer(where, wire, tcp)

    text = "events {} http { server { resolver 10.0.0.53; location / { set $b app.test; proxy_pass http://$b; } } }"
    found = _resolve(text, FakeNetwork(dns=dns_server), Options(resolver="127.0.0.1:5353"))
    assert found.addresses == ("10.0.0.1",)
    assert set(asked) == {("127.0.0.1", 5353)}
