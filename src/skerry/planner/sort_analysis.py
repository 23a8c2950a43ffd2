"""Does an index, within its bounds, already give the wanted order?

Rules (MongoDB manual, "Use Indexes to Sort Query Results"): the sort is a run of the index's fields, all in the same or all in
the opposite direction; a field that is bound to one value may be left out on either side. A path with arrays gives no order,
because a document sorts by its least or greatest element, wherever the bounds begin.
"""

from collections.abc import Sequence

from skerry.indexes.index_descriptor import ID_INDEX
from skerry.planner.index_assignment import BoundIndex

SortPattern = Sequence[tuple[str, int]]


def scan_direction(bound: BoundIndex, sort: SortPattern) -> int | None:
    """Return 1 or -1, the direction of a scan that yields the order of `sort`; None if neither does."""
    index = bound.index
    key = index.descriptor.key
    constant = {path for (path, _), field in zip(key, bound.fields) if field.bounds.is_one_point}
    fixed = {path for path in constant if not index.arrays_on(path)}
    at = 0
    direction = 0
    for path, wanted in sort:
        if path in fixed:
            continue
        while at < len(key) and key[at][0] in constant and key[at][0] != path:
            at += 1
        if at == len(key) or key[at][0] != path or index.arrays_on(path):
            return None
        needed = 1 if (wanted > 0) == (key[at][1] > 0) else -1
        if direction and direction != needed:
            return None
        direction = needed
        at += 1
        if key == ID_INDEX.key:
            break  # unique: nothing that follows can matter
    return direction or 1
