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
    are said once, and ten thousand lists are a megabyte. Grouped when first asked for more than its keys, which often
    tell that there is nothing to ask."""

    __slots__ = ("_has_lists", "_waiting")

    def __init__(self, keys: Sequence[K], members: Sequence[V]) -> None:
        super().__init__(zip(keys, members, strict=True))  # the last one of each
        alone = len(self) == len(members)
        self._waiting: tuple[Sequence[K], Sequence[V]] | None = None if alone else (keys, members)
        self._has_lists = False

    def _group(self, keys: Sequence[K], members: Sequence[V]) -> None:
        self._waiting = None
        self._has_lists = True
        if len(self) * 2 <= len(members):
            groups: dict[K, list[V]] = {key: [] for key in self}
            for key, member in zip(keys, members, strict=True):
                groups[key].append(member)
            self.update(groups)
        else:
            found: dict[K, V | list[V]] = {}
            for key, member in zip(keys, members, strict=True):
                known = found.setdefault(key, member)
                if isinstance(known, list):
                    known.append(member)
                elif known is not member:
                    found[key] = [known, member]
            self.update(found)

    def examples(self) -> dict[K, V]:
        """One member of each key."""
        if not self._has_lists:
            return dict(self)  # type: ignore[arg-type]
        return {key: known[-1] if isinstance(known, list) else known for key, known in self.items()}

    def members(self, key: K) -> list[V]:
        """Those of one key, in order."""
        if self._waiting is not None:
            self._group(*self._waiting)
        known = self.get(key)
        return [] if known is None else known if isinstance(known, list) else [known]

    def groups(self) -> Iterator[tuple[K, list[V]]]:
        """Every key with its members."""
        if self._waiting is not None:
            self._group(*self._waiting)
        for key, known in self.items():
            yield key, known if isinstance(known, list) else [known]
