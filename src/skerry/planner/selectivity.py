"""Which share of an index do bounds take in? A guess from their shape: there are no statistics.

The numbers only rank solutions among each other; MongoDB tries plans instead. An equality is taken to be far more selective
than a range, a range with two ends than one with one, and null, booleans and whole types to be common.
"""

from collections.abc import Iterable
from typing import Final

from skerry.planner.index_bounds import Bounds
from skerry.values.key_range import KeyRange
from skerry.values.key_string import NULL_KEY, encode

POINT: Final = 0.01
COMMON_POINT: Final = 0.2
RANGE: Final = 0.1
OPEN_RANGE: Final = 0.3
MOST: Final = 0.7

_COMMON_KEYS: Final = frozenset((NULL_KEY, encode(True), encode(False)))


def selectivity(bounds: Bounds) -> float:
    """Return the share of keys that lie in the bounds, by guess: from 0 to `MOST`."""
    share = POINT * len(bounds.points)
    for span in bounds.ranges:
        share += _of_range(span)
    share += (COMMON_POINT - POINT) * len(_COMMON_KEYS.intersection(bounds.points))
    return min(share, MOST)


def combined(all_bounds: Iterable[Bounds]) -> float:
    """Return the share of compound keys whose fields lie in the bounds."""
    share = 1.0
    for bounds in all_bounds:
        share *= selectivity(bounds)
    return share


def _of_range(span: KeyRange) -> float:
    # An end that is a single byte is the end of a type or of everything.
    ends = (len(span.lower) > 1) + (len(span.upper) > 1)
    return (MOST, OPEN_RANGE, RANGE)[ends]
