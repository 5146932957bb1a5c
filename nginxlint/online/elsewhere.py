"""What cannot be told from a place where nginx does not run: names, addresses, sockets and files that are only there. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

from nginxlint.online.literal import as_literal
from nginxlint.online.policy import embedded, is_loopback
from nginxlint.online.types import CONTAINER, ELSEWHERE, LOCAL, SERVER, Resolution, Target, Verdict
from nginxlint.online.verdict import verdict_of_code

# Words in a name that only private zones have, and last labels that no public server knows (RFC 2606, 6762, 8375, ICANN).
_PRIVATE_WORDS = frozenset(("internal", "intern", "intranet", "corp", "lan", "local", "private", "priv", "svc"))
_PRIVATE_ENDS = (*_PRIVATE_WORDS, "localdomain", "localhost", "home", "home.arpa", "consul", "test")
_PRIVATE_NETWORKS = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)
# Docker's and Podman's DNS server: there is one in every container, and none outside.
CONTAINER_DNS = "127.0.0.11"
# No answer of a server that knows the name or not.
_SERVER_FAILS = frozenset(("DNS_TIMEOUT", "DNS_REFUSED", "DNS_SERVFAIL", "DNS_FORMERR", "DNS_NOTIMP"))
# What nginx would say of its configuration anywhere.
_EVERYWHERE = frozenset(("CFG_ADDR", "CFG_PORT", "CFG_URL", "CFG_VALUE", "DNS_NORESOLVER"))
_LOOPBACK_OF_A_CONTAINER = (
    "this check runs in a container, and so this is the container itself: check where nginx runs if that is elsewhere"
)


def judged_from(vantage: str, verdict: Verdict, resolution: Resolution | None, *, own_resolver: bool) -> Verdict:
    """The verdict as far as it holds where nginx runs. `own_resolver`: the user named the DNS server to ask."""
    if vantage == SERVER:
        return verdict
    told = resolution is not None and resolution.how == "override"  # the user says where it is
    why = "" if told else _why_not(vantage, verdict, resolution, own_resolver=own_resolver)
    if why:
        stages = {
            name: ("unknown" if word == "failed" else word, ms, detail)
            for name, (word, ms, detail) in verdict.stages.items()
        }
        return replace(
            verdict_of_code(verdict.target, "NOT_FROM_HERE", why), addresses=verdict.addresses, stages=stages
        )
    if vantage == CONTAINER and verdict.failed_stage == "tcp" and any(map(is_loopback, verdict.addresses)):
        return replace(verdict, help=(*verdict.help, _LOOPBACK_OF_A_CONTAINER))
    if vantage == ELSEWHERE and verdict.certainty == "observed":
        return replace(verdict, certainty="predicted")
    return verdict


def holds_from(vantage: str, target: Target, code: str) -> bool:
    """Does a remark on a name hold where nginx runs?"""
    if vantage == SERVER:
        return True
    if code.startswith("LOAD_"):
        return False  # the numbers are of this machine
    if code == "DNS_NOIPV6":
        return vantage != ELSEWHERE
    return code not in ("DNS_UNEVEN", "DNS_SLOW") or not _private_servers(vantage, target)


def _why_not(vantage: str, verdict: Verdict, resolution: Resolution | None, *, own_resolver: bool) -> str:
    """Why it cannot be judged; empty where it can."""
    target, code = verdict.target, verdict.code
    if code in _EVERYWHERE:
        return ""
    if code.startswith("RESOLVER_") and _private_servers(vantage, target):
        return "a DNS server that is out of sight from here"
    if vantage == ELSEWHERE and code == "L4_BIND":
        return "its proxy_bind names an address of the machine nginx runs on"
    if vantage == ELSEWHERE and code == "CFG_TLS":
        return "the files of its TLS settings are not here"
    if resolution is not None and resolution.code and resolution.code == code:
        if own_resolver or not (verdict.word == "failed" or code == "DNS_PENDING"):
            return ""
        if code in _SERVER_FAILS and _private_servers(vantage, target):
            return "the DNS servers of its resolver line do not answer here"
        return _private_name(target.host) if vantage == ELSEWHERE else ""
    if vantage == ELSEWHERE and verdict.word == "failed" and verdict.failed_stage == "tcp":
        return _private_place(target, verdict.addresses)
    return ""


def _private_servers(vantage: str, target: Target) -> bool:
    """Are the resolvers of a target known to be out of sight from here?"""
    servers = [host for host, _ in target.resolver.servers] if target.resolver is not None else []
    if vantage == ELSEWHERE:
        return any(_private(host) or is_loopback(host) for host in servers)
    return vantage == LOCAL and CONTAINER_DNS in servers


def _private_name(host: str) -> str:
    labels = host.lower().rstrip(".").split(".")
    if len(labels) == 1:
        return "a name without a dot that does not resolve here"
    if labels[-1] in _PRIVATE_ENDS or ".".join(labels[-2:]) in _PRIVATE_ENDS or _PRIVATE_WORDS & set(labels[:-1]):
        return "a private name that does not resolve here"
    return ""


def _private_place(target: Target, addresses: tuple[str, ...]) -> str:
    if target.unix:
        return "a socket of the machine nginx runs on"
    if addresses and all(map(is_loopback, addresses)):
        return "an address of the machine nginx runs on"
    if addresses and all(_private(address) or is_loopback(address) for address in addresses):
        return "a private address that does not answer here"
    return ""


def _private(host: str) -> bool:
    literal = as_literal(host)
    if literal is None:
        return bool(_private_name(host))
    return any(one in network for one in embedded(ipaddress.ip_address(literal)) for network in _PRIVATE_NETWORKS)
