"""What is in effect in a block when nginx merges it with those around it: the nearest setting."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nginxlint.syntax import Block, Directive


def effective(block: Block | None, name: str) -> Directive | None:
    """The nearest directive of that name, from the block outwards (the last one where it is repeated)."""
    while block is not None:
        for child in reversed(block.named(name)):
            if child.values:
                return child
        block = block.parent
    return None


def all_effective(block: Block | None, name: str) -> list[Directive]:
    while block is not None:
        found = [child for child in block.named(name) if child.values]
        if found:
            return found
        block = block.parent
    return []


def is_on(directive: Directive | None) -> bool:
    return directive is not None and directive.values[0].lower() == "on"
