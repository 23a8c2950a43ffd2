"""Three-way order and equality of any two values, in MongoDB's order of all of BSON.

Source: MongoDB manual, "Comparison/Sort Order". Types come first, then values; all numbers are one type and compare by
exact value, NaN equals NaN and is below every number. Documents compare field by field: type, then name, then value.
`key_string` gives the same order as bytes; scalars without a short way here are compared by it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

from bson.int64 import Int64

from skerry.values.key_string import encode
from skerry.values.type_order import canonical_rank

_PLAIN_NUMBERS: Final = frozenset((int, Int64, float))
# Python orders strings by code point, which is the order of their UTF-8 bytes.
_DIRECT: Final = frozenset((str, bool, int, Int64))


def compare(a: Any, b: Any) -> int:
    """Return -1, 0 or 1 as `a` stands before, with or after `b`; both may be `MISSING`."""
    kind, other = a.__class__, b.__class__
    if kind is other and kind in _DIRECT:
        return int(a > b) - int(a < b)
    # Python compares int with float exactly; only NaN needs care, and only NaN is unequal to itself.
    if kind in _PLAIN_NUMBERS and other in _PLAIN_NUMBERS and a == a and b == b:
        return int(a > b) - int(a < b)
    if kind is dict and other is dict:
        return _compare_documents(a, b)
    if kind is list and other is list:
        return _compare_arrays(a, b)
    left, right = encode(a), encode(b)
    return (left > right) - (left < right)


def equal(a: Any, b: Any) -> bool:
    """Tell whether two values are equal in MongoDB's sense: 1 equals 1.0, True does not equal 1."""
    return compare(a, b) == 0


class ValueKey(bytes):
    """A value as a key of dicts and sets and for sorting: equal, ordered and hashed as MongoDB compares values."""

    __slots__ = ()

    def __new__(cls, value: Any) -> Self:
        return super().__new__(cls, encode(value))


def _compare_documents(a: Mapping[str, Any], b: Mapping[str, Any]) -> int:
    for (name, value), (other_name, other) in zip(a.items(), b.items(), strict=False):
        rank, other_rank = canonical_rank(value), canonical_rank(other)
        if rank != other_rank:
            return -1 if rank < other_rank else 1
        if name != other_name:
            return -1 if name < other_name else 1
        order = compare(value, other)
        if order:
            return order
    return (len(a) > len(b)) - (len(a) < len(b))


def _compare_arrays(a: Sequence[Any], b: Sequence[Any]) -> int:
    for value, other in zip(a, b, strict=False):
        order = compare(value, other)
        if order:
            return order
    return (len(a) > len(b)) - (len(a) < len(b))
