"""A name asked of DNS servers as nginx's own resolver does: no hosts file or search list, CNAMEs chased."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype

from nginxlint.online.network import Network
from nginxlint.online.types import Address, Answer, Observation, Phase

MAX_CHASES = 50  # NGX_RESOLVER_MAX_RECURSION
MAX_SERVERS = 4
REPEATS = 2
RESEND_AFTER = 5.0  # ngx_resolver: a question is sent again, to the next server, after this
# RFC 6761, 6.3: servers know this name without asking others.
KNOWN_TO_ALL = "localhost"

_ADDRESSES = (dns.rdatatype.A, dns.rdatatype.AAAA)

# Reply code → verdict code. Any other code is treated like a server failure.
RCODES = {
    dns.rcode.NXDOMAIN: "DNS_NOTFOUND",
    dns.rcode.SERVFAIL: "DNS_SERVFAIL",
    dns.rcode.REFUSED: "DNS_REFUSED",
    dns.rcode.FORMERR: "DNS_FORMERR",
    dns.rcode.NOTIMP: "DNS_NOTIMP",
}


@dataclass(slots=True)
class _Family:
    """The answer for one record type."""

    addresses: list[str] = field(default_factory=list)
    alias: str = ""
    code: str = ""
    error: str = ""
    ttl: int | None = None
    authoritative: bool = False
    final: bool = False  # asking again would not help


async def ask_servers(
    network: Network,
    servers: tuple[tuple[str, int], ...],
    name: str,
    limit: float,
    *,
    ipv4: bool = True,
    ipv6: bool = True,
    patience: float = 30.0,
) -> Answer:
    """Addresses of `name`, within `limit` seconds whatever the servers do. `patience` is nginx's resolver_timeout.

    nginx asks one server per lookup, the next one for the next lookup, and takes what it says: of two servers, one of
    which fails, every other lookup fails (seen with nginx 1.22.1). So each is asked, and what they say is compared.
    """
    try:
        wanted = dns.name.from_text(name.rstrip(".") + ".")
        if len(wanted.to_wire() or b"") > 255:
            raise ValueError("longer than 255 bytes")
    except (dns.exception.DNSException, UnicodeError, ValueError) as error:
        return Answer(code="DNS_NOTFOUND", error=f"{name!r} cannot be a host name: {error}")
    types = [kind for kind, asked in (("A", ipv4), ("AAAA", ipv6)) if asked]
    deadline = asyncio.get_running_loop().time() + limit
    asked = servers[:MAX_SERVERS]

    async def all_servers() -> list[Answer]:
        return list(await asyncio.gather(*(_ask_server(network, server, wanted, types, deadline) for server in asked)))

    answers = await all_servers()
    good = [answer for answer in answers if not answer.code]
    if not good:
        return next((answer for answer in answers if answer.code != "DNS_TIMEOUT"), answers[0])
    result = good[0]
    result.remarks = _failing(asked, answers, patience)
    apart = _apart(good)
    if apart or result.ttl == 0:
        # Ask again: where answers rotate, that shows; where the servers hold different views, they keep to them.
        for _ in range(REPEATS):
            for answer, again in zip(answers, await all_servers(), strict=True):
                if not answer.code and not again.code:
                    answer.addresses = list(dict.fromkeys([*answer.addresses, *again.addresses]))
                    answer.rotates = answer.rotates or set(again.addresses) != set(answer.addresses)
        if apart and _apart(good):
            result.remarks.append(("DNS_DIFFERS", _views(asked, answers)))
        elif any(answer.rotates for answer in good):
            result.remarks.append(("DNS_ROTATES", f"{len(result.addresses)} addresses in {1 + REPEATS} answers"))
    for answer in good[1:]:
        result.addresses = list(dict.fromkeys([*result.addresses, *answer.addresses]))
    return result


async def ask_resolver(network: Network, address: Address, limit: float) -> Observation:
    """What a DNS server says to a question that costs nobody anything. Any answer is good, also that there is none."""
    began = time.perf_counter()
    answer = await ask_servers(network, ((address.host, address.port),), KNOWN_TO_ALL, limit, ipv6=False)
    ms = (time.perf_counter() - began) * 1000
    if answer.code in ("", "DNS_NOTFOUND", "DNS_NODATA"):
        return Observation(address, (Phase("dns", ms, detail=f"answers for {KNOWN_TO_ALL}"),))
    code = {"DNS_TIMEOUT": "RESOLVER_SILENT", "DNS_REFUSED": "RESOLVER_REFUSES"}.get(answer.code, "RESOLVER_FAILS")
    return Observation(address, (Phase("dns", ms, code, answer.error),))


def _failing(servers: tuple[tuple[str, int], ...], answers: list[Answer], patience: float) -> list[tuple[str, str]]:
    """What visitors meet because some of the servers fail where others answer."""
    bad = [answer for answer in answers if answer.code]
    if not bad:
        return []
    share = f"{len(bad)} of {len(servers)} servers"
    refusing = next((answer for answer in bad if answer.code != "DNS_TIMEOUT"), None)
    if refusing is not None:
        return [("DNS_UNEVEN", f"{share} fail: {refusing.error}")]
    if patience <= RESEND_AFTER:
        return [("DNS_UNEVEN", f"{share} give no answer, and resolver_timeout ends before nginx asks the next one")]
    return [("DNS_SLOW", f"{share} give no answer: {bad[0].error}")]


def _apart(answers: list[Answer]) -> bool:
    """Do two of them have no address in common?"""
    sets = [frozenset(answer.addresses) for answer in answers]
    return any(one.isdisjoint(other) for at, one in enumerate(sets) for other in sets[:at])


def _views(servers: tuple[tuple[str, int], ...], answers: list[Answer]) -> str:
    parts = [
        f"{server[0]} says {', '.join(answer.addresses[:2])}{' …' if len(answer.addresses) > 2 else ''}"
        for server, answer in zip(servers, answers, strict=True)
        if not answer.code
    ]
    return "; ".join(parts[:3])


async def _ask_server(
    network: Network, server: tuple[str, int], wanted: dns.name.Name, types: list[str], deadline: float
) -> Answer:
    """What one server knows of a name, CNAMEs chased as nginx does."""
    answer = Answer()
    seen = {wanted}
    for _ in range(MAX_CHASES):
        families = await asyncio.gather(*(_family(network, server, wanted, kind, deadline) for kind in types))
        for family in families:
            answer.addresses.extend(family.addresses)
            answer.authoritative = answer.authoritative or family.authoritative
            if family.ttl is not None:
                answer.ttl = family.ttl if answer.ttl is None else min(answer.ttl, family.ttl)
        if answer.addresses:
            answer.failed_families = [k for k, family in zip(types, families, strict=True) if family.code]
            _half(answer, families, types)
            return answer
        alias = next((family.alias for family in families if family.alias), "")
        if not alias:
            _explain(answer, families, types)
            return answer
        wanted = dns.name.from_text(alias)
        answer.chain.append(alias.rstrip("."))
        if wanted in seen:
            break
        seen.add(wanted)
    answer.code = "DNS_LOOP"
    answer.error = f"its CNAME chain never ends ({' → '.join(answer.chain[:4])}…)"
    return answer


def _half(answer: Answer, families: list[_Family], types: list[str]) -> None:
    """Of two families one is there and one fails: nginx waits for both before it uses either, and a reply code ends the
    lookup for both (ngx_resolver_process_a). Only an empty answer is no failure."""
    for family, kind in zip(families, types, strict=True):
        if family.code:
            answer.code = family.code
            said = family.error if f"({kind})" in family.error else f"{family.error} ({kind})"
            cure = "ipv6=off" if kind == "AAAA" else "ipv4=off"
            answer.error = f"{said}, and nginx needs an answer for both families (with {cure} it asks for one)"
            return


def _explain(answer: Answer, families: list[_Family], types: list[str]) -> None:
    worst = next((family for family in families if family.code == "DNS_TIMEOUT"), None)
    worst = worst or next((family for family in families if family.code and family.code != "DNS_NOTFOUND"), None)
    worst = worst or next((family for family in families if family.code), None)
    if worst is not None:
        answer.code, answer.error = worst.code, worst.error
    else:
        answer.code = "DNS_NODATA"
        answer.error = f"the name exists, but has no {' or '.join(types)} record"


async def _family(
    network: Network, server: tuple[str, int], name: dns.name.Name, kind: str, deadline: float
) -> _Family:
    """One record type; asked again after a while, as nginx does."""
    loop = asyncio.get_running_loop()
    while (left := deadline - loop.time()) > 0:
        heard = await _one(network, server, name, kind, min(left, RESEND_AFTER))
        if heard.code != "DNS_TIMEOUT" or deadline - loop.time() < 0.05 or heard.final:
            return heard
    return _Family(code="DNS_TIMEOUT", error=f"{server[0]}:{server[1]} gave no answer in time")


async def _one(network: Network, server: tuple[str, int], name: dns.name.Name, kind: str, limit: float) -> _Family:
    query = dns.message.make_query(name, kind, use_edns=False)
    shown = f"{server[0]}:{server[1]}"
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limit):
            while True:
                try:
                    wire = await network.ask(server, query.to_wire(), tcp=False)
                    if dns.flags.TC & int.from_bytes(wire[2:4], "big"):
                        wire = await network.ask(server, query.to_wire(), tcp=True)
                except OSError as error:
                    return _Family(
                        code="DNS_TIMEOUT", error=f"{shown} cannot be asked: {error.strerror or error}", final=True
                    )
                try:
                    return _read(dns.message.from_wire(wire, ignore_trailing=True), name, kind, shown)
                except (dns.exception.DNSException, ValueError):
                    # nginx drops a malformed reply and goes on waiting; ask once more so as not to spin.
                    await asyncio.sleep(min(1.0, limit / 2))
    return _Family(code="DNS_TIMEOUT", error=f"{shown} gave no answer in {limit:.1f} s")


def _read(message: dns.message.Message, name: dns.name.Name, kind: str, server: str) -> _Family:
    code = message.rcode()
    if code != dns.rcode.NOERROR:
        return _Family(
            # an answer with another code is no answer to nginx, and it goes on waiting
            code=RCODES.get(code, "DNS_FORMERR"),
            error=f"{server} answered {dns.rcode.to_text(code)} ({kind})",
        )
    if len(message.question) != 1 or message.flags & dns.flags.TC:
        # nginx drops the one, and after the other it asks again
        raise ValueError("not one question, or truncated over TCP too")
    aliases: dict[dns.name.Name, dns.name.Name] = {}
    addresses: dict[dns.name.Name, list[str]] = {}
    ttls: list[int] = []
    for rrset in message.answer:
        if rrset.rdclass != dns.rdataclass.IN:
            raise ValueError("unexpected RR class")  # nginx drops such a reply (ngx_resolver_process_a)
        if rrset.rdtype in _ADDRESSES and rrset.rdtype != dns.rdatatype.from_text(kind):
            raise ValueError("an address of the other family")  # as well
        # RFC 2181: a TTL with the top bit set is no TTL
        ttls.append(rrset.ttl if rrset.ttl < 1 << 31 else 0)
        if rrset.rdtype == dns.rdatatype.CNAME:
            for item in rrset:
                aliases[rrset.name] = item.target
        elif rrset.rdtype == dns.rdatatype.from_text(kind):
            addresses.setdefault(rrset.name, []).extend(item.address for item in rrset)
    last = name
    for _ in range(len(aliases) + 1):
        if last in addresses or last not in aliases:
            break
        last = aliases[last]
    # nginx takes every address in the answer, whoever it belongs to (ngx_resolver_process_a).
    found = [address for group in addresses.values() for address in group]
    alias = last.to_text() if not found and last != name else ""
    if not found and not alias and aliases:
        alias = name.to_text()
    if message.answer and not found and not aliases:
        raise ValueError("no address or CNAME among the records")  # as well
    authoritative = bool(message.flags & dns.flags.AA)
    return _Family(found, alias, ttl=min(ttls) if ttls else None, authoritative=authoritative)
