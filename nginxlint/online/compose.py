"""A compose file as overrides: which port of this machine leads to which service. What it publishes can be asked from
outside its networks, the rest is only known to be there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from nginxlint.error import NginxlintError
from nginxlint.online.literal import as_literal

_PORTS = re.compile(
    r"(?:(?P<ip>\[[0-9a-fA-F:.]+\]|[0-9]+(?:\.[0-9]+){3}):)?(?:(?P<published>[0-9]*(?:-[0-9]+)?):)?(?P<target>[0-9]+(?:-[0-9]+)?)(?:/(?P<protocol>\w+))?"
)
_VARIABLE = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)(?:(:?[-?+])([^{}]*))?\})")
_ANYWHERE = ("", "0.0.0.0", "::")
_MOST_PORTS = 1000


class Places:
    """`resolve`: overrides in the form of --resolve; `hidden`: (name, why) of services that may not be seen from here."""

    __slots__ = ("hidden", "resolve")

    def __init__(self, resolve: tuple[str, ...], hidden: tuple[tuple[str, str], ...]) -> None:
        self.resolve = resolve
        self.hidden = hidden


def places_of(text: str, where: str, environment: Mapping[str, str], *, outside: bool) -> Places:
    """Where the services of a compose file are, seen from the machine it runs on (`outside`), or from a container.
    Raises NginxlintError where it is none, or where no YAML parser is installed."""
    services = _services(text, where)
    resolve: list[str] = []
    hidden: list[tuple[str, str]] = []
    for service, body in services.items():
        if "network_mode" in body:
            continue  # it has no name of its own in a network
        published = list(_published(body.get("ports"), environment)) if outside else []
        for name in _names(service, body):
            resolve += [f"{name}:{port}:{ip}:{outer}" for ip, outer, port in published]
            why = "does not publish to this machine" if outside else "keeps in a network that is not this container's"
            hidden.append((name, f"a service that {where} {why}"))
    return Places(tuple(resolve), tuple(hidden))


def _services(text: str, where: str) -> dict[str, dict[str, Any]]:
    try:
        import yaml
    except ImportError:
        raise NginxlintError(
            f"{where}: reading compose files needs a YAML parser: pip install 'nginxlint[compose]'"
        ) from None

    # compose files are YAML 1.2: 8080:22 is no number to the base of sixty; and tags like !reset pass
    resolvers = {
        first: [(tag, pattern) for tag, pattern in known if tag.endswith((":merge", ":null"))]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    Loader: Any = type("Loader", (yaml.SafeLoader,), {"yaml_implicit_resolvers": resolvers})
    Loader.add_multi_constructor("!", _untagged)
    try:
        document = yaml.load(text, Loader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        at = getattr(error, "problem_mark", None)
        place = f"{where}:{at.line + 1}" if at is not None else where
        raise NginxlintError(f"{place}: this is not YAML: {getattr(error, 'problem', None) or error}") from None
    services = document.get("services") if isinstance(document, dict) else None
    if not isinstance(services, dict):
        raise NginxlintError(f"{where}: this is no compose file: it has no table of services")
    return {str(name): body for name, body in services.items() if isinstance(body, dict)}


def _untagged(loader: Any, suffix: str, node: Any) -> Any:
    kinds = {"mapping": loader.construct_mapping, "sequence": loader.construct_sequence}
    return kinds.get(node.id, loader.construct_scalar)(node)


def _names(service: str, body: dict[str, Any]) -> list[str]:
    """What the DNS server of its networks knows the service by."""
    names = [service, body.get("container_name")]
    networks = body.get("networks")
    for network in networks.values() if isinstance(networks, dict) else ():
        aliases = network.get("aliases") if isinstance(network, dict) else None
        names += aliases if isinstance(aliases, list) else []
    return list(
        dict.fromkeys(name.lower() for name in names if isinstance(name, str) and re.fullmatch(r"[\w.-]+", name))
    )


def _published(ports: Any, environment: Mapping[str, str]) -> Iterator[tuple[str, int, int]]:
    """(address of this machine, its port, the service's port) of what is published over TCP."""
    for entry in ports if isinstance(ports, list) else ():
        if isinstance(entry, dict):
            said = {key: str(entry.get(key) or "") for key in ("host_ip", "published", "target", "protocol")}
            ip, outer, inner, protocol = said.values()
        else:
            found = _PORTS.fullmatch(_filled_in(str(entry), environment))
            if found is None:
                continue
            ip, outer, inner, protocol = (found[part] or "" for part in ("ip", "published", "target", "protocol"))
        ip = _filled_in(ip, environment).strip("[]")
        address = "127.0.0.1" if ip in _ANYWHERE else as_literal(ip)
        mine, theirs = _range(_filled_in(outer, environment)), _range(_filled_in(inner, environment))
        if protocol not in ("", "tcp") or address is None or len(mine) != len(theirs):
            continue  # which port of a range it gets, or a port without a number of ours, is known to nobody
        for one, other in zip(mine, theirs, strict=True):
            yield f"[{address}]" if ":" in address else address, one, other


def _range(text: str) -> range:
    first, _, last = text.partition("-")
    if not (first.isascii() and first.isdecimal() and (last or "0").isdecimal() and len(text) <= 11):
        return range(0)
    begin, end = int(first), int(last or first)
    return range(begin, end + 1) if 0 < begin <= end < 65536 and end - begin < _MOST_PORTS else range(0)


def _filled_in(text: str, environment: Mapping[str, str]) -> str:
    """With the variables of the environment, as compose writes them: $A, ${A}, ${A:-default}, ${A-default}."""

    def value(found: re.Match[str]) -> str:
        if found[1]:
            return "$"
        known, operator, other = environment.get(found[2] or found[3]), found[4] or "", found[5] or ""
        if "+" in operator:
            return other if known or (known is not None and operator == "+") else ""
        if known or (known is not None and not operator.startswith(":")):
            return known
        return other if "-" in operator else ""

    return _VARIABLE.sub(value, text)
