"""How a query is answered, as plain data: which keys to look up or to scan, in which order."""

from dataclasses import dataclass

from skerry.indexes.index_descriptor import IndexDescriptor
from skerry.values.key_range import KeyRange


@dataclass(frozen=True, slots=True)
class EmptyScan:
    """No document can match."""


@dataclass(frozen=True, slots=True)
class IdLookup:
    """The documents with these keys of `_id`, ascending; `exact` when they all match."""

    keys: tuple[bytes, ...]
    exact: bool


@dataclass(frozen=True, slots=True)
class CollectionScan:
    """Every document, in the order of insertion or its reverse."""

    reverse: bool = False


@dataclass(frozen=True, slots=True)
class IndexScan:
    """The documents with a key in one of `ranges` (ascending, disjoint), in the order of the index or its reverse.

    `exact`: each entry in the ranges is of a matching document, each matching document has exactly one entry there.
    """

    index: IndexDescriptor
    ranges: tuple[KeyRange, ...]
    reverse: bool = False
    provides_sort: bool = False
    exact: bool = False


@dataclass(frozen=True, slots=True)
class UnionScan:
    """What any of the scans yields, each document once, in no order: `$or`."""

    scans: tuple[IndexScan | IdLookup, ...]


QuerySolution = EmptyScan | IdLookup | CollectionScan | IndexScan | UnionScan
