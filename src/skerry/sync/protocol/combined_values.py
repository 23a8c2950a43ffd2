"""Values that both sides changed and that lose nothing: counters, whose differences add up, and arrays taken as sets.

Both are commutative up to the order of a set's elements, and leave a value alone that only one side changed.
"""

from collections.abc import Mapping
from typing import Any

from skerry.sync.protocol.three_way_diff import same
from skerry.values import documents, numbers
from skerry.values.missing import MISSING


def combine_counters(base: Any, local: Any, remote: Any) -> Any:
    """Return the sum of what both sides have added to `base` (0 when it is missing); `MISSING` when these are no numbers."""
    if same(base, local):
        return remote
    if same(base, remote):
        return local
    old = 0 if base is MISSING else base
    if not all(numbers.is_number(value) for value in (old, local, remote)):
        return MISSING
    return numbers.add(remote, numbers.subtract(local, old))


def combine_sets(base: Any, local: Any, remote: Any) -> Any:
    """Return what stays or was added on any side, in the hub's order; `MISSING` when these are no arrays.

    An element is the same only if its BSON is. A missing array is an empty set.
    """
    if same(base, local):
        return remote
    if same(base, remote):
        return local
    if not isinstance(local, list) or not isinstance(remote, list) or not (base is MISSING or isinstance(base, list)):
        return MISSING
    old = _elements(base if isinstance(base, list) else [])
    mine, theirs = _elements(local), _elements(remote)
    kept = [value for key, value in theirs.items() if key in mine or key not in old]
    return kept + [value for key, value in mine.items() if key not in theirs and key not in old]


def value_at(document: Mapping[str, Any], path: str) -> Any:
    """Return the value at a dotted path through sub-documents, not through arrays; `MISSING` where there is none."""
    value: Any = document
    for name in path.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return MISSING
        value = value[name]
    return value


def put_at(document: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return the document with `value` at a dotted path, `MISSING` to remove it; as it was where the path is not through
    sub-documents."""
    name, dot, rest = path.partition(".")
    changed = dict(document)
    if not dot:
        if value is MISSING:
            changed.pop(name, None)
        else:
            changed[name] = value
    elif isinstance(changed.get(name), Mapping):
        changed[name] = put_at(changed[name], rest, value)
    return changed


def _elements(array: list[Any]) -> dict[bytes, Any]:
    return {documents.encode({"": element}): element for element in array}
