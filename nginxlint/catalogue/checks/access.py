"""Who may come in: addresses, referers, secure links, and where the real address comes from."""

from __future__ import annotations

from nginxlint.catalogue.addresses import parse_network, parse_url
from nginxlint.catalogue.checks.faults import fault, host_bits
from nginxlint.catalogue.checks.hashes import LONGEST, longest_part, remember_long
from nginxlint.catalogue.checks.patterns import pattern_fault
from nginxlint.catalogue.context import closing
from nginxlint.diagnostic import Note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from nginxlint.catalogue.checks.faults import BlockEnd, Check
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.refusal import Refusal
    from nginxlint.syntax import Block, Directive


def _access(directive: Directive, context: Context) -> Iterator[Refusal]:
    text = directive.values[0]
    if text in ("all", "unix:"):
        return
    network = parse_network(text)
    if network is None:
        yield fault(
            context,
            directive,
            0,
            f'invalid parameter "{text}"',
            f'"{text}" is no address, no network and not all: {directive.name} knows no host names',
            f"{directive.name} 192.0.2.0/24;",
            rule="network-invalid",
            group="security",
        )
    elif network.host_bits:
        yield host_bits(context, directive, text, network, directive.args[0].span)


def _real_ip(directive: Directive, context: Context) -> Iterator[Refusal]:
    text = directive.values[0]
    if text == "unix:":
        return
    network = parse_network(text)
    if network is not None:
        if network.host_bits:
            yield host_bits(context, directive, text, network, directive.args[0].span)
        return
    # What is no address is a host name to nginx; one with a slash or a blank cannot be looked up.
    if "/" in text or not text or parse_url(text).error:
        yield fault(
            context,
            directive,
            0,
            f'host not found in set_real_ip_from "{text}"',
            f'"{text}" is no address and no network',
            "set_real_ip_from 192.0.2.0/24;",
            rule="network-invalid",
            group="security",
        )


def _valid_referers(directive: Directive, context: Context) -> Iterator[Refusal]:
    keys = context.state.setdefault("referers", {})
    assert isinstance(keys, dict)
    seen: set[str] = keys.setdefault(id(directive.parent), set())
    yield from _judged_late(directive, context)
    for index, text in enumerate(directive.values):
        if text in ("none", "blocked", "server_names"):
            continue
        nginx_message = ""
        if not text:
            nginx_message = 'invalid referer ""'
        elif text == "~":
            nginx_message = 'empty regex in "~"'
        elif text[0] == "~":
            refusal = pattern_fault(context, directive, index, text[1:], caseless=True)
            if refusal is not None:
                yield refusal
                return
            continue
        key = text.lower().partition("/")[0]
        if not nginx_message and not _referer(key):
            nginx_message = f'invalid hostname or wildcard "{key}"'
        elif not nginx_message and key in seen:
            nginx_message = f'conflicting parameter "{key}"'
        if nginx_message:
            yield fault(
                context,
                directive,
                index,
                nginx_message,
                f'"{text}" stands twice in valid_referers'
                if "conflicting" in nginx_message
                else f'"{text}" is no host of a referer',
                "write hosts without scheme, such as example.com, *.example.com or ~regex",
            )
            return
        seen.add(key)
        if longest_part(key) > LONGEST:
            remember_long(context, directive, key, "referer_hash", "referer_hash_bucket_size")


def _referer(key: str) -> bool:
    if ".." in key or key.count("*") > 1:
        return False
    return "*" not in key or key[0] == "." or (len(key) > 2 and (key.startswith("*.") or key.endswith(".*")))


def _referers_alone(block: Block, context: Context) -> Iterator[Refusal]:
    lines = block.children("valid_referers")
    words = [word for line in lines for word in line.values]
    if words and all(word in ("none", "blocked") for word in words):
        yield context.refuse(
            "referers-missing",
            lines[0],
            "valid_referers names no referer: none and blocked alone are refused",
            'the "none" or "blocked" referers are specified in the "valid_referers" directive without any valid referer',
            nginx_at=None,
            help=("add server_names, or the hosts that may link here",),
        )


def _secure_link(block: Block, context: Context) -> Iterator[Refusal]:
    secret = block.child("secure_link_secret")
    if secret is None:
        return
    other = block.child("secure_link", "secure_link_md5")
    if other is not None:
        yield context.refuse(
            "directive-conflict",
            secret,
            "secure_link_secret is the old form and excludes secure_link and secure_link_md5",
            '"secure_link_secret" cannot be mixed with "secure_link" and "secure_link_md5"',
            nginx_at=None,
            related=(Note(other.head_span, "the new form"),),
            help=("keep one of the two forms",),
        )


def _judged_late(directive: Directive, context: Context) -> Iterator[Refusal]:
    """What can be judged only together with its neighbours waits for the end of http."""
    late = context.state.setdefault("access.late", {})
    assert isinstance(late, dict)
    late[id(directive.parent)] = directive.parent
    yield from ()


def _end_of_http(block: Block, context: Context) -> Iterator[Refusal]:
    late = context.state.pop("access.late", {})
    assert isinstance(late, dict)
    for place in late.values():
        yield from _referers_alone(place, context)
        for refusal in _secure_link(place, context):
            refusal.nginx_at = refusal.met_at = closing(block)
            yield refusal


CHECKS: dict[str, Check] = {
    "allow": _access,
    "deny": _access,
    "set_real_ip_from": _real_ip,
    "valid_referers": _valid_referers,
    "secure_link_secret": _judged_late,
}
PURE = frozenset(CHECKS) - {"valid_referers", "secure_link_secret"}
BLOCK_END: dict[str, BlockEnd] = {"http": _end_of_http}
ENDS_OF_OWN = frozenset(("http",))
