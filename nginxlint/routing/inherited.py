"""Which blocks write what they would else inherit, and whom a block's settings concern."""

from __future__ import annotations

from nginxlint.syntax import Block, Directive

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from collections.abc import Iterator

    from nginxlint.config import Config


def overriding(config: Config, *names: str) -> list[Block]:
    """The blocks that hold one of these directives and lie in another block that does: of directives that are inherited
    as a whole set, theirs replace those around."""
    holders = dict.fromkeys([directive.parent for directive in config.find(*names)])
    level: set[Block | None] = set(holders)
    while level and (level := {block.parent for block in level if block is not None}).isdisjoint(holders):
        pass  # all of them go up together: mostly none meets another one
    found = []
    for block in holders if level else ():
        around = block.parent if block is not None else None
        while around is not None and around not in holders:
            around = around.parent
        if block is not None and around is not None:
            found.append(block)
    return found


def replaced(config: Config, *names: str) -> Iterator[tuple[Block, list[Directive], list[Directive]]]:
    """The blocks whose own lines of a directive replace those around: the block, its lines, and those it would inherit
    if it had none, save those of a header (or whatever their first argument names) that it writes itself."""
    for name in names:
        for block in overriding(config, name):
            scope = config.scope(block)
            own, around = scope.own(name), scope.outer.effective(name) if scope.outer is not None else []
            kept = {line.values[0].lower() for line in own if line.values}
            yield block, own, [line for line in around if line.values and line.values[0].lower() not in kept]


def hands_on(config: Config, block: Block, handler: str) -> bool:
    """Does the block, or one inside it, hand requests on by `handler` (`proxy_pass` and its like)?"""
    return bool(config.scope(block).effective(handler)) or any(inner.name == handler for inner in block.walk())
