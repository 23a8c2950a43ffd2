"""What does a solution cost, compared with others? One is a scan of the whole collection."""

from collections.abc import Callable, Sequence
from typing import Final

from skerry.planner.index_assignment import BoundIndex
from skerry.planner.query_solution import IdLookup, IndexScan
from skerry.planner.selectivity import combined

Scan = IndexScan | IdLookup

SCAN_COST: Final = 1.0
LOOKUP_COST: Final = 1e-6
"""One document by its `_id`."""

_FETCH_COST: Final = 1.3
"""A document found through an index against one met in a scan: the fetch costs twice, but decoding and matching the most."""
_SORT_COST: Final = 1.6
"""A query that must collect and sort against one that streams."""
_RESTRICTED_SHARE: Final = 0.5
"""Of a collection's documents, how many a sparse or partial index is guessed to hold."""


class Candidate:
    """A possible solution; the scans themselves are made only of the chosen one. Equal costs: the shorter key wins."""

    __slots__ = ("make_scans", "rank")

    def __init__(self, make_scans: Callable[[], Sequence[Scan]], cost: float, key_fields: int) -> None:
        self.make_scans = make_scans
        self.rank = (cost, key_fields)

    @property
    def cost(self) -> float:
        return self.rank[0]


def scan_cost(*, must_sort: bool) -> float:
    """Return the cost of reading the whole collection."""
    return sorted_cost(SCAN_COST) if must_sort else SCAN_COST


def sorted_cost(cost: float) -> float:
    """Return the cost of a solution whose results must be collected and sorted."""
    return cost * _SORT_COST


def index_cost(bound: BoundIndex, *, must_sort: bool) -> float:
    """Return the cost of scanning an index within its bounds and fetching the documents."""
    descriptor = bound.index.descriptor
    bounds = [field.bounds for field in bound.fields]
    if descriptor.unique and len(bounds) == len(descriptor.key) and not any(each.ranges for each in bounds):
        count = 1
        for each in bounds:
            count *= len(each.points)
        return LOOKUP_COST * 2 * count
    share = combined(bounds)
    if descriptor.partial_filter is not None or descriptor.sparse:
        share *= _RESTRICTED_SHARE
    cost = share * _FETCH_COST
    return sorted_cost(cost) if must_sort else cost
