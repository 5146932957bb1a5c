"""Directives of one name, judged together: what a configuration says a thousand times is looked at once."""

from __future__ import annotations

from itertools import chain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.entry import Entry
    from nginxlint.syntax import Directive, Index

# Fewer are as soon looked at one by one.
MANY = 12


class Namesakes:
    """The directives of one name that have a block, or those that have none, wherever they stand: `directives`, and one
    for each of their different arguments, `examples`. `others_in`: the names of the blocks in which the others stand."""

    __slots__ = ("_alone", "_explained", "directives", "examples", "others_in")

    def __init__(self, index: Index, name: str, blocks: bool) -> None:
        leaves, opening = index.apart(name)
        self.directives: Sequence[Directive] = opening if blocks else leaves
        others: Sequence[Directive] = leaves if blocks else opening
        self.others_in = {one.parent.name if one.parent else "" for one in others}
        self.examples = {one.values: one for one in self.directives} if others else index.examples(name)
        self._alone: bool | None = None
        self._explained: set[Callable[[str], bool]] = set()

    def relieve(self, entry: Entry, context: Context) -> bool:
        """Take away from an entry what all of them pass at its place, so that nobody asks it of each. Is nothing left to
        ask, not even of their form? Where they do not pass, they are asked one by one, in file order; so are those of
        which all have a block and none may, or the other way round."""
        arguments = self.examples.keys()
        if not self.directives or not all(entry.counts >> count & 1 for count in set(map(len, arguments))):
            return False
        if entry.once and self._is_each_alone():
            entry.once = False
        if entry.names_of_all is not None and self._is_explained(entry.names_of_all):
            entry.names = None
        fault = entry.value_fault
        if fault is not None and not any(fault(entry.variant, values) for values in arguments):
            entry.value_fault = None
        # a check counts on values that are right
        if entry.check is not None and entry.value_fault is None and self._pass_check(entry, context):
            entry.check = None
        return entry.is_plain() and not self._others_at(context)

    def _is_each_alone(self) -> bool:
        """Is each of them the only one of its block? The same at every place, as is the next answer."""
        if self._alone is None:
            self._alone = len({one.parent for one in self.directives}) == len(self.directives)
        return self._alone

    def _is_explained(self, all_known: Callable[[str], bool]) -> bool:
        """Are the variables that they read known? What is known stays known."""
        if all_known not in self._explained and all_known("\n".join(chain.from_iterable(self.examples))):
            self._explained.add(all_known)
        return all_known in self._explained

    def _others_at(self, context: Context) -> bool:
        """Could one of those without a block stand where these have one, or the other way round? `server` is both, but
        not in one place. In http the name of a place holds that of its blocks."""
        return bool(self.others_in) and (
            context.subsystem != "http" or any(name in context.place for name in self.others_in)
        )

    def _pass_check(self, entry: Entry, context: Context) -> bool:
        if entry.all_fine is not None:
            return entry.all_fine(self.examples, context)
        check = entry.check
        return entry.pure and check is not None and not any(list(check(one, context)) for one in self.examples.values())
