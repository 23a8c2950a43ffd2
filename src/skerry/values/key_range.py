"""Ranges of key strings: joined, cut and compared as plain byte intervals."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class KeyRange:
    """All keys from `lower` up to, but without, `upper`."""

    lower: bytes
    upper: bytes

    @property
    def is_empty(self) -> bool:
        return self.lower >= self.upper

    def __contains__(self, key: bytes) -> bool:
        return self.lower <= key < self.upper


def union(ranges: Iterable[KeyRange]) -> tuple[KeyRange, ...]:
    """Return the same keys as ascending ranges that neither overlap nor touch."""
    joined: list[KeyRange] = []
    for each in sorted(ranges):
        if each.is_empty:
            continue
        if joined and each.lower <= joined[-1].upper:
            if each.upper > joined[-1].upper:
                joined[-1] = KeyRange(joined[-1].lower, each.upper)
        else:
            joined.append(each)
    return tuple(joined)


def intersect(a: Iterable[KeyRange], b: Iterable[KeyRange]) -> tuple[KeyRange, ...]:
    """Return the keys that lie in both of two ascending, disjoint sequences of ranges."""
    left, right = list(a), list(b)
    common: list[KeyRange] = []
    i = j = 0
    while i < len(left) and j < len(right):
        lower = max(left[i].lower, right[j].lower)
        upper = min(left[i].upper, right[j].upper)
        if lower < upper:
            common.append(KeyRange(lower, upper))
        if left[i].upper < right[j].upper:
            i += 1
        else:
            j += 1
    return tuple(common)
