"""The `allow` and `deny` of a block as nginx reads them: one after the other, and the first that matches decides."""

from __future__ import annotations

from nginxlint.catalogue.addresses import parse_network
from nginxlint.syntax import Block, Directive

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from collections.abc import Sequence

    from nginxlint.config import Config

_REFUSALS = (("401",), ("403",), ("404",), ("410",), ("444",))
_EVERYBODY = (("all",), ("0.0.0.0/0",))


def access_rules(block: Block) -> list[Directive]:
    """The rules directly inside a block, in order; those of other modules (`allow publish …`) are left out."""
    return [one for one in block.body if one.name in ("allow", "deny") and len(one.values) == 1]


def overruled(rules: Sequence[tuple[str, str]]) -> dict[int, int]:
    """The rules (`allow` or `deny`, and whom) that never decide: by their place that of the first one that covers all
    of them. nginx keeps lists apart for IPv4, IPv6 and unix sockets; `all` is in each."""
    seen: dict[tuple[int, int], dict[int, int]] = {}  # by family and length of the prefix: prefixes and who has them
    whole: dict[str, int] = {}  # `all` and `unix:`
    found: dict[int, int] = {}
    for at, (_, whom) in enumerate(rules):
        covering = [whole[name] for name in ("all", whom) if name in whole]
        network = None if whom in ("all", "unix:") else parse_network(whom)
        if network is not None:
            width, number = 8 * len(network.address), int.from_bytes(network.address, "big")
            for (other, bits), prefixes in seen.items():
                if other == width and bits <= network.bits and (prefix := number >> (width - bits)) in prefixes:
                    covering.append(prefixes[prefix])
        if covering:
            found[at] = min(covering)
        elif network is not None:
            seen.setdefault((width, network.bits), {})[number >> (width - network.bits)] = at
        else:
            whole[whom] = at
    return found


def opening(block: Block) -> Directive | None:
    """The `allow` of a block that lets everybody in before any `deny` is looked at (everybody with IPv4 at least)."""
    whole = next((rule for rule in block.named("allow") if rule.values in _EVERYBODY), None)
    for rule in block.body if whole is not None else ():
        if rule is whole:
            return whole
        if rule.name == "deny":
            return None
    return None


def refusing_some(config: Config) -> set[Block]:
    """The blocks with an `if` that refuses a request: somebody keeps visitors out in another way than by `deny`."""
    refusals = config.saying(lambda values: values[:1] in _REFUSALS, "return")
    tests = {refusal.parent for refusal in refusals if refusal.parent is not None and refusal.parent.name == "if"}
    return {test.parent for test in tests if test.parent is not None}
