"""Directives of one name, judged together: what a configuration says a thousand times is looked at once."""

from __future__ import annotations

from itertools import chain
from operator import attrgetter

from nginxlint.syntax import Block, Directive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nginxlint.catalogue.context import Context
    from nginxlint.catalogue.entry import Entry

# Fewer are as soon looked at one by one.
MANY = 12

_values = attrgetter("values")
_parent = attrgetter("parent")


class Namesakes:
    """The directives of one name that have a block, or those that have none, wherever they stand: `directives`, and one
    for each of their different arguments, `examples`. `all_known`: there are no others of that name."""

    __slots__ = ("all_known", "directives", "examples")

    def __init__(self, named: list[Directive], blocks: bool) -> None:
        kinds = set(map(type, named))
        fitting = {kind for kind in kinds if issubclass(kind, Block) is blocks}
        self.all_known = fitting == kinds
        self.directives = named if self.all_known else [one for one in named if type(one) in fitting]
        self.examples = dict(zip(map(_values, self.directives), self.directives, strict=True))

    def relieve(self, entry: Entry, context: Context) -> bool:
        """Take away from an entry what all of them pass at its place, so that nobody asks it of each. Is nothing left to
        ask, not even of their form? Where they do not pass, they are asked one by one, in file order."""
        arguments = self.examples.keys()
        if not all(entry.counts >> count & 1 for count in set(map(len, arguments))):
            return False
        if entry.once and len(set(map(_parent, self.directives))) == len(self.directives):
            entry.once = False
        if entry.names_of_all is not None and entry.names_of_all("\n".join(chain.from_iterable(arguments))):
            entry.names = None
        fault = entry.value_fault
        if fault is not None and not any(fault(entry.variant, values) for values in arguments):
            entry.value_fault = None
        # a check counts on values that are right
        if entry.check is not None and entry.value_fault is None and self._pass_check(entry, context):
            entry.check = None
        return self.all_known and entry.is_plain()

    def _pass_check(self, entry: Entry, context: Context) -> bool:
        if entry.all_fine is not None:
            return entry.all_fine(self.examples, context)
        check = entry.check
        return entry.pure and check is not None and not any(list(check(one, context)) for one in self.examples.values())
