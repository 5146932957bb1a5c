"""Things by what they have in common, in little room."""

from __future__ import annotations

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TypeVar

    K = TypeVar("K")
    V = TypeVar("V")


class Grouped(dict["K", "V | list[V]"]):
    """`members` by their `keys`. One that is alone is kept without a list around it, unless most have company: most names
    are said once, and ten thousand lists are a megabyte."""

    __slots__ = ()

    def __init__(self, keys: Sequence[K], members: Sequence[V]) -> None:
        super().__init__(zip(keys, members, strict=True))
        if len(self) == len(members):
            return
        if len(self) * 2 <= len(members):
            groups: dict[K, list[V]] = {key: [] for key in self}
            for key, member in zip(keys, members, strict=True):
                groups[key].append(member)
            self.update(groups)
            return
        self.clear()
        for key, member in zip(keys, members, strict=True):
            known = self.setdefault(key, member)
            if isinstance(known, list):
                known.append(member)
            elif known is not member:
                self[key] = [known, member]

    def members(self, key: K) -> list[V]:
        """Those of one key, in order."""
        known = self.get(key)
        return [] if known is None else known if isinstance(known, list) else [known]

    def groups(self) -> Iterator[tuple[K, list[V]]]:
        """Every key with its members."""
        for key, known in self.items():
            yield key, known if isinstance(known, list) else [known]
