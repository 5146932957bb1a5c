"""The word somebody probably meant."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


_LONGEST = 64


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word nearest to `word`; empty where none is near enough (a third of its letters may differ, and not
    more than six), or where it is too long for a name."""
    if len(word) > _LONGEST:
        return ""
    limit = min(6, max(1, len(word) // 3)) if len(word) > 2 else 0
    best = ""
    lower = word.lower()
    letters = [(letter, lower.count(letter)) for letter in set(lower)]
    for candidate in known:
        if abs(len(candidate) - len(word)) > limit or candidate == word:
            continue
        other = candidate.lower()
        # most words are told apart by their letters alone: an edit takes one away at most, and brings one in
        lacking = sum([max(0, count - other.count(letter)) for letter, count in letters])
        if lacking > limit or len(other) - len(lower) + lacking > limit:
            continue
        distance = _distance(lower, other, limit)
        if distance < limit or (distance == limit and not best):
            best, limit = candidate, distance
            if not distance:
                break
    return best


def _distance(left: str, right: str, limit: int) -> int:
    """Edits (insert, delete, replace, swap neighbours) between two words, at most `limit + 1`."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        before, last = row, before
        row = [i] + [limit + 1] * len(right)
        for j in range(max(1, i - limit), min(len(right), i + limit) + 1):  # beyond, the lengths alone differ by more
            b = right[j - 1]
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if last and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row[j] = cost
        if min(row) > limit:
            return limit + 1
    return row[-1]
