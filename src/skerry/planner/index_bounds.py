"""From one predicate to the keys of the values that it accepts.

Bounds speak of single values: an array stands for its elements, a missing field for null. They take in every value that the
predicate accepts. They are *exact* when each value with a key within them is accepted; a whole array is never judged by its
elements' keys, so exactness says nothing about documents with arrays.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bson.code import Code
from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.objectid import ObjectId
from bson.regex import Regex
from bson.timestamp import Timestamp

from skerry.expressions.pattern_dialect import options_of
from skerry.matcher.match_expression import (
    And,
    Comparison,
    ElemMatchValue,
    Exists,
    In,
    MatchExpression,
    Not,
    Or,
    RegexMatch,
    TypeIs,
)
from skerry.planner.pattern_prefix import pattern_prefix
from skerry.values.key_range import KeyRange, intersect, union
from skerry.values.key_string import (
    HIGHEST,
    LOWEST,
    NAN_KEY,
    NULL_KEY,
    UNDEFINED_KEY,
    encode,
    invert,
    string_prefix,
    successor,
    type_bracket,
)
from skerry.values.numbers import is_nan
from skerry.values.type_order import NUMBER_TYPES

_ARRAY_TYPE: Final = 4
_NULL_TYPE: Final = 10
_LOCALE_DEPENDENT: Final = "l"  # an option that the matcher does not look at when it compares patterns


@dataclass(frozen=True, slots=True)
class Bounds:
    """Keys of values: single `points` and `ranges`, both ascending; their union counts."""

    points: tuple[bytes, ...]
    ranges: tuple[KeyRange, ...]
    exact: bool

    @property
    def is_empty(self) -> bool:
        return not self.points and not self.ranges

    @property
    def is_one_point(self) -> bool:
        return len(self.points) == 1 and not self.ranges

    def __contains__(self, key: bytes) -> bool:
        return key in self.points or any(key in each for each in self.ranges)

    def all_ranges(self) -> tuple[KeyRange, ...]:
        """Return points and ranges as ascending, disjoint ranges."""
        return union([*(KeyRange(point, successor(point)) for point in self.points), *self.ranges])

    def within(self, other: "Bounds") -> bool:
        """Tell whether `other` has all of these keys."""
        mine = self.all_ranges()
        return intersect(mine, other.all_ranges()) == mine


EVERYTHING: Final = KeyRange(LOWEST, HIGHEST)
_NOTHING: Final = Bounds((), (), exact=True)


def bounds_of(predicate: MatchExpression, *, single_value: bool) -> Bounds | None:
    """Return the bounds of a predicate on one path, None if it says nothing about keys.

    `single_value`: the predicate is asked of one value that is no array, so that negations and conjunctions have bounds.
    """
    match predicate:
        case Comparison(_, "$eq", value):
            return _equality(value)
        case Comparison(_, operator, value):
            return _inequality(operator, value)
        case In(_, values, patterns):
            each = [_equality(value) for value in values]
            each += [_pattern(pattern.pattern, options_of(pattern)) for pattern in patterns]
            return joined(each)
        case RegexMatch(_, pattern, options):
            return _pattern(pattern, options)
        case TypeIs(_, codes):
            return _types(codes)
        case Not(Exists()):
            return Bounds((NULL_KEY,), (), exact=False)
        case Not(child) if single_value:
            inner = bounds_of(child, single_value=True)
            return complement(inner) if inner is not None and inner.exact else None
        case Or(children):
            inner_bounds = [bounds_of(child, single_value=single_value) for child in children]
            known = [each for each in inner_bounds if each is not None]
            return joined(known) if len(known) == len(inner_bounds) else None
        case And(children) if single_value:
            found = [bounds_of(child, single_value=True) for child in children]
            return common([each for each in found if each is not None], exact=None not in found)
        case ElemMatchValue(_, child):
            inner = bounds_of(child, single_value=True)
            return None if inner is None else Bounds(inner.points, inner.ranges, exact=False)
        case _:
            return None


def joined(bounds: Iterable[Bounds]) -> Bounds:
    """Return the keys that lie in any of the bounds."""
    points: set[bytes] = set()
    ranges: list[KeyRange] = []
    exact = True
    for each in bounds:
        points.update(each.points)
        ranges += each.ranges
        exact = exact and each.exact
    merged = union(ranges)
    if merged:
        points = {point for point in points if not any(point in each for each in merged)}
    return Bounds(tuple(sorted(points)), merged, exact)


def common(bounds: Iterable[Bounds], *, exact: bool = True) -> Bounds | None:
    """Return the keys that lie in all of the bounds, None if there are no bounds."""
    result: Bounds | None = None
    for each in bounds:
        if result is None:
            result = each
            continue
        points = {
            *(set(result.points) & set(each.points)),
            *(point for point in result.points if any(point in span for span in each.ranges)),
            *(point for point in each.points if any(point in span for span in result.ranges)),
        }
        result = Bounds(tuple(sorted(points)), intersect(result.ranges, each.ranges), exact=result.exact and each.exact)
    if result is not None and not exact:
        return Bounds(result.points, result.ranges, exact=False)
    return result


def complement(bounds: Bounds) -> Bounds:
    """Return all other keys."""
    gaps: list[KeyRange] = []
    lower = LOWEST
    for each in bounds.all_ranges():
        if lower < each.lower:
            gaps.append(KeyRange(lower, each.lower))
        lower = each.upper
    if lower < HIGHEST:
        gaps.append(KeyRange(lower, HIGHEST))
    return Bounds((), tuple(gaps), bounds.exact)


def inverted(span: KeyRange) -> KeyRange:
    """Return the range that holds the inverted keys of `span`, for a descending field.

    No bound is longer than a key that starts like it, which is what makes this right at both ends.
    """
    return KeyRange(successor(invert(span.upper)), successor(invert(span.lower)))


def _equality(value: Any) -> Bounds:
    if value.__class__ is list or value.__class__ is tuple:
        # The whole array, known by its first element, or an element that is such an array.
        first = encode(value[0]) if value else UNDEFINED_KEY
        return Bounds(tuple(sorted({first, encode(value)})), (), exact=False)
    return Bounds((encode(value),), (), exact=True)


def _inequality(operator: str, value: Any) -> Bounds | None:
    inclusive = operator in ("$lte", "$gte")
    if isinstance(value, list | tuple | MinKey | MaxKey):
        return None  # compared with whole arrays, or with values of every type
    if value is None or is_nan(value):
        return _equality(value) if inclusive else _NOTHING
    lower, upper = type_bracket(value)
    if lower == NAN_KEY:
        lower = successor(NAN_KEY)  # NaN is neither below nor above a number
    key = encode(value)
    if operator in ("$lt", "$lte"):
        upper = successor(key) if inclusive else key
    else:
        lower = key if inclusive else successor(key)
    span = KeyRange(lower, upper)
    return _NOTHING if span.is_empty else Bounds((), (span,), exact=True)


def _pattern(pattern: str, options: str) -> Bounds:
    """Strings that start as the pattern demands, and values that are the pattern itself."""
    prefix = pattern_prefix(pattern, options)
    itself = {encode(Regex(pattern, options)), encode(Regex(pattern, options + _LOCALE_DEPENDENT))}
    start = string_prefix(prefix.text)
    strings = KeyRange(start, successor(start))
    return Bounds(tuple(sorted(itself)), (strings,), exact=prefix.is_whole_pattern)


def _types(codes: frozenset[int]) -> Bounds | None:
    if _ARRAY_TYPE in codes:
        return None  # asks for whole arrays
    points: tuple[bytes, ...] = ()
    ranges: list[KeyRange] = []
    exact = True
    for code in codes:
        if code == _NULL_TYPE:
            points, exact = (NULL_KEY,), False
        elif code in NUMBER_TYPES:
            ranges.append(_NUMBERS)
            exact = exact and codes >= NUMBER_TYPES
        elif code in _RANGE_OF_TYPE:
            ranges.append(_RANGE_OF_TYPE[code])
        else:
            return None
    return Bounds(points, union(ranges), exact)


def _bracket(example: Any) -> KeyRange:
    return KeyRange(*type_bracket(example))


_NUMBERS: Final = _bracket(0)
_RANGE_OF_TYPE: Final[dict[int, KeyRange]] = {
    -1: _bracket(MinKey()),
    2: _bracket(""),
    3: _bracket({}),
    5: _bracket(b""),
    7: _bracket(ObjectId("0" * 24)),
    8: _bracket(False),
    9: _bracket(datetime(1970, 1, 1)),
    11: _bracket(Regex("")),
    13: _bracket(Code("")),
    15: _bracket(Code("", {})),
    17: _bracket(Timestamp(0, 0)),
    127: _bracket(MaxKey()),
}
